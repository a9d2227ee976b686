//! `rivulet completions SHELL`

use crate::Cli;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rivulet completions bash > /etc/bash_completion.d/rivulet")]
pub struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> anyhow::Result<()> {
        clap_complete::generate(self.shell, &mut Cli::command(), "rivulet", &mut std::io::stdout());
        Ok(())
    }
}
