//! `rivulet key`: keys of accounts, in encrypted files; and, by `--out`, a relayer's key for acknowledgements.

mod acknowledge;
mod import;
mod list;
mod new;
mod show;

use crate::told::Told;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Makes, imports, shows and lists keys.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Examples:
  rivulet key new reader
      a new account, under a passphrase
  rivulet key --out acknowledge.key
      for a relayer: a key that acknowledgements are signed with (acknowledge.key_file), and prints its address

The files are those that Polkadot wallets export and import (JSON, scrypt, xsalsa20-poly1305). They are in keys/ of RIVULET_HOME, or of
~/.local/share/rivulet, readable by you alone. No file is ever written over."
)]
pub struct Key {
    /// Makes a key for acknowledgements and writes it here. The file must not exist. It moves no money.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Import(import::Import),
    Show(show::Show),
    List(list::List),
}

impl Key {
    pub fn run(self) -> anyhow::Result<()> {
        match (self.out, self.command) {
            (Some(out), _) => acknowledge::make(&out),
            (None, Some(Command::New(c))) => super::told(c.json, c.run()),
            (None, Some(Command::Import(c))) => super::told(c.json, c.run()),
            (None, Some(Command::Show(c))) => super::told(c.json, c.run()),
            (None, Some(Command::List(c))) => super::told(c.json, c.run()),
            // clap shows the help first.
            (None, None) => Ok(()),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;

/// A name for a file: nothing that leads elsewhere.
fn name(given: &str) -> Result<String, String> {
    let good = !given.is_empty() && given.len() <= 40 && given.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    good.then(|| given.to_owned()).ok_or_else(|| format!("expected lower-case letters, digits and hyphens, such as reader, given {given:?}"))
}
