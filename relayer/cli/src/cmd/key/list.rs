//! `rivulet key list`

use super::{Answer, new::told};
use crate::{
    account::files,
    home,
    told::{Told, table},
};
use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use std::fs;

/// Lists the keystore's keys.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rivulet key list
      names, accounts and addresses; no passphrase is needed")]
pub struct List {
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

impl List {
    pub fn run(self) -> Answer {
        let mut keys = Vec::<Value>::new();
        for (name, path) in files()? {
            let file = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            keys.push(told(&name, &file, &path)?.json);
        }
        let text = |key: &Value, field: &str| key[field].as_str().unwrap_or_default().to_owned();
        const FIELDS: [&str; 3] = ["name", "account", "address"];
        let listed = keys.iter().map(|key| FIELDS.map(|field| text(key, field)).to_vec());
        let rows: Vec<_> = std::iter::once(FIELDS.map(str::to_owned).to_vec()).chain(listed).collect();
        let shown =
            if keys.is_empty() { format!("no keys in {}: make one by 'rivulet key new NAME'", home::keys()?.display()) } else { table(&rows) };
        Ok(Told::new(json!({ "keys": keys }), shown))
    }
}
