//! The streams contract, deployed and seeded, and its calls by their types.

use crate::{
    Bundle, NATIVE, Outcome, Parameters, Party, Sandbox,
    abi::{both::Both, streams::Streams, to_sol},
    batch,
};
use rivulet_core::{
    blob::StreamRow,
    ids::{Address, Number, Token},
};

/// The streams contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamsContract {
    /// Where it is.
    pub address: Address,
}

impl StreamsContract {
    /// Deploys the released bundle with [`Parameters::default`] and its seeds, by `//deployer`.
    pub fn deploy(chain: &mut Sandbox) -> Self {
        let who = chain.party("//deployer");
        Self { address: chain.deploy_seeded(&who, &Bundle::streams(), &Parameters::default()) }
    }

    /// A stream that starts now: `total` evenly over `secs` seconds, cancellable, with a first deposit.
    pub fn terms(payee: Address, token: Token, total: u128, now: u64, secs: u64, amount: u128) -> Streams::createCall {
        Streams::createCall {
            payee: to_sol(&payee),
            token: to_sol(&token),
            ratePerSecondScaled: 0,
            total,
            startAt: 0,
            cliffAt: 0,
            cliffAmount: 0,
            endAt: now + secs,
            flags: 1,
            amount,
            committed: 0,
            memo: [0; 32].into(),
        }
    }

    /// Creates a stream; approves the contract first when the token is none of the chain's own.
    pub fn create(&self, chain: &mut Sandbox, payer: &Party, terms: &Streams::createCall) -> Outcome {
        let native = terms.token == to_sol(&NATIVE);
        if !native && terms.amount > 0 {
            chain.approve(payer, Address(terms.token.into_array()), self.address, terms.amount);
        }
        chain.send(payer, self.address, if native { terms.amount } else { 0 }, terms)
    }

    /// The number of a stream that was created.
    ///
    /// # Panics
    ///
    /// When it was not.
    #[track_caller]
    pub fn created(outcome: &Outcome) -> Number {
        let returned = outcome.ok::<Streams::createCall>();
        Number { book: returned.book, serial: returned.serial }
    }

    /// Claims `amount`, `u128::MAX` for all, to an address.
    pub fn claim(&self, chain: &mut Sandbox, who: &Party, number: Number, amount: u128, to: Address) -> Outcome {
        chain.send(who, self.address, 0, &Streams::claimCall { book: number.book, serial: number.serial, amount, to: to_sol(&to) })
    }

    /// Claims all of many.
    pub fn claim_batch(&self, chain: &mut Sandbox, who: &Party, numbers: &[Number]) -> Outcome {
        let rows: Vec<_> = numbers.iter().map(|number| (*number, StreamRow)).collect();
        chain.send(who, self.address, 0, &Both::claimBatchCall { blob: batch(false, &rows).into() })
    }

    /// The `stream` view.
    pub fn view(&self, chain: &mut Sandbox, number: Number) -> Streams::streamReturn {
        chain.ask(self.address, &Streams::streamCall { book: number.book, serial: number.serial })
    }

    /// The `balances` view.
    pub fn balances(&self, chain: &mut Sandbox, number: Number) -> Streams::balancesReturn {
        chain.ask(self.address, &Streams::balancesCall { book: number.book, serial: number.serial })
    }
}
