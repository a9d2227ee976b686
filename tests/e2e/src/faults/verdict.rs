//! What was lost, once all is healed.

use super::{Kills, Scene, load::Load};
use crate::{
    Context, Error, Result,
    ledger::Ledger,
    story::{
        paying,
        plan::{Coin, Money},
        screen::grouped,
    },
};
use rivulet_core::{ids::ChannelNumber, outcome::RowOutcome};
use rivulet_rules::chain::{ChannelView, ContractEvent};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// By then a relayer that has been left alone has claimed everything.
const SETTLED: Duration = Duration::from_secs(180);
/// Several intervals: what would be claimed twice is claimed by then.
const QUIET: Duration = Duration::from_secs(4);

/// The counts.
#[derive(Clone, Debug)]
pub struct Verdict {
    kills: Kills,
    troubles: BTreeMap<&'static str, u64>,
    vouchers: u64,
    top_ups: u64,
    closed: u64,
    /// Requests and answers lost between clients and relayer; connections to the node cut; dry runs that were made to fail; blocks reorganized.
    lost_on_the_wire: u64,
    cuts: u64,
    failed_dry_runs: u64,
    reorganized: u64,
    foreign_transactions: u64,
    restarts: u64,
    transactions: u32,
    rows: u64,
    took: Duration,
    /// What must be nothing.
    lost: Vec<String>,
    rows_wasted: u64,
    open_intents: u64,
    differences: Vec<String>,
}

impl Verdict {
    /// True when nothing was lost, and something happened.
    pub fn holds(&self) -> bool {
        let Self { lost, differences, rows_wasted, open_intents, .. } = self;
        lost.is_empty() && differences.is_empty() && (*rows_wasted, *open_intents) == (0, 0) && self.vouchers > 0 && self.transactions > 0
    }

    /// For a program.
    pub fn json(&self) -> Value {
        json!({
            "kills": { "relayer_or_database": self.kills.processes, "power_cuts": self.kills.power_cuts, "node": self.kills.node, "all": self.kills.all() },
            "troubles": self.troubles,
            "vouchers_acknowledged": self.vouchers,
            "top_ups": self.top_ups,
            "channels_closed": self.closed,
            "requests_and_answers_lost": self.lost_on_the_wire,
            "node_connections_cut": self.cuts,
            "dry_runs_failed": self.failed_dry_runs,
            "blocks_reorganized": self.reorganized,
            "starts_failed": self.restarts,
            "foreign_transactions": self.foreign_transactions,
            "claim_transactions": self.transactions,
            "rows": self.rows,
            "took_secs": self.took.as_secs(),
            "acknowledged_vouchers_lost": self.lost,
            "rows_paid_twice": self.rows_wasted,
            "intents_left_open": self.open_intents,
            "differences_to_the_chain": self.differences,
            "holds": self.holds(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let n = |n: u64| grouped(n.into());
        let troubles: Vec<_> = self.troubles.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let mut lines = vec![
            format!(
                "kills                       {} (relayer or database {}, the same and all they had not synced {}, node {})",
                self.kills.all(),
                self.kills.processes,
                self.kills.power_cuts,
                self.kills.node
            ),
            format!("troubles                    {}", troubles.join(", ")),
            format!("vouchers acknowledged       {}", n(self.vouchers)),
            format!("top-ups, channels closed    {}, {}", n(self.top_ups), n(self.closed)),
            format!("lost between clients and us {} requests and answers", n(self.lost_on_the_wire)),
            format!(
                "connections to the node cut {}; dry runs failed {}; blocks reorganized {}; starts that failed for it {}",
                n(self.cuts),
                n(self.failed_dry_runs),
                n(self.reorganized),
                self.restarts
            ),
            format!(
                "claimed                     {} rows in {} transactions, {} of others in between",
                n(self.rows),
                self.transactions,
                self.foreign_transactions
            ),
            format!("took                        {} s", self.took.as_secs()),
            String::new(),
            format!("acknowledged vouchers lost  {}", self.lost.len()),
            format!("rows paid twice             {}", self.rows_wasted),
            format!("intents left open           {}", self.open_intents),
            format!("differences to the chain    {}", self.differences.len()),
        ];
        lines.extend(self.lost.iter().chain(&self.differences).map(|line| format!("  {line}")));
        lines.join("\n")
    }
}

/// Waits until all is claimed, and compares everything. `closed`: what was paid through channels that have ended.
///
/// # Errors
///
/// When node or relayer do not answer, although nothing is broken any more.
pub async fn of(mut scene: Scene, load: &Load, closed: Money, begun: Instant) -> Result<Verdict> {
    // The node was killed, and with it this connection.
    scene.play.stage.ledger = Ledger::connect(&scene.play.stage.node.url(), scene.play.stage.chain.node().clone()).await?;
    scene.daemon.wait_ready().await?;
    let mut promised = closed;
    let mut live = Vec::new();
    for slot in load.slots.iter().flatten() {
        let slot = slot.lock().await;
        promised += Money::of(slot.coin, slot.channel.promised);
        live.push((slot.coin, slot.channel));
    }
    let settled = Instant::now();
    while paying::claimed(&scene.play).await?.paid != promised && settled.elapsed() < SETTLED {
        sleep(Duration::from_millis(200)).await;
    }
    sleep(QUIET).await;
    let mut differences = Vec::new();
    let claimed = paying::claimed(&scene.play).await?;
    if claimed.paid != promised {
        differences.push(format!("paid out {:?}, acknowledged {promised:?}", claimed.paid));
    }
    let block = load.chain.node().finalized().await?;
    for (_, channel) in &live {
        match load.chain.channel(channel.number(), block).await? {
            ChannelView::Live(state) if state.claimed == channel.promised => {}
            view => differences.push(format!("channel {}: {} promised, on the chain {view:?}", channel.number(), channel.promised)),
        }
    }
    differences.extend(books(&scene, load).await?);
    differences.extend(key(&scene).await?);
    let (rows, rows_wasted) = rows(&scene).await?;
    scene.look_for_losses().await?;
    let open_intents = open_intents(&scene).await?;
    scene.daemon.stop().await?;
    scene.play.stage.node.stop().await?;
    Ok(Verdict {
        kills: scene.kills,
        troubles: scene.troubles.iter().map(|(weather, count)| (weather.name(), *count)).collect(),
        vouchers: scene.counts.vouchers.load(Ordering::Relaxed),
        top_ups: scene.counts.top_ups.load(Ordering::Relaxed),
        closed: scene.counts.closed.load(Ordering::Relaxed),
        lost_on_the_wire: scene.wire.lost(),
        cuts: scene.rpc.cuts(),
        failed_dry_runs: scene.rpc.failed_dry_runs(),
        reorganized: scene.reorganized,
        foreign_transactions: scene.foreign_transactions,
        restarts: scene.restarts,
        transactions: claimed.transactions.saturating_sub(u32::try_from(scene.foreign_transactions).unwrap_or(u32::MAX)),
        rows,
        took: begun.elapsed(),
        lost: scene.lost,
        rows_wasted,
        open_intents,
        differences,
    })
}

/// What the relayer tells its payees, against the chain: everything accepted is claimed, nothing is pending or lost.
async fn books(scene: &Scene, load: &Load) -> Result<Vec<String>> {
    let (http, mut differences) = (reqwest::Client::new(), Vec::new());
    let claimed = claimed_by_events(scene).await?;
    for (index, creator) in scene.play.cast.creators.iter().enumerate() {
        let url = format!("{}/v1/payees/{}/earnings", scene.daemon.url(), creator.address());
        let answer: Value = http.get(&url).send().await.doing("asking for earnings")?.json().await.doing("asking for earnings")?;
        for token in answer["tokens"].as_array().into_iter().flatten() {
            let amount = |key: &str| token[key].as_str().and_then(|n| n.parse::<u128>().ok()).unwrap_or(u128::MAX);
            let coin = if token["name"] == "native" { Coin::Dot } else { Coin::Usdc };
            let acknowledged: u128 =
                scene.acknowledged.all().iter().filter(|(number, _)| claimed.creator_of(**number) == Some((index, coin))).map(|(_, t)| t).sum();
            let chain = claimed.of(index, coin);
            let told = ["accepted", "claimed", "pending", "lost"].map(amount);
            if told != [acknowledged, chain, 0, 0] {
                differences.push(format!(
                    "{} in {coin:?}: told accepted, claimed, pending, lost {told:?}; acknowledged {acknowledged}, claimed by events {chain}",
                    creator.name
                ));
            }
        }
    }
    if claimed.0.len() < load.slots.iter().map(Vec::len).sum() {
        differences.push(format!("only {} channels were claimed from", claimed.0.len()));
    }
    Ok(differences)
}

/// By channel: its creator, its coin, the total of its last claim. From events.
struct ByEvents(BTreeMap<ChannelNumber, (usize, Coin, u128)>);

impl ByEvents {
    fn creator_of(&self, number: ChannelNumber) -> Option<(usize, Coin)> {
        self.0.get(&number).map(|(creator, coin, _)| (*creator, *coin))
    }

    fn of(&self, creator: usize, coin: Coin) -> u128 {
        self.0.values().filter(|(c, k, _)| (*c, *k) == (creator, coin)).map(|(.., total)| total).sum()
    }
}

async fn claimed_by_events(scene: &Scene) -> Result<ByEvents> {
    let mut found = BTreeMap::new();
    for record in events(scene).await? {
        match record {
            ContractEvent::ChannelOpened { terms, .. } => {
                let creator = scene.play.cast.creators.iter().position(|c| c.address() == terms.payee);
                let creator = creator.ok_or_else(|| Error::new(format!("a channel to nobody: {terms:?}")))?;
                let coin = if terms.token.is_zero() { Coin::Dot } else { Coin::Usdc };
                found.insert(terms.number, (creator, coin, 0));
            }
            ContractEvent::Claimed { book, rows, .. } => {
                for row in rows {
                    if let Some((.., total)) = found.get_mut(&ChannelNumber { book, serial: row.serial }) {
                        *total = row.total;
                    }
                }
            }
            _ => {}
        }
    }
    found.retain(|_, (.., total)| *total > 0);
    Ok(ByEvents(found))
}

async fn events(scene: &Scene) -> Result<Vec<ContractEvent>> {
    let node = scene.play.stage.chain.node();
    let (from, to) = (scene.play.start.block.number, node.finalized().await?.number);
    let mut found = Vec::new();
    for number in from..=to {
        let block = node.block_at(number).await?.ok_or_else(|| Error::new(format!("the node has no block {number}")))?;
        found.extend(scene.play.stage.chain.events(block).await?.into_iter().map(|record| record.event));
    }
    Ok(found)
}

/// All rows claimed, and those that paid nothing: they were carried twice.
async fn rows(scene: &Scene) -> Result<(u64, u64)> {
    let (mut all, mut wasted) = (0, 0);
    for event in events(scene).await? {
        if let ContractEvent::Claimed { rows, .. } = event {
            all += rows.len() as u64;
            wasted += rows.iter().filter(|row| row.outcome != RowOutcome::Applied).count() as u64;
        }
    }
    Ok((all, wasted))
}

/// The relayer's key lost fees and what tests took from it, and nothing else.
async fn key(scene: &Scene) -> Result<Option<String>> {
    let (account, ledger) = (scene.play.cast.relayer.account(), &scene.play.stage.ledger);
    let end = ledger.snapshot(&[account]).await?;
    let costs = ledger.costs(scene.play.start.block.number, end.block.number).await?;
    let fees = costs.get(&account).map_or(0, |paid| paid.fees);
    let expected = scene.play.start.of(&account).native() + scene.given_planck - scene.taken_planck - fees;
    let has = end.of(&account).native();
    Ok((has != expected).then(|| format!("the relayer's key has {has} planck and should have {expected}")))
}

async fn open_intents(scene: &Scene) -> Result<u64> {
    let metrics =
        reqwest::get(format!("{}/metrics", scene.daemon.url())).await.doing("asking for metrics")?.text().await.doing("asking for metrics")?;
    let value = metrics.lines().find_map(|line| line.strip_prefix("rivulet_open_intents ")).and_then(|n| n.trim().parse::<f64>().ok());
    value.map(|n| n as u64).ok_or_else(|| Error::new("the metrics do not say how many intents are open"))
}
