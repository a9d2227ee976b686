//! `rivulet key import`

use super::{
    Answer, name,
    new::{free, told, write},
};
use crate::{
    account::{keystore::Secret, passphrase::PassphraseArgs},
    failure::Failure,
};
use anyhow::Context;
use clap::Args;
use rivulet_chain::Signer;
use std::{
    env, fs,
    io::{IsTerminal, stdin},
    path::PathBuf,
};

/// Imports an account: a wallet's JSON file, or a seed or phrase.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet key import reader --wallet-file ~/Downloads/5Grw.json
      a file that a Polkadot wallet exported, under the passphrase that it has
  rivulet key import reader
      asks for a seed or secret phrase, and for a passphrase
  RIVULET_SECRET=0x... rivulet key import reader --passphrase-file passphrase.txt
      for scripts")]
pub struct Import {
    /// What to call it.
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// A JSON file as Polkadot wallets export it. Without it, the seed or phrase in RIVULET_SECRET, or the terminal asks.
    #[arg(long, value_name = "FILE")]
    wallet_file: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Import {
    fn secret() -> anyhow::Result<Secret> {
        if let Ok(given) = env::var("RIVULET_SECRET") {
            return Ok(Secret::read(given.trim())?);
        }
        if !stdin().is_terminal() {
            return Err(Failure::Key("nothing to import: say --wallet-file FILE or set RIVULET_SECRET; there is no terminal to ask at".into()).into());
        }
        let given = rpassword::prompt_password("Seed or secret phrase: ").context("cannot read the secret")?;
        Ok(Secret::read(given.trim())?)
    }

    pub fn run(self) -> Answer {
        let path = free(&self.name)?;
        let file = match &self.wallet_file {
            Some(from) => {
                let file = fs::read_to_string(from).map_err(|e| Failure::Usage(format!("--wallet-file: cannot read {}: {e}", from.display())))?;
                // Only a file that can be used later is taken.
                let passphrase = self.passphrase.existing(&format!("Passphrase of {}: ", from.display()))?;
                Signer::from_keystore(&file, &passphrase).with_context(|| format!("cannot import {}", from.display()))?;
                file
            }
            None => Self::secret()?.encrypt(&self.passphrase.chosen()?, &self.name)?,
        };
        write(&path, &file)?;
        told(&self.name, &file, &path)
    }
}
