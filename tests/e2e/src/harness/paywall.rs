//! The paywall, as a creator runs it.

use super::{
    process::{Process, built, http},
    relayer::free_port,
    web::TlsFiles,
};
use crate::{Context, Error, Result};
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
    /// By HTTPS, with these.
    pub tls: Option<TlsFiles>,
    /// More flags.
    pub more: Vec<String>,
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
        let PaywallFlags { upstream, payee, relayer, deployment, node_url, prices, tls, more } = &self.flags;
        command.args(["paywall", "--upstream", upstream, "--payee", &payee.to_string(), "--relayer", relayer, "--rpc-url", node_url]);
        command.arg("--deployment").arg(deployment).arg("--database").arg(self.database_path());
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--metrics-listen", &format!("127.0.0.1:{}", self.metrics_port)]);
        command.args(prices.iter().flat_map(|price| ["--price", price])).args(more);
        if let Some(TlsFiles { certificate, key, .. }) = tls {
            command.arg("--tls-certificate-file").arg(certificate).arg("--tls-key-file").arg(key);
        }
        let mut process = Process::start("the paywall", command, &self.folder.join("paywall.log"))?;
        let (client, url, begun) = (self.client()?, format!("{}/.well-known/rivulet/health", self.url()), Instant::now());
        while !client.get(&url).send().await.is_ok_and(|r| r.status().is_success()) {
            if process.ended().is_some() || begun.elapsed() > START {
                return Err(Error::new(format!("the paywall did not start:\n{}", process.tail())));
            }
            tokio::time::sleep(GLANCE).await;
        }
        self.process = Some(process);
        Ok(())
    }

    /// An HTTP client that believes its certificate.
    ///
    /// # Errors
    ///
    /// When that cannot be read.
    pub fn client(&self) -> Result<reqwest::Client> {
        let Some(TlsFiles { ca, .. }) = &self.flags.tls else { return Ok(http()) };
        let pem = std::fs::read(ca).doing(format!("reading {}", ca.display()))?;
        let certificate = reqwest::Certificate::from_pem(&pem).doing("reading a certificate")?;
        reqwest::Client::builder().add_root_certificate(certificate).timeout(STOP).build().doing("making an HTTP client")
    }

    /// SIGHUP: it reads its certificate again.
    pub fn hang_up(&self) {
        let id = self.process.as_ref().map_or(0, Process::id);
        // The shell's own `kill`: the program of that name is not on every machine.
        let _ = Command::new("sh").args(["-c", &format!("kill -HUP {id}")]).status();
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        self.process.as_ref().map_or_else(String::new, Process::tail)
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
        format!("{}://{}", if self.flags.tls.is_some() { "https" } else { "http" }, self.host())
    }

    /// As a client's `Host` says it.
    pub fn host(&self) -> String {
        format!("{}:{}", if self.flags.tls.is_some() { "localhost" } else { "127.0.0.1" }, self.port)
    }
}
