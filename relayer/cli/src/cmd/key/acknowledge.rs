//! `rivulet key --out`: a key for acknowledgements.

use anyhow::Context;
use rivulet_rules::{acknowledgement::AcknowledgementKey, text};
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Makes one and prints its address.
pub fn make(out: &Path) -> anyhow::Result<()> {
    let path = out.display();
    let key = loop {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gave no randomness"))?;
        if let Some(key) = AcknowledgementKey::from_bytes(bytes) {
            break (bytes, key.address());
        }
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out).with_context(|| format!("cannot create {path}"))?;
    writeln!(file, "{}", text::hex(&key.0)).and_then(|()| file.sync_all()).with_context(|| format!("cannot write {path}"))?;
    println!("{}", key.1);
    Ok(())
}
