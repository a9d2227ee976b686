//! `rivulet key show`

use super::{Answer, new::told};
use crate::{
    account::{file_of, is_dev_uri},
    failure::Failure,
    told::Told,
};
use clap::Args;
use rivulet_chain::{Signer, account::account_text};
use rivulet_rules::text;
use serde_json::json;
use std::fs;

/// Shows an account and the address that contracts see for it. Never the key.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet key show reader
      one of the keystore
  rivulet key show //Alice --json
      one of the development network's, for programs")]
pub struct Show {
    /// A name in the keystore, a keystore file, or a path such as //Alice.
    #[arg(value_name = "KEY")]
    key: String,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

impl Show {
    pub fn run(self) -> Answer {
        if is_dev_uri(&self.key) {
            let signer = Signer::from_uri(&self.key)?;
            let (account, address) = (signer.account(), signer.address());
            let json = json!({
                "name": self.key, "account": account_text(&account), "public_key": text::hex(&account.0), "address": address.to_string(), "file": null,
            });
            let text = format!("{}\n  account  {}\n  address  {address} (as contracts see it)", self.key, account_text(&account));
            return Ok(Told::new(json, text));
        }
        let path = file_of(&self.key)?;
        let missing = |e| Failure::Key(format!("cannot read {}: {e}. 'rivulet key list' shows the keys there are", path.display()));
        told(&self.key, &fs::read_to_string(&path).map_err(missing)?, &path)
    }
}
