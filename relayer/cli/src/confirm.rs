//! A question before money moves.

use crate::failure::Failure;
use clap::Args;
use std::io::{BufRead, IsTerminal, stderr, stdin};

/// Whether to ask.
#[derive(Clone, Copy, Debug, Args)]
pub struct Confirm {
    /// Does it without asking. Without a terminal to ask at, nothing is done unless this is said.
    #[arg(long, short)]
    yes: bool,
}

impl Confirm {
    /// Goes on when somebody says yes.
    pub fn ask(self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !stdin().is_terminal() || !stderr().is_terminal() {
            return Err(Failure::NotConfirmed(format!("{what}: not done. There is no terminal to ask at: to go ahead, say --yes")));
        }
        eprint!("{what}. Go ahead? [y/N] ");
        let mut answer = String::new();
        let read = stdin().lock().read_line(&mut answer);
        match read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            true => Ok(()),
            false => Err(Failure::NotConfirmed("not done, as you said".into())),
        }
    }
}
