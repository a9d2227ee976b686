//! The story that `scripts/demo` plays.
//!
//! - [`options`]: what can be asked of it. [`plan`]: who pays whom how much, decided before anything happens. [`cast`]: who plays.
//! - [`opening`], [`paying`], [`streaming`], [`closing`]: the acts.
//! - [`audit`]: is every unit accounted for? [`report`]: the table. [`screen`]: what people see.

pub mod audit;
pub mod cast;
pub mod closing;
pub mod opening;
pub mod options;
pub mod paying;
pub mod plan;
pub mod report;
pub mod screen;
pub mod streaming;

use crate::{
    Context, Error, Result,
    harness::{Daemon, Folder, NodeFlags, RelayerFlags, Stage},
    ledger::Snapshot,
};
use audit::{CreatorFacts, Facts, PayerFacts, SellerFacts};
use cast::{Cast, DOT};
use options::{DOLLAR, Options};
use paying::Paying;
use plan::{Money, Plan};
use report::Report;
use rivulet_chain::Deployment;
use rivulet_client::{OpenChannel, Payer, Relayer, VoucherKey};
use rivulet_core::{amount::NATIVE_GRAIN, ids::Token};
use screen::{Screen, To};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    time::Instant,
};
use streaming::{StreamPlan, reckoning::Flow, sold};

/// What every act needs.
pub struct Play {
    /// What was asked.
    pub options: Options,
    /// Channels and payments.
    pub plan: Plan,
    /// Streams.
    pub streams: Vec<StreamPlan>,
    /// Everybody.
    pub cast: Cast,
    /// The chain.
    pub stage: Stage,
    /// The audience.
    pub screen: Screen,
    /// Balances before anybody has paid.
    pub start: Snapshot,
}

impl Play {
    /// Money in dollars, at the story's price of a DOT.
    pub fn dollars(&self, money: Money) -> String {
        let micro = money.planck * u128::from(self.options.dot_usd.0) / DOT + money.usdc;
        format!("${}", screen::decimal(micro, 6, 2))
    }
}

/// How it ended.
pub struct Ending {
    /// Figures, and whether they add up.
    pub report: Report,
    /// Why node or relayer did not stop in good order.
    pub stopped: Result<()>,
}

/// Plays the story until its end, or until `stop` is ready: then it stops node and relayer and returns an error.
///
/// # Errors
///
/// When something is not built or does not start, the chain or the relayer refuses what it should not, or the story is stopped. Logs are kept then.
pub async fn play(options: Options, stop: impl Future<Output = ()>) -> Result<Ending> {
    let begun = Instant::now();
    let screen = Screen::new(if options.json { To::Stderr } else { To::Stdout });
    let mut folder = Folder::new()?;
    folder.keep();
    let logs = folder.path().to_owned();
    tokio::pin!(stop);
    let mut is_stopped = false;
    let result = async {
        let raised = tokio::select! {
            raised = raise(options, screen, folder, |_| ()) => raised,
            () = &mut stop => { is_stopped = true; Err(Error::new("stopped")) }
        };
        let (mut play, mut daemon) = raised?;
        let told = tokio::select! {
            told = tell(&mut play, &daemon) => told,
            () = &mut stop => { is_stopped = true; Err(Error::new("stopped")) }
        };
        let end = match told {
            Ok((facts, paying)) => Report::new(&play, &facts, paying, begun.elapsed()),
            Err(e) => {
                // What went wrong is the news; that something also had to be killed is not.
                let _ = (daemon.stop().await, play.stage.node.stop().await);
                return Err(e);
            }
        };
        report::show(&play.screen, &end);
        let stopped = if play.options.keep { leave(&mut play, &mut daemon).await } else { strike(&mut play, &mut daemon).await };
        Ok(Ending { report: end, stopped })
    };
    let result = result.await;
    let is_useless = match &result {
        Ok(ending) => ending.stopped.is_ok() && ending.report.holds() && !ending.report.is_kept,
        Err(_) => is_stopped,
    };
    if is_useless {
        // What cannot be removed is the system's to clean up.
        let _ = std::fs::remove_dir_all(&logs);
        return result;
    }
    result.map_err(|e| Error::new(format!("{e}\nLogs are in {}", logs.display())))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Node, contracts, people, relayer. `tune` changes how the relayer is set up.
///
/// # Errors
///
/// When something is not built or does not start.
pub async fn raise(options: Options, screen: Screen, folder: Folder, tune: impl FnOnce(&mut RelayerFlags)) -> Result<(Play, Daemon)> {
    screen.begin("The stage");
    let stage =
        Stage::start(folder, NodeFlags { port: options.node_port, block_time_ms: options.block_time_ms, finality_lag: options.finality_lag }).await?;
    screen.done(&format!("a node at {} with Polkadot Hub's fees; both contracts deployed", stage.node.url()));
    let (plan, streams) = (Plan::new(&options), streaming::plan(&options));
    let cast = Cast::new(&options, &stage)?;
    cast.fund(&stage, &plan, &streams).await.doing("giving everybody money")?;
    cast.set_terms(&stage, options.dot_usd).await.doing("setting relay terms")?;
    screen.done(&format!(
        "{}; {} a relayer 1 % and $0.004 a row, at most 10 %",
        counted(cast.payers.len(), "payer has", "payers have") + " money",
        counted(cast.creators.len(), "creator pays", "creators pay")
    ));
    let mut flags = RelayerFlags {
        port: options.relayer_port,
        database: None,
        signer_uri: cast.relayer.uri(),
        beneficiary: cast.earnings.address(),
        // Whatever is left at the end is claimed even where it does not pay for a transaction of its own: the story is to end.
        min_value_bps: 500,
        interval_ms: 5_000,
        enough_vouchers: usize::try_from(options.vouchers / 4).unwrap_or(usize::MAX).max(1),
        max_rows: 500,
        claim_streams: true,
        claim_every_secs: 0,
        // A USDC is a dollar.
        planck_per_whole: [("usdc".to_owned(), u64::try_from(DOT * u128::from(DOLLAR) / u128::from(options.dot_usd.0)).unwrap_or(u64::MAX))].into(),
        environment: BTreeMap::new(),
    };
    tune(&mut flags);
    let daemon = Daemon::start(stage.folder.path(), &stage.deployment_path(), &stage.node.url(), &flags).await?;
    screen.done(&format!("a relayer at {}", daemon.url()));
    let start = stage.ledger.snapshot(&cast.accounts()).await?;
    Ok((Play { options, plan, streams, cast, stage, screen, start }, daemon))
}

/// All acts, and what must be known of them afterwards.
async fn tell(play: &mut Play, daemon: &Daemon) -> Result<(Facts, Paying)> {
    let (accounts, ledger) = (play.cast.accounts(), play.stage.ledger.clone());
    play.screen.begin("Payers open channels");
    let channels = opening::open(play).await?;
    let opened = ledger.snapshot(&accounts).await?;

    play.screen.begin("Payments: signed, sent over HTTP, no transaction");
    let relayer = Relayer::new(daemon.url())?;
    let (channels, paying) = paying::pay(play, &relayer, channels).await?;
    play.screen.begin("The relayer claims");
    paying::wait_paid_out(play).await?;

    if !play.streams.is_empty() {
        play.screen.begin("Streams: money by the second");
    }
    let mut flows = streaming::create(play).await?;
    streaming::run(play, &mut flows).await?;
    let settled = ledger.snapshot(&accounts).await?;

    play.screen.begin("Every channel is closed, every remainder refunded");
    closing::close(play, &channels).await?;
    let end = ledger.snapshot(&accounts).await?;

    play.screen.begin("The books");
    let costs_opened = ledger.costs(play.start.block.number, opened.block.number).await?;
    let costs = ledger.costs(play.start.block.number, end.block.number).await?;
    play.screen.done(&format!("finalized balances of {} accounts at blocks {} to {}", accounts.len(), play.start.block.number, end.block.number));
    let facts = Facts {
        start: play.start.clone(),
        opened,
        settled,
        end,
        costs_opened,
        costs,
        contracts: play.cast.contracts.map(|(name, account)| (name.to_owned(), account)).into(),
        payers: payers(play, &flows),
        creators: creators(play, &flows),
        seller: SellerFacts { name: play.cast.seller.name.clone(), account: play.cast.seller.account(), earned: sold(&flows) },
        relayer: play.cast.relayer.account(),
        earnings: play.cast.earnings.account(),
        operator: play.cast.operator.account(),
    };
    Ok((facts, paying))
}

fn payers(play: &Play, flows: &[Flow]) -> Vec<PayerFacts> {
    let facts = play.cast.payers.iter().enumerate().map(|(index, person)| {
        let mine: Vec<_> = play.plan.channels_of(index).collect();
        let channel = |i: &usize| &play.plan.channels[*i];
        let first_deposits: Money = mine.iter().map(channel).map(|c| Money::of(c.coin, c.deposit)).sum();
        let top_ups: Money = mine.iter().map(channel).map(|c| Money::of(c.coin, c.top_up)).sum();
        let promised: Money = mine.iter().map(channel).map(|c| Money::of(c.coin, c.total)).sum();
        let streams = || flows.iter().filter(|f| f.plan.payer == index);
        let of_channels: BTreeSet<_> = mine.iter().map(channel).map(|c| c.coin).collect();
        let of_streams: BTreeSet<_> = streams().map(|f| f.plan.coin).collect();
        PayerFacts {
            name: person.name.clone(),
            credit_cells: (of_channels.len() + of_streams.len()) as u128,
            account: person.account(),
            channels: mine.len() as u128,
            first_deposits,
            put_in: first_deposits + top_ups + streams().map(|f| Money::of(f.plan.coin, f.plan.deposit + f.plan.top_up)).sum(),
            spent: promised + streams().map(Flow::money).sum(),
        }
    });
    facts.collect()
}

fn creators(play: &Play, flows: &[Flow]) -> Vec<CreatorFacts> {
    let facts = play.cast.creators.iter().enumerate().map(|(index, person)| {
        let mine = || play.plan.channels.iter().enumerate().filter(|(_, c)| c.creator == index);
        let promised: Money = mine().map(|(_, c)| Money::of(c.coin, c.total)).sum();
        let streamed: Money = flows.iter().filter(|f| f.plan.creator == index).map(Flow::of_creator).sum();
        CreatorFacts {
            name: person.name.clone(),
            account: person.account(),
            payments: mine().map(|(_, c)| c.payments).sum(),
            earned: promised + streamed,
        }
    });
    facts.collect()
}

/// Stops node and relayer.
async fn strike(play: &mut Play, daemon: &mut Daemon) -> Result<()> {
    let relayer = daemon.stop().await;
    play.stage.node.stop().await?;
    relayer
}

/// The key of the vouchers of the channel that is left open. Everybody knows it.
const VOUCHER_KEY: [u8; 32] = [0x5e; 32];

/// Leaves them running with a channel to pay into, and says where and how.
async fn leave(play: &mut Play, daemon: &mut Daemon) -> Result<()> {
    let (payer, payee) = (&play.cast.payers[0], &play.cast.creators[0]);
    let client = Payer::new(play.stage.chain.clone(), payer.signer.clone(), VoucherKey::from_bytes(VOUCHER_KEY)?);
    let wanted =
        OpenChannel { payee: payee.address(), token: Token::ZERO, challenge_period_secs: opening::CHALLENGE_SECS, amount: 5 * DOT * NATIVE_GRAIN };
    let channel = client.open(&wanted).await?;
    let (relayer, node) = (daemon.let_go(), play.stage.node.process().let_go());
    let deployment = Deployment::load(play.stage.deployment_path()).doing("reading the deployment's file")?;
    let creator = play.cast.creators.first().map(|c| c.address().to_string()).unwrap_or_default();
    let url = daemon.url();
    let lines = [
        String::new(),
        "Left running:".into(),
        format!("  node       {}  (process {node})", play.stage.node.url()),
        format!("  relayer    {url}  (process {relayer})"),
        format!("  channels   {}", deployment.contracts.channels.address.0),
        format!("  streams    {}", deployment.contracts.streams.address.0),
        format!("  deployment {}", play.stage.deployment_path().display()),
        format!("  chain id   {}", deployment.chain_id),
        format!("  channel    book {}, serial {}, id 0x{}", channel.terms.number.book, channel.terms.number.serial, hex::encode(channel.id.0)),
        format!("             5 DOT from {} to {}; its vouchers' key, known to everybody: 0x{}", payer.name, payee.name, hex::encode(VOUCHER_KEY)),
        format!("  keys       //Alice (has money), {}, {}, ...", play.cast.payers[0].uri(), play.cast.creators[0].uri()),
        format!("  logs       {}", play.stage.folder.path().display()),
        "Try:".into(),
        format!("  curl -s {url}/v1/payees/{creator}/earnings"),
        format!("  curl -s {url}/v1/info"),
        format!("  rivulet statement --payee {creator} --rpc-url {} --deployment {}", play.stage.node.url(), play.stage.deployment_path().display()),
        "Stop:".into(),
        format!("  kill {relayer} {node}; rm -r {}", play.stage.folder.path().display()),
    ];
    play.screen.print(&lines.join("\n"));
    Ok(())
}
