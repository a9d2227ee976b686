//! The relayer, as an operator runs it: a configuration file, a database, a log.

use super::process::{Process, built};
use crate::{Context, Error, Result};
use rivulet_core::ids::Address;
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};
use toml::{Table, Value};

/// How the relayer is set up, beyond its defaults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RelayerFlags {
    /// Its port; 0: any free one.
    pub port: u16,
    /// Its database; `None`: an SQLite file in its folder.
    pub database: Option<String>,
    /// The development key that signs claims.
    pub signer_uri: String,
    /// Whose relay fees count as the operator's.
    pub beneficiary: Address,
    /// How much value it asks for, in hundredths of a percent of the cost.
    pub min_value_bps: u32,
    /// How often it looks for a batch.
    pub interval_ms: u64,
    /// It looks at once when this many vouchers have come.
    pub enough_vouchers: usize,
    /// The most rows in a transaction.
    pub max_rows: usize,
    /// It claims from streams too.
    pub claim_streams: bool,
    /// A row is claimed at most once in so many seconds; 0: whenever it is worth it.
    pub claim_every_secs: u64,
    /// What a whole token is worth in planck, by name.
    pub planck_per_whole: BTreeMap<String, u64>,
    /// More of its environment: `RIVULET__SECTION__KEY` goes before the file.
    pub environment: BTreeMap<String, String>,
}

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);
/// How many ports a relayer of a test may get.
const PORTS: u16 = 10_000;
const GLANCE: Duration = Duration::from_millis(20);

/// A relayer: running, or killed and waiting to be started again.
pub struct Daemon {
    process: Option<Process>,
    folder: PathBuf,
    port: u16,
    environment: BTreeMap<String, String>,
    http: reqwest::Client,
}

/// A port that nobody has right now. It stays the relayer's over all restarts, as an operator's would. Below those that the system lends to
/// outgoing connections: of those, one found free is a moment later the near end of somebody's request.
///
/// # Errors
///
/// When there is none.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % u32::from(PORTS);
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + ((first + u32::from(step)) % u32::from(PORTS)) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::new("no port from 20000 to 29999 is free"))
}

fn listen(port: u16) -> Value {
    format!("127.0.0.1:{port}").into()
}

/// The configuration file. `serde` would want a struct for each table; the relayer's own is the one that checks it.
fn config(folder: &Path, deployment: &Path, node_url: &str, port: u16, flags: &RelayerFlags) -> Table {
    let text = |path: &Path| Value::from(path.to_string_lossy().into_owned());
    let whole = |n: u64| Value::from(i64::try_from(n).unwrap_or(i64::MAX));
    let table = |pairs: Vec<(&str, Value)>| Value::Table(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
    let prices = flags.planck_per_whole.iter().map(|(name, planck)| (name.as_str(), whole(*planck))).collect();
    let sections = [
        ("deployment", text(deployment)),
        ("database", flags.database.as_deref().map_or_else(|| text(&folder.join("relayer.db")), Value::from)),
        ("signer", table(vec![("dev_uri", flags.signer_uri.as_str().into())])),
        ("http", table(vec![("listen", listen(port))])),
        ("chain", table(vec![("rpc_urls", vec![node_url].into())])),
        (
            "batch",
            table(vec![
                ("interval_ms", whole(flags.interval_ms)),
                ("enough_vouchers", whole(flags.enough_vouchers as u64)),
                ("max_rows", whole(flags.max_rows as u64)),
                ("min_value_bps", whole(flags.min_value_bps.into())),
                ("claim_every_secs", whole(flags.claim_every_secs)),
                ("beneficiary", flags.beneficiary.to_string().into()),
                ("claim_streams", flags.claim_streams.into()),
                ("planck_per_whole", table(prices)),
            ]),
        ),
    ];
    sections.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Daemon {
    /// Writes its configuration into `folder`, starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When it is not built, or does not get ready.
    pub async fn start(folder: &Path, deployment: &Path, node_url: &str, flags: &RelayerFlags) -> Result<Self> {
        let port = if flags.port == 0 { free_port()? } else { flags.port };
        // Another relayer there would answer in this one's place.
        let taken = format!("port {port} is taken, perhaps by another relayer: stop it, or choose another by --relayer-port");
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).doing(taken)?);
        Self::with(folder, port, &config(folder, deployment, node_url, port, flags), &flags.environment).await
    }

    /// Another one, set up as this one but for its port: on the same database, when that can be shared.
    ///
    /// # Errors
    ///
    /// As [`Daemon::start`].
    pub async fn another(&self, folder: &Path) -> Result<Self> {
        let (port, path) = (free_port()?, self.config_path());
        let text = fs::read_to_string(&path).doing(format!("reading {}", path.display()))?;
        let mut config: Table = toml::from_str(&text).doing(format!("reading {}", path.display()))?;
        config.insert("http".to_owned(), Value::Table([("listen".to_owned(), listen(port))].into_iter().collect()));
        Self::with(folder, port, &config, &self.environment).await
    }

    async fn with(folder: &Path, port: u16, config: &Table, environment: &BTreeMap<String, String>) -> Result<Self> {
        let text = toml::to_string(config).doing("writing the relayer's configuration")?;
        let path = folder.join("relayer.toml");
        fs::write(&path, text).doing(format!("writing {}", path.display()))?;
        let mut daemon = Self { process: None, folder: folder.into(), port, environment: environment.clone(), http: super::process::http() };
        daemon.launch()?;
        daemon.wait_ready().await?;
        Ok(daemon)
    }

    /// Starts the process, again after a kill, with the same configuration, port and database. Does not wait.
    ///
    /// # Errors
    ///
    /// When it cannot be run.
    pub fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(built("rivulet")?);
        command.args(["relay", "--config"]).arg(self.config_path());
        // What is set for a relayer of the user's is not for this one.
        for name in ["LISTEN", "RPC_URL", "DEPLOYMENT", "DATABASE", "DATABASE_PASSWORD", "DATABASE_PASSWORD_FILE", "SIGNER_FILE", "LOG_JSON"] {
            command.env_remove(format!("RIVULET_{name}"));
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RIVULET__")) {
            command.env_remove(name);
        }
        command.envs(&self.environment);
        self.process = Some(Process::start("the relayer", command, &self.log_path())?);
        Ok(())
    }

    /// Waits until `/ready` says yes.
    ///
    /// # Errors
    ///
    /// When it ends first, or takes too long: with the end of its log.
    pub async fn wait_ready(&mut self) -> Result<()> {
        self.wait_for("/ready").await
    }

    /// Waits until it answers, ready or not.
    ///
    /// # Errors
    ///
    /// As [`Daemon::wait_ready`].
    pub async fn wait_answers(&mut self) -> Result<()> {
        self.wait_for("/health").await
    }

    async fn wait_for(&mut self, path: &str) -> Result<()> {
        let (url, begun) = (format!("{}{path}", self.url()), Instant::now());
        loop {
            if self.http.get(&url).send().await.is_ok_and(|r| r.status().is_success()) {
                return Ok(());
            }
            let process = self.process.as_mut().ok_or_else(|| Error::new("the relayer is not running"))?;
            if let Some(status) = process.ended() {
                return Err(Error::new(format!("the relayer ended with {status} and never said yes to {path}:\n{}", process.tail())));
            }
            if begun.elapsed() > START {
                return Err(Error::new(format!("the relayer did not say yes to {path} within {START:?}:\n{}", process.tail())));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// True when it runs no more.
    pub fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| process.ended().is_some())
    }

    /// SIGKILL. Returns when it is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Stops it in good order.
    ///
    /// # Errors
    ///
    /// When it does not end well.
    pub async fn stop(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.stop(STOP).await,
            None => Ok(()),
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(Process::ended)
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        self.process.as_ref().map_or_else(String::new, Process::tail)
    }

    /// Lets it run on after us; returns its process id.
    pub fn let_go(&mut self) -> u32 {
        self.process.as_mut().map_or(0, Process::let_go)
    }

    /// Its process id; 0 when it is not running.
    pub fn id(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::id)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its configuration.
    pub fn config_path(&self) -> PathBuf {
        self.folder.join("relayer.toml")
    }

    /// Its database.
    pub fn database_path(&self) -> PathBuf {
        self.folder.join("relayer.db")
    }

    /// Its log.
    pub fn log_path(&self) -> PathBuf {
        self.folder.join("relayer.log")
    }
}
