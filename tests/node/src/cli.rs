//! Command line.

use clap::{Args, Parser};
use std::{path::PathBuf, time::Duration};

/// Rivulet's dev node: Polkadot Hub's fees, weights and contracts on a chain of your own.
#[derive(Parser, Debug)]
#[command(
    name = "rivulet-node",
    version,
    after_help = "Examples:
  rivulet-node                                  a finalized block every 500 ms, ws and http on port 9944, Ethereum's RPC on 8545
  rivulet-node --instant                        a finalized block for each transaction, none without
  rivulet-node --block-time-ms 2000 --finality-lag 3
                                                as the Hub: blocks that can still be reorganized
  rivulet-node --base-path ./chain              keep the chain between runs
  rivulet-node --rpc-port 0                     any free port; the line printed when ready names it

For tests, over JSON-RPC: dev_advanceTime, dev_sealBlock, dev_setSealing, dev_buildFork, dev_finalize.
Accounts: Alice to Ferdie with their //stash, and alith, baltathar, charleth, dorothy, ethan, each with a million DOT,
USDT (asset 1984) and USDC (asset 1337). Alice is sudo."
)]
pub struct Cli {
    /// Port of JSON-RPC (http and ws, on localhost); 0 takes any free one.
    #[arg(long, value_name = "PORT", default_value_t = 9944)]
    pub rpc_port: u16,

    /// Port of Ethereum's JSON-RPC (http and ws, on localhost); 0 takes any free one. [default: 8545, or 0 where --rpc-port is 0]
    #[arg(long, value_name = "PORT")]
    pub eth_rpc_port: Option<u16>,

    /// No Ethereum JSON-RPC: less work for each block.
    #[arg(long, conflicts_with = "eth_rpc_port")]
    pub no_eth_rpc: bool,

    #[command(flatten)]
    pub sealing: Sealing,

    /// Finalize this many blocks behind the best one.
    #[arg(long, value_name = "BLOCKS", default_value_t = 0)]
    pub finality_lag: u32,

    /// Keep the chain in this directory. Without it the chain is in a temporary one that is removed at exit.
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,

    /// What to log to stderr, as in RUST_LOG: `info`, or `warn,txpool=debug,runtime::revive=trace`.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    pub log: String,
}

impl Cli {
    /// Port asked for Ethereum's RPC, if it is to run. Who wants any free port for the node wants no fixed one beside it.
    pub fn eth_port(&self) -> Option<u16> {
        let default = if self.rpc_port == 0 { 0 } else { 8545 };
        (!self.no_eth_rpc).then_some(self.eth_rpc_port.unwrap_or(default))
    }
}

/// When blocks are made.
#[derive(Args, Debug, Clone)]
pub struct Sealing {
    /// Seal a block every so many milliseconds, with transactions or without.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub block_time_ms: u64,

    /// Seal a block for each transaction, as it arrives, and no empty ones.
    #[arg(long, conflicts_with = "block_time_ms")]
    pub instant: bool,
}

impl Sealing {
    /// Time between blocks, or `None` when each transaction makes one.
    pub fn interval(&self) -> Option<Duration> {
        (!self.instant).then(|| Duration::from_millis(self.block_time_ms))
    }
}
