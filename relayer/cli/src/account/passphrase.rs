//! Passphrases: from a file, a variable, or the terminal.

use crate::failure::Failure;
use anyhow::Context;
use clap::Args;
use std::{
    env, fs,
    io::{IsTerminal, stdin},
    path::PathBuf,
};

/// Where the passphrase is.
#[derive(Clone, Debug, Args)]
pub struct PassphraseArgs {
    /// A file with the key's passphrase. Without it, the variable RIVULET_PASSPHRASE, or the terminal asks.
    #[arg(long, env = "RIVULET_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    fn given(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.passphrase_file else { return Ok(env::var("RIVULET_PASSPHRASE").ok()) };
        let text = fs::read_to_string(path).map_err(|e| Failure::Usage(format!("--passphrase-file: cannot read {}: {e}", path.display())))?;
        // The line's end is the editor's.
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn ask(prompt: &str) -> anyhow::Result<String> {
        if !stdin().is_terminal() {
            return Err(
                Failure::Key("no passphrase: say --passphrase-file FILE or set RIVULET_PASSPHRASE; there is no terminal to ask at".into()).into()
            );
        }
        rpassword::prompt_password(prompt).context("cannot read the passphrase")
    }

    /// Of a key that is there.
    pub fn existing(&self, prompt: &str) -> anyhow::Result<String> {
        self.given()?.map_or_else(|| Self::ask(prompt), Ok)
    }

    /// For a new key: at a terminal, twice.
    pub fn chosen(&self) -> anyhow::Result<String> {
        const SHORTEST: usize = 8;
        let passphrase = match self.given()? {
            Some(given) => given,
            None => {
                let first = Self::ask(&format!("A passphrase for the new key, at least {SHORTEST} characters: "))?;
                if Self::ask("The same again: ")? != first {
                    return Err(Failure::Key("the two passphrases differ: nothing was written".into()).into());
                }
                first
            }
        };
        match passphrase.chars().count() {
            short if short < SHORTEST => Err(Failure::Key(format!("expected a passphrase of at least {SHORTEST} characters, given {short}")).into()),
            _ => Ok(passphrase),
        }
    }
}
