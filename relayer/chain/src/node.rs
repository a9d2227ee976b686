//! A chain behind one or several URLs.

use crate::{Error, FinalizedFeed, Limits, account::account_id, rpc::Transport, track::Tracker};
use rivulet_rules::{
    chain::{Account, BlockHead, BlockRef},
    endpoint::{EndpointReport, Tolerance},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use subxt::{
    Config, OnlineClient, OnlineClientAtBlock, SubstrateConfig,
    backend::LegacyBackend,
    config::{RpcConfigFor, substrate::SubstrateHeader},
    dynamic,
    ext::{frame_decode::runtime_apis::IntoEncodableValues, scale_decode::DecodeAsType},
    rpcs::{LegacyRpcMethods, RpcClient},
    utils::H256,
};

pub(crate) type At = OnlineClientAtBlock<SubstrateConfig>;
pub(crate) type Methods = LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>;

/// How a node is used.
#[derive(Clone, Copy, Debug)]
pub struct NodeOptions {
    /// Time limits.
    pub limits: Limits,
    /// How many blocks a transaction may wait before it can no longer be included; a power of two from 4 to 4096.
    /// Short, a lost transaction is soon known to be lost; long, it survives a pause of the chain.
    pub mortality_blocks: u64,
    /// How often finality is asked for beside the subscription, which can fall silent without an error.
    pub poll: Duration,
    /// How far a node may be behind before another is used.
    pub tolerance: Tolerance,
    /// The last final block that the caller has a record of: a voice when nodes contradict each other.
    pub recorded: Option<BlockRef>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), mortality_blocks: 64, poll: Duration::from_secs(6), tolerance: Tolerance::default(), recorded: None }
    }
}

/// A chain. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Node {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: NodeOptions,
    pub(crate) methods: Methods,
    transport: Transport,
    pub(crate) tracker: Tracker,
    /// How this chain hashes. It does not change, and asking for it at each block would cost a call into the runtime.
    pub(crate) hasher: OnceLock<<SubstrateConfig as Config>::Hasher>,
    api: OnlineClient<SubstrateConfig>,
    genesis: [u8; 32],
    /// The last blocks worked at: opening one costs a call into the runtime for its version.
    recent: Mutex<VecDeque<At>>,
}

const RECENT_BLOCKS: usize = 8;

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node(genesis 0x{})", hex::encode(self.inner.genesis))
    }
}

impl Node {
    /// Connects to the first of the URLs (`ws://` or `wss://`) that answers and that no other contradicts. With `genesis` given, only to that chain.
    /// From then on all of them are looked at every [`NodeOptions::poll`], and one that lags or lies is left.
    ///
    /// # Errors
    ///
    /// When none answers in time, the only one is another chain, or none can be believed.
    pub async fn connect(urls: &[String], genesis: Option<[u8; 32]>, options: NodeOptions) -> Result<Self, Error> {
        let transport = Transport::new(urls, genesis, &options);
        if urls.len() > 1 {
            transport.look(None).await;
        }
        let rpc = RpcClient::new(transport.clone());
        let methods = Methods::new(rpc.clone());
        // The legacy methods: chainHead's pinned subscriptions stall under load.
        let backend = LegacyBackend::builder().build(rpc);
        let genesis = methods.genesis_hash().await?.0;
        let config = SubstrateConfig::builder().set_genesis_hash(H256(genesis)).build();
        let api = OnlineClient::from_backend_with_config(config, Arc::new(backend)).await.map_err(|e| Error::Unavailable(e.to_string()))?;
        transport.watch(options.poll);
        let inner =
            Inner { options, methods, transport, tracker: Tracker::default(), hasher: OnceLock::new(), api, genesis, recent: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Looks at nodes once, without using any: how far each is, and whether they agree.
    pub async fn look_at(urls: &[String], genesis: Option<[u8; 32]>, options: NodeOptions) -> Vec<EndpointReport> {
        let transport = Transport::new(urls, genesis, &options);
        transport.look(None).await;
        transport.reports()
    }

    /// The nodes behind the URLs, in their order, as last seen.
    pub fn endpoints(&self) -> Vec<EndpointReport> {
        self.inner.transport.reports()
    }

    /// Makes sure that no other node contradicts a block that this one calls final, and holds all nodes against it from now on. A node that says
    /// otherwise is not used again; with one node, nobody is asked.
    ///
    /// # Errors
    ///
    /// [`Error::Disputed`] when the block is not the one that most nodes have, or nobody can tell.
    pub async fn confirm(&self, block: BlockRef) -> Result<(), Error> {
        self.inner.transport.confirm(block).await
    }

    /// Holds all nodes against a block that was recorded before.
    ///
    /// # Errors
    ///
    /// As [`Node::confirm`].
    pub async fn recorded(&self, block: BlockRef) -> Result<(), Error> {
        self.inner.transport.recorded(block).await
    }

    /// Hash of block 0.
    pub fn genesis_hash(&self) -> [u8; 32] {
        self.inner.genesis
    }

    /// How it is used.
    pub fn options(&self) -> &NodeOptions {
        &self.inner.options
    }

    /// The newest finalized block.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn finalized(&self) -> Result<BlockRef, Error> {
        let hash = self.inner.methods.chain_get_finalized_head().await?;
        let header = self.header(hash.0).await?;
        Ok(BlockRef { number: header.number, hash: hash.0 })
    }

    /// The newest block, which may not be final.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn best(&self) -> Result<BlockRef, Error> {
        let hash = self.inner.methods.chain_get_block_hash(None).await?;
        let hash = hash.ok_or_else(|| Error::Unavailable("the node names no best block".into()))?;
        let header = self.header(hash.0).await?;
        Ok(BlockRef { number: header.number, hash: hash.0 })
    }

    /// The newest finalized block and its time.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn finalized_head(&self) -> Result<BlockHead, Error> {
        self.head(self.finalized().await?).await
    }

    /// A block's time.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state.
    pub async fn head(&self, block: BlockRef) -> Result<BlockHead, Error> {
        // Genesis has no timestamp: it was not set by an inherent.
        let at = self.at(block).await?;
        let set = at.storage().try_fetch(dynamic::storage::<(), u64>("Timestamp", "Now"), ()).await?;
        let now_ms = set.map(|value| value.decode()).transpose()?.unwrap_or(0);
        Ok(BlockHead { block, now: now_ms / 1000 })
    }

    /// The canonical block of a number; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn block_at(&self, number: u64) -> Result<Option<BlockRef>, Error> {
        let hash = self.inner.methods.chain_get_block_hash(Some(number.into())).await?;
        Ok(hash.map(|hash| BlockRef { number, hash: hash.0 }))
    }

    pub(crate) async fn header(&self, hash: [u8; 32]) -> Result<SubstrateHeader<H256>, Error> {
        let header = self.inner.methods.chain_get_header(Some(H256(hash))).await?;
        header.ok_or_else(|| Error::Pruned(format!("0x{}", hex::encode(hash))))
    }

    /// Every finalized block from this number on, in order, without gaps.
    pub fn finalized_blocks(&self, from: u64) -> FinalizedFeed {
        FinalizedFeed::new(self.clone(), from, None)
    }

    /// Every finalized block after this one; the first must be its child.
    pub fn finalized_after(&self, block: BlockRef) -> FinalizedFeed {
        FinalizedFeed::new(self.clone(), block.number + 1, Some(block.hash))
    }

    /// The nonce after all transactions of this account that the node knows, those in its pool included.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn account_next_nonce(&self, account: &Account) -> Result<u64, Error> {
        Ok(self.inner.methods.system_account_next_index(&account_id(account)).await?)
    }

    /// The nonce after all transactions of this account up to a block.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state.
    pub async fn account_nonce(&self, account: &Account, block: BlockRef) -> Result<u64, Error> {
        let at = self.at(block).await?;
        self.runtime::<_, u64>(&at, "AccountNonceApi", "account_nonce", (account.0,)).await
    }

    /// What an account can spend, in planck: what is free less what is frozen.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state.
    pub async fn free_balance_planck(&self, account: &Account, block: BlockRef) -> Result<u128, Error> {
        let found = self.account_data(account, block).await?;
        Ok(found.map_or(0, |a| a.data.free.saturating_sub(a.data.frozen)))
    }

    /// True when the account exists: paying to it costs no existential deposit.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state.
    pub async fn account_exists(&self, account: &Account, block: BlockRef) -> Result<bool, Error> {
        Ok(self.account_data(account, block).await?.is_some())
    }

    async fn account_data(&self, account: &Account, block: BlockRef) -> Result<Option<AccountInfo>, Error> {
        let at = self.at(block).await?;
        let entry = dynamic::storage::<([u8; 32],), AccountInfo>("System", "Account");
        let found = at.storage().try_fetch(entry, (account.0,)).await?.map(|value| value.decode()).transpose()?;
        // The entry has a default; only an account with a reason to exist has providers.
        Ok(found.filter(|a| a.providers > 0 || a.sufficients > 0))
    }

    /// subxt at one block, from the few kept or anew.
    pub(crate) async fn at(&self, block: BlockRef) -> Result<At, Error> {
        let hash = H256(block.hash);
        let kept = |recent: &VecDeque<At>| recent.iter().find(|at| at.block_hash() == hash).cloned();
        if let Some(at) = kept(&self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(at);
        }
        let at = self.inner.api.at_block_hash_and_number(hash, block.number).await?;
        let mut recent = self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if kept(&recent).is_none() {
            recent.truncate(RECENT_BLOCKS - 1);
            recent.push_front(at.clone());
        }
        Ok(at)
    }

    /// Calls a runtime API at a block.
    pub(crate) async fn runtime<A, R>(&self, at: &At, api: &'static str, method: &'static str, args: A) -> Result<R, Error>
    where
        A: IntoEncodableValues,
        R: DecodeAsType,
    {
        Ok(at.runtime_apis().call(dynamic::runtime_api_call::<A, R>(api, method, args)).await?)
    }

    /// A constant of the runtime.
    pub(crate) fn constant<R: DecodeAsType>(&self, at: &At, pallet: &'static str, name: &'static str) -> Result<R, Error> {
        Ok(at.constants().entry(dynamic::constant::<R>(pallet, name))?)
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AccountInfo {
    providers: u32,
    sufficients: u32,
    data: AccountData,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AccountData {
    free: u128,
    frozen: u128,
}
