//! Random calls on channels: opens (one, many, by signature), top-ups, claims, batches, requests, ends; time jumps to the second before, at and after a
//! thing is due or lapses. Then all leave.

mod model;
mod steps;

use super::{
    base::{Addr, GRAIN, NATIVE, Number, Word, word, word_of},
    blobs::{Group, blob, voucher},
    ledger::Shared,
    parties::{Amount, Damage, To, Who::*, unit},
    run::{Checked, Driven, Growth, Made, Run as Sequence, halves, sequences, sol},
};
use alloy_sol_types::SolCall;
use model::{Call, Channel, Model, Opening, Row};
use proptest::prelude::*;
use rivulet_core::ids::Address;
use rivulet_sandbox::{
    ChannelsContract, Sandbox, VoucherKey,
    abi::{both::Both, channels::Channels},
};
use std::collections::BTreeMap;
use steps::{Ask, Hand, Jump, Pick, Signer, Step, Total, first, step};

/// What so many sequences reach many times over.
#[rustfmt::skip]
const REACHED: &[&str] = &[
    "Open", "OpenMany", "OpenFor", "TopUp", "Claim", "Batch", "RequestClose", "RequestRefund", "RequestRefundFor", "Finish", "Close", "CloseFor",
    "SetTerms", "SetTermsFor", "Collect", "CollectFor", "Push", "Sweep", "RevokeNonce",
    "outcome 0", "outcome 1", "outcome 2", "outcome 3", "outcome 4", "outcome 5",
    "BadParty", "BadSigner", "BadPeriod", "ZeroAmount", "NotMovable", "WrongValue", "PullFailed", "UnknownNumber", "ClosedNumber", "WrongChannel",
    "NotAllowed", "AlreadyRequested", "NotRequested", "NotDue", "Lapsed", "BadSignature", "StaleVoucher", "NothingToPay", "PayoutFailed", "BadBlob",
    "TermsHeld", "FeeAboveCeiling", "Expired", "NonceUsed", "Unpaid",
];

impl Driven for Channel {
    fn deploy(chain: &mut Sandbox) -> Address {
        ChannelsContract::deploy(chain).address
    }

    fn growth(call: &Call) -> Growth {
        match call {
            Call::Claim { .. } | Call::Batch { .. } => Growth::None,
            Call::Finish { .. } | Call::Close { .. } | Call::Shared(Shared::Collect { .. } | Shared::Push { .. } | Shared::Sweep { .. }) => {
                Growth::Shrinks
            }
            _ => Growth::Any,
        }
    }

    fn is_batch(call: &Call) -> bool {
        matches!(call, Call::Batch { .. })
    }

    fn id(model: &Model, number: Number) -> Word {
        model.id(number)
    }

    fn invariants(_: &Model, _: Addr, _: Number, before: Option<&Self>, after: &Self) -> Checked {
        prop_assert!(after.claimed <= after.deposit, "{after:?}");
        prop_assert!(before.is_none_or(|before| after.claimed >= before.claimed), "claimed fell: {before:?}, then {after:?}");
        Ok(())
    }
}

type Run<'a> = Sequence<'a, Channel>;

impl Run<'_> {
    fn pick(&self, pick: Pick) -> Number {
        let nth = |list: Vec<Number>, n: u8| list.get(usize::from(n) % list.len().max(1)).copied();
        let found = match pick {
            Pick::Open(n) => nth(self.model.state.records.keys().copied().collect(), n),
            Pick::Asked(n) => nth(self.waiting(|c| c.close_due_at.max(c.refund_due_at)).into_iter().map(|(number, _)| number).collect(), n),
            Pick::OpenOrClosed(n) => nth(self.model.opened.clone(), n),
            Pick::Unknown(n) => Some(if n % 2 == 0 { (99, 0) } else { (1, 300) }),
        };
        found.unwrap_or((1, 0))
    }

    fn total(&self, number: Number, total: Total) -> u128 {
        let native = self.token_of(number) == NATIVE;
        let channel = self.model.state.records.get(&number);
        match total {
            Total::Units(units, odd) => u128::from(units) * unit(native) + if odd { 123_456_789_017 % unit(native) } else { 0 },
            Total::More(units) => channel.map_or(0, |c| c.claimed) + u128::from(units) * unit(native),
            Total::AboutTheLeastForAFee(more) => {
                let least = self.model.state.books.get(&number.0).map_or(0, |book| book.terms.min_gain);
                let grain = if native { GRAIN as i128 } else { 1 };
                (channel.map_or(0, |c| c.claimed) + least).saturating_add_signed(i128::from(more) * grain)
            }
            Total::WhatIsClaimed => channel.map_or(0, |c| c.claimed),
            Total::TheDeposit => channel.map_or(1, |c| c.deposit),
            Total::Most => u128::MAX,
        }
    }

    fn ask(&self, number: Number, ask: Ask) -> u128 {
        match ask {
            Ask::TakeBack => 0,
            Ask::Units(units) => u128::from(units) * unit(self.token_of(number) == NATIVE),
            Ask::Odd => GRAIN - 1,
            Ask::All => u128::MAX,
        }
    }

    /// A voucher's signature, and whom it recovers to.
    fn voucher(&self, number: Number, total: u128, hand: Hand) -> ([u8; 64], Option<Addr>) {
        let id = self.ids.get(&number).copied().unwrap_or_default();
        let session = &self.w.session;
        let by = |key: &VoucherKey| (key.sign(&self.model.voucher(id, total)).0, Some(Addr(key.address.0)));
        match hand {
            Hand::Session => by(session),
            Hand::ThePayer => by(self.model.state.records.get(&number).and_then(|c| self.key(c.payer)).unwrap_or(session)),
            Hand::SomebodyElse => by(&self.w.keys[&Payee]),
            Hand::SessionForAnotherChannel => (session.sign(&self.model.voucher([7; 32], total)).0, None),
            Hand::Scribble => ([0xff; 64], None),
        }
    }

    fn opening(&self, payer: Addr, payee: To, native: bool, amount: Amount, signer: Signer) -> Opening {
        let payee = self.to(payee);
        let signer = match signer {
            Signer::Session => Addr(self.w.session.address.0),
            Signer::ThePayer => payer,
            Signer::ThePayee => payee,
            Signer::Nobody => NATIVE,
        };
        Opening { payee, signer, amount: self.amount(payer, amount, native) }
    }

    /// The call of a step; `None` when it is none.
    fn make(&mut self, step: &Step) -> Option<Made<Call>> {
        let made = |by, value, calldata, call| Some(Made { by, value, calldata, call });
        let relayer = self.addr(Relayer);
        match *step {
            Step::Open { payer, payee, native, period, amount, signer } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let one = self.opening(payer, payee, native, amount, signer);
                let (payee, voucher_signer) = (sol(one.payee), sol(one.signer));
                let data =
                    Channels::openCall { payee, voucherSigner: voucher_signer, token: sol(token), challengePeriodSecs: period, amount: one.amount };
                made(payer, if native { one.amount } else { 0 }, data.abi_encode(), Call::Open { one, token, period })
            }
            Step::OpenMany { payer, native, period, ref many } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let many: Vec<_> = many.iter().map(|(to, amount, signer)| self.opening(payer, *to, native, *amount, *signer)).collect();
                let sum = many.iter().map(|one| one.amount).sum();
                let data = Channels::openManyCall {
                    token: sol(token),
                    challengePeriodSecs: period,
                    payees: many.iter().map(|one| sol(one.payee)).collect(),
                    voucherSigners: many.iter().map(|one| sol(one.signer)).collect(),
                    amounts: many.iter().map(|one| one.amount).collect(),
                };
                made(payer, if native { sum } else { 0 }, data.abi_encode(), Call::OpenMany { many, token, period })
            }
            Step::OpenFor { payer, payee, native, period, amount, signer, form } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let one = self.opening(payer, payee, native, amount, signer);
                let mut said = [payer, one.payee, one.signer, token].map(word_of).to_vec();
                said.extend([word(period), word(one.amount)]);
                let text = "Open(address payer,address payee,address voucherSigner,address token,uint32 challengePeriodSecs,uint128 amount,\
                            uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payer, form, text, said);
                let data = Channels::openForCall {
                    payer: sol(payer),
                    payee: sol(one.payee),
                    voucherSigner: sol(one.signer),
                    token: sol(token),
                    challengePeriodSecs: period,
                    amount: one.amount,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::OpenFor { payer, one, token, period, signed })
            }
            Step::TopUp { by, which, amount, wrong_id } => {
                let (by, number) = (self.addr(by), self.pick(which));
                let native = self.token_of(number) == NATIVE;
                let id = if wrong_id { [1; 32] } else { self.ids.get(&number).copied().unwrap_or_default() };
                let amount = self.amount(by, amount, native);
                let data = Channels::topUpCall { book: number.0, serial: number.1, channelId: id.into(), amount };
                made(by, if native { amount } else { 0 }, data.abi_encode(), Call::TopUp { number, id, amount })
            }
            Step::Claim { by, which, total, hand } => {
                let number = self.pick(which);
                let total = self.total(number, total);
                let (signature, signed_by) = self.voucher(number, total, hand);
                let [r, s] = halves(&signature);
                let data = Channels::claimCall { book: number.0, serial: number.1, cumulativeAmount: total, r: r.into(), yParityAndS: s.into() };
                made(self.addr(by), 0, data.abi_encode(), Call::Claim { number, row: Row { total, by: signed_by } })
            }
            Step::Batch { by, ref rows, fund_new, damage } => {
                let (calldata, call) = self.batch(rows, fund_new, damage);
                made(self.addr(by), 0, Both::claimBatchCall { blob: calldata.into() }.abi_encode(), call)
            }
            Step::RequestClose { which, by_payer } => {
                let number = self.pick(which);
                let data = Channels::requestCloseCall { book: number.0, serial: number.1 };
                made(self.payer_of(number, by_payer), 0, data.abi_encode(), Call::RequestClose { number })
            }
            Step::RequestRefund { which, ask, by_payer } => {
                let number = self.pick(which);
                let amount = self.ask(number, ask);
                let data = Channels::requestRefundCall { book: number.0, serial: number.1, amount };
                made(self.payer_of(number, by_payer), 0, data.abi_encode(), Call::RequestRefund { number, amount })
            }
            Step::RequestRefundFor { which, ask, form } => {
                let number = self.pick(which);
                let (amount, payer) = (self.ask(number, ask), self.payer_of(number, true));
                let said = vec![self.ids.get(&number).copied().unwrap_or_default(), word(amount)];
                let text = "RequestRefund(bytes32 channelId,uint128 amount,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payer, form, text, said);
                let data = Channels::requestRefundForCall {
                    book: number.0,
                    serial: number.1,
                    amount,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::RequestRefundFor { number, amount, signed })
            }
            Step::Finish { by, which } => {
                let number = self.pick(which);
                made(self.addr(by), 0, Channels::finishCall { book: number.0, serial: number.1 }.abi_encode(), Call::Finish { number })
            }
            Step::Close { which, total, hand, by_payee } => {
                let number = self.pick(which);
                let total = self.total(number, total);
                let (signature, signed_by) = self.voucher(number, total, hand);
                let [r, s] = halves(&signature);
                let by = if by_payee { self.payee_of(number) } else { relayer };
                let data = Channels::closeCall { book: number.0, serial: number.1, cumulativeAmount: total, r: r.into(), yParityAndS: s.into() };
                made(self.sender(by), 0, data.abi_encode(), Call::Close { number, row: Row { total, by: signed_by } })
            }
            Step::CloseFor { which, total, form } => {
                let number = self.pick(which);
                let (total, payee) = (self.total(number, total), self.payee_of(number));
                let said = vec![self.ids.get(&number).copied().unwrap_or_default(), word(total)];
                let text = "Close(bytes32 channelId,uint128 cumulativeAmount,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payee, form, text, said);
                let data = Channels::closeForCall {
                    book: number.0,
                    serial: number.1,
                    cumulativeAmount: total,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::CloseFor { number, total, signed })
            }
            Step::Shared(_) | Step::Wait(_) => None,
        }
    }

    fn payer_of(&self, number: Number, honest: bool) -> Addr {
        self.model.state.records.get(&number).map(|c| c.payer).filter(|_| honest).unwrap_or(self.addr(Stranger))
    }

    /// A blob, and how it is to be read.
    fn batch(&self, rows: &[(Pick, Total, Hand)], fund_new: u8, damage: Option<Damage>) -> (Vec<u8>, Call) {
        let mut books: BTreeMap<u32, BTreeMap<u32, (Row, [u8; 64])>> = BTreeMap::new();
        for (pick, total, hand) in rows {
            let number = self.pick(*pick);
            let total = self.total(number, *total);
            let (signature, by) = self.voucher(number, total, *hand);
            books.entry(number.0).or_default().insert(number.1, (Row { total, by }, signature));
        }
        let groups: Vec<Group<Row>> = books
            .iter()
            .enumerate()
            .map(|(i, (book, rows))| (*book, fund_new >> i & 1 == 1, rows.iter().map(|(serial, (row, _))| (*serial, *row)).collect()))
            .collect();
        let (bytes, refused) = blob(1, groups.clone(), damage, |out, number, row| voucher(out, row.total, &books[&number.0][&number.1].1));
        (bytes, refused.map_or(Call::Batch { groups }, |reason| Call::Shared(Shared::BadBatch { reason })))
    }

    /// Open channels for which a time is set, and that time.
    fn waiting(&self, time: impl Fn(&Channel) -> u64) -> Vec<(Number, u64)> {
        self.model.state.records.iter().map(|(number, c)| (*number, time(c))).filter(|(_, at)| *at != 0).collect()
    }

    fn jump(&mut self, jump: Jump) {
        let nth = |of: Vec<u64>, n: u8| of.get(usize::from(n) % of.len().max(1)).copied().unwrap_or(0);
        let waiting = |time: fn(&Channel) -> u64| self.waiting(time).into_iter().map(|(_, at)| at).collect();
        let (at, beyond) = match jump {
            Jump::Secs(secs) => (self.model.now + u64::from(secs), 0),
            Jump::CloseDue(n, beyond) => (nth(waiting(|c| c.close_due_at), n), beyond),
            Jump::RefundDue(n, beyond) => (nth(waiting(|c| c.refund_due_at), n), beyond),
            Jump::RefundLapses(n, beyond) => (nth(waiting(|c| if c.refund_due_at == 0 { 0 } else { c.lapses_at() }), n), beyond),
            Jump::TermsEnd(n, beyond) => (nth(self.model.state.books.values().map(|b| b.terms.until).collect(), n), beyond),
        };
        self.advance_to(at.saturating_add_signed(beyond.into()));
    }

    fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Wait(jump) => {
                self.jump(*jump);
                Ok(())
            }
            Step::Shared(step) => self.shared(step),
            _ => self.make(step).map_or(Ok(()), |made| self.perform(made)),
        }
    }

    /// The views tell what is stored.
    fn views(&mut self) -> Checked {
        let this = self.model.contract.into();
        for (book, serial) in self.model.opened.clone() {
            let stored = self.model.state.records.get(&(book, serial)).copied();
            let view = self.w.chain.ask(this, &Channels::channelCall { book, serial });
            let status = stored.map_or(3, |c| if c.close_due_at == 0 { 1 } else { 2 });
            prop_assert_eq!((view.status, view.deposit, view.claimed), (status, stored.map_or(0, |c| c.deposit), stored.map_or(0, |c| c.claimed)));
            let cover = self.w.chain.ask(this, &Channels::coverCall { book, serial });
            prop_assert_eq!(cover, stored.map_or(0, |c| c.cover(self.model.now)), "cover of {}/{}", book, serial);
            let most = self.w.chain.ask(this, &Channels::claimableCall { book, serial, cumulativeAmount: u128::MAX });
            prop_assert_eq!((most.outcome, most.gain, most.fee), self.model.claimable((book, serial)), "claimable of {}/{}", book, serial);
        }
        for book in 1..=self.model.state.books.len() as u32 {
            let list = self.w.chain.ask(this, &Channels::channelsCall { book, from: 0, count: 400 });
            let open: Vec<u32> = self.model.state.records.keys().filter(|n| n.0 == book).map(|n| n.1).collect();
            prop_assert_eq!((list.serials, list.next), (open, 0));
        }
        Ok(())
    }

    /// Everybody leaves: payers by request and finish, owners of credit to an account that can be paid.
    fn leave(&mut self) -> Checked {
        let this = self.addr(Relayer);
        for (number, c) in self.model.state.records.clone() {
            if c.close_due_at == 0 {
                let calldata = Channels::requestCloseCall { book: number.0, serial: number.1 }.abi_encode();
                self.perform(Made { by: c.payer, value: 0, calldata, call: Call::RequestClose { number } })?;
            }
        }
        self.advance_to(self.model.now + 2_592_000);
        for number in self.model.state.records.keys().copied().collect::<Vec<_>>() {
            let calldata = Channels::finishCall { book: number.0, serial: number.1 }.abi_encode();
            self.perform(Made { by: this, value: 0, calldata, call: Call::Finish { number } })?;
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
