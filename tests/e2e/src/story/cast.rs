//! Who plays, what they begin with, and what creators agree to.

use super::{
    options::{MicroUsd, Options},
    plan::{Coin, Money, Plan},
    streaming::StreamPlan,
};
use crate::{
    Result,
    harness::Stage,
    people::{Grant, Person, grant},
};
use futures::future::try_join_all;
use rivulet_chain::{Lane, account::account_of};
use rivulet_client::{Payee, Payer, VoucherKey};
use rivulet_core::fee::RelayTerms;
use rivulet_rules::chain::{Account, ContractKind};

/// One DOT, in planck.
pub const DOT: u128 = 10_000_000_000;
/// The least USDC that an account can hold. A payout of less to one that has none becomes credit.
const USDC_MINIMUM: u128 = 10_000;
/// What relayers earn of each row: a hundredth of what it pays out,
const FEE_BPS: u16 = 100;
/// and so much for the row itself, which is about what it costs,
const FLAT_FEE: MicroUsd = MicroUsd(4_000);
/// when it pays out at least so much.
const MIN_GAIN: MicroUsd = MicroUsd(50_000);
/// Terms hold for ten years.
const TERMS_SECS: u64 = 10 * 365 * 24 * 3600;

/// Everybody, by role. Each has an account of its own, so that each difference between two balances means one thing.
pub struct Cast {
    /// They are paid.
    pub creators: Vec<Person>,
    /// They pay.
    pub payers: Vec<Person>,
    /// The key that signs claims: loses transaction fees, and nothing else.
    pub relayer: Person,
    /// Where relay fees go: gains them, and nothing else.
    pub earnings: Person,
    /// The viewers' app, their streams' delegate: loses transaction fees, and nothing else.
    pub operator: Person,
    /// Gets grants, and hands them over to creators.
    pub seller: Person,
    /// The contracts' own accounts.
    pub contracts: [(&'static str, Account); 2],
    /// The payers' clients.
    pub pay: Vec<Payer>,
    /// The creators' clients.
    pub earn: Vec<Payee>,
    /// The operator's key.
    pub push: Lane,
    /// The seller's client.
    pub sell: Payee,
}

impl Cast {
    /// Makes the keys.
    ///
    /// # Errors
    ///
    /// When the system has no randomness for voucher keys.
    pub fn new(options: &Options, stage: &Stage) -> Result<Self> {
        let people = |role: &str, count: u64| (1..=count).map(|n| Person::new(format!("{role}-{n}"))).collect::<Result<Vec<_>>>();
        let (creators, payers) = (people("creator", options.creators)?, people("payer", options.payers)?);
        let (relayer, earnings, operator) = (Person::new("relayer")?, Person::new("relay-earnings")?, Person::new("operator")?);
        let seller = Person::new("seller")?;
        let chain = &stage.chain;
        let contract = |kind| account_of(&chain.contract(kind));
        let pay = payers.iter().map(|p| Ok(Payer::new(chain.clone(), p.signer.clone(), VoucherKey::generate()?)));
        Ok(Self {
            pay: pay.collect::<Result<_>>()?,
            earn: creators.iter().map(|c| Payee::new(chain.clone(), c.signer.clone())).collect(),
            push: Lane::new(chain.node().clone(), operator.signer.clone()),
            sell: Payee::new(chain.clone(), seller.signer.clone()),
            contracts: [("channels contract", contract(ContractKind::Channels)), ("streams contract", contract(ContractKind::Streams))],
            creators,
            payers,
            relayer,
            earnings,
            operator,
            seller,
        })
    }

    /// All accounts that money moves between.
    pub fn accounts(&self) -> Vec<Account> {
        let people = self.creators.iter().chain(&self.payers).chain([&self.relayer, &self.earnings, &self.operator, &self.seller]);
        people.map(Person::account).chain(self.contracts.iter().map(|(_, account)| *account)).collect()
    }

    /// Gives everybody money: payers what they will lock and something for fees; creators and the earnings account the little that lets them exist
    /// and be paid.
    ///
    /// # Errors
    ///
    /// When Alice cannot pay for it.
    pub async fn fund(&self, stage: &Stage, plan: &Plan, streams: &[StreamPlan]) -> Result<()> {
        let mut grants = Vec::new();
        for (index, payer) in self.payers.iter().enumerate() {
            let channels = plan.channels.iter().filter(|c| c.payer == index).map(|c| Money::of(c.coin, c.deposit + c.top_up));
            let flows = streams.iter().filter(|s| s.payer == index).map(|s| Money::of(s.coin, s.deposit + s.top_up));
            let locked: Money = channels.chain(flows).sum();
            grants.push(Grant { to: payer.account(), planck: locked.planck + 20 * DOT, usdc: locked.usdc + 10_000_000 });
        }
        grants.extend(self.creators.iter().map(|c| Grant { to: c.account(), planck: 20 * DOT, usdc: USDC_MINIMUM }));
        grants.push(Grant { to: self.earnings.account(), planck: DOT, usdc: USDC_MINIMUM });
        grants.push(Grant { to: self.operator.account(), planck: 20 * DOT, usdc: 0 });
        grants.push(Grant { to: self.seller.account(), planck: 20 * DOT, usdc: USDC_MINIMUM });
        grants.push(Grant { to: self.relayer.account(), planck: 1_000 * DOT, usdc: 0 });
        grant(&stage.bank, &grants).await
    }

    /// Every creator, and the seller, opens its books and sets relay terms for its channels and its streams.
    ///
    /// # Errors
    ///
    /// When the chain refuses.
    pub async fn set_terms(&self, stage: &Stage, dot: MicroUsd) -> Result<()> {
        let until = stage.chain.finalized_head().await?.now + TERMS_SECS;
        let beneficiary = self.earnings.address();
        let mut calls = Vec::new();
        for creator in self.earn.iter().chain([&self.sell]) {
            for coin in [Coin::Dot, Coin::Usdc] {
                let terms =
                    RelayTerms { beneficiary, fee_bps: FEE_BPS, flat_fee: coin.amount(FLAT_FEE, dot), min_gain: coin.amount(MIN_GAIN, dot), until };
                for kind in [ContractKind::Channels, ContractKind::Streams] {
                    calls.push(async move { creator.set_terms(kind, &coin.token(), &terms).await });
                }
            }
        }
        try_join_all(calls).await?;
        Ok(())
    }
}
