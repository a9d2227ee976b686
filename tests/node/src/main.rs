//! A Substrate node for development and tests.
//!
//! It seals and finalizes blocks by itself, serves the usual JSON-RPC, and lets tests move the clock, hold blocks back,
//! build forks and finalize ([`dev::DevApi`]). Its runtime is `rivulet-runtime`, embedded as wasm from
//! `deployments/dev`. See `README.md` for flags and calls.
//!
//! - [`chain`]: database, executor, client, transaction pool.
//! - [`seal`]: makes blocks.
//! - [`rpc`]: the server; [`dev`], [`system`]: calls of its own.
//! - [`eth`]: Ethereum's JSON-RPC.

mod chain;
mod cli;
mod dev;
mod eth;
mod rpc;
mod seal;
mod system;

use clap::Parser;
use cli::{Cli, Sealing};
use eth::EthRpc;
use futures::StreamExt;
use polkadot_sdk::{sc_tracing::logging::LoggerBuilder, sc_transaction_pool_api::TransactionPool};
use seal::Sealer;
use std::{
    io::ErrorKind,
    net::TcpListener,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::MissedTickBehavior,
};

/// Any error: it ends the node or is told to an RPC caller, and nobody tells one from another.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, BoxError>;

/// How long the end may take.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rivulet-node: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: &Cli) -> Result<()> {
    check_port(cli.rpc_port, "--rpc-port")?;
    let eth_port = cli.eth_port().map(eth::choose_port).transpose()?;
    if let Some(port) = eth_port {
        check_port(port, "--eth-rpc-port")?;
    }
    // A task that ends early is reported below; one that ends because the node does is nobody's concern.
    let log = format!("{},sc_service::task_manager=off", cli.log);
    // With eth-rpc it is eth-rpc that sets up logging, once the node is there: it takes no for an error.
    if eth_port.is_none() {
        LoggerBuilder::new(log.clone()).init()?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (dir, temporary) = match &cli.base_path {
        Some(dir) => (dir.clone(), None),
        None => {
            let temporary = tempfile::Builder::new().prefix("rivulet-node-").tempdir()?;
            (temporary.path().to_path_buf(), Some(temporary))
        }
    };
    let mut database = None;
    let result = runtime.block_on(run(cli, &dir, eth_port.map(|port| (port, &*log)), &mut database));
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    // The RPC server's own threads let go of the database a moment later. Ours is then the last hold on it, and letting
    // go of that one closes it: what it writes then must still find its directory.
    let since = Instant::now();
    while database.as_ref().is_some_and(|database| Arc::strong_count(database) > 1) && since.elapsed() < SHUTDOWN_TIME {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(database);
    drop(temporary);
    result
}

/// Fails early, with a sentence, when the port is taken.
fn check_port(port: u16, flag: &str) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(format!("port {port} is taken, perhaps by another node; stop that one or choose a port with {flag}").into())
        }
        Err(error) => Err(format!("cannot listen on port {port}: {error}").into()),
    }
}

async fn run(cli: &Cli, dir: &Path, eth: Option<(u16, &str)>, database: &mut Option<Arc<chain::Backend>>) -> Result<()> {
    let mut stop = Stop::new()?;

    let mut chain = chain::open(dir).await.map_err(|error| format!("cannot open the chain in {}: {error}", dir.display()))?;
    *database = Some(chain.backend.clone());
    let sealer = Arc::new(Sealer::new(&chain, cli.finality_lag)?);
    let server = rpc::serve(&chain, sealer.clone(), cli.rpc_port).await?;
    let port = server.listen_addrs().first().map_or(cli.rpc_port, |addr| addr.port());
    let mut eth = match eth {
        Some((eth_port, log)) => Some(EthRpc::start(port, eth_port, dir, log).await?),
        None => None,
    };
    let eth_url = eth.as_ref().map(|eth| format!(", eth http://127.0.0.1:{}", eth.port())).unwrap_or_default();
    // Programs take what follows the last colon for the port.
    println!("rivulet-node: ready, {}{eth_url}, ws://127.0.0.1:{port}", describe(&cli.sealing, cli.finality_lag));

    let pool = chain.pool.clone();
    let result = tokio::select! {
        () = seal_forever(&sealer, &cli.sealing, &*pool) => Ok(()),
        ended = chain.tasks.future() => Err(format!("a background task ended: {ended:?}").into()),
        // Asked to stop, it may be faster than we are.
        ended = eth_ended(&mut eth) => ended,
        () = stop.requested() => Ok(()),
    };
    // Then it too was asked to stop. It asks the node until then.
    if let (Ok(()), Some(eth)) = (&result, eth) {
        eth.finish(SHUTDOWN_TIME).await;
    }
    // First the tasks: one that ends because its pool is gone is reported as a failure.
    drop(chain.tasks);
    drop(server);
    result
}

async fn eth_ended(eth: &mut Option<EthRpc>) -> Result<()> {
    match eth {
        Some(eth) => eth.ended().await,
        None => std::future::pending().await,
    }
}

fn describe(sealing: &Sealing, lag: u32) -> String {
    let blocks = match sealing.interval() {
        Some(interval) => format!("a block every {} ms", interval.as_millis()),
        None => "a block for each transaction".into(),
    };
    match lag {
        0 => format!("{blocks}, finalized at once"),
        lag => format!("{blocks}, finalized {lag} later"),
    }
}

/// Seals until the node ends. A block that fails is reported and the next one tried: a test would rather see that.
async fn seal_forever(sealer: &Sealer, sealing: &Sealing, pool: &chain::Pool) {
    let Some(interval) = sealing.interval() else { return seal_per_transaction(sealer, pool).await };
    let mut timer = tokio::time::interval(interval);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and clients want the genesis block to be followed by another soon.
    loop {
        timer.tick().await;
        if sealer.is_sealing() {
            report(sealer.seal().await);
        }
    }
}

async fn seal_per_transaction(sealer: &Sealer, pool: &chain::Pool) {
    let mut arrivals = pool.import_notification_stream();
    loop {
        tokio::select! {
            arrival = arrivals.next() => if arrival.is_none() { return },
            () = sealer.resumed() => {}
        }
        // One block takes all that is ready, so later arrivals may find nothing left to do. Asked for its best block, the
        // pool waits until it has dealt with that one; its counts may still be of the block before.
        while sealer.is_sealing() && pool.ready_at(sealer.best_hash()).await.next().is_some() {
            match report(sealer.seal().await) {
                Some(sealed) if sealed.transactions > 0 => {}
                _ => break,
            }
        }
    }
}

fn report(result: Result<seal::Sealed>) -> Option<seal::Sealed> {
    result.inspect_err(|error| eprintln!("rivulet-node: no block: {error}")).ok()
}

/// Waits for ctrl-C or a termination signal.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
