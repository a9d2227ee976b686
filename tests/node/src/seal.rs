//! Makes blocks: on a timer, for a transaction, or as a test says.
//!
//! One [`Sealer`] makes all blocks, one at a time, so that a fork built by a test and the timer never race.

use crate::{
    Result,
    chain::{Block, Chain, Client, Pool},
};
use codec::Decode;
use polkadot_sdk::{
    pallet_timestamp,
    sc_basic_authorship::ProposerFactory,
    sc_block_builder::BlockBuilderBuilder,
    sc_client_api::{Finalizer, StorageProvider},
    sc_consensus::{BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult, StateAction, StorageChanges as Changes},
    sp_blockchain::HeaderBackend,
    sp_consensus::{BlockOrigin, Environment, ProposeArgs, Proposer},
    sp_inherents::{InherentData, InherentDataProvider},
    sp_runtime::traits::Block as _,
    sp_state_machine::StorageChanges,
    sp_storage::StorageKey,
    sp_timestamp,
};
use rivulet_runtime::{BlockNumber, Hash, Runtime, hub};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Mutex, Notify};

/// Time a block may take to build. Blocks are full by weight before that; a slow machine still gets its transactions in.
const MAX_BUILD_TIME: Duration = Duration::from_secs(10);

/// Makes and finalizes blocks.
pub struct Sealer {
    client: Arc<Client>,
    finality_lag: BlockNumber,
    /// Whether the timer, or an arriving transaction, seals.
    sealing: AtomicBool,
    resumed: Notify,
    inner: Mutex<Inner>,
}

/// What is used by one block at a time.
struct Inner {
    proposer: ProposerFactory<Pool, Client>,
    clock: Clock,
}

/// The chain's clock: the wall clock and an offset, and never the same millisecond twice.
struct Clock {
    offset_ms: u64,
    last_ms: u64,
}

impl Clock {
    /// A clock that goes on from the best block's time, which is ahead of the wall clock when a kept chain was advanced.
    fn starting_at(block_ms: u64) -> Self {
        Self { offset_ms: block_ms.saturating_sub(wall_clock_ms()), last_ms: block_ms }
    }

    /// The time a block made now would carry.
    fn now_ms(&self) -> u64 {
        (wall_clock_ms() + self.offset_ms).max(self.last_ms + 1)
    }

    fn tick_ms(&mut self) -> u64 {
        self.last_ms = self.now_ms();
        self.last_ms
    }
}

/// A block that was made.
pub struct Sealed {
    /// Its hash.
    pub hash: Hash,
    /// How many transactions it holds, the timestamp not counted.
    pub transactions: usize,
}

impl Sealer {
    /// Seals on `chain`.
    ///
    /// # Errors
    ///
    /// When the state of the best block cannot be read.
    pub fn new(chain: &Chain, finality_lag: BlockNumber) -> Result<Self> {
        let client = chain.client.clone();
        let mut proposer = ProposerFactory::new(chain.tasks.spawn_handle(), client.clone(), chain.pool.clone(), None, None);
        // The runtime's own limit is the one that counts.
        proposer.set_default_block_size_limit(hub::MAXIMUM_BLOCK_LENGTH as usize);
        let clock = Clock::starting_at(timestamp_ms(&client, client.info().best_hash)?);
        Ok(Self { client, finality_lag, sealing: AtomicBool::new(true), resumed: Notify::new(), inner: Mutex::new(Inner { proposer, clock }) })
    }

    /// The block that the next one is built on.
    pub fn best_hash(&self) -> Hash {
        self.client.info().best_hash
    }

    /// Whether blocks are sealed without being asked for.
    pub fn is_sealing(&self) -> bool {
        self.sealing.load(Ordering::Relaxed)
    }

    /// Stops or resumes sealing by timer or transaction; returns what it was.
    pub fn set_sealing(&self, on: bool) -> bool {
        let was = self.sealing.swap(on, Ordering::Relaxed);
        if on {
            self.resumed.notify_one();
        }
        was
    }

    /// Waits until sealing is switched on, for who seals by transaction: those that came meanwhile wait.
    pub async fn resumed(&self) {
        self.resumed.notified().await;
    }

    /// Moves the clock forward; returns the Unix time that a block made now would carry, in seconds.
    pub async fn advance_time(&self, secs: u64) -> u64 {
        let clock = &mut self.inner.lock().await.clock;
        clock.offset_ms = clock.offset_ms.saturating_add(secs.saturating_mul(1000));
        clock.now_ms() / 1000
    }

    /// Seals a block on the best one with what waits in the pool, and finalizes as far as the lag allows.
    ///
    /// # Errors
    ///
    /// When the runtime refuses the block or it cannot be stored.
    pub async fn seal(&self) -> Result<Sealed> {
        let mut inner = self.inner.lock().await;
        let sealed = self.seal_best(&mut inner).await?;
        let info = self.client.info();
        let target = info.best_number.saturating_sub(self.finality_lag);
        if target > info.finalized_number {
            let hash = self.client.hash(target)?.ok_or("a block of the best chain has no hash")?;
            self.finalize_now(hash)?;
        }
        Ok(sealed)
    }

    /// Seals a block on the best one, then finalizes it whatever the lag, or leaves finality where it is.
    ///
    /// # Errors
    ///
    /// As [`Self::seal`].
    pub async fn seal_once(&self, finalize: bool) -> Result<Sealed> {
        let mut inner = self.inner.lock().await;
        let sealed = self.seal_best(&mut inner).await?;
        if finalize {
            self.finalize_now(sealed.hash)?;
        }
        Ok(sealed)
    }

    /// Builds `blocks` empty blocks on `parent`. They become the best chain once they are longer than it.
    ///
    /// # Errors
    ///
    /// When `parent` is unknown or is not at or above the last finalized block.
    pub async fn build_fork(&self, parent: Hash, blocks: u32) -> Result<Vec<Hash>> {
        let mut inner = self.inner.lock().await;
        let number = self.client.number(parent)?.ok_or_else(|| format!("no block has the hash {parent:?}"))?;
        let finalized = self.client.info().finalized_number;
        if number < finalized {
            return Err(format!("the parent is block {number}, and block {finalized} is final already").into());
        }
        let mut hashes = Vec::new();
        let mut tip = parent;
        for _ in 0..blocks {
            let time_ms = inner.clock.tick_ms();
            let mut builder = BlockBuilderBuilder::new(&*self.client).on_parent_block(tip).fetch_parent_block_number(&*self.client)?.build()?;
            for inherent in builder.create_inherents(inherent_data(time_ms).await?)? {
                builder.push(inherent)?;
            }
            let (block, changes) = builder.build()?.into_inner();
            tip = self.import(block, changes).await?;
            hashes.push(tip);
        }
        Ok(hashes)
    }

    /// Finalizes a block and all before it.
    ///
    /// # Errors
    ///
    /// When the block is unknown, or an ancestor of it was passed over by an earlier finalization.
    pub async fn finalize(&self, hash: Hash) -> Result<()> {
        let _one_at_a_time = self.inner.lock().await;
        self.finalize_now(hash)
    }

    fn finalize_now(&self, hash: Hash) -> Result<()> {
        Ok(self.client.finalize_block(hash, None, true)?)
    }

    async fn seal_best(&self, inner: &mut Inner) -> Result<Sealed> {
        let parent_hash = self.best_hash();
        let parent = self.client.header(parent_hash)?.ok_or("the best block has no header")?;
        let proposer = inner.proposer.init(&parent).await?;
        let proposal = proposer
            .propose(ProposeArgs { inherent_data: inherent_data(inner.clock.tick_ms()).await?, max_duration: MAX_BUILD_TIME, ..Default::default() })
            .await?;
        // One of the block's transactions is the timestamp.
        let transactions = proposal.block.extrinsics().len().saturating_sub(1);
        let hash = self.import(proposal.block, proposal.storage_changes).await?;
        Ok(Sealed { hash, transactions })
    }

    async fn import(&self, block: Block, changes: StorageChanges<polkadot_sdk::sp_runtime::traits::BlakeTwo256>) -> Result<Hash> {
        let (header, body) = block.deconstruct();
        let hash = header.hash();
        let mut params = BlockImportParams::new(BlockOrigin::Own, header);
        params.body = Some(body);
        params.state_action = StateAction::ApplyChanges(Changes::Changes(changes));
        params.fork_choice = Some(ForkChoiceStrategy::LongestChain);
        match self.client.import_block(params).await? {
            ImportResult::Imported(_) | ImportResult::AlreadyInChain => Ok(hash),
            refused => Err(format!("the block was not imported: {refused:?}").into()),
        }
    }
}

async fn inherent_data(time_ms: u64) -> Result<InherentData> {
    let mut data = InherentData::new();
    sp_timestamp::InherentDataProvider::new(time_ms.into()).provide_inherent_data(&mut data).await?;
    Ok(data)
}

/// The time a block carries; 0 at genesis, which carries none.
fn timestamp_ms(client: &Client, block: Hash) -> Result<u64> {
    let key = StorageKey(pallet_timestamp::Now::<Runtime>::hashed_key().to_vec());
    match client.storage(block, &key)? {
        Some(data) => Ok(u64::decode(&mut &data.0[..])?),
        None => Ok(0),
    }
}

fn wall_clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the wall clock is after 1970");
    since.as_millis().try_into().expect("milliseconds since 1970 fit 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_gives_the_same_time_twice() {
        let mut clock = Clock::starting_at(0);
        let times: Vec<u64> = (0..1000).map(|_| clock.tick_ms()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_chain_that_was_advanced_goes_on_at_its_own_time() {
        let tomorrow = wall_clock_ms() + 86_400_000;
        let mut clock = Clock::starting_at(tomorrow);
        assert!((tomorrow + 1..tomorrow + 1000).contains(&clock.tick_ms()));
    }
}
