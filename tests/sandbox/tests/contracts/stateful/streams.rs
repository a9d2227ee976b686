//! Random calls on streams: creations (one, many, by signature), top-ups, claims, batches, rates, pauses, refunds, ends of every kind, delegates, hand-overs;
//! time jumps to the second before, at and after a start, a cliff, an end, a depletion. Then all leave.

mod make;
mod model;
mod steps;
mod stream;

use super::{
    base::{Addr, Number, Word},
    ledger::Shared,
    parties::Who::*,
    run::{Checked, Driven, Growth, Made, Run as Sequence, sequences},
};
use alloy_sol_types::SolCall;
use model::{ALL, Call, Model};
use proptest::prelude::*;
use rivulet_core::ids::Address;
use rivulet_sandbox::{Sandbox, StreamsContract, abi::streams::Streams};
use steps::{Jump, Step, first, step};
use stream::{CANCELLABLE, Fate, SCALE, Stream};

/// What so many sequences reach many times over.
#[rustfmt::skip]
const REACHED: &[&str] = &[
    "Create", "CreateMany", "CreateFor", "TopUp", "Claim", "Batch", "AdjustRate", "Pause", "Resume", "Refund", "Cancel", "Renounce", "Void", "HandOver",
    "SetDelegate", "SetTerms", "SetTermsFor", "Collect", "CollectFor", "Push", "Sweep", "RevokeNonce",
    "outcome 0", "outcome 1", "outcome 2", "outcome 4", "outcome 5",
    "status 1", "status 2", "status 3", "status 4", "status 5", "status 6", "status 7", "status 8", "status 9", "status 10",
    "BadParty", "BadSchedule", "BadRate", "BadRights", "ZeroAmount", "NotMovable", "TooMuch", "WrongValue", "PullFailed", "UnknownNumber",
    "ClosedNumber", "WrongParties", "NotAllowed", "NotDue", "NotCancellable", "NotTransferable", "WrongPause", "Ended", "Overdraw", "NothingToPay",
    "LengthsDiffer", "BadSignature", "PayoutFailed", "BadBlob", "TermsHeld", "FeeAboveCeiling", "Expired", "NonceUsed",
];

impl Driven for Stream {
    fn deploy(chain: &mut Sandbox) -> Address {
        StreamsContract::deploy(chain).address
    }

    fn growth(call: &Call) -> Growth {
        match call {
            Call::Pause { .. } | Call::Resume { .. } | Call::AdjustRate { .. } | Call::Refund { .. } => Growth::None,
            Call::Renounce { .. } | Call::Void { .. } | Call::SetDelegate { .. } => Growth::None,
            Call::Claim { .. } | Call::Batch { .. } | Call::Cancel { .. } => Growth::Shrinks,
            Call::Shared(Shared::Collect { .. } | Shared::Push { .. } | Shared::Sweep { .. }) => Growth::Shrinks,
            _ => Growth::Any,
        }
    }

    fn is_batch(call: &Call) -> bool {
        matches!(call, Call::Batch { .. })
    }

    fn id(model: &Model, number: Number) -> Word {
        model.state.records.get(&number).map_or([0; 32], |stream| stream.id)
    }

    fn invariants(model: &Model, by: Addr, number: Number, before: Option<&Self>, after: &Self) -> Checked {
        let (now, book) = (model.now, &model.state.books[&number.0]);
        let unit_of = if book.token == super::base::NATIVE { super::base::GRAIN } else { 1 };
        let (debt, covered, uncovered) = (after.debt(now), after.covered(now), after.uncovered(now));
        // Flow 3, 4, 5, 10, 11.
        prop_assert!(after.paid <= after.deposit, "{after:?}");
        prop_assert!(covered + uncovered == debt && covered <= after.balance(), "{after:?}");
        prop_assert!(uncovered == 0 || covered == after.balance(), "{after:?}");
        let kept = covered.max(after.committed_left());
        let refundable = after.refundable(book.token, now);
        prop_assert!(after.fate == Fate::Cancelled || after.balance() - kept - refundable < unit_of, "{after:?}");
        // Flow 6, 8; Lockup: cancelled, pending.
        prop_assert!(after.status(now) != 1 || debt == 0, "{after:?}");
        prop_assert!(after.fate == Fate::GoesOn || uncovered == 0, "{after:?}");
        prop_assert!(after.fate != Fate::Cancelled || (refundable == 0 && debt == after.balance()), "{after:?}");
        // A total that nothing disturbed is owed exactly at the end, and the largest total is not passed before.
        if after.total != 0 && after.fate == Fate::GoesOn {
            let owed = after.gross(now) / SCALE;
            prop_assert!(if after.ended(now) { owed == after.total } else { owed <= after.total }, "{owed} is owed of {after:?}");
        }
        let Some(before) = before else { return Ok(()) };
        // Nothing that was paid or owed is taken back, but uncovered debt by an early end.
        prop_assert!(after.paid >= before.paid, "paid fell: {before:?}, then {after:?}");
        let ended_by_call = before.fate == Fate::GoesOn && after.fate != Fate::GoesOn;
        if !ended_by_call {
            prop_assert!(after.gross(now) >= before.gross(now), "what was ever owed fell: {before:?}, then {after:?}");
        }
        let secured = |s: &Self| s.paid + (s.covered(now) - s.covered(now) % unit_of);
        prop_assert!(secured(after) >= secured(before), "of what was covered some is lost: {before:?}, then {after:?}");
        // A payer that gave up cancelling can take nothing and slow nothing before the end, nor can anybody for it.
        if by != book.payee && !before.is(CANCELLABLE) && !before.done(now) {
            prop_assert!(after.deposit >= before.deposit && after.last().rate >= before.last().rate, "{before:?}, then {after:?}");
            prop_assert!(after.fate == Fate::GoesOn && !after.is(CANCELLABLE), "{before:?}, then {after:?}");
            prop_assert!(after.is_paused() <= before.is_paused(), "{before:?}, then {after:?}");
        }
        // Flow 7, 9; Lockup: what is over stays over.
        prop_assert!(before.fate == Fate::GoesOn || before.fate == after.fate, "{before:?}, then {after:?}");
        prop_assert!(before.status(now) != 1 || ![4, 5].contains(&after.status(now)), "{before:?}, then {after:?}");
        Ok(())
    }
}

type Run<'a> = Sequence<'a, Stream>;

impl Run<'_> {
    fn jump(&mut self, jump: Jump) {
        let streams = || self.model.state.records.values().filter(|s| s.fate == Fate::GoesOn);
        let nth = |of: Vec<u64>, n: u8| of.get(usize::from(n) % of.len().max(1)).copied().unwrap_or(0);
        let ahead = |of: &mut dyn Iterator<Item = u64>, n| nth(of.filter(|at| *at >= self.model.now.saturating_sub(1)).collect(), n);
        let (at, beyond) = match jump {
            Jump::Secs(secs) => (self.model.now + u64::from(secs), 0),
            Jump::Start(n, beyond) => (ahead(&mut streams().map(|s| s.start_at), n), beyond),
            Jump::Cliff(n, beyond) => (ahead(&mut streams().filter_map(|s| s.cliff).map(|(at, _)| at), n), beyond),
            Jump::End(n, beyond) => (ahead(&mut streams().map(|s| s.end_at), n), beyond),
            // A rate of next to nothing depletes nobody in this century.
            Jump::Depletion(n, beyond) => (ahead(&mut streams().map(Stream::depletes_at).filter(|at| *at < self.model.now + 100_000), n), beyond),
            Jump::TermsEnd(n, beyond) => (ahead(&mut self.model.state.books.values().map(|b| b.terms.until), n), beyond),
            Jump::Never(n, beyond) => (ahead(&mut streams().filter(|s| s.end_at == 0).map(Stream::flow_end), n), beyond),
        };
        self.advance_to(at.saturating_add_signed(beyond.into()));
    }

    fn step(&mut self, step: &Step) -> Checked {
        let given = self.model.opened.len();
        match step {
            Step::Wait(jump) => self.jump(*jump),
            Step::Shared(step) => self.shared(step)?,
            _ => {
                if let Some(made) = self.make(step) {
                    let number = made.call.number();
                    self.perform(made)?;
                    number.map_or(Ok(()), |number| self.views_of(number))?;
                }
            }
        }
        // What was made now, and one of the others.
        let turn = self.tally.values().sum::<u32>() as usize % given.max(1);
        let new = self.model.opened.iter().enumerate().filter(|(i, _)| *i >= given || *i == turn).map(|(_, number)| *number);
        new.collect::<Vec<_>>().into_iter().try_for_each(|number| self.views_of(number))
    }

    /// All that can be asked about one is what the model says.
    fn views_of(&mut self, number: Number) -> Checked {
        let (this, (book, serial), now) = (self.model.contract.into(), number, self.model.now);
        let found = self.model.find(number);
        let status = match &found {
            Ok((s, _)) => s.status(now),
            Err(super::base::Refused::ClosedNumber { .. }) => 10,
            Err(_) => 0,
        };
        *self.tally.entry(format!("status {status}")).or_default() += 1;
        let shown = self.w.chain.ask(this, &Streams::streamCall { book, serial });
        let funds = self.w.chain.ask(this, &Streams::balancesCall { book, serial });
        let claimable = self.w.chain.ask(this, &Streams::claimableCall { book, serial });
        let delegate = self.w.chain.ask(this, &Streams::delegateCall { book, serial });
        prop_assert_eq!(shown.status, status, "status of {:?}", number);
        prop_assert_eq!((claimable.gain, claimable.fee), self.model.claimable(number), "claimable of {:?}", number);
        let figures = [funds.deposit, funds.paid, funds.committed, funds.totalDebt, funds.coveredDebt, funds.uncoveredDebt, funds.refundable];
        let Ok((s, of)) = found else {
            prop_assert!(figures == [0; 7] && funds.depletesAt == 0 && delegate.rights == 0, "{number:?} has no record");
            prop_assert!(shown.payer.is_zero() && shown.startAt == 0 && shown.streamId.is_zero() && delegate.delegate.is_zero());
            return Ok(());
        };
        let expected = [s.deposit, s.paid, s.committed, s.debt(now), s.covered(now), s.uncovered(now), s.refundable(of.token, now)];
        prop_assert_eq!(figures, expected, "deposit, paid, committed, debt, covered, uncovered, refundable of {:?}", number);
        prop_assert_eq!(funds.depletesAt, s.depletes_at(), "when {:?} depletes", number);
        prop_assert_eq!((Addr(delegate.delegate.0.0), delegate.rights, delegate.rateCapScaled), (s.delegate, s.rights, s.cap));
        prop_assert_eq!([shown.payer, shown.payee, shown.token].map(|a| Addr(a.0.0)), [s.payer, of.payee, of.token], "parties of {:?}", number);
        prop_assert_eq!((shown.ratePerSecondScaled, shown.startAt, shown.endAt, shown.flags), (s.last().rate, s.start_at, s.end_at, s.flags));
        prop_assert_eq!((shown.cliffAt, shown.cliffAmount), s.cliff.unwrap_or((0, 0)), "cliff of {:?}", number);
        prop_assert_eq!((shown.memo.0, shown.streamId.0), (s.memo, s.id), "memo and id of {:?}", number);
        Ok(())
    }

    /// The views tell what is stored, also in pages.
    fn views(&mut self) -> Checked {
        self.model.opened.clone().into_iter().try_for_each(|number| self.views_of(number))?;
        let this = self.model.contract.into();
        for (book, of) in self.model.state.books.clone() {
            let there: Vec<u32> = self.model.state.records.keys().filter(|n| n.0 == book).map(|n| n.1).collect();
            let (mut listed, mut from) = (Vec::new(), 0);
            loop {
                let page = self.w.chain.ask(this, &Streams::streamsCall { book, from, count: 1 + book % 4 });
                listed.extend(page.serials);
                prop_assert!(page.next == 0 || (page.next > from && page.next < of.next_serial), "the page after {from} is {}", page.next);
                from = page.next;
                if from == 0 {
                    break;
                }
            }
            prop_assert_eq!(listed, there, "the streams of book {}", book);
        }
        Ok(())
    }

    /// Everybody leaves: some streams are cancelled by their payee, some voided, some cancelled by their payer; all that is due is claimed.
    fn leave(&mut self) -> Checked {
        let (relayer, new) = (self.addr(Relayer), self.addr(NewPayee));
        // Who had no account gets one, or it could end nothing.
        self.w.chain.fund(super::base::NATIVE.into(), new.into(), super::base::DOT);
        let account = self.model.account(new);
        (account.kind, account.native) = (super::money::Kind::Account, account.native + super::base::DOT);
        for (number, s) in self.model.state.records.clone() {
            let ((book, serial), payee, token) = (number, self.payee_of(number), self.token_of(number));
            let plain = |by, calldata, call| Made { by, value: 0, calldata, call };
            if s.fate == Fate::GoesOn && !s.settled(token, self.model.now) {
                let cancel = Streams::cancelCall { book, serial }.abi_encode();
                self.perform(match (serial % 3, s.is(CANCELLABLE)) {
                    (0, _) => plain(payee, cancel, Call::Cancel { number }),
                    (1, true) => plain(s.payer, cancel, Call::Cancel { number }),
                    (_, _) => plain(payee, Streams::voidCall { book, serial }.abi_encode(), Call::Void { number }),
                })?;
            }
            if self.model.state.records.contains_key(&number) {
                let data = Streams::claimCall { book, serial, amount: ALL, to: super::run::sol(payee) };
                self.perform(plain(relayer, data.abi_encode(), Call::Claim { number, amount: ALL, to: payee }))?;
            }
            prop_assert!(!self.model.state.records.contains_key(&number), "{number:?} cannot be ended: {s:?}");
        }
        self.collect_all()?;
        self.all_left()
    }
}

#[test]
fn whatever_is_called_the_compiled_contract_does_what_the_model_says_and_everybody_gets_its_own() {
    sequences(
        first(),
        step(),
        REACHED,
        |run: &mut Run<'_>, step| run.step(step),
        |run| {
            run.views()?;
            run.leave()
        },
    );
}
