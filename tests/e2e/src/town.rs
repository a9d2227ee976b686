//! A small town for the examples: a chain, a relayer, people with money. So that an example is a page about one thing.

use crate::{
    Context, Error, Result,
    harness::{Daemon, Folder, NodeFlags, RelayerFlags, Stage},
    ledger::Purse,
    people::{Grant, Person, grant},
};
use rivulet_chain::{Deployment, Lane, deploy::asset_address};
use rivulet_client::{Payee, Payer, Relayer, VoucherKey};
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, Token},
};
use rivulet_rules::chain::{Account, ContractKind};
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

/// The native token.
pub const NATIVE: Token = Address::ZERO;
/// A DOT in wei, the unit of contracts.
pub const DOT: u128 = 1_000_000_000_000_000_000;
/// A DOT in planck, the unit of accounts.
pub const DOT_PLANCK: u128 = 10_000_000_000;
/// A cent in USDC's smallest unit.
pub const CENT: u128 = 10_000;
/// What everybody begins with.
const BEGIN: (u128, u128) = (100 * DOT_PLANCK, 1_000 * 100 * CENT);
/// What creators give whoever carries their vouchers: a hundredth.
const FEE_BPS: u16 = 100;
const YEAR_SECS: u64 = 365 * 24 * 3_600;
const PATIENCE: Duration = Duration::from_secs(90);

/// The token that dollars are paid in.
pub fn usdc() -> Token {
    asset_address(crate::ledger::USDC_ID)
}

/// All of it. Ends with [`Town::close`].
pub struct Town {
    stage: Stage,
    daemon: Daemon,
    /// Signs claims.
    claimer: Person,
    /// Gets the relay fees.
    operator: Person,
}

impl Town {
    /// A new chain with both contracts, and a relayer that claims whatever comes, every second.
    ///
    /// # Errors
    ///
    /// When something is not built or does not start.
    pub async fn found() -> Result<Self> {
        let stage = Stage::start(Folder::new()?, NodeFlags { block_time_ms: 200, ..NodeFlags::default() }).await?;
        let (relayer, operator) = (Person::new("relayer")?, Person::new("operator")?);
        let grants = [&relayer, &operator].map(|p| Grant { to: p.account(), planck: BEGIN.0, usdc: CENT });
        grant(&stage.bank, &grants).await?;
        let flags = RelayerFlags {
            port: 0,
            database: None,
            signer_uri: relayer.uri(),
            beneficiary: operator.address(),
            min_value_bps: 0,
            interval_ms: 1_000,
            enough_vouchers: 1_000_000,
            max_rows: 1_000,
            claim_streams: true,
            claim_every_secs: 0,
            planck_per_whole: BTreeMap::from([("usdc".to_owned(), 2_500_000_000)]),
            environment: BTreeMap::new(),
        };
        let daemon = Daemon::start(stage.folder.path(), &stage.deployment_path(), &stage.node.url(), &flags).await?;
        Ok(Self { stage, daemon, claimer: relayer, operator })
    }

    /// The network's file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn deployment(&self) -> Result<Deployment> {
        Deployment::load(self.stage.deployment_path()).doing("reading the network's file")
    }

    /// The relayer's URL.
    pub fn relayer_url(&self) -> String {
        self.daemon.url()
    }

    /// A folder that ends with the town.
    pub fn folder(&self) -> &Path {
        self.stage.folder.path()
    }

    /// Where vouchers go.
    ///
    /// # Errors
    ///
    /// When the system gives no HTTP client.
    pub fn relayer(&self) -> Result<Relayer> {
        Ok(Relayer::new(self.daemon.url())?)
    }

    /// Somebody with 100 DOT and 1,000 USDC, and a new key for its vouchers.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn payer(&self, name: &str) -> Result<Payer> {
        Ok(self.payers(&[name.to_owned()]).await?.remove(0))
    }

    /// Many of them.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn payers(&self, names: &[String]) -> Result<Vec<Payer>> {
        let people = names.iter().map(Person::new).collect::<Result<Vec<_>>>()?;
        let grants: Vec<_> = people.iter().map(|p| Grant { to: p.account(), planck: BEGIN.0, usdc: BEGIN.1 }).collect();
        grant(&self.stage.bank, &grants).await?;
        let payer = |p: &Person| Ok(Payer::new(self.stage.chain.clone(), p.signer.clone(), VoucherKey::generate()?));
        people.iter().map(payer).collect()
    }

    /// A creator that lets a relayer have a hundredth of what it carries, in both tokens, for channels and streams.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn creator(&self, name: &str) -> Result<Payee> {
        let person = Person::new(name)?;
        grant(&self.stage.bank, &[Grant { to: person.account(), planck: BEGIN.0, usdc: CENT }]).await?;
        let payee = Payee::new(self.stage.chain.clone(), person.signer.clone());
        let terms =
            RelayTerms { beneficiary: self.operator.address(), fee_bps: FEE_BPS, flat_fee: 0, min_gain: 0, until: self.now().await? + YEAR_SECS };
        for kind in [ContractKind::Channels, ContractKind::Streams] {
            for token in [NATIVE, usdc()] {
                payee.set_terms(kind, &token, &terms).await?;
            }
        }
        Ok(payee)
    }

    /// The chain's time.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn now(&self) -> Result<u64> {
        Ok(self.stage.chain.finalized_head().await?.now)
    }

    /// Lets time pass on the chain.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn pass(&self, secs: u64) -> Result<()> {
        let then = self.now().await? + secs;
        self.stage.node.advance_time(secs).await?;
        while self.now().await? < then {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Finalized balances of somebody's key.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn purse(&self, of: &Lane) -> Result<Purse> {
        self.balances(of.signer().account()).await
    }

    async fn balances(&self, account: Account) -> Result<Purse> {
        Ok(self.stage.ledger.snapshot(&[account]).await?.of(&account))
    }

    /// Finalized balances of the relayer's operator: its fees.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn fees(&self) -> Result<Purse> {
        self.balances(self.operator.account()).await
    }

    /// How many transactions the relayer has sent.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub async fn relayers_transactions(&self) -> Result<u32> {
        Ok(self.balances(self.claimer.account()).await?.nonce)
    }

    /// Waits until a creator has so many more USDC than before, less the relayer's hundredth, and the relayer has that.
    ///
    /// # Errors
    ///
    /// When it takes too long, or anybody got more.
    pub async fn until_paid(&self, payee: &Payee, before: Purse, units: u128) -> Result<()> {
        let (fee, begun) = (units / 100, Instant::now());
        loop {
            let gained = self.purse(payee.lane()).await?.usdc - before.usdc;
            if gained == units - fee {
                break;
            }
            if gained > units - fee || begun.elapsed() > PATIENCE {
                return Err(Error::new(format!("the creator got {gained}, and should have {units} less {fee}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        expect("the relayer's fee", self.fees().await?.usdc - CENT, fee)
    }

    /// Waits until the streams contract owes no USDC to anybody: the relayer has claimed all there was.
    ///
    /// # Errors
    ///
    /// When it takes too long.
    pub async fn until_streams_are_claimed(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let block = self.stage.chain.node().finalized().await?;
            let owed = self.stage.chain.token(ContractKind::Streams, &usdc(), block).await?.owed;
            if owed == 0 {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Error::new(format!("the streams contract still owes {owed}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// When relayer or node do not end well.
    pub async fn close(mut self) -> Result<()> {
        self.daemon.stop().await?;
        self.stage.node.stop().await
    }
}

/// Every example ends with such checks.
///
/// # Errors
///
/// When the two differ.
pub fn expect<T: PartialEq + std::fmt::Debug>(what: &str, given: T, expected: T) -> Result<()> {
    match given == expected {
        true => Ok(()),
        false => Err(Error::new(format!("expected {expected:?}, given {given:?}"))).doing(what),
    }
}
