//! Breaking things, as `scripts/faults` does.
//!
//! - [`options`]: what can be asked for. [`load`]: what goes on meanwhile.
//! - [`database`]: the relayer's, and its power. [`wire`] stands before the relayer, [`rpc`] before the node; [`crate::harness::Power`] is the relayer's clock.
//! - [`weather`]: what is wrong for a while. Here: kills, and what is looked at after each.
//! - [`verdict`]: what was lost.

pub mod database;
pub mod load;
pub mod options;
pub mod rpc;
pub mod verdict;
pub mod weather;
pub mod wire;

use crate::{
    Context, Error, Result,
    harness::{Daemon, Folder, Power, free_port},
    story::{
        Play, opening,
        options::Options as StoryOptions,
        plan::Dice,
        raise,
        screen::{Screen, To},
    },
};
use clap::Parser;
use database::Database;
use load::{Acknowledged, Counts, Load, Slot};
use options::Options;
use rivulet_client::Relayer;
use rivulet_core::ids::ChannelNumber;
use rpc::Rpc;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use verdict::Verdict;
use weather::Weather;
use wire::Wire;

/// A third of the blocks' time on the Hub, so that more happens.
const BLOCK_TIME_MS: u64 = 250;
const FINALITY_LAG: u32 = 3;
/// A lost transaction is known to be lost after so many blocks.
const MORTALITY_BLOCKS: u32 = 32;
/// A killed relayer's successor claims after this time: it is killed more often than the default lasts.
const LEASE_MS: u32 = 1_000;
/// A relayer that does not start within this time has failed.
const STARTED: Duration = Duration::from_secs(120);
/// As in `relayer/operate/rivulet.service`.
const RESTART: Duration = Duration::from_secs(2);

/// All that is there to be broken.
pub struct Scene {
    play: Play,
    daemon: Daemon,
    database: Database,
    /// Of the relayer's own machine.
    power: Power,
    rpc: Rpc,
    wire: Wire,
    finality_lag: u32,
    acknowledged: Acknowledged,
    counts: Arc<Counts>,
    kills: Kills,
    troubles: BTreeMap<Weather, u64>,
    /// Starts that failed because the node was in trouble.
    restarts: u64,
    reorganized: u64,
    /// What tests sent away with the relayer's key, fees not counted.
    taken_planck: u128,
    /// What they gave it.
    given_planck: u128,
    /// Transactions of tests with the relayer's key.
    foreign_transactions: u64,
    /// Acknowledged vouchers that were gone after a restart.
    lost: Vec<String>,
}

/// Who was killed how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kills {
    /// The relayer or its database server; what they wrote stays.
    pub processes: u64,
    /// The same; what they had not synced is gone.
    pub power_cuts: u64,
    /// The node.
    pub node: u64,
}

impl Kills {
    /// Of all kinds.
    pub fn all(self) -> u64 {
        self.processes + self.power_cuts + self.node
    }
}

/// Breaks things until it is enough, heals them, and counts.
///
/// # Errors
///
/// When something does not start, a good voucher is refused for good, or a channel's vouchers are not claimed in time.
pub async fn run(options: &Options) -> Result<Verdict> {
    let screen = Screen::new(if options.json { To::Stderr } else { To::Stdout });
    let begun = Instant::now();
    let mut scene = set_up(options, screen).await?;
    let load = scene.load().await?;
    let mut tasks = JoinSet::new();
    for payer in 0..load.payers.len() {
        tasks.spawn(load.clone().pay(payer, Dice(options.seed << 32 | payer as u64)));
    }
    let closing = tokio::spawn(load.clone().close_again_and_again(Dice(!options.seed)));
    let mut dice = Dice(options.seed);
    while scene.kills.all() < options.kills || begun.elapsed() < Duration::from_secs(options.minutes * 60) {
        scene.trouble(&mut dice).await?;
        // What a task found wrong ends the run at once.
        while let Some(ended) = tasks.try_join_next() {
            ended.doing("paying")??;
        }
        if closing.is_finished() {
            closing.await.doing("closing channels")??;
            return Err(Error::new("channels are not closed any more"));
        }
        let vouchers = scene.counts.vouchers.load(Ordering::Relaxed);
        scene.play.screen.count(&format!("{} of {} kills; {vouchers} vouchers acknowledged", scene.kills.all(), options.kills));
    }
    scene.play.screen.done(&format!("{} kills in {} s; now all is healed", scene.kills.all(), begun.elapsed().as_secs()));
    load.stop.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.doing("paying")??;
    }
    let closed = closing.await.doing("closing channels")??;
    verdict::of(scene, &load, closed, begun).await
}

async fn set_up(options: &Options, screen: Screen) -> Result<Scene> {
    let folder = Folder::new()?;
    let node_port = free_port()?;
    let rpc = Rpc::in_front_of(node_port).await?;
    let power = Power::new(&folder.path().join("disk"))?;
    let database = Database::start(options.database, &power).await?;
    let text = |n: u64| n.to_string();
    let wanted = [
        ["--payers", &text(options.payers), "--creators", "3", "--streams", "0", "--vouchers", &text(options.payers * 250)],
        [
            "--node-port",
            &text(node_port.into()),
            "--block-time-ms",
            &text(BLOCK_TIME_MS),
            "--finality-lag",
            &text(FINALITY_LAG.into()),
            "--dot-usd",
            "4",
        ],
    ];
    let story = StoryOptions::parse_from(std::iter::once("story").chain(wanted.iter().flatten().copied()));
    let relayer_port = free_port()?;
    let wire = Wire::in_front_of(relayer_port, options.seed).await?;
    let (play, daemon) = raise(story, screen, folder, |flags| {
        flags.port = relayer_port;
        flags.interval_ms = 700;
        // Rows of next to nothing: claim them all the same, in many transactions.
        flags.min_value_bps = 0;
        flags.max_rows = 20;
        flags.database = Some(database.url().to_owned());
        flags.environment = power.environment(10);
        flags.environment.extend([
            ("RIVULET__CHAIN__RPC_URLS".to_owned(), format!("[\"{}\"]", rpc.url())),
            ("RIVULET__CHAIN__MORTALITY_BLOCKS".to_owned(), MORTALITY_BLOCKS.to_string()),
            ("RIVULET__BATCH__LEASE_MS".to_owned(), LEASE_MS.to_string()),
        ]);
    })
    .await?;
    Ok(Scene {
        play,
        daemon,
        database,
        power,
        rpc,
        wire,
        finality_lag: FINALITY_LAG,
        acknowledged: Acknowledged::default(),
        counts: Arc::default(),
        kills: Kills::default(),
        troubles: BTreeMap::new(),
        restarts: 0,
        reorganized: 0,
        taken_planck: 0,
        given_planck: 0,
        foreign_transactions: 0,
        lost: Vec::new(),
    })
}

impl Scene {
    async fn load(&self) -> Result<Load> {
        let channels = opening::open(&self.play).await?;
        let slot = |index: usize| {
            let (channel, coin) = (channels[index], self.play.plan.channels[index].coin);
            Arc::new(tokio::sync::Mutex::new(Slot { coin, channel }))
        };
        let slots = (0..self.play.cast.pay.len()).map(|payer| self.play.plan.channels_of(payer).map(slot).collect()).collect();
        Ok(Load {
            chain: self.play.stage.chain.clone(),
            node: (*self.play.stage.node).clone(),
            bank: self.play.stage.bank.clone(),
            relayer: Relayer::new(self.wire.url())?,
            acknowledged: self.acknowledged.clone(),
            slots: Arc::new(slots),
            payers: Arc::new(self.play.cast.pay.clone()),
            counts: self.counts.clone(),
            stop: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Some weather, and kills in it.
    async fn trouble(&mut self, dice: &mut Dice) -> Result<()> {
        let weather = Weather::ALL[dice.below(Weather::ALL.len() as u64) as usize];
        *self.troubles.entry(weather).or_default() += 1;
        self.begin(weather, dice).await?;
        for _ in 0..1 + dice.below(4) {
            sleep(Duration::from_millis(100 + dice.below(1_500))).await;
            if let Some(status) = self.daemon.ended() {
                return Err(Error::new(format!("{}: the relayer ended by itself with {status}:\n{}", weather.name(), self.daemon.tail())));
            }
            if weather.lets_start() {
                self.kill(dice).await?;
            }
        }
        self.heal(weather).await
    }

    async fn kill(&mut self, dice: &mut Dice) -> Result<()> {
        let choice = dice.below(20);
        if choice < 3 {
            self.kills.node += 1;
            self.play.stage.node.kill_and_restart().await?;
            self.rpc.cut();
            return Ok(());
        }
        self.wire.set_open(false);
        let is_power_cut = choice >= 9;
        *(if is_power_cut { &mut self.kills.power_cuts } else { &mut self.kills.processes }) += 1;
        if self.database.is_a_server() && choice.is_multiple_of(2) {
            // The relayer stays, and finds its server again.
            self.database.kill_server(is_power_cut)?;
            self.daemon.wait_ready().await?;
        } else {
            self.daemon.kill();
            if is_power_cut {
                self.database.relayer_lost_power(&self.power)?;
            }
            self.start().await?;
        }
        self.look_for_losses().await?;
        self.wire.set_open(true);
        Ok(())
    }

    /// Starts the relayer. One that finds its node in trouble ends, and is started again, as its service's unit says.
    async fn start(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.daemon.launch()?;
            match self.daemon.wait_answers().await {
                Ok(()) => return Ok(()),
                Err(e) if begun.elapsed() > STARTED => return Err(e),
                Err(_) => {
                    self.restarts += 1;
                    self.rpc.heal();
                    sleep(RESTART).await;
                }
            }
        }
    }

    /// Compares what the relayer has with what was acknowledged. Nothing new reaches it meanwhile, so that a higher voucher cannot hide the loss of one.
    async fn look_for_losses(&mut self) -> Result<()> {
        // Answers that had left the relayer before the kill have arrived by now: it took longer than that to start.
        let acknowledged = self.acknowledged.all();
        let stored = self.stored().await?;
        for (number, total) in acknowledged {
            let has = stored.get(&number).copied().unwrap_or(0);
            if has < total {
                self.lost.push(format!("channel {number}: {total} acknowledged, {has} stored"));
            }
        }
        Ok(())
    }

    /// The best total of every channel, as the relayer tells its payees.
    async fn stored(&self) -> Result<BTreeMap<ChannelNumber, u128>> {
        let (http, mut found) = (reqwest::Client::new(), BTreeMap::new());
        for creator in &self.play.cast.creators {
            let mut after = String::new();
            loop {
                let url = format!("{}/v1/payees/{}/earnings?by=channel{after}", self.daemon.url(), creator.address());
                let doing = || format!("asking for {url}");
                let answer: Value = http.get(&url).send().await.doing(doing())?.error_for_status().doing(doing())?.json().await.doing(doing())?;
                for channel in answer["channels"].as_array().into_iter().flatten() {
                    let part = |key: &str| channel[key].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
                    let number = ChannelNumber { book: part("book"), serial: part("serial") };
                    found.insert(number, channel["accepted"].as_str().and_then(|total| total.parse().ok()).unwrap_or(0));
                }
                match answer["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
        }
        Ok(found)
    }
}
