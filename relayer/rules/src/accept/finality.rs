//! Is the channel final, or the total small enough to risk?

use super::{Policy, Rejection};
use crate::chain::ChannelState;

/// A channel in a block that is not final may vanish with that block, and with it whatever was served against its vouchers: the operator says how much of
/// that it risks on one channel. Such a voucher is claimed once the channel is final, never before.
///
/// # Errors
/// [`Rejection::NotFinal`].
pub fn check(state: &ChannelState, is_final: bool, given: u128, policy: &Policy) -> Result<(), Rejection> {
    let most = policy.unfinalized_max.get(&state.terms.token).copied().unwrap_or(0);
    if is_final || given <= most { Ok(()) } else { Err(Rejection::NotFinal { number: state.terms.number, most, given }) }
}
