//! What is wrong for a while, whoever is killed meanwhile.

use super::Scene;
use crate::{
    Result,
    people::{Grant, grant},
    story::{cast::DOT, plan::Dice},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// One kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weather {
    /// Nothing is wrong.
    Calm,
    /// The node answers late.
    SlowNode,
    /// Some of the node's answers come twice.
    AnswersTwice,
    /// Requests reach the node, and the connection breaks.
    AnswersLost,
    /// Dry runs trap.
    NoDryRuns,
    /// Blocks that are not final are replaced by others.
    Reorgs,
    /// Nothing fits on the relayer's disk.
    FullDisk,
    /// The relayer's clock is wrong.
    WrongClock,
    /// The signing key cannot pay.
    EmptyKey,
    /// Somebody else signs with the same key.
    KeyElsewhere,
}

impl Weather {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Calm,
        Self::SlowNode,
        Self::AnswersTwice,
        Self::AnswersLost,
        Self::NoDryRuns,
        Self::Reorgs,
        Self::FullDisk,
        Self::WrongClock,
        Self::EmptyKey,
        Self::KeyElsewhere,
    ];

    /// In a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::SlowNode => "slow node",
            Self::AnswersTwice => "node answers twice",
            Self::AnswersLost => "node's answers lost",
            Self::NoDryRuns => "dry runs fail",
            Self::Reorgs => "reorgs",
            Self::FullDisk => "full disk",
            Self::WrongClock => "wrong clock",
            Self::EmptyKey => "empty key",
            Self::KeyElsewhere => "key used elsewhere",
        }
    }

    /// With a full disk no relayer starts: it is not killed then.
    pub fn lets_start(self) -> bool {
        self != Self::FullDisk
    }
}

/// What the key keeps when it is emptied: it exists, and cannot pay a claim. An account that is gone would begin again at nonce 0.
const LEFT: u128 = DOT / 50;
/// What it is given back.
const REFILL: u128 = 500 * DOT;

impl Scene {
    /// Begins it.
    ///
    /// # Errors
    ///
    /// When the node does not answer a test's call.
    pub async fn begin(&mut self, weather: Weather, dice: &mut Dice) -> Result<()> {
        match weather {
            Weather::Calm => {}
            Weather::SlowNode => self.rpc.delay(50 + dice.below(400)),
            Weather::AnswersTwice => self.rpc.answer_twice(5),
            Weather::AnswersLost => self.rpc.lose_answers(10),
            Weather::NoDryRuns => self.rpc.fail_dry_runs(true),
            Weather::Reorgs => self.reorganize().await?,
            Weather::FullDisk => self.database.fill_disk(&self.power, true)?,
            Weather::WrongClock => {
                const HOUR_MS: i64 = 3_600_000;
                let jumps = [-30 * 24 * HOUR_MS, -HOUR_MS, -5_000, 5_000, HOUR_MS, 30 * 24 * HOUR_MS];
                self.power.shift_clock(jumps[dice.below(jumps.len() as u64) as usize])?;
            }
            Weather::EmptyKey => self.empty_key().await?,
            Weather::KeyElsewhere => self.use_key(3).await?,
        }
        Ok(())
    }

    /// Makes it good again.
    ///
    /// # Errors
    ///
    /// As [`Scene::begin`].
    pub async fn heal(&mut self, weather: Weather) -> Result<()> {
        match weather {
            Weather::Calm | Weather::Reorgs | Weather::KeyElsewhere => {}
            Weather::SlowNode => self.rpc.delay(0),
            Weather::AnswersTwice => self.rpc.answer_twice(0),
            Weather::AnswersLost => self.rpc.lose_answers(0),
            Weather::NoDryRuns => self.rpc.fail_dry_runs(false),
            Weather::FullDisk => self.database.fill_disk(&self.power, false)?,
            Weather::WrongClock => self.power.shift_clock(0)?,
            Weather::EmptyKey => {
                self.given_planck += REFILL;
                grant(&self.play.stage.bank, &[Grant { to: self.play.cast.relayer.account(), planck: REFILL, usdc: 0 }]).await?;
            }
        }
        Ok(())
    }

    /// Replaces all that is not final by a longer chain of empty blocks, twice.
    async fn reorganize(&mut self) -> Result<()> {
        let node = &self.play.stage.node;
        for _ in 0..2 {
            sleep(Duration::from_millis(700)).await;
            node.set_sealing(false).await?;
            // A block that was under way ends, and with it finality moves on.
            sleep(Duration::from_millis(200)).await;
            let last_final = node.call("chain_getFinalizedHead", json!([])).await?;
            let length = self.finality_lag + 2;
            let built = node.call("dev_buildFork", json!([last_final, length])).await?;
            self.reorganized += built.as_array().map_or(0, Vec::len) as u64;
            node.set_sealing(true).await?;
        }
        Ok(())
    }

    /// Sends away what the relayer's key has. It may lose the race for its nonce, and then tries again.
    async fn empty_key(&mut self) -> Result<()> {
        for _ in 0..5 {
            let account = self.play.cast.relayer.account();
            let node = self.play.stage.chain.node();
            let free = node.free_balance_planck(&account, node.finalized().await?).await?;
            let sent = free.saturating_sub(LEFT + DOT / 10);
            if sent == 0 || self.transfer_with_relayers_key(sent).await? {
                break;
            }
        }
        Ok(())
    }

    async fn use_key(&mut self, times: u64) -> Result<()> {
        for n in 1..=times {
            self.transfer_with_relayers_key(u128::from(n)).await?;
        }
        Ok(())
    }

    /// True when it was made final. False: the relayer's own transaction had the nonce.
    async fn transfer_with_relayers_key(&mut self, planck: u128) -> Result<bool> {
        let (stage, key) = (&self.play.stage, &self.play.cast.relayer.signer);
        let lane = rivulet_chain::Lane::new(stage.chain.node().clone(), key.clone());
        let block = lane.node().finalized().await?;
        let call = lane.node().transfer(block, &stage.bank.signer().account(), planck).await?;
        let is_done = match lane.send(&call).await {
            Ok(sent) => sent.success().await.is_ok(),
            Err(_) => false,
        };
        if is_done {
            self.taken_planck += planck;
            self.foreign_transactions += 1;
        }
        Ok(is_done)
    }
}
