//! Where this program keeps what must not be lost: keys, and what was promised.

use crate::failure::Failure;
use rivulet_chain::Deployment;
use rivulet_core::ids::Address;
use rivulet_rules::chain::ContractKind;
use std::{
    env,
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// `RIVULET_HOME`, or `rivulet` in the folder that the system has for programs' data.
pub fn folder() -> Result<PathBuf, Failure> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("RIVULET_HOME").or_else(|| set("XDG_DATA_HOME").map(|d| d.join("rivulet")));
    home.or_else(|| set("HOME").map(|h| h.join(".local/share/rivulet")))
        .ok_or_else(|| Failure::Usage("no place for keys and totals: set RIVULET_HOME to a folder".into()))
}

/// Where keystore files are.
pub fn keys() -> Result<PathBuf, Failure> {
    Ok(folder()?.join("keys"))
}

/// Where the totals of one payer's channels on one contract are.
pub fn purse(deployment: &Deployment, payer: &Address) -> Result<PathBuf, Failure> {
    let contract = deployment.contract(ContractKind::Channels).address.0;
    Ok(folder()?.join("channels").join(format!("{}-{contract}", deployment.chain_id)).join(payer.to_string()))
}

/// Makes a folder that only its user can look into.
pub fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a new file that only its user can read. One that is there is never written over.
pub fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
