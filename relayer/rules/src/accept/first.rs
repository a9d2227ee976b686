//! Does the first total pay for its row?

use super::{Policy, Rejection};
use crate::chain::ChannelState;

/// Thousands of channels with a dust voucher each would fill the store and never pay for their rows. Later totals may grow by as little as they like:
/// they replace the row, they do not add one.
///
/// # Errors
/// [`Rejection::FirstTotalTooSmall`].
pub fn check(state: &ChannelState, best_total: Option<u128>, given: u128, policy: &Policy) -> Result<(), Rejection> {
    if best_total.is_some() {
        return Ok(());
    }
    let gain = policy.min_first_gain.get(&state.terms.token).copied().unwrap_or(1).max(1);
    let least = state.claimed.saturating_add(gain);
    if given >= least { Ok(()) } else { Err(Rejection::FirstTotalTooSmall { least, given }) }
}
