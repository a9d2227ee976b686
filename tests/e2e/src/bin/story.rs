//! `scripts/demo`: the story, live.

use clap::Parser;
use rivulet_e2e::story::{self, options::Options};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// As shells tell a program that ctrl-C ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let json = options.json;
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        eprintln!("story: cannot listen for ctrl-C");
        return ExitCode::FAILURE;
    };
    let mut is_stopped = false;
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        is_stopped = true;
    };
    match story::play(options, stop).await {
        Ok(ending) => {
            if json {
                println!("{:#}", ending.report.json());
            }
            if let Err(e) = ending.stopped {
                eprintln!("story: {e}");
                return ExitCode::FAILURE;
            }
            if ending.report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(_) if is_stopped => {
            eprintln!("\nstory: stopped; node and relayer are stopped too");
            ExitCode::from(INTERRUPTED)
        }
        Err(e) => {
            eprintln!("\nstory: {e}");
            ExitCode::FAILURE
        }
    }
}
