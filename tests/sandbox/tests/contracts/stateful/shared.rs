//! Steps that sequences of both contracts take: terms, credit, sweeps, nonces, gifts, replays.

use super::{
    base::{Addr, DOT, GRAIN, NATIVE, word, word_of},
    ledger::{Shared, Terms},
    parties::{Form, Owner, TermsOf, To, Who, Who::*, any_of, form, owner, payee, terms, unit},
    run::{Checked, Driven, Made, Run, sol},
};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use proptest::prelude::*;
use rivulet_sandbox::abi::{both::Both, erc20::Erc20};

#[derive(Clone, Debug)]
pub enum Step {
    SetTerms { payee: Who, native: bool, terms: TermsOf },
    SetTermsFor { payee: Who, native: bool, terms: TermsOf, form: Form },
    Collect { owner: Owner, to: To },
    CollectFor { owner: Owner, to: To, form: Form },
    Push { owner: Owner },
    Sweep { native: bool },
    Revoke { signer: Who, nonce: u8 },
    Give { native: bool, units: u16 },
    // Native money without a call, which goes back.
    SendBare,
    // The last call once more, byte by byte; with some money, or more of it, if there is a tip.
    Again { tip: bool },
}

/// Of these in a sequence, for how many others: see [`step`].
pub const WEIGHT: u32 = 30;

/// Any of them.
pub fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let native = any::<bool>;
    let credit =
        || prop_oneof![4 => any::<u8>().prop_map(Owner::OfCredit), 1 => (owner(), any::<bool>()).prop_map(|(who, native)| Owner::Party(who, native))];
    prop_oneof![
        5 => (any_of(&[Payee, ContractPayee, Payee, Relayer]), native(), terms())
            .prop_map(|(payee, native, terms)| SetTerms { payee, native, terms }),
        3 => (payee(), native(), terms(), form()).prop_map(|(payee, native, terms, form)| SetTermsFor { payee, native, terms, form }),
        3 => (credit(), any_of(&[To::Party(Relayer), To::Party(Payee), To::Party(ContractPayee), To::Party(NewPayee), To::TheContract]))
            .prop_map(|(owner, to)| Collect { owner, to }),
        3 => (credit(), any_of(&[To::Party(Relayer), To::Party(NewPayee), To::Token]), form())
            .prop_map(|(owner, to, form)| CollectFor { owner, to, form }),
        4 => credit().prop_map(|owner| Push { owner }),
        2 => native().prop_map(|native| Sweep { native }),
        2 => (any_of(&[PayerA, PayerB, Payee]), 0u8..6).prop_map(|(signer, nonce)| Revoke { signer, nonce }),
        2 => (native(), 1u16..4_000).prop_map(|(native, units)| Give { native, units }),
        1 => Just(SendBare),
        5 => prop::bool::weighted(0.1).prop_map(|tip| Again { tip }),
    ]
}

/// Terms that earn their beneficiary something.
pub fn earning() -> impl Strategy<Value = Step> {
    let beneficiary = any_of(&[Relayer, ContractPayee, ContractPayee]).prop_map(To::Party);
    let payee = any_of(&[Payee, NewPayee, ContractPayee]);
    (payee, any::<bool>(), beneficiary, 100u16..500, 0u16..200).prop_map(|(payee, native, beneficiary, bps, min_gain)| {
        let terms = TermsOf { beneficiary, bps, flat: 3, min_gain, until_secs: 1_000 };
        // Who has no account signs, and a contract cannot.
        match payee {
            ContractPayee => Step::SetTerms { payee, native, terms },
            _ => Step::SetTermsFor { payee, native, terms, form: Form { honest: true, nonce: None, good_for_secs: 1 } },
        }
    })
}

impl<C: Driven> Run<'_, C> {
    fn terms(&self, native: bool, t: TermsOf) -> Terms {
        let wide = |units: u16| u128::from(units) * unit(native);
        let until = self.model.now.saturating_add_signed(t.until_secs.into());
        Terms { beneficiary: self.to(t.beneficiary), bps: t.bps, flat: wide(t.flat), min_gain: wide(t.min_gain), until }
    }

    fn owner(&self, owner: Owner) -> (Addr, Addr) {
        let credits = &self.model.state.credits;
        match owner {
            Owner::OfCredit(n) => credits.keys().nth(usize::from(n) % credits.len().max(1)).copied().unwrap_or((self.addr(Payee), NATIVE)),
            Owner::Party(who, native) => (self.addr(who), self.token(native)),
        }
    }

    fn make_shared(&mut self, step: &Step) -> Option<Made<C::Call>> {
        let made = |by, calldata, call: Shared| Some(Made { by, value: 0, calldata, call: call.into() });
        let relayer = self.addr(Relayer);
        match *step {
            Step::SetTerms { payee, native, terms } => {
                let (token, terms) = (self.token(native), self.terms(native, terms));
                let data = Both::setTermsCall {
                    token: sol(token),
                    beneficiary: sol(terms.beneficiary),
                    feeBps: terms.bps,
                    flatFee: terms.flat,
                    minGain: terms.min_gain,
                    until: terms.until,
                };
                made(self.addr(payee), data.abi_encode(), Shared::SetTerms { token, terms })
            }
            Step::SetTermsFor { payee, native, terms, form } => {
                let (payee, token, terms) = (self.addr(payee), self.token(native), self.terms(native, terms));
                let mut said = [payee, token, terms.beneficiary].map(word_of).to_vec();
                said.extend([word(terms.bps), word(terms.flat), word(terms.min_gain), word(terms.until)]);
                let text = "Terms(address payee,address token,address beneficiary,uint16 feeBps,uint128 flatFee,uint128 minGain,uint64 until,\
                            uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payee, form, text, said);
                let data = Both::setTermsForCall {
                    payee: sol(payee),
                    token: sol(token),
                    beneficiary: sol(terms.beneficiary),
                    feeBps: terms.bps,
                    flatFee: terms.flat,
                    minGain: terms.min_gain,
                    until: terms.until,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, data.abi_encode(), Shared::SetTermsFor { payee, token, terms, signed })
            }
            Step::Collect { owner, to } => {
                let ((owner, token), to) = (self.owner(owner), self.to(to));
                made(self.sender(owner), Both::collectCall { token: sol(token), to: sol(to) }.abi_encode(), Shared::Collect { token, to })
            }
            Step::CollectFor { owner, to, form } => {
                let ((owner, token), to) = (self.owner(owner), self.to(to));
                let text = "Collect(address owner,address token,address to,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(owner, form, text, [owner, token, to].map(word_of).to_vec());
                let data = Both::collectForCall {
                    owner: sol(owner),
                    token: sol(token),
                    to: sol(to),
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, data.abi_encode(), Shared::CollectFor { owner, token, to, signed })
            }
            Step::Push { owner } => {
                let (owner, token) = self.owner(owner);
                made(relayer, Both::pushCall { owner: sol(owner), token: sol(token) }.abi_encode(), Shared::Push { owner, token })
            }
            Step::Sweep { native } => {
                let token = self.token(native);
                made(self.addr(Stranger), Both::sweepCall { token: sol(token) }.abi_encode(), Shared::Sweep { token })
            }
            Step::Revoke { signer, nonce } => {
                let nonce = u64::from(nonce);
                made(self.addr(signer), Both::revokeNonceCall { nonce }.abi_encode(), Shared::RevokeNonce { nonce })
            }
            Step::Again { tip } => self.last.clone().map(|last| Made { value: last.value + if tip { GRAIN } else { 0 }, ..last }),
            Step::Give { .. } | Step::SendBare => None,
        }
    }

    /// Takes a step, and compares.
    pub fn shared(&mut self, step: &Step) -> Checked {
        let this = self.model.contract;
        match *step {
            Step::Give { native, units } => {
                let (token, amount) = (self.token(native), u128::from(units) * unit(native));
                if native {
                    self.w.chain.fund(token.into(), this.into(), amount);
                } else {
                    let by = self.addr(Relayer);
                    let transfer = Erc20::transferCall { to: sol(this), amount: U256::from(amount) };
                    let done = self.w.chain.call_as(by.into(), token.into(), 0, transfer.abi_encode());
                    prop_assert!(done.result.is_ok(), "{:?}", done.result);
                    self.model.account(by).usdc -= amount;
                }
                *self.model.gifts.entry(token).or_default() += amount;
                Ok(())
            }
            Step::SendBare => {
                let by = self.addr(Stranger);
                let done = self.w.chain.call_as(by.into(), this.into(), DOT, vec![]);
                prop_assert!(done.result.is_err(), "native money without a call was kept");
                Ok(())
            }
            _ => self.make_shared(step).map_or(Ok(()), |made| self.perform(made)),
        }
    }

    /// All owners of credit have it sent to an account that can be paid.
    pub fn collect_all(&mut self) -> Checked {
        while let Some((owner, _)) = self.model.state.credits.keys().next().copied() {
            let (form, to) = (Form { honest: true, nonce: None, good_for_secs: 1 }, To::Party(Relayer));
            let first = Owner::OfCredit(0);
            let signs = self.w.keys.values().any(|key| key.address.0 == owner.0);
            let step = if signs { Step::CollectFor { owner: first, to, form } } else { Step::Collect { owner: first, to } };
            let before = self.model.state.credits.len();
            self.shared(&step)?;
            prop_assert!(self.model.state.credits.len() < before, "{owner:?} cannot have its credit");
        }
        Ok(())
    }
}
