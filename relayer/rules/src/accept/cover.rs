//! Is the money there?

use super::Rejection;
use crate::chain::ChannelState;

/// The highest total that is sure to be paid, by the contract's own rule. Chain time only grows, so a refund request that has lapsed at a finalized block can
/// never be finished.
pub fn covered(state: &ChannelState, now: u64) -> u128 {
    state.record().cover(now)
}

/// A voucher above the cover might be paid in part only: not taken.
///
/// # Errors
/// [`Rejection::NotCovered`].
pub fn check(state: &ChannelState, given: u128, now: u64) -> Result<(), Rejection> {
    let covered = covered(state, now);
    if given <= covered { Ok(()) } else { Err(Rejection::NotCovered { covered, given }) }
}
