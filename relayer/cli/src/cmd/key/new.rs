//! `rivulet key new`

use super::{Answer, name};
use crate::{
    account::{
        keystore::{Secret, labels},
        passphrase::PassphraseArgs,
    },
    failure::Failure,
    home,
    told::Told,
};
use anyhow::Context;
use clap::Args;
use rivulet_chain::account::{account_text, address_of, read_account};
use rivulet_rules::text;
use serde_json::{Value, json};
use std::io;

/// Makes a new account's key, under a passphrase.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet key new reader
      asks for a passphrase, twice
  rivulet key new reader --passphrase-file passphrase.txt --show-seed
      for scripts; the seed, to be written down: whoever has it has the account")]
pub struct New {
    /// What to call it.
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// Prints the seed too. Nothing else brings the account back when the file or its passphrase is lost.
    #[arg(long)]
    show_seed: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl New {
    pub fn run(self) -> Answer {
        let path = free(&self.name)?;
        let secret = Secret::generate()?;
        let file = secret.encrypt(&self.passphrase.chosen()?, &self.name)?;
        write(&path, &file)?;
        let mut told = told(&self.name, &file, &path)?;
        if let Some(seed) = secret.seed().filter(|_| self.show_seed) {
            told.text += &format!("\n  seed     {seed}: write it down, and show it to nobody");
            told.json["seed"] = seed.into();
        }
        Ok(told)
    }
}

/// Where a key of a name goes, if there is none yet.
pub fn free(name: &str) -> anyhow::Result<std::path::PathBuf> {
    let folder = home::keys()?;
    home::make(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{name}.json"));
    match path.exists() {
        true => Err(Failure::Key(format!("{} exists: a key is never written over. Choose another name", path.display())).into()),
        false => Ok(path),
    }
}

/// Writes a keystore file.
pub fn write(path: &std::path::Path, file: &str) -> anyhow::Result<()> {
    let written: io::Result<()> = home::write_new(path, file);
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// What a keystore file is of. Needs no passphrase.
pub fn told(name: &str, file: &str, path: &std::path::Path) -> anyhow::Result<Told> {
    let no_keystore = || Failure::Key(format!("{} is no keystore file as Polkadot wallets export it", path.display()));
    let (account, _) = labels(file).ok_or_else(no_keystore)?;
    let account = read_account(&account).ok_or_else(no_keystore)?;
    let (shown, address) = (account_text(&account), address_of(&account));
    let json: Value = json!({
        "name": name, "account": shown, "public_key": text::hex(&account.0), "address": address.to_string(), "file": path.display().to_string(),
    });
    Ok(Told::new(json, format!("{name}\n  account  {shown}\n  address  {address} (as contracts see it)\n  file     {}", path.display())))
}
