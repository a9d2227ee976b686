//! Random calls on streams: creations (one, many, by signature), top-ups, claims, batches, rates, pauses, refunds, ends of every kind, delegates, hand-overs;
//! time jumps to the second before, at and after a start, a cliff, an end, a depletion. Then all leave.

mod create;
mod make;
mod model;
mod steps;
mod stream;

use super::{
    base::{Addr, DOT, Id, NATIVE, Number, Refused, Word, movable},
    ledger::Shared,
    money::Kind,
    parties::Who::*,
    run::{Checked, Driven, Growth, Made, Run as Sequence, sequences, sol},
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
    "start -1", "start +0", "start +1", "cliff -1", "cliff +0", "cliff +1", "end -1", "end +0", "end +1", "depletion -1", "depletion +0", "depletion +1",
    "total, exact", "status 1", "status 2", "status 3", "status 4", "status 5", "status 6", "status 7", "status 8", "status 9", "status 10",
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
            Call::TopUp { .. } => Growth::None,
            _ => Growth::Any,
        }
    }

    fn is_batch(call: &Call) -> bool {
        matches!(call, Call::Batch { .. })
    }

    fn id(model: &Model, number: Number) -> Word {
        model.state.records.get(&number).map_or([0; 32], |stream| stream.id.0)
    }

    fn invariants(model: &Model, by: Addr, number: Number, before: Option<&Self>, after: &Self) -> Checked {
        let (now, book) = (model.now, &model.state.books[&number.0]);
        holds(after, book.token, now)?;
        let Some(before) = before else { return Ok(()) };
        // Nothing that was paid or owed is taken back, but uncovered debt by an early end.
        prop_assert!(after.paid >= before.paid, "paid fell: {before:?}, then {after:?}");
        let ended_by_call = before.fate == Fate::GoesOn && after.fate != Fate::GoesOn;
        if !ended_by_call {
            prop_assert!(after.gross(now) >= before.gross(now), "what was ever owed fell: {before:?}, then {after:?}");
        }
        let secured = |s: &Self| s.paid + movable(book.token, s.covered(now));
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

/// What holds of a stream at any time. The numbers are Sablier's: Flow's invariants, and Lockup's states.
fn holds(s: &Stream, token: Addr, now: u64) -> Checked {
    let (debt, covered, uncovered, refundable) = (s.debt(now), s.covered(now), s.uncovered(now), s.refundable(token, now));
    // Flow 3: no more is paid than came in, and the balance is what is owed or committed and what is refundable, to less than can move.
    prop_assert!(s.paid <= s.deposit, "{s:?}");
    let rest = s.balance() - covered.max(s.committed_left()) - refundable;
    prop_assert!(s.fate == Fate::Cancelled || movable(token, rest) == 0, "{rest} is nobody's of {s:?}");
    // Flow 10, 11.
    prop_assert!(covered + uncovered == debt && covered <= s.balance() && (uncovered == 0 || covered == s.balance()), "{s:?}");
    // Flow 4, 6, 8; Lockup: pending, cancelled.
    prop_assert!(s.status(now) != 1 || (debt == 0 && s.paid == 0), "{s:?}");
    prop_assert!(s.fate == Fate::GoesOn || uncovered == 0, "{s:?}");
    prop_assert!(s.fate != Fate::Cancelled || (refundable == 0 && debt == s.balance()), "{s:?}");
    // A total that nothing disturbed is not passed before the end, and owed exactly from then on.
    if s.total != 0 && s.fate == Fate::GoesOn {
        let owed = s.gross(now) / SCALE;
        prop_assert!(if s.ended(now) { owed == s.total } else { owed <= s.total }, "{owed} is owed of {s:?}");
    }
    Ok(())
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
        let new = self.model.opened[given..].to_vec();
        new.into_iter().try_for_each(|number| self.views_of(number))?;
        // And what time made of one of the others.
        let turn = self.model.now as usize + self.model.opened.len();
        let other = self.model.state.records.keys().nth(turn % self.model.state.records.len().max(1)).copied();
        other.map_or(Ok(()), |number| self.funds_of(number))
    }

    /// What changes by the second is what the model says.
    fn funds_of(&mut self, number: Number) -> Checked {
        let (now, (book, serial)) = (self.model.now, number);
        let funds = self.w.chain.ask(self.model.contract.into(), &Streams::balancesCall { book, serial });
        let figures = [funds.deposit, funds.paid, funds.committed, funds.totalDebt, funds.coveredDebt, funds.uncoveredDebt, funds.refundable];
        let Ok((s, of)) = self.model.find(number) else {
            prop_assert!(figures == [0; 7] && funds.depletesAt == 0, "{number:?} has no record");
            return Ok(());
        };
        let expected = [s.deposit, s.paid, s.committed, s.debt(now), s.covered(now), s.uncovered(now), s.refundable(of.token, now)];
        prop_assert_eq!(figures, expected, "deposit, paid, committed, debt, covered, uncovered, refundable of {:?}", number);
        prop_assert_eq!(funds.depletesAt, s.depletes_at(), "when {:?} depletes", number);
        let mut reached = |what: String| *self.tally.entry(what).or_default() += 1;
        for (what, at) in [("start", s.start_at), ("cliff", s.cliff.map_or(0, |(at, _)| at)), ("end", s.end_at), ("depletion", s.depletes_at())] {
            if now.abs_diff(at) <= 1 {
                reached(format!("{what} {:+}", now as i64 - at as i64));
            }
        }
        if s.total != 0 && s.fate == Fate::GoesOn && s.ended(now) {
            reached("total, exact".into());
        }
        holds(&s, of.token, now)
    }

    /// All that can be asked about one is what the model says.
    fn views_of(&mut self, number: Number) -> Checked {
        self.funds_of(number)?;
        let (this, (book, serial), now) = (self.model.contract.into(), number, self.model.now);
        let found = self.model.find(number);
        let status = match &found {
            Ok((s, _)) => s.status(now),
            Err(Refused::ClosedNumber { .. }) => 10,
            Err(_) => 0,
        };
        *self.tally.entry(format!("status {status}")).or_default() += 1;
        let shown = self.w.chain.ask(this, &Streams::streamCall { book, serial });
        let claimable = self.w.chain.ask(this, &Streams::claimableCall { book, serial });
        let delegate = self.w.chain.ask(this, &Streams::delegateCall { book, serial });
        prop_assert_eq!(shown.status, status, "status of {:?}", number);
        prop_assert_eq!((claimable.gain, claimable.fee), self.model.claimable(number), "claimable of {:?}", number);
        let Ok((s, of)) = found else {
            prop_assert!(
                shown.payer.is_zero() && delegate.rights == 0 && shown.startAt == 0 && shown.streamId.is_zero() && delegate.delegate.is_zero()
            );
            return Ok(());
        };
        prop_assert_eq!((Addr(delegate.delegate.0.0), delegate.rights, delegate.rateCapScaled), (s.delegate, s.rights, s.cap));
        prop_assert_eq!([shown.payer, shown.payee, shown.token].map(|a| Addr(a.0.0)), [s.payer, of.payee, of.token], "parties of {:?}", number);
        prop_assert_eq!((shown.ratePerSecondScaled, shown.startAt, shown.endAt, shown.flags), (s.last().rate, s.start_at, s.end_at, s.flags));
        prop_assert_eq!((shown.cliffAt, shown.cliffAmount), s.cliff.unwrap_or((0, 0)), "cliff of {:?}", number);
        prop_assert_eq!((Id(shown.memo.0), Id(shown.streamId.0)), (s.memo, s.id), "memo and id of {:?}", number);
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
        self.w.chain.fund(NATIVE.into(), new.into(), DOT);
        let account = self.model.account(new);
        (account.kind, account.native) = (Kind::Account, account.native + DOT);
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
                let data = Streams::claimCall { book, serial, amount: ALL, to: sol(payee) };
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
