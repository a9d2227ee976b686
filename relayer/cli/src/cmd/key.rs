//! `rivulet key`: a key for acknowledgements.

use anyhow::Context;
use clap::Args;
use rivulet_rules::{acknowledgement::AcknowledgementKey, text};
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

/// Makes a key that acknowledgements are signed with (acknowledge.key_file), and prints its address.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rivulet key --out acknowledge.key\n\nThe key moves no money. The file is readable by you alone; an existing one is never overwritten."
)]
pub struct Key {
    /// Where to write it. The file must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Key {
    pub fn run(self) -> anyhow::Result<()> {
        let path = self.out.display();
        let key = loop {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gave no randomness"))?;
            if let Some(key) = AcknowledgementKey::from_bytes(bytes) {
                break (bytes, key.address());
            }
        };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.out).with_context(|| format!("cannot create {path}"))?;
        writeln!(file, "{}", text::hex(&key.0)).and_then(|()| file.sync_all()).with_context(|| format!("cannot write {path}"))?;
        println!("{}", key.1);
        Ok(())
    }
}
