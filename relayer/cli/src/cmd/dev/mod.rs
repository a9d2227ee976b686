//! `rivulet dev`: a network on this machine to try everything on.

mod fund;

use super::deploy::bundles;
use crate::{failure::Failure, home};
use anyhow::Context;
use clap::{Args, Subcommand};
use rivulet_chain::{
    Chain, Deployment, Lane, Node, NodeOptions, Signer,
    account::address_of,
    deploy::{Plan, deploy},
};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Runs a development node, both contracts and a relayer with its web pages, until ctrl-C.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  rivulet dev
      node, contracts, relayer and web pages; prints what to try next
  rivulet dev --fresh --rpc-port 9955 --eth-rpc-port 8546 --relayer-port 8799
      from an empty chain, on other ports
  rivulet dev fund me
      while it runs, in another terminal: money for a key of one's own

Two of them at a time have channels by the same numbers: give each a RIVULET_HOME of its own. Everybody knows the keys of this network: its money is worth nothing. It is made of rivulet-node, beside this program, in PATH or named in RIVULET_NODE."
)]
pub struct Dev {
    /// Where chain, network file, relayer's database and logs are. [default: dev/ where this program keeps its keys]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Throws away the chain that was there.
    #[arg(long)]
    fresh: bool,
    /// The node's port.
    #[arg(long, value_name = "PORT", default_value_t = 9944)]
    rpc_port: u16,
    /// The port of the node's Ethereum JSON-RPC, for wallets and EVM libraries. [default: 8545, or any free one where --rpc-port is 0]
    #[arg(long, value_name = "PORT")]
    eth_rpc_port: Option<u16>,
    /// The relayer's port.
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    relayer_port: u16,
    /// The folder with channels.polkavm and streams.polkavm. [default: deployments/bundles]
    #[arg(long, value_name = "DIR")]
    bundles: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Fund(fund::Fund),
}

/// A machine that does much else is slow to start a node.
const START: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(100);
const NODE: &str = "rivulet-node";

/// A program of ours; stopped when dropped.
struct Part {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

fn node_program() -> anyhow::Result<PathBuf> {
    if let Some(named) = env::var_os("RIVULET_NODE") {
        return Ok(named.into());
    }
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(NODE)));
    let in_path = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).map(|dir| dir.join(NODE)).collect::<Vec<_>>());
    beside.into_iter().chain(in_path).find(|path| path.is_file()).ok_or_else(|| {
        Failure::Usage(
            "there is no rivulet-node beside this program or in PATH. In a checkout of Rivulet, build it by 'cargo build -p rivulet-node -p rivulet-runtime \
             -p rivulet-sandbox --bins' (some 20 minutes the first time), or name it in RIVULET_NODE"
                .into(),
        )
        .into()
    })
}

impl Part {
    fn start(name: &'static str, mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        // A group of their own: ctrl-C reaches us, and we stop them in order.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot run {name}"))?;
        Ok(Self { name, child, log })
    }

    fn failed(&self, what: &str) -> anyhow::Error {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n");
        anyhow::anyhow!("{} {what}; its log is {}:\n{tail}", self.name, self.log.display())
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(id) = self.child.id() {
            // The shell's own `kill`: the program of that name is not on every machine.
            let _ = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).stderr(Stdio::null()).status().await;
        }
        match timeout(STOP, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(|s| s.success()) => Ok(()),
            _ => Err(self.failed("did not end well")),
        }
    }
}

/// The node, its address and that of its Ethereum JSON-RPC.
async fn start_node(folder: &Path, port: u16, eth_port: Option<u16>) -> anyhow::Result<(Part, String, String)> {
    let mut command = Command::new(node_program()?);
    command.args(["--rpc-port", &port.to_string(), "--base-path"]).arg(folder.join("chain"));
    if let Some(port) = eth_port {
        command.args(["--eth-rpc-port", &port.to_string()]);
    }
    let mut node = Part::start(NODE, command, folder.join("node.log"))?;
    let out = node.child.stdout.take().context("the node has no output")?;
    let mut lines = BufReader::new(out).lines();
    // One line, when it is ready.
    let line = timeout(START, lines.next_line()).await.ok().and_then(Result::ok).flatten();
    let line = line.ok_or_else(|| node.failed("did not get ready"))?;
    let port = line.trim().rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let port = port.with_context(|| format!("no port in the node's line {line:?}"))?;
    let eth =
        line.split(", ").find_map(|part| part.strip_prefix("eth ")).with_context(|| format!("no Ethereum JSON-RPC in the node's line {line:?}"))?;
    Ok((node, format!("ws://127.0.0.1:{port}"), eth.to_owned()))
}

/// The network's file, of contracts that are there already or are deployed now.
async fn contracts(folder: &Path, url: &str, bundles_in: Option<&Path>) -> anyhow::Result<Deployment> {
    let path = folder.join("dev.json");
    let node = Node::connect(&[url.to_owned()], None, NodeOptions::default()).await?;
    if path.is_file() {
        let deployment = Deployment::load(&path).map_err(rivulet_chain::Error::from)?;
        Chain::on(node, &deployment).await.context("the chain is not the one of its file: say --fresh to begin anew")?;
        return Ok(deployment);
    }
    let lane = Lane::new(node, Signer::from_uri("//Alice")?);
    let deployment = deploy(&lane, &Plan::dev(lane.signer().address()), &bundles(bundles_in)?).await.context("cannot deploy")?;
    deployment.save(&path).map_err(rivulet_chain::Error::from)?;
    Ok(deployment)
}

async fn start_relayer(folder: &Path, [rpc_url, eth_url]: [&str; 2], port: u16) -> anyhow::Result<(Part, String)> {
    let text = |path: PathBuf| toml_text(&path.display().to_string());
    let config = format!(
        "# Written by 'rivulet dev' at each start.\ndeployment = {}\ndatabase = {}\n\n[signer]\ndev_uri = \"//Alice\"\n\n[http]\nlisten = \"127.0.0.1:{port}\"\n\n\
         [chain]\nrpc_urls = [{}]\n\n[batch]\nclaim_streams = true\n# So that whatever is paid here is seen to arrive.\nmin_value_bps = 0\n\n[batch.planck_per_whole]\nusdc = 2000000000\nusdt = 2000000000\n\n\
         [pages]\neth_rpc_url = {}\n",
        text(folder.join("dev.json")),
        text(folder.join("relayer.db")),
        toml_text(rpc_url),
        toml_text(eth_url),
    );
    let path = folder.join("relayer.toml");
    fs::write(&path, config).with_context(|| format!("cannot write {}", path.display()))?;
    let mut command = Command::new(env::current_exe().context("cannot find this program")?);
    command.args(["relay", "--config"]).arg(&path);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RIVULET_")) {
        // What is set for another relayer is not for this one.
        command.env_remove(name);
    }
    let mut relayer = Part::start("the relayer", command, folder.join("relayer.log"))?;
    let url = format!("http://127.0.0.1:{port}");
    let ready = async {
        loop {
            if reqwest::get(format!("{url}/ready")).await.is_ok_and(|r| r.status().is_success()) {
                return true;
            }
            if relayer.child.try_wait().is_ok_and(|status| status.is_some()) {
                return false;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    if !timeout(START, ready).await.unwrap_or(false) {
        return Err(relayer.failed("did not get ready"));
    }
    Ok((relayer, url))
}

/// JSON's strings are TOML's too.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What is being done, for who waits.
fn doing(what: &str) {
    eprintln!("{what} ...");
}

impl Dev {
    pub fn run(self) -> anyhow::Result<()> {
        match self.action {
            Some(Action::Fund(fund)) => super::tell(fund.network.json, fund.run()),
            None => super::block_on(self.serve()),
        }
    }

    async fn serve(self) -> anyhow::Result<()> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => home::folder()?.join("dev"),
        };
        if self.fresh {
            for part in ["chain", "dev.json", "relayer.db", "relayer.db-mark", "relayer.db-wal", "relayer.db-shm"].map(|name| folder.join(name)) {
                let gone = if part.is_dir() { fs::remove_dir_all(&part) } else { fs::remove_file(&part) };
                if let Err(e) = gone.or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) }) {
                    return Err(e).with_context(|| format!("cannot remove {}", part.display()));
                }
            }
        }
        home::make(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize().with_context(|| format!("cannot use {}", folder.display()))?;
        // A relayer that is there already would answer in this one's place.
        drop(std::net::TcpListener::bind(("127.0.0.1", self.relayer_port)).with_context(|| {
            format!("port {} is taken, perhaps by another relayer: stop it, or choose another by --relayer-port", self.relayer_port)
        })?);
        doing("starting the node");
        let (mut node, rpc_url, eth_url) = start_node(&folder, self.rpc_port, self.eth_rpc_port).await?;
        doing(if folder.join("dev.json").is_file() { "looking for the contracts" } else { "deploying the contracts" });
        let deployment = contracts(&folder, &rpc_url, self.bundles.as_deref()).await?;
        doing("starting the relayer");
        let (mut relayer, url) = start_relayer(&folder, [&rpc_url, &eth_url], self.relayer_port).await?;
        println!("{}", next_steps(&folder, [&rpc_url, &eth_url, &url], &deployment)?);
        let ended = tokio::select! {
            () = told_to_stop() => None,
            _ = node.child.wait() => Some(node.failed("ended by itself")),
            _ = relayer.child.wait() => Some(relayer.failed("ended by itself")),
        };
        // The relayer first: it has something to say to the node.
        let stopped = (relayer.stop().await, node.stop().await);
        match ended {
            Some(e) => Err(e),
            None => stopped.0.and(stopped.1),
        }
    }
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

fn next_steps(folder: &Path, [rpc_url, eth_url, url]: [&str; 3], deployment: &Deployment) -> anyhow::Result<String> {
    let charlie = address_of(&Signer::from_uri("//Charlie")?.account());
    let file = folder.join("dev.json");
    // The first terminal may have found this program by a script.
    let own = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned())).unwrap_or_default();
    let is_known = env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| dir == own));
    let path = if is_known { String::new() } else { format!("  export PATH=\"{}:$PATH\"\n", own.display()) };
    Ok(format!(
        "node      {rpc_url}, Polkadot Hub's fees and deposits
ethereum  {eth_url}, chain id {}: for wallets, viem and ethers
relayer   {url}
pages     {url}/?payee={charlie} (//Charlie's earnings), {url}/pay: in a browser
contracts {} (channels), {} (streams)
network   {}
logs      {}

In another terminal:
{path}  export RIVULET_NETWORK={} RIVULET_DEPLOYMENT={} RIVULET_RPC_URL={rpc_url} RIVULET_RELAYER={url}
  rivulet channel open --key //Bob --payee //Charlie --deposit 20usdc --site try.example
  rivulet channel pay 1/0 0.10usdc --key //Bob
  rivulet earn show --key //Charlie
  rivulet stream create --key //Bob --payee //Charlie --rate 3usdc/hour --deposit 20usdc
  rivulet stream watch 1/0
A key of your own: 'rivulet key new me', then 'rivulet dev fund me'.

ctrl-C stops all of it.",
        deployment.chain_id,
        deployment.contracts.channels.address.0,
        deployment.contracts.streams.address.0,
        file.display(),
        folder.display(),
        file.display(),
        file.display(),
    ))
}
