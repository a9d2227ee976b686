//! `rivulet man`

use crate::Cli;
use anyhow::Context;
use clap::{Args, CommandFactory};
use std::{io::stdout, path::PathBuf};

/// Prints the manual page, or writes one for each command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet man | man -l -
      reads it now
  rivulet man --out /usr/local/share/man/man1
      a page for each command: rivulet.1, rivulet-channel-pay.1 and so on")]
pub struct Man {
    /// A folder for the pages of all commands.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> anyhow::Result<()> {
        match self.out {
            None => clap_mangen::Man::new(Cli::command()).render(&mut stdout()).context("cannot print the manual page"),
            Some(folder) => {
                let doing = || format!("cannot write to {}", folder.display());
                std::fs::create_dir_all(&folder).with_context(doing)?;
                clap_mangen::generate_to(Cli::command(), &folder).with_context(doing)
            }
        }
    }
}
