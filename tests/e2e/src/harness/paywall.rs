//! The paywall, as a creator runs it.

use super::{
    process::{Process, built, http},
    relayer::free_port,
};
use crate::{Error, Result};
use rivulet_core::ids::Address;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);

/// What a paywall is told.
#[derive(Clone, Debug)]
pub struct PaywallFlags {
    /// The web server.
    pub upstream: String,
    /// Who is paid.
    pub payee: Address,
    /// The relayer.
    pub relayer: String,
    /// The network's file.
    pub deployment: PathBuf,
    /// A node.
    pub node_url: String,
    /// The price list.
    pub prices: Vec<String>,
}

/// A paywall: running, or killed and waiting to be started again.
pub struct Wall {
    process: Option<Process>,
    flags: PaywallFlags,
    folder: PathBuf,
    port: u16,
    metrics_port: u16,
}

impl Wall {
    /// Starts it, with database and log in `folder`, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it is not built, or does not answer.
    pub async fn start(folder: &Path, flags: PaywallFlags) -> Result<Self> {
        let mut wall = Self { process: None, flags, folder: folder.into(), port: free_port()?, metrics_port: free_port()? };
        wall.launch().await?;
        Ok(wall)
    }

    /// Starts the process, again after a kill, on the same port and database, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or does not answer.
    pub async fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(built("rivulet")?);
        let PaywallFlags { upstream, payee, relayer, deployment, node_url, prices } = &self.flags;
        command.args(["paywall", "--upstream", upstream, "--payee", &payee.to_string(), "--relayer", relayer, "--rpc-url", node_url]);
        command.arg("--deployment").arg(deployment).arg("--database").arg(self.database_path());
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--metrics-listen", &format!("127.0.0.1:{}", self.metrics_port)]);
        command.args(prices.iter().flat_map(|price| ["--price", price]));
        let mut process = Process::start("the paywall", command, &self.folder.join("paywall.log"))?;
        let (client, url, begun) = (http(), format!("{}/.well-known/rivulet/health", self.url()), Instant::now());
        while !client.get(&url).send().await.is_ok_and(|r| r.status().is_success()) {
            if process.ended().is_some() || begun.elapsed() > START {
                return Err(Error::new(format!("the paywall did not start:\n{}", process.tail())));
            }
            tokio::time::sleep(GLANCE).await;
        }
        self.process = Some(process);
        Ok(())
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

    /// Its database.
    pub fn database_path(&self) -> PathBuf {
        self.folder.join("paywall.db")
    }

    /// Where `/metrics` is.
    pub fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.metrics_port)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// As a client's `Host` says it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
