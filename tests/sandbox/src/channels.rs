//! The channels contract, deployed and seeded, and its calls by their types.

use crate::{
    Bundle, Failure, NATIVE, Outcome, Party, Sandbox, USDC, USDT, VoucherKey,
    abi::{both::Both, channels::Channels, erc20::Erc20, from_sol, to_sol},
};
use alloy_primitives::U256;
use alloy_sol_types::{SolCall, SolConstructor};
use rivulet_core::{
    blob::{self, Payload, VoucherRow},
    ids::{Address, ChannelId, ChannelTerms, Number, Token},
    outcome::RowOutcome,
};
use std::collections::BTreeMap;

/// What deployment fixes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// Listed tokens and their seeds.
    pub tokens: Vec<(Token, u128)>,
    /// The shortest challenge period.
    pub min_challenge_period_secs: u32,
    /// The longest challenge period.
    pub max_challenge_period_secs: u32,
    /// Ceiling of relay fees.
    pub fee_ceiling_bps: u16,
    /// Where mistaken transfers may be swept to.
    pub sweep_to: Address,
}

impl Default for Parameters {
    /// USDC and USDT with the seeds that the Hub's minimum balances ask for, a minute to a month, fees up to 5 %.
    fn default() -> Self {
        Self {
            tokens: vec![(USDC, 10_000), (USDT, 10_000)],
            min_challenge_period_secs: 60,
            max_challenge_period_secs: 2_592_000,
            fee_ceiling_bps: 500,
            sweep_to: Address([0x5e; 20]),
        }
    }
}

impl Parameters {
    /// Calldata of the constructor of either contract.
    pub fn calldata(&self) -> Vec<u8> {
        Both::constructorCall {
            tokens: self.tokens.iter().map(|(token, _)| to_sol(token)).collect(),
            seeds: self.tokens.iter().map(|(_, seed)| *seed).collect(),
            minChallengePeriodSecs: self.min_challenge_period_secs,
            maxChallengePeriodSecs: self.max_challenge_period_secs,
            feeCeilingBps: self.fee_ceiling_bps,
            sweepTo: to_sol(&self.sweep_to),
        }
        .abi_encode()
    }
}

/// A channel that was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Where it is found.
    pub number: Number,
    /// Its id, which vouchers sign.
    pub id: ChannelId,
    /// All that is fixed, from the event.
    pub terms: ChannelTerms,
}

/// The channels contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelsContract {
    /// Where it is.
    pub address: Address,
}

impl Sandbox {
    /// Deploys a contract of ours and sends it its seeds.
    ///
    /// # Panics
    ///
    /// When either fails.
    pub fn deploy_seeded(&mut self, who: &Party, bundle: &Bundle, parameters: &Parameters) -> Address {
        let deployed = self.deploy(who, &bundle.code, parameters.calldata());
        deployed.bytes();
        for (token, seed) in &parameters.tokens {
            let to = to_sol(&deployed.contract);
            self.send(who, *token, 0, &Erc20::transferCall { to, amount: U256::from(*seed) }).bytes();
        }
        deployed.contract
    }

    /// Calls a contract by a call's type.
    pub fn send<C: SolCall>(&mut self, who: &Party, contract: Address, value_wei: u128, call: &C) -> Outcome {
        self.call(who, contract, value_wei, call.abi_encode())
    }

    /// Asks a contract by a call's type.
    ///
    /// # Panics
    ///
    /// When the contract refuses.
    #[track_caller]
    pub fn ask<C: SolCall>(&mut self, contract: Address, call: &C) -> C::Return {
        let answer = self.view(contract, call.abi_encode()).unwrap_or_else(|e| panic!("{} was refused: {e:?}", C::SIGNATURE));
        C::abi_decode_returns(&answer).unwrap_or_else(|e| panic!("{} answered something else: {e}", C::SIGNATURE))
    }

    /// Allows a contract to pull a token.
    ///
    /// # Panics
    ///
    /// When the token refuses.
    #[track_caller]
    pub fn approve(&mut self, who: &Party, token: Token, spender: Address, amount: u128) {
        self.send(who, token, 0, &Erc20::approveCall { spender: to_sol(&spender), amount: U256::from(amount) }).bytes();
    }
}

impl ChannelsContract {
    /// Deploys the released bundle with [`Parameters::default`] and its seeds, by `//deployer`.
    pub fn deploy(chain: &mut Sandbox) -> Self {
        let who = chain.party("//deployer");
        Self { address: chain.deploy_seeded(&who, &Bundle::channels(), &Parameters::default()) }
    }

    /// Opens a channel with an hour to answer; approves the contract first when the token is none of the chain's own.
    ///
    /// # Panics
    ///
    /// When the contract refuses.
    #[track_caller]
    pub fn open(&self, chain: &mut Sandbox, payer: &Party, payee: Address, signer: Address, token: Token, amount: u128) -> Opened {
        self.try_open(chain, payer, payee, signer, token, 3_600, amount).1.unwrap_or_else(|e| panic!("no channel: {e:?}"))
    }

    /// The same with any challenge period; the transaction, and the channel or why there is none.
    #[allow(clippy::too_many_arguments, reason = "the call's own")]
    pub fn try_open(
        &self,
        chain: &mut Sandbox,
        payer: &Party,
        payee: Address,
        signer: Address,
        token: Token,
        challenge_period_secs: u32,
        amount: u128,
    ) -> (Outcome, Result<Opened, Failure>) {
        if token != NATIVE && amount > 0 {
            chain.approve(payer, token, self.address, amount);
        }
        let call = Channels::openCall {
            payee: to_sol(&payee),
            voucherSigner: to_sol(&signer),
            token: to_sol(&token),
            challengePeriodSecs: challenge_period_secs,
            amount,
        };
        let outcome = chain.send(payer, self.address, if token == NATIVE { amount } else { 0 }, &call);
        let opened = outcome.result.clone().map(|_| Self::opened(&outcome));
        (outcome, opened)
    }

    /// The channel of an `open` that went through.
    ///
    /// # Panics
    ///
    /// When what it returned and what it logged are two different things.
    pub fn opened(outcome: &Outcome) -> Opened {
        let returned = outcome.ok::<Channels::openCall>();
        let event = outcome.event::<Channels::ChannelOpened>();
        let number = Number { book: event.book, serial: event.serial };
        assert_eq!((returned.book, returned.serial, returned.channelId), (event.book, event.serial, event.channelId));
        let terms = ChannelTerms {
            number,
            payer: from_sol(&event.payer),
            payee: from_sol(&event.payee),
            voucher_signer: from_sol(&event.voucherSigner),
            token: from_sol(&event.token),
            challenge_period_secs: event.challengePeriodSecs,
            opened_at: event.openedAt,
        };
        Opened { number, id: ChannelId(event.channelId.0), terms }
    }

    /// A voucher for a channel, signed by this key.
    pub fn voucher(&self, key: &VoucherKey, channel: &Opened, cumulative_amount: u128) -> VoucherRow {
        key.voucher(&Sandbox::deployment(self.address), channel.id, cumulative_amount)
    }

    /// Claims one voucher.
    pub fn claim(&self, chain: &mut Sandbox, who: &Party, number: Number, row: &VoucherRow) -> Outcome {
        let (r, s) = halves(row);
        let call = Channels::claimCall {
            book: number.book,
            serial: number.serial,
            cumulativeAmount: row.cumulative_amount,
            r: r.into(),
            yParityAndS: s.into(),
        };
        chain.send(who, self.address, 0, &call)
    }

    /// Claims many, none of them funding a new account.
    pub fn claim_batch(&self, chain: &mut Sandbox, who: &Party, rows: &[(Number, VoucherRow)]) -> Outcome {
        self.claim_blob(chain, who, batch(false, rows))
    }

    /// Claims a blob as it is.
    pub fn claim_blob(&self, chain: &mut Sandbox, who: &Party, blob: Vec<u8>) -> Outcome {
        chain.send(who, self.address, 0, &Both::claimBatchCall { blob: blob.into() })
    }

    /// Closes by the payee.
    pub fn close(&self, chain: &mut Sandbox, who: &Party, number: Number, row: &VoucherRow) -> Outcome {
        let (r, s) = halves(row);
        let call = Channels::closeCall {
            book: number.book,
            serial: number.serial,
            cumulativeAmount: row.cumulative_amount,
            r: r.into(),
            yParityAndS: s.into(),
        };
        chain.send(who, self.address, 0, &call)
    }

    /// What the contract owes an owner beside channels.
    pub fn credit(&self, chain: &mut Sandbox, owner: Address, token: Token) -> u128 {
        chain.ask(self.address, &Both::creditOfCall { owner: to_sol(&owner), token: to_sol(&token) })
    }

    /// What the contract owes of a token in all.
    pub fn owed(&self, chain: &mut Sandbox, token: Token) -> u128 {
        chain.ask(self.address, &Both::tokenCall { token: to_sol(&token) }).owed
    }

    /// The `channel` view.
    pub fn view(&self, chain: &mut Sandbox, number: Number) -> Channels::channelReturn {
        chain.ask(self.address, &Channels::channelCall { book: number.book, serial: number.serial })
    }
}

fn halves(row: &VoucherRow) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&row.signature.0[..32]);
    s.copy_from_slice(&row.signature.0[32..]);
    (r, s)
}

/// The blob of these rows.
pub fn batch<P: Payload>(fund_new: bool, rows: &[(Number, P)]) -> Vec<u8> {
    let mut groups: BTreeMap<u32, (bool, BTreeMap<u32, P>)> = BTreeMap::new();
    for (number, row) in rows {
        groups.entry(number.book).or_insert_with(|| (fund_new, BTreeMap::new())).1.insert(number.serial, *row);
    }
    blob::encode(&groups)
}

impl Outcome {
    /// The rows' outcomes of a batch.
    ///
    /// # Panics
    ///
    /// When the batch was refused.
    #[track_caller]
    pub fn rows(&self) -> Vec<RowOutcome> {
        let codes = self.ok::<Both::claimBatchCall>();
        codes.iter().map(|code| RowOutcome::from_code(*code).unwrap_or_else(|| panic!("no outcome has the code {code}"))).collect()
    }
}
