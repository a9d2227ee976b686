//! The parts of a Substrate node that this one has: database, wasm executor, client, transaction pool.
//!
//! There is no network and no import queue, for there is nobody to talk to, and no `sc_service::Configuration`, most of
//! which would configure those.

use crate::Result;
use polkadot_sdk::{
    sc_client_api::execution_extensions::ExecutionExtensions,
    sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode},
    sc_executor::WasmExecutor,
    sc_service::{self, ClientConfig, GenesisBlockBuilder, TFullBackend, TFullClient, TaskManager},
    sc_transaction_pool::{self, TransactionPoolHandle, TransactionPoolOptions, TransactionPoolType},
    sc_transaction_pool_api::{ChainEvent, MaintainedTransactionPool},
    sp_blockchain::HeaderBackend,
    sp_io,
    sp_runtime::BuildStorage,
    sp_storage::{Storage, well_known_keys},
};
use rivulet_runtime::{RuntimeApi, genesis};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The runtime as wasm, built by `scripts/build-runtime`.
const WASM: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deployments/dev/runtime.compact.compressed.wasm"));

/// Blocks with transactions as bytes: the wasm decodes them.
pub type Block = rivulet_runtime::OpaqueBlock;
/// Runs wasm.
pub type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
/// Database.
pub type Backend = TFullBackend<Block>;
/// Chain state, block import, runtime calls.
pub type Client = TFullClient<Block, RuntimeApi, Executor>;
/// Transactions that wait for a block.
pub type Pool = TransactionPoolHandle<Block, Client>;

/// What the rest of the node works with.
pub struct Chain {
    /// Database.
    pub backend: Arc<Backend>,
    /// Client.
    pub client: Arc<Client>,
    /// Transaction pool.
    pub pool: Arc<Pool>,
    /// Keeps the background tasks.
    pub tasks: TaskManager,
}

/// The runtime's dev genesis, built natively: in wasm it would take a compilation of its own.
fn genesis() -> Result<Storage> {
    let mut storage = genesis::development().build_storage()?;
    storage.top.insert(well_known_keys::CODE.to_vec(), WASM.to_vec());
    Ok(storage)
}

/// Where compiled wasm is kept, for compiling takes most of a start: in the user's cache, if there is one.
fn executor() -> Executor {
    let cache = std::env::var_os("RIVULET_CACHE").map(PathBuf::from).or_else(|| {
        let user = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        user.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).map(|dir| dir.join("rivulet"))
    });
    // eth-rpc asks for much at once.
    let executor = Executor::builder().with_max_runtime_instances(32);
    match cache {
        Some(dir) => executor.with_cache_path(dir.join("node-wasm")).build(),
        None => executor.build(),
    }
}

/// Opens the chain in `dir`, or starts it there.
///
/// # Errors
///
/// When the directory cannot be written, another node has it open, or it holds another chain.
pub async fn open(dir: &Path) -> Result<Chain> {
    let tasks = TaskManager::new(tokio::runtime::Handle::current(), None)?;
    let executor = executor();
    let backend = sc_service::new_db_backend::<Block>(DatabaseSettings {
        trie_cache_maximum_size: Some(64 * 1024 * 1024),
        // Any block can be asked about, forks too.
        state_pruning: Some(PruningMode::ArchiveAll),
        source: DatabaseSource::ParityDb { path: dir.join("db") },
        blocks_pruning: BlocksPruning::KeepAll,
        pruning_filters: Vec::new(),
        metrics_registry: None,
    })?;
    let genesis = GenesisBlockBuilder::new_with_storage(genesis()?, true, backend.clone(), executor.clone())?;
    let client: Arc<Client> = Arc::new(sc_service::new_client(
        backend.clone(),
        executor.clone(),
        genesis,
        None,
        None,
        ExecutionExtensions::new(None, Arc::new(executor)),
        Box::new(tasks.spawn_handle()),
        None,
        None,
        ClientConfig::default(),
    )?);

    // Room for a benchmark's load. No ban time: a test may send again what was refused.
    let options = TransactionPoolOptions::new_with_params(100_000, 256 * 1024 * 1024, None, TransactionPoolType::ForkAware, true, false);
    let every_block = options.use_all_block_notifications();
    let pool = Arc::new(sc_transaction_pool::Builder::new(tasks.spawn_essential_handle(), client.clone(), true.into()).with_options(options).build());
    // A pool validates against blocks it was told of. Without this it would hold back all until a block comes, and
    // sealing by transaction would wait for it.
    pool.maintain(ChainEvent::NewBestBlock { hash: client.info().best_hash, tree_route: None }).await;
    tasks.spawn_handle().spawn(
        "txpool-notifications",
        Some("transaction-pool"),
        sc_transaction_pool::notification_future(client.clone(), pool.clone(), every_block),
    );

    Ok(Chain { backend, client, pool, tasks })
}
