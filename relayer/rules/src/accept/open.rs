//! Has the payer asked to close?

use super::Rejection;
use crate::chain::ChannelState;

/// From a request to close on, the whole balance is asked for: new vouchers would race the clock.
///
/// # Errors
/// [`Rejection::ChannelClosing`].
pub fn check(state: &ChannelState) -> Result<(), Rejection> {
    match state.close_due_at {
        Some(due_at) => Err(Rejection::ChannelClosing { number: state.terms.number, due_at }),
        None => Ok(()),
    }
}
