//! The mark beside the database: how far it had come when it was last written to. An old copy put in the database's place does not know of it.
//!
//! It is written without waiting for the disk, once a second at most: a mark that is lost or older only notices less.

use crate::{Mark, StoreError};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const EVERY: Duration = Duration::from_secs(1);

/// The file's name: the database's and this.
pub const SUFFIX: &str = "-mark";

/// The mark of the database that is open.
#[derive(Debug)]
pub struct MarkFile {
    path: PathBuf,
    mark: Mark,
    written: Option<Instant>,
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(SUFFIX);
    name.into()
}

/// The mark that was left; `None` when there is none that can be read.
pub fn read(database: &Path) -> Option<Mark> {
    let text = fs::read_to_string(beside(database)).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(Mark { generation: numbers.next()?.ok()?, last_accepted_ms: numbers.next()?.ok()? })
}

impl MarkFile {
    /// For this database, from here on.
    pub fn new(database: &Path, mark: Mark) -> Result<Self, StoreError> {
        let mut file = Self { path: beside(database), mark, written: None };
        file.write().map_err(|e| StoreError::Database(format!("{}: {e}", file.path.display())))?;
        Ok(file)
    }

    /// A voucher was stored.
    pub fn accepted(&mut self, at_ms: u64) {
        self.mark.last_accepted_ms = self.mark.last_accepted_ms.max(at_ms);
        if self.written.is_none_or(|at| at.elapsed() >= EVERY) {
            self.try_write();
        }
    }

    fn try_write(&mut self) {
        // Nothing stored depends on it.
        if let Err(e) = self.write() {
            tracing::warn!(file = %self.path.display(), error = %e, "cannot write the mark beside the database");
        }
    }

    fn write(&mut self) -> std::io::Result<()> {
        let Mark { generation, last_accepted_ms } = self.mark;
        let new = self.path.with_extension("mark-new");
        fs::write(&new, format!("{generation} {last_accepted_ms}\n"))?;
        fs::rename(&new, &self.path)?;
        self.written = Some(Instant::now());
        Ok(())
    }
}

impl Drop for MarkFile {
    fn drop(&mut self) {
        self.try_write();
    }
}
