//! The dev node.

use super::process::{Process, built};
use crate::{Context, Error, Result};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How the node is started.
#[derive(Clone, Copy, Debug)]
pub struct NodeFlags {
    /// Its port; 0: any free one.
    pub port: u16,
    /// Time between blocks.
    pub block_time_ms: u64,
    /// How many blocks finality is behind; 0: each block is final at once.
    pub finality_lag: u32,
}

impl Default for NodeFlags {
    fn default() -> Self {
        Self { port: 0, block_time_ms: 500, finality_lag: 0 }
    }
}

/// A machine that compiles beside us is slow to start a node.
const START: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(20);
/// By then the database has written a block that was made final.
const FLUSHED: Duration = Duration::from_millis(300);

/// A running dev node, with its chain in a folder.
pub struct DevNode {
    process: Process,
    folder: PathBuf,
    flags: NodeFlags,
    calls: DevCalls,
}

/// Calls to a dev node, for who does not own it. They go on with the node that is started in its place.
#[derive(Clone)]
pub struct DevCalls {
    port: u16,
    http: reqwest::Client,
}

/// Calls that do more when they are made twice.
const CHANGES_BY_EACH_CALL: [&str; 3] = ["dev_advanceTime", "dev_sealBlock", "dev_buildFork"];

/// Starts the program; returns it and its port once it answers.
async fn launch(folder: &Path, flags: NodeFlags) -> Result<(Process, u16)> {
    let log = folder.join("node.log");
    let before = std::fs::metadata(&log).map_or(0, |m| usize::try_from(m.len()).unwrap_or(usize::MAX));
    let mut command = Command::new(built("rivulet-node")?);
    command.args(["--rpc-port", &flags.port.to_string(), "--block-time-ms", &flags.block_time_ms.to_string()]);
    command.args(["--finality-lag", &flags.finality_lag.to_string()]);
    command.arg("--base-path").arg(folder.join("chain"));
    let mut process = Process::start("the node", command, &log)?;
    let line = process.wait_for_line("rivulet-node: ready", before, START).await?;
    let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| Error::new(format!("no port in the node's ready line: {line}")))?;
    Ok((process, port))
}

impl DevNode {
    /// Starts it with its chain and its log in `folder`, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it is not built, or does not get ready.
    pub async fn start(folder: &Path, flags: NodeFlags) -> Result<Self> {
        let (process, port) = launch(folder, flags).await?;
        let calls = DevCalls { port, http: super::process::http() };
        Ok(Self { process, folder: folder.into(), flags: NodeFlags { port, ..flags }, calls })
    }

    /// SIGKILL, and a start on the same port with the same chain. What the chain has made final it keeps: on a network, others have it too. So blocks are
    /// held back first, until the database has written what it has.
    ///
    /// # Errors
    ///
    /// When it does not get ready again.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        self.calls.set_sealing(false).await?;
        tokio::time::sleep(FLUSHED).await;
        self.process.kill();
        (self.process, _) = launch(&self.folder, self.flags).await?;
        Ok(())
    }

    /// Where its JSON-RPC is.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.calls.port)
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops it.
    ///
    /// # Errors
    ///
    /// When it does not end well.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.stop(STOP).await
    }
}

impl std::ops::Deref for DevNode {
    type Target = DevCalls;

    fn deref(&self) -> &DevCalls {
        &self.calls
    }
}

impl DevCalls {
    /// Calls a method over HTTP.
    ///
    /// # Errors
    ///
    /// When the node does not answer, or answers an error.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let asking = || format!("the node's {method}");
        let ask = || self.http.post(format!("http://127.0.0.1:{}", self.port)).json(&body).send();
        let response = match ask().await {
            // Seen once, on a loaded machine: no answer ever came. What may be asked twice is.
            Err(e) if e.is_timeout() && !CHANGES_BY_EACH_CALL.contains(&method) => ask().await.doing(asking())?,
            answered => answered.doing(asking())?,
        };
        let mut answer: Value = response.json().await.doing(asking())?;
        match answer.get("error") {
            Some(error) => Err(Error::new(format!("{}: {error}", asking()))),
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
        }
    }

    /// Moves the chain's clock forward. The next block carries it.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn advance_time(&self, secs: u64) -> Result<()> {
        self.call("dev_advanceTime", json!([secs])).await.map(drop)
    }

    /// Stops or resumes making blocks.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn set_sealing(&self, on: bool) -> Result<()> {
        self.call("dev_setSealing", json!([on])).await.map(drop)
    }

    /// How many transactions wait for a block.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn pending(&self) -> Result<usize> {
        Ok(self.call("author_pendingExtrinsics", json!([])).await?.as_array().map_or(0, Vec::len))
    }
}
