//! `scripts/faults`: breaks things under load, and counts what was lost.

use clap::Parser;
use rivulet_e2e::faults::{self, options::Options};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match faults::run(&options).await {
        Ok(verdict) => {
            if options.json {
                println!("{:#}", verdict.json());
            } else {
                println!("\n{}", verdict.text());
            }
            if verdict.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(e) => {
            eprintln!("\nfaults: {e}");
            ExitCode::FAILURE
        }
    }
}
