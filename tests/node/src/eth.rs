//! `eth_*`: Parity's eth-rpc, linked in, on a port of its own.
//!
//! It is a client of this node as any other: it follows the chain over JSON-RPC and keeps receipts and logs in a database beside the chain. Only
//! transactions that came as Ethereum's have logs there; what contracts log in a `revive.call` is in the node's own events.

use crate::Result;
use clap::Parser;
use futures::{FutureExt, future::BoxFuture};
use pallet_revive_eth_rpc::cli::{self, CliCommand};
use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    sync::oneshot,
    time::{sleep, timeout},
};

/// Its database, and the files that SQLite puts beside it.
const DATABASE: [&str; 3] = ["eth-rpc.db", "eth-rpc.db-wal", "eth-rpc.db-shm"];
/// Says that the last run ended in good order, so that the database has no block that the chain lost.
const ENDED_WELL: &str = "eth-rpc.ended-well";
/// A machine that compiles at the same time is slow to start it.
const START: Duration = Duration::from_secs(120);
const GLANCE: Duration = Duration::from_millis(20);

/// The server, in a thread of its own.
pub struct EthRpc {
    port: u16,
    /// `None` once that was told.
    ended: Option<BoxFuture<'static, Result<()>>>,
}

/// The port asked for; for 0 one that is free. Below those that the system lends to outgoing connections: of those, one found free is a moment later the
/// near end of somebody's request.
///
/// # Errors
///
/// When there is none.
pub fn choose_port(asked: u16) -> Result<u16> {
    const FIRST: u16 = 30_000;
    const COUNT: u32 = 2_700;
    if asked != 0 {
        return Ok(asked);
    }
    let start = std::process::id();
    let port =
        (0..COUNT).map(|step| FIRST + (start.wrapping_add(step) % COUNT) as u16).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    port.ok_or_else(|| {
        format!("no port from {FIRST} to {} is free for the Ethereum RPC; name one with --eth-rpc-port", u32::from(FIRST) + COUNT - 1).into()
    })
}

/// What eth-rpc is told. Its ports, unlike those of `--rpc-port`, are not replaced by others when they are taken.
fn flags(node: u16, port: u16, dir: &Path, log: &str) -> Result<CliCommand> {
    let listen = |address: &str| {
        format!("listen-addr={address}:{port},methods=unsafe,max-request-size={mib},max-response-size={mib}", mib = crate::rpc::MAX_BODY_MIB)
    };
    let node = format!("ws://127.0.0.1:{node}");
    let dir = dir.to_str().ok_or_else(|| format!("the path {} is not UTF-8", dir.display()))?;
    let args = [
        "eth-rpc",
        // Its dev accounts are those of the genesis, and any web page may call.
        "--dev",
        "--no-prometheus",
        "--node-rpc-url",
        &node,
        "--base-path",
        dir,
        "--experimental-rpc-endpoint",
        &listen("127.0.0.1"),
        // For clients that resolve localhost to ::1 first. Not every machine has it.
        &format!("{},optional=true", listen("[::1]")),
        // With --dev it warns of what --dev means.
        "--log",
        &format!("{log},sc_cli=error"),
    ];
    Ok(CliCommand::try_parse_from(args)?)
}

/// Removes a database that may know of blocks that the chain does not: a node that was killed loses its last ones. It is then written anew from the chain.
fn keep_only_what_is_true(dir: &Path) -> io::Result<()> {
    let remove = |name: &str| match fs::remove_file(dir.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    if !dir.join(ENDED_WELL).exists() {
        DATABASE.iter().try_for_each(|name| remove(name))?;
    }
    remove(ENDED_WELL)
}

impl EthRpc {
    /// Starts it for the node at `node`, with its database in `dir`, and waits until it listens. It sets up logging, for itself and for the node: it does
    /// not run in a process where that has been done.
    ///
    /// # Errors
    ///
    /// When it ends instead: the port is taken, or the database cannot be written.
    pub async fn start(node: u16, port: u16, dir: &Path, log: &str) -> Result<Self> {
        keep_only_what_is_true(dir).map_err(|error| format!("cannot prepare the database of the Ethereum RPC in {}: {error}", dir.display()))?;
        let command = flags(node, port, dir, log)?;
        let dir = dir.to_path_buf();
        let (tell, told) = oneshot::channel();
        // Not a task: it blocks until the process is asked to end, and has runtimes of its own.
        std::thread::Builder::new().name("eth-rpc".into()).spawn(move || {
            let result = cli::run(command).map_err(|error| error.to_string());
            let result = result.and_then(|()| fs::write(dir.join(ENDED_WELL), "").map_err(|error| error.to_string()));
            let _ = tell.send(result);
        })?;
        let ended = async move {
            match told.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(format!("the Ethereum RPC on port {port} ended: {error}").into()),
                Err(_) => Err(format!("the Ethereum RPC on port {port} ended in a panic").into()),
            }
        };
        let mut this = Self { port, ended: Some(ended.boxed()) };
        this.listens().await?;
        Ok(this)
    }

    async fn listens(&mut self) -> Result<()> {
        let since = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_err() {
            tokio::select! {
                result = self.ended() => return result.and(Err("the Ethereum RPC ended before it began".into())),
                () = sleep(GLANCE) => {}
            }
            if since.elapsed() > START {
                return Err(format!("the Ethereum RPC does not listen on port {} after {} s", self.port, START.as_secs()).into());
            }
        }
        Ok(())
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until it has ended: well, because the process was asked to.
    ///
    /// # Errors
    ///
    /// When it failed.
    pub async fn ended(&mut self) -> Result<()> {
        let Some(ended) = &mut self.ended else { return Ok(()) };
        let result = ended.await;
        self.ended = None;
        result
    }

    /// Waits for it after the process was asked to end, but not for long.
    pub async fn finish(mut self, patience: Duration) {
        let _ = timeout(patience, self.ended()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_port_is_one_that_the_system_does_not_lend_out() {
        let port = choose_port(0).unwrap();
        assert!((30_000..32_768).contains(&port));
        assert_eq!(choose_port(8545).unwrap(), 8545);
    }

    #[test]
    fn a_database_outlives_a_good_end_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join(DATABASE[0]);
        fs::write(&database, "receipts").unwrap();
        fs::write(dir.path().join(ENDED_WELL), "").unwrap();
        keep_only_what_is_true(dir.path()).unwrap();
        assert!(database.exists());
        // Killed now, it leaves no mark.
        keep_only_what_is_true(dir.path()).unwrap();
        assert!(!database.exists());
    }

    #[test]
    fn eth_rpc_takes_what_it_is_told() {
        let command = flags(9944, 8545, Path::new("/tmp/chain"), "warn,txpool=debug").unwrap();
        assert_eq!(command.node_rpc_url, "ws://127.0.0.1:9944");
        assert!(
            command.rpc_params.experimental_rpc_endpoint.iter().all(|endpoint| endpoint.listen_addr.port() == 8545 && !endpoint.retry_random_port)
        );
        assert_eq!(command.shared_params.log_filters(), ["warn,txpool=debug,sc_cli=error"]);
    }
}
