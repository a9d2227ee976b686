//! What a stream owes at a time.
//!
//! All debt is kept **gross** (everything ever owed, paid or not) and **scaled** (× 1e9). `paid` is subtracted after scaling down, so claims leave no trace
//! in it: claiming ten thousand times or once gives the same total, to the unit.
//!
//! ```text
//! gross(t) = snapshot_debt_scaled
//!          + rate_per_second_scaled × seconds of [snapshot_at, t) in [flow start, flow end)    while running
//!          + cliff amount × 1e9    from the first running moment ≥ cliff on
//!          + end_residue_scaled    from the end on, if running then
//! total debt(t) = ⌊gross(t) / 1e9⌋ − paid                      down: against the payee, by less than a unit, which stays owed
//!                 from the end on at least committed − paid
//! covered debt  = min(total debt, deposit − paid)
//! payable       = covered debt, down to what the chain can move    the rest stays owed
//! ```
//!
//! The flow starts at the cliff, without one at the start. It ends at the end, without one 2^32 − 1 s after the start. A paused stream accrues nothing,
//! neither cliff nor residue, and its end does not move: one that is still paused at its end owes what it owed, and what was committed.
//!
//! **Bounds.** The seconds of all rate periods together lie in [flow start, flow end), so they are at most 2^32 − 1; a rate is at most 2^95; a cliff's
//! amount is below 2^96 and 1e9 below 2^30; the residue is below 2^32:
//!
//! ```text
//! gross ≤ 2^95 · (2^32 − 1) + (2^96 − 1) · 1e9 + 2^32 < 2^127 + 2^126 < 2^128
//! ```
//!
//! No step below can overflow. Where one saturates, that is this proof's second line: a stream that nobody can break, whatever its record says.

use super::{State, Stream, schedule::SCALE};
use crate::{amount::floor_to_grain, ids::Token};

/// What is owed, in the token's smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Debt {
    /// All of it: `covered` + `uncovered`.
    pub total: u128,
    /// What the balance covers.
    pub covered: u128,
    /// The rest.
    pub uncovered: u128,
}

impl Stream {
    /// What is left of the deposit.
    pub fn balance(&self) -> u128 {
        // Never negative: what is paid was covered.
        self.deposit.saturating_sub(self.paid)
    }

    /// From when the present rate counts: the later of the snapshot and the flow's start.
    fn runs_from(&self) -> u64 {
        self.snapshot_at.max(self.flow_start)
    }

    /// True while time adds to the debt.
    fn is_running(&self) -> bool {
        !self.is(State::PAUSED | State::CANCELLED | State::VOIDED)
    }

    /// The cliff's amount, scaled, unless the snapshot holds it. 0 without a cliff.
    fn cliff_scaled(&self) -> u128 {
        // Below 2^96 · 2^30.
        if self.is(State::CLIFF_COUNTED) { 0 } else { self.cliff_amount.saturating_mul(SCALE) }
    }

    /// Everything ever owed, paid or not, scaled. Never falls as time passes or calls come, but for a void, which writes off what is not covered.
    #[inline(never)]
    pub fn gross_scaled(&self, now: u64) -> u128 {
        let mut gross = self.snapshot_debt_scaled;
        if !self.is_running() {
            return gross;
        }
        // Negative before the flow: counts as none.
        let secs = now.min(self.flow_end).saturating_sub(self.runs_from());
        gross = gross.saturating_add(self.rate_per_second_scaled.saturating_mul(u128::from(secs)));
        if now >= self.flow_start {
            gross = gross.saturating_add(self.cliff_scaled());
        }
        if self.is_ended(now) {
            gross = gross.saturating_add(u128::from(self.end_residue_scaled));
        }
        gross
    }

    /// Everything owed and not paid. Of a cancelled stream: what is left of the deposit, all of which is the payee's. At the end a commitment falls due,
    /// or a payer could take it back by pausing until then.
    pub fn total_debt(&self, now: u64) -> u128 {
        if self.is(State::CANCELLED) {
            return self.balance();
        }
        // Negative only where a commitment above the debt was paid at the end: then nothing is owed.
        let debt = (self.gross_scaled(now) / SCALE).saturating_sub(self.paid);
        if self.is_ended(now) { debt.max(self.committed_left()) } else { debt }
    }

    /// The debt and what covers it.
    #[inline(never)]
    pub fn debt(&self, now: u64) -> Debt {
        let total = self.total_debt(now);
        let covered = total.min(self.balance());
        Debt { total, covered, uncovered: total.saturating_sub(covered) }
    }

    /// What a claim of all would pay now.
    pub fn payable(&self, token: &Token, now: u64) -> u128 {
        floor_to_grain(token, self.debt(now).covered)
    }

    /// What the payee has yet to get if the stream is ended early now: what it is owed and covered; when the payer's side does it, at least what was
    /// committed. Rounded down to what can move; the rest of the balance is the payer's.
    pub fn due_on_end(&self, token: &Token, now: u64, by_payee: bool) -> u128 {
        let committed = if by_payee { 0 } else { self.committed_left() };
        floor_to_grain(token, self.debt(now).covered.max(committed))
    }

    /// What the payer could take back without ending the stream: the balance less covered debt and commitment. Rounded down to what can move.
    pub fn refundable(&self, token: &Token, now: u64) -> u128 {
        if self.is(State::CANCELLED) {
            return 0;
        }
        let kept = self.debt(now).covered.max(self.committed_left());
        floor_to_grain(token, self.balance().saturating_sub(kept))
    }

    /// The committed part that is still in the balance. A void has settled it: what was due of it is in the snapshot.
    fn committed_left(&self) -> u128 {
        if self.is(State::VOIDED) { 0 } else { self.committed.min(self.deposit).saturating_sub(self.paid) }
    }

    /// True before its start. Its snapshot's time is the start's until then.
    pub fn is_pending(&self, now: u64) -> bool {
        now < self.snapshot_at
    }

    /// True from its end on. An open-ended stream never ends by itself.
    pub fn is_ended(&self, now: u64) -> bool {
        !self.is(State::OPEN_ENDED) && now >= self.flow_end
    }

    /// True when no time to come adds to the debt: ended, cancelled or voided.
    pub fn is_done(&self, now: u64) -> bool {
        self.is(State::CANCELLED | State::VOIDED) || self.is_ended(now)
    }

    /// True when it has ended and its balance covers all of its debt that can be paid: more money would do nothing.
    pub fn is_settled(&self, token: &Token, now: u64) -> bool {
        self.is_ended(now) && floor_to_grain(token, self.total_debt(now)) <= self.balance()
    }

    /// True when, with so much owed, nothing more can ever be paid, so that the record has no use: what is left of the balance is the payer's.
    pub fn is_over(&self, token: &Token, now: u64, total_debt: u128) -> bool {
        self.is_done(now) && floor_to_grain(token, total_debt) == 0
    }

    /// Folds what has accrued into the snapshot. Changes no debt at any time, as long as nothing else changes.
    pub(super) fn take_snapshot(&mut self, now: u64) {
        self.snapshot_debt_scaled = self.gross_scaled(now);
        if self.is_running() && now >= self.flow_start {
            self.state |= State::CLIFF_COUNTED;
        }
        // Before the start it stays where it is, in the future.
        self.snapshot_at = self.snapshot_at.max(now);
    }

    /// The first second at which some debt is not covered, as things stand: exact, covered the second before. 0: never. Once the snapshot itself is
    /// not covered, the snapshot's time, which is not after now.
    pub fn depletes_at(&self) -> u64 {
        if self.is(State::CANCELLED | State::VOIDED) {
            return 0;
        }
        // ⌊gross / 1e9⌋ − paid > deposit − paid, which is gross ≥ (deposit + 1) · 1e9. At most 2^96 · 2^30.
        let limit = self.deposit.saturating_add(1).saturating_mul(SCALE);
        let mut gross = self.snapshot_debt_scaled;
        if gross >= limit {
            return self.snapshot_at;
        }
        if !self.is_running() {
            return 0;
        }
        let (from, flow_end) = (self.runs_from(), self.flow_end);
        gross = gross.saturating_add(self.cliff_scaled());
        if gross >= limit {
            return from;
        }
        let rate = self.rate_per_second_scaled;
        // Up, so that the second before is covered. A rate of 0 never gets there.
        let secs = if rate == 0 { u128::MAX } else { limit.saturating_sub(gross).div_ceil(rate) };
        let flow_secs = flow_end.saturating_sub(from);
        if let Ok(secs) = u64::try_from(secs)
            && secs <= flow_secs
        {
            return from.saturating_add(secs);
        }
        let at_end = gross.saturating_add(rate.saturating_mul(u128::from(flow_secs))).saturating_add(u128::from(self.end_residue_scaled));
        if !self.is(State::OPEN_ENDED) && at_end >= limit { flow_end } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        amount::MAX_AMOUNT,
        ids::Address,
        stream::schedule::{MAX_DURATION_SECS, MAX_RATE_SCALED},
    };

    const START: u64 = 1_000_000;
    const TOKEN: Token = Address([9; 20]);

    /// Half a unit a second, from START on.
    fn half(deposit: u128) -> Stream {
        Stream {
            payer: Address([1; 20]),
            rate_per_second_scaled: SCALE / 2,
            flow_start: START,
            flow_end: START + MAX_DURATION_SECS,
            deposit,
            paid: 0,
            committed: 0,
            snapshot_debt_scaled: 0,
            snapshot_at: START,
            cliff_amount: 0,
            end_residue_scaled: 0,
            flags: 0,
            state: State::OPEN_ENDED,
        }
    }

    fn with_cliff(mut s: Stream, at: u64, amount: u128) -> Stream {
        (s.flow_start, s.cliff_amount) = (at, amount);
        s
    }

    fn ending(mut s: Stream, end_at: u64, residue: u32) -> Stream {
        (s.flow_end, s.end_residue_scaled) = (end_at, residue);
        s.state &= !State::OPEN_ENDED;
        s
    }

    fn pause(s: &mut Stream, now: u64) {
        s.take_snapshot(now);
        s.state |= State::PAUSED;
    }

    fn resume(s: &mut Stream, now: u64) {
        s.take_snapshot(now);
        s.state &= !State::PAUSED;
    }

    /// Covered the second before, not covered at that second.
    fn depletes_exactly_at(s: &Stream, at: u64) {
        assert_eq!(s.depletes_at(), at);
        assert_eq!(s.debt(at - 1).uncovered, 0);
        assert!(s.debt(at).uncovered > 0);
    }

    #[test]
    fn the_start_second_itself_owes_nothing() {
        let s = half(10);
        assert_eq!([START - 1, START, START + 1, START + 2, START + 3].map(|t| s.total_debt(t)), [0, 0, 0, 1, 1]);
        assert_eq!(s.gross_scaled(START + 1), SCALE / 2);
    }

    #[test]
    fn before_the_cliff_nothing_is_owed_and_the_flow_begins_there() {
        let s = with_cliff(half(100), START + 10, 7);
        assert_eq!([START + 9, START + 10, START + 11, START + 12].map(|t| s.total_debt(t)), [0, 7, 7, 8]);
    }

    #[test]
    fn a_cliff_of_nothing_still_holds_the_flow_back() {
        let s = with_cliff(half(100), START + 10, 0);
        assert_eq!([START + 10, START + 12].map(|t| s.total_debt(t)), [0, 1]);
    }

    #[test]
    fn a_cliff_at_the_start_is_due_at_the_start() {
        let s = with_cliff(half(100), START, 7);
        assert_eq!([START - 1, START, START + 2].map(|t| s.total_debt(t)), [0, 7, 8]);
    }

    #[test]
    fn a_cliff_at_the_end_is_due_at_the_end() {
        let s = ending(with_cliff(half(100), START + 10, 7), START + 10, 0);
        assert_eq!([START + 9, START + 10, START + 1_000].map(|t| s.total_debt(t)), [0, 7, 7]);
        assert_eq!(s.depletes_at(), 0);
        depletes_exactly_at(&ending(with_cliff(half(6), START + 10, 7), START + 10, 0), START + 10);
    }

    #[test]
    fn the_end_second_itself_adds_nothing_but_the_residue() {
        let s = ending(half(100), START + 3, 500_000_000);
        assert_eq!([START + 2, START + 3, START + 4].map(|t| s.gross_scaled(t)), [SCALE, 2 * SCALE, 2 * SCALE]);
    }

    #[test]
    fn an_open_ended_stream_stops_after_136_years() {
        let s = half(0);
        let last = START + MAX_DURATION_SECS;
        assert_eq!(s.gross_scaled(last), u128::from(MAX_DURATION_SECS) * SCALE / 2);
        assert_eq!(s.gross_scaled(u64::MAX), s.gross_scaled(last));
        assert!(!s.is_ended(u64::MAX));
    }

    #[test]
    fn a_pause_in_the_same_second_changes_nothing() {
        let (mut s, untouched) = (half(100), half(100));
        for t in START..START + 50 {
            pause(&mut s, t);
            resume(&mut s, t);
            assert_eq!(s.gross_scaled(t), untouched.gross_scaled(t));
        }
        assert_eq!(s.gross_scaled(START + 99), untouched.gross_scaled(START + 99));
    }

    #[test]
    fn a_pause_owes_nothing_for_its_seconds_and_keeps_fractions() {
        let mut s = half(100);
        pause(&mut s, START + 3);
        assert_eq!(s.gross_scaled(START + 900), 3 * SCALE / 2);
        resume(&mut s, START + 900);
        assert_eq!(s.total_debt(START + 901), 2);
    }

    #[test]
    fn a_cliff_that_passes_in_a_pause_falls_due_on_resuming() {
        let mut s = with_cliff(half(100), START + 10, 7);
        pause(&mut s, START + 5);
        assert_eq!(s.total_debt(START + 20), 0);
        resume(&mut s, START + 20);
        assert_eq!([START + 20, START + 22].map(|t| s.total_debt(t)), [7, 8]);
        // Counted once, however often it is paused.
        pause(&mut s, START + 22);
        resume(&mut s, START + 30);
        assert_eq!(s.total_debt(START + 30), 8);
    }

    #[test]
    fn a_cliff_at_the_moment_of_a_pause_has_fallen_due() {
        let mut s = with_cliff(half(100), START + 10, 7);
        pause(&mut s, START + 10);
        assert_eq!(s.total_debt(START + 10), 7);
        resume(&mut s, START + 10);
        assert_eq!([START + 10, START + 12].map(|t| s.total_debt(t)), [7, 8]);
    }

    #[test]
    fn a_stream_still_paused_at_its_end_owes_neither_cliff_nor_residue() {
        let mut s = ending(with_cliff(half(100), START + 10, 7), START + 10, 5);
        pause(&mut s, START + 9);
        assert_eq!(s.gross_scaled(START + 10), 0);
        assert!(s.is_ended(START + 10) && s.is_over(&TOKEN, START + 10, s.total_debt(START + 10)));
    }

    #[test]
    fn a_pause_that_is_over_before_the_end_leaves_the_residue() {
        let mut s = ending(half(100), START + 10, 5);
        pause(&mut s, START + 2);
        resume(&mut s, START + 9);
        assert_eq!(s.gross_scaled(START + 10), 3 * SCALE / 2 + 5);
    }

    #[test]
    fn the_largest_rate_cliff_time_and_residue_together_do_not_overflow() {
        let mut s = ending(with_cliff(half(MAX_AMOUNT), START, MAX_AMOUNT), START + MAX_DURATION_SECS, u32::MAX);
        s.rate_per_second_scaled = MAX_RATE_SCALED;
        let flow = MAX_RATE_SCALED.checked_mul(u128::from(MAX_DURATION_SECS)).unwrap();
        let cliff = MAX_AMOUNT.checked_mul(SCALE).unwrap();
        let all = flow.checked_add(cliff).and_then(|g| g.checked_add(u128::from(u32::MAX))).unwrap();
        assert_eq!(s.gross_scaled(u64::MAX), all);
        assert!(all < (1 << 127) + (1 << 126));
        assert_eq!(s.debt(u64::MAX).covered, MAX_AMOUNT);
        // Paused and resumed half way it comes to the same.
        for t in [START, START + MAX_DURATION_SECS / 2, START + MAX_DURATION_SECS - 1] {
            pause(&mut s, t);
            resume(&mut s, t);
        }
        assert_eq!(s.gross_scaled(u64::MAX), all);
    }

    #[test]
    fn depletion_is_exact_by_the_flow() {
        // 5 units: at half a unit a second the sixth is owed after 12 s.
        depletes_exactly_at(&half(5), START + 12);
        depletes_exactly_at(&half(0), START + 2);
        let mut third = half(5);
        third.rate_per_second_scaled = 333_333_333;
        depletes_exactly_at(&third, START + 19);
    }

    #[test]
    fn depletion_is_exact_by_the_cliff_and_by_the_residue() {
        depletes_exactly_at(&with_cliff(half(6), START + 10, 7), START + 10);
        depletes_exactly_at(&with_cliff(half(7), START + 10, 7), START + 12);
        depletes_exactly_at(&ending(half(0), START + 1, 500_000_000), START + 1);
        assert_eq!(ending(half(0), START + 1, 499_999_999).depletes_at(), 0);
    }

    #[test]
    fn a_stream_that_is_funded_to_its_end_never_depletes() {
        assert_eq!(ending(half(5), START + 11, 0).depletes_at(), 0);
        depletes_exactly_at(&ending(half(5), START + 12, 0), START + 12);
        assert_eq!(half(MAX_AMOUNT).depletes_at(), 0);
    }

    #[test]
    fn an_open_ended_stream_depletes_in_its_last_second_or_never() {
        let mut s = half(u128::from(MAX_DURATION_SECS) - 1);
        s.rate_per_second_scaled = SCALE;
        depletes_exactly_at(&s, START + MAX_DURATION_SECS);
        s.deposit += 1;
        assert_eq!(s.depletes_at(), 0);
    }

    #[test]
    fn a_paused_stream_does_not_deplete_and_a_resumed_one_later() {
        let mut s = half(5);
        pause(&mut s, START + 11);
        assert_eq!(s.depletes_at(), 0);
        resume(&mut s, START + 100);
        depletes_exactly_at(&s, START + 101);
        pause(&mut s, START + 101);
        assert_eq!(s.depletes_at(), START + 101);
    }

    #[test]
    fn payments_do_not_move_depletion_and_top_ups_do() {
        let mut s = half(5);
        s.paid = 3;
        depletes_exactly_at(&s, START + 12);
        s.deposit = 6;
        depletes_exactly_at(&s, START + 14);
    }

    #[test]
    fn native_debt_below_what_can_move_stays_owed() {
        let mut s = half(300_000_000);
        s.rate_per_second_scaled = 60_000_000 * SCALE;
        let payable = |s: &Stream, t| s.payable(&Token::ZERO, t);
        assert_eq!([1, 2, 3, 4, 5].map(|t| payable(&s, START + t) / 100_000_000), [0, 1, 1, 2, 3]);
        s.paid = 100_000_000;
        assert_eq!(s.total_debt(START + 2), 20_000_000);
        assert_eq!(payable(&s, START + 4), 100_000_000);
    }

    #[test]
    fn what_was_committed_falls_due_at_the_end() {
        let mut s = ending(half(100), START + 10, 0);
        s.committed = 60;
        pause(&mut s, START + 4);
        assert_eq!([START + 9, START + 10].map(|t| s.total_debt(t)), [2, 60]);
        s.paid = 60;
        assert!(s.is_over(&TOKEN, START + 10, s.total_debt(START + 10)) && !s.is_over(&TOKEN, START + 9, s.total_debt(START + 9)));
    }

    #[test]
    fn a_payee_that_ends_a_stream_is_due_what_it_earned_and_no_commitment() {
        let mut s = half(100);
        s.committed = 60;
        assert_eq!([0, 40, 160].map(|secs| s.due_on_end(&TOKEN, START + secs, true)), [0, 20, 80]);
    }

    #[test]
    fn a_new_rate_counts_from_its_second_on() {
        let mut s = ending(half(100), START + 10, 0);
        s.take_snapshot(START + 3);
        s.rate_per_second_scaled = SCALE;
        assert_eq!([3, 4, 10, 11].map(|secs| 2 * s.gross_scaled(START + secs) / SCALE), [3, 5, 17, 17]);
        depletes_exactly_at(&Stream { deposit: 4, ..s }, START + 7);
        // Before the start: from the start on.
        let mut early = half(100);
        early.take_snapshot(START - 500);
        early.rate_per_second_scaled = SCALE;
        assert!(early.is_pending(START - 1) && !early.is_pending(START));
        assert_eq!([0, 5].map(|secs| early.total_debt(START + secs)), [0, 5]);
    }

    #[test]
    fn what_was_committed_is_due_on_cancelling_and_never_refundable() {
        let mut s = half(100);
        s.committed = 60;
        assert_eq!((s.due_on_end(&TOKEN, START, false), s.refundable(&TOKEN, START)), (60, 40));
        assert_eq!((s.due_on_end(&TOKEN, START + 160, false), s.refundable(&TOKEN, START + 160)), (80, 20));
        s.paid = 50;
        assert_eq!((s.due_on_end(&TOKEN, START + 100, false), s.refundable(&TOKEN, START + 100)), (10, 40));
        s.paid = 80;
        assert_eq!((s.due_on_end(&TOKEN, START + 160, false), s.refundable(&TOKEN, START + 160)), (0, 20));
    }
}
