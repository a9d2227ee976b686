//! The file: copied, checked, sealed.

use super::Contents;
use crate::{DeploymentId, StoreError, deployment, migrate, sqlite};
use rusqlite::{Connection, OpenFlags, OptionalExtension, backup::Backup};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

fn io(path: &Path, e: &std::io::Error) -> StoreError {
    StoreError::Database(format!("{}: {e}", path.display()))
}

fn at(path: &Path, e: &rusqlite::Error) -> StoreError {
    StoreError::Database(format!("{}: {e}", path.display()))
}

/// What is there is not overwritten: it may be all that somebody has.
pub fn refuse_existing(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(StoreError::Exists { path: path.display().to_string() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io(path, &e)),
    }
}

/// A file that is being made; removed unless it is given its name.
pub struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// In the folder where it shall be, so that a rename is all that is left to do.
    pub fn beside(path: &Path) -> Result<Self, StoreError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| StoreError::Database(format!("no random numbers: {e}")))?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!("-unfinished-{}", rivulet_rules::text::hex(&random)));
        let path = PathBuf::from(name);
        // Vouchers are worth money to their payees alone, but whom they pay is nobody else's business.
        use std::os::unix::fs::OpenOptionsExt;
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|e| io(&path, &e))?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, for good.
    pub fn rename(self, to: &Path) -> Result<(), StoreError> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|e| io(&self.path, &e))?;
        // Unlike a rename it does not replace what came into its place meanwhile.
        fs::hard_link(&self.path, to).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists { path: to.display().to_string() },
            _ => io(to, &e),
        })?;
        let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| io(folder, &e))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
}

/// Opens a file that is there, to read.
fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|e| at(path, &e))
}

/// All pages in one step: a reader's view of one moment, while the relayer goes on writing.
fn copy_pages(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open(to)?;
    Backup::new(from, &mut copy)?.run_to_completion(i32::MAX, std::time::Duration::from_millis(50), None)?;
    // One file, without a log beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
}

/// Copies a relayer's SQLite database.
pub fn copy(from: &Path, to: &Path, expected: &DeploymentId) -> Result<(), StoreError> {
    let db = read_only(from)?;
    migrate::is_current(migrate::applied(&db)?.as_deref())?;
    whose(&db, from, expected)?;
    copy_pages(&db, to).map_err(|e| at(to, &e))
}

fn whose(db: &Connection, path: &Path, expected: &DeploymentId) -> Result<(), StoreError> {
    let found = sqlite::read_deployment(db)?.ok_or_else(|| StoreError::Database(format!("{}: nothing was ever stored", path.display())))?;
    deployment::compare(&found, expected)
}

/// Writes when it was taken, checks every page, and tells what is in it.
pub fn seal(path: &Path, now_ms: u64) -> Result<Contents, StoreError> {
    let db = Connection::open(path).map_err(|e| at(path, &e))?;
    let taken_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    db.execute(
        "UPDATE marks SET taken_ms = ?1, last_accepted_ms = max(last_accepted_ms, (SELECT ifnull(max(accepted_ms), 0) FROM vouchers))",
        [taken_ms],
    )?;
    check(&db, path)?;
    contents(&db)
}

fn check(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let broken = |what: String| StoreError::NoBackup { path: path.display().to_string(), what };
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(|e| broken(e.to_string()))?;
    if verdict == "ok" { Ok(()) } else { Err(broken(verdict)) }
}

fn contents(db: &Connection) -> Result<Contents, StoreError> {
    let number = |row: &rusqlite::Row<'_>, column| row.get::<_, u64>(column);
    let marks = db.query_row("SELECT ifnull(taken_ms, 0), last_accepted_ms FROM marks", [], |row| Ok((number(row, 0)?, number(row, 1)?)))?;
    let block_number = db.query_row("SELECT block_number FROM cursor", [], |row| row.get(0)).optional()?;
    Ok(Contents { taken_ms: marks.0, last_accepted_ms: marks.1, block_number, counts: sqlite::counts(db)? })
}

/// Copies a backup to `to`, checked and in this version's schema.
pub fn open_backup(from: &Path, to: &Path, expected: &DeploymentId) -> Result<Contents, StoreError> {
    let no_backup = |what: String| StoreError::NoBackup { path: from.display().to_string(), what };
    let source = read_only(from)?;
    migrate::applied(&source).map_err(|e| no_backup(e.to_string()))?;
    copy_pages(&source, to).map_err(|e| no_backup(e.to_string()))?;
    let mut db = Connection::open(to)?;
    check(&db, from)?;
    migrate::up(&mut db)?;
    whose(&db, from, expected)?;
    let found = contents(&db)?;
    if found.taken_ms == 0 {
        return Err(no_backup("it is a relayer's database itself, not a backup of one".to_owned()));
    }
    Ok(found)
}
