//! Does it promise more than the last one?

use super::{Best, Rejection};

/// How a total stands to what the store has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Growth {
    /// More: to be stored.
    Higher,
    /// The same total: answered as it was the first time. The signature may differ (another nonce, the other key); the stored one stays.
    Same,
}

/// Asked by the store within its transaction, where nobody can come between.
///
/// # Errors
/// [`Rejection::Stale`], with what the store has.
pub fn check(best: Option<&Best>, given: u128) -> Result<Growth, Rejection> {
    match best {
        Some(best) if given < best.cumulative_amount => Err(Rejection::Stale { best: *best, given }),
        Some(best) if given == best.cumulative_amount => Ok(Growth::Same),
        _ => Ok(Growth::Higher),
    }
}
