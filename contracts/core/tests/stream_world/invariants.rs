//! What always holds of a stream, one sentence a check; the numbers are those of `contracts/README.md`, "What always holds of streams". Made of what anyone
//! can ask the contract, before and after each call, and of a model only where an amount has to be known.

use rivulet_core::{
    ids::StreamNumber,
    stream::{Balances, State, Stream, StreamStatus as S},
};

use super::{World, model::Model};

/// A stream at a moment.
#[derive(Clone, Debug)]
pub struct Glance {
    pub t: u64,
    pub status: S,
    pub b: Balances,
    pub record: Option<Stream>,
}

pub fn glance(w: &World, n: StreamNumber) -> Glance {
    Glance { t: w.now(), status: w.status(n), b: w.balances(n), record: w.record(n) }
}

impl Glance {
    fn gross(&self) -> u128 {
        self.b.paid + self.b.total_debt
    }

    fn balance(&self) -> u128 {
        self.b.deposit - self.b.paid
    }

    fn is_one_of(&self, all: &[S]) -> bool {
        all.contains(&self.status)
    }
}

/// S-1. Sablier Flow 2, 3; Lockup: deposited ≥ streamed ≥ withdrawn.
fn paid_is_at_most_the_deposit(x: &Glance) {
    assert!(x.b.paid <= x.b.deposit);
    assert!(x.b.paid + x.b.covered_debt <= x.b.deposit);
}

/// S-2. Lockup: withdrawn never falls.
fn paid_never_falls(a: &Glance, x: &Glance) {
    assert!(x.b.paid >= a.b.paid);
}

/// S-3. Flow 3 (total debt never falls without a withdrawal), 5 (streamed = debt + withdrawn).
fn what_was_ever_owed_never_falls_but_by_an_early_end(a: &Glance, x: &Glance) {
    let ended_now = x.is_one_of(&[S::Cancelled, S::Voided]) && a.status != x.status;
    assert!(x.gross() >= a.gross() || ended_now, "{a:?} {x:?}");
}

/// S-3. Flow 3: without a deposit uncovered debt does not fall either.
fn uncovered_debt_falls_only_by_a_deposit_or_an_early_end(a: &Glance, x: &Glance) {
    let early = x.is_one_of(&[S::Cancelled, S::Voided]);
    assert!(x.b.uncovered_debt >= a.b.uncovered_debt || x.b.deposit > a.b.deposit || early, "{a:?} {x:?}");
}

/// S-4. Flow 10, 11.
fn debt_is_covered_as_far_as_the_balance_goes(x: &Glance) {
    assert_eq!(x.b.covered_debt + x.b.uncovered_debt, x.b.total_debt);
    if x.b.uncovered_debt == 0 {
        assert_eq!(x.b.covered_debt, x.b.total_debt);
    } else {
        assert_eq!((x.b.covered_debt, x.b.refundable), (x.balance(), 0));
    }
}

/// S-5. Flow 3: balance = covered + refundable. Ours: or the commitment, where that is more; and native money moves in grains.
fn the_balance_is_covered_debt_or_commitment_and_what_is_refundable(x: &Glance, grain: u128) {
    if x.status == S::Cancelled {
        assert_eq!((x.b.covered_debt, x.b.refundable), (x.balance(), 0));
        return;
    }
    let committed = if x.status == S::Voided { 0 } else { x.b.committed.min(x.b.deposit).saturating_sub(x.b.paid) };
    let kept = x.b.covered_debt.max(committed);
    assert!(kept + x.b.refundable <= x.balance() && x.balance() - kept - x.b.refundable < grain, "{x:?}");
}

/// S-8. Flow 4, 5, 6; Lockup: pending = nothing streamed.
fn before_the_start_nothing_is_owed_and_after_it_the_snapshot_is_past(a: &Glance, x: &Glance) {
    let Some(record) = x.record else { return };
    if x.status == S::Pending {
        assert_eq!((x.b.total_debt, x.b.paid), (0, 0));
    } else if !record.is(State::CANCELLED | State::VOIDED) {
        assert!(record.snapshot_at <= x.t);
    }
    if let Some(before) = a.record {
        assert!(record.snapshot_at >= before.snapshot_at);
    }
}

/// S-9. Flow 5, 7 (paused = rate 0; ours keeps the rate and counts no seconds).
fn a_stream_that_was_paused_all_along_owes_what_it_owed(a: &Glance, x: &Glance) {
    let paused = [S::Paused, S::PausedInsolvent];
    if a.is_one_of(&paused) && x.is_one_of(&paused) && a.record.map(|r| r.snapshot_at) == x.record.map(|r| r.snapshot_at) {
        assert_eq!(a.gross(), x.gross());
    }
}

/// S-10. Flow 8; Lockup: canceled = nothing refundable, something withdrawable.
fn an_early_end_leaves_no_uncovered_debt_and_accrues_nothing(a: &Glance, x: &Glance) {
    if x.is_one_of(&[S::Cancelled, S::Voided]) {
        assert_eq!((x.b.uncovered_debt, x.b.depletes_at), (0, 0));
        assert!(a.status != x.status || a.gross() == x.gross());
    }
    if x.status == S::Cancelled {
        assert!(x.b.covered_debt > 0, "with nothing due it would be gone");
    }
}

/// S-11. Flow 9; Lockup's transitions.
pub fn no_stream_goes_back(from: S, to: S) {
    let forbidden = match from {
        S::Closed => to != S::Closed,
        S::Cancelled => !matches!(to, S::Cancelled | S::Closed),
        S::Voided => !matches!(to, S::Voided | S::Closed),
        S::Ended => !matches!(to, S::Ended | S::Closed),
        S::EndedInsolvent => !matches!(to, S::EndedInsolvent | S::Ended | S::Cancelled | S::Voided | S::Closed),
        S::Pending => matches!(to, S::Paused | S::PausedInsolvent),
        S::Streaming | S::StreamingInsolvent | S::Paused | S::PausedInsolvent if to == S::Pending => true,
        S::Paused => to == S::PausedInsolvent,
        _ => to == S::Unknown,
    };
    assert!(!forbidden, "{from:?} to {to:?}");
}

/// S-12.
fn a_payer_that_gave_up_cancelling_took_nothing_back(a: &Glance, x: &Glance, by_payee: bool) {
    let (Some(before), Some(record)) = (a.record, x.record) else { return };
    if before.is_cancellable() || a.status == S::Voided || before.is_ended(x.t) || by_payee {
        return;
    }
    assert!(!record.is_cancellable() && x.b.deposit >= a.b.deposit);
    assert!(!record.is(State::PAUSED | State::CANCELLED | State::VOIDED));
    assert!(record.rate_per_second_scaled >= before.rate_per_second_scaled);
}

/// S-13.
fn what_the_payee_could_claim_it_can_still_claim_or_has_got(a: &Glance, x: &Glance, grain: u128, by_payee: bool) {
    if x.record.is_none() || by_payee {
        // When the record is gone the payees' side has got it: the sums of the run say so.
        return;
    }
    // An early end writes off what is less than can move.
    assert!(x.b.paid + x.b.covered_debt + grain > a.b.paid + a.b.covered_debt, "{a:?} {x:?}");
}

/// S-16. Flow's depletion time.
fn depletion_is_exact(x: &Glance, m: &Model) {
    if x.record.is_none() || m.cancelled || m.voided.is_some() {
        return;
    }
    match x.b.depletes_at {
        0 => assert_eq!(m.uncovered(u64::MAX), 0, "never depletes: {m:?}"),
        at if at <= x.t => assert!(x.b.uncovered_debt > 0, "depleted: {m:?}"),
        at => assert!(m.uncovered(at - 1) == 0 && m.uncovered(at) > 0, "depletes at {at}: {m:?}"),
    }
}

/// All of them, between two glances at a stream that lie a call or some time apart.
pub fn check(a: &Glance, x: &Glance, m: &Model, by_payee: bool) {
    no_stream_goes_back(a.status, x.status);
    if x.record.is_none() {
        assert_eq!(x.b, Balances::default());
        return;
    }
    paid_is_at_most_the_deposit(x);
    paid_never_falls(a, x);
    what_was_ever_owed_never_falls_but_by_an_early_end(a, x);
    uncovered_debt_falls_only_by_a_deposit_or_an_early_end(a, x);
    debt_is_covered_as_far_as_the_balance_goes(x);
    the_balance_is_covered_debt_or_commitment_and_what_is_refundable(x, m.grain());
    before_the_start_nothing_is_owed_and_after_it_the_snapshot_is_past(a, x);
    a_stream_that_was_paused_all_along_owes_what_it_owed(a, x);
    an_early_end_leaves_no_uncovered_debt_and_accrues_nothing(a, x);
    a_payer_that_gave_up_cancelling_took_nothing_back(a, x, by_payee);
    what_the_payee_could_claim_it_can_still_claim_or_has_got(a, x, m.grain(), by_payee);
    depletion_is_exact(x, m);
}
