//! `rivulet relay backup` and `rivulet relay restore`.

use super::deployment_id;
use anyhow::Context;
use clap::Args;
use rivulet_chain::Deployment;
use rivulet_rules::statement::time_text;
use rivulet_server::{clock::now_ms, config::Config};
use rivulet_store::backup::{self, Contents};
use std::path::{Path, PathBuf};

const BACKUP: &str = "Examples:
  rivulet relay backup relayer.backup --config relayer.toml
  rivulet relay backup /backups/today.backup --json

The relayer goes on meanwhile; the file is of one moment. It is an SQLite database with the relayer's tables, whichever database it was taken from,
readable by its owner alone, and can be put back into either kind. A file that exists is not overwritten.";

const RESTORE: &str = "Examples:
  rivulet relay restore relayer.backup --config relayer.toml
  rivulet relay restore relayer.backup --database postgres://rivulet@db/rivulet

The database must have nothing yet: move an old file away, make an empty Postgres database. Stop every relayer on the old one first, for good: two databases
for one signing key pay for the same transactions twice. Vouchers accepted after the backup are not in it: the next start says from when on.";

/// Writes all that the relayer knows into one file, while it runs.
#[derive(Debug, Args)]
#[command(after_help = BACKUP)]
pub struct Backup {
    /// The file to write. It must not exist.
    file: PathBuf,
    /// Say what is in it as JSON.
    #[arg(long)]
    json: bool,
}

/// Puts a backup back into a database that has nothing yet.
#[derive(Debug, Args)]
#[command(after_help = RESTORE)]
pub struct Restore {
    /// The backup.
    file: PathBuf,
    /// Say what was in it as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs what waits for a database.
pub fn wait<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    Ok(runtime.block_on(work))
}

impl Backup {
    pub fn run(&self, config: &Config, deployment: &Deployment) -> anyhow::Result<()> {
        let taken = wait(backup::backup(&config.database, &deployment_id(deployment), &self.file, now_ms()))?;
        let contents = taken.with_context(|| format!("cannot back up {}", config.database))?;
        say(self.json, "Backed up", &config.database.to_string(), &self.file, &contents);
        Ok(())
    }
}

impl Restore {
    pub fn run(&self, config: &Config, deployment: &Deployment) -> anyhow::Result<()> {
        let put_back = wait(backup::restore(&self.file, &config.database, &deployment_id(deployment)))?;
        let contents = put_back.with_context(|| format!("cannot put {} back into {}", self.file.display(), config.database))?;
        say(self.json, "Put back into", &config.database.to_string(), &self.file, &contents);
        if !self.json {
            println!(
                "Vouchers accepted after that are missing; they come back as their payers pay on. The next start compares with the chain and says what else is."
            );
        }
        Ok(())
    }
}

fn say(json: bool, done: &str, database: &str, file: &Path, contents: &Contents) {
    let Contents { taken_ms, last_accepted_ms, block_number, counts } = contents;
    let time = |ms: u64| time_text(ms / 1_000);
    if json {
        let said = serde_json::json!({
            "database": database,
            "file": file.display().to_string(),
            "taken_at": time(*taken_ms),
            "last_accepted_at": (*last_accepted_ms > 0).then(|| time(*last_accepted_ms)),
            "block_number": block_number,
            "channels": counts.channels,
            "vouchers": counts.vouchers,
            "open_intents": counts.open_intents,
        });
        println!("{said}");
        return;
    }
    println!("{done} {database}");
    println!("file      {}", file.display());
    println!("taken     {}", time(*taken_ms));
    println!("channels  {}, {} with a voucher", counts.channels, counts.vouchers);
    let last = if *last_accepted_ms > 0 { time(*last_accepted_ms) } else { "none".to_owned() };
    println!("last      {last} (when its last voucher was accepted)");
    println!("block     {}", block_number.map_or("none".to_owned(), |number| number.to_string()));
    println!("open      {} transactions whose end was not known", counts.open_intents);
}
