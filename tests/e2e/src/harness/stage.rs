//! A chain with our contracts on it.

use super::{DevNode, NodeFlags};
use crate::{Context, Error, Result, ledger::Ledger};
use rivulet_chain::{Chain, Lane, Node, NodeOptions, Signer, deploy};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A folder for logs, databases and chains; removed when all went well.
pub struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// A new one, in the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let path = tempfile::Builder::new().prefix("rivulet-").tempdir().doing("making a folder for logs")?.keep();
        Ok(Self { path, keep: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is, for who wants to read its logs.
    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("logs are in {}", self.path.display());
        } else if !self.keep {
            // What cannot be removed is the system's to clean up.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The released contracts: `deployments/bundles` of this checkout, or `RIVULET_BUNDLES`.
///
/// # Errors
///
/// When they are not there.
pub fn bundles() -> Result<PathBuf> {
    let path = match std::env::var_os("RIVULET_BUNDLES") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deployments/bundles"),
    };
    match path.join("channels.polkavm").is_file() && path.join("streams.polkavm").is_file() {
        true => Ok(path),
        false => Err(Error::new(format!("no channels.polkavm and streams.polkavm in {}: run scripts/build contracts", path.display()))),
    }
}

/// A running dev node with both contracts deployed. Dropped, it stops the node and removes its folder.
pub struct Stage {
    /// The node.
    pub node: DevNode,
    /// The chain, with our contracts.
    pub chain: Chain,
    /// Its balances.
    pub ledger: Ledger,
    /// Alice's key, which has the money.
    pub bank: Lane,
    /// Logs and databases.
    pub folder: Folder,
}

impl Stage {
    /// Starts the node and deploys.
    ///
    /// # Errors
    ///
    /// When something is not built, or does not start.
    pub async fn start(folder: Folder, flags: NodeFlags) -> Result<Self> {
        let bundles = bundles()?;
        let node = DevNode::start(folder.path(), flags).await?;
        let client = Node::connect(&[node.url()], None, NodeOptions::default()).await?;
        let bank = Lane::new(client.clone(), Signer::from_uri("//Alice")?);
        let plan = deploy::Plan::dev(bank.signer().address());
        let deployment = deploy::deploy(&bank, &plan, &bundles).await.doing("deploying the contracts")?;
        deployment.save(folder.path().join("dev.json")).doing("writing the deployment's file")?;
        let ledger = Ledger::connect(&node.url(), client.clone()).await?;
        let chain = Chain::on(client, &deployment).await?;
        Ok(Self { node, chain, ledger, bank, folder })
    }

    /// The deployment's file.
    pub fn deployment_path(&self) -> PathBuf {
        self.folder.path().join("dev.json")
    }
}
