//! Is the money there?

use super::Rejection;
use crate::chain::ChannelState;

/// The highest total that is sure to be paid: the deposit less what the payer has asked back. A refund request lapses one challenge period after it is
/// due; chain time only grows, so one that has lapsed at a finalized block can never be finished.
pub fn covered(state: &ChannelState, now: u64) -> u128 {
    let lapsed = state.refund_due_at.is_some_and(|due| now >= due.saturating_add(u64::from(state.terms.challenge_period_secs)));
    let asked_back = if lapsed { 0 } else { state.refund_requested };
    state.deposit.saturating_sub(asked_back)
}

/// A voucher above the cover might be paid in part only: not taken.
///
/// # Errors
/// [`Rejection::NotCovered`].
pub fn check(state: &ChannelState, given: u128, now: u64) -> Result<(), Rejection> {
    let covered = covered(state, now);
    if given <= covered { Ok(()) } else { Err(Rejection::NotCovered { covered, given }) }
}
