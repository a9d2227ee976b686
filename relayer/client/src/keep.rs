//! Where a payer's totals are kept, so that no restart forgets what was promised.

use crate::Error;
use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// A few small records by name, each replaced as a whole. A device with flash memory of its own kind writes these two functions.
///
/// Names are of lower-case letters, digits and hyphens, at most 80 bytes; a record is below 4 KB, and up to
/// 32 addresses of pages longer where channels pay paywalls.
pub trait Keep: fmt::Debug + Send + Sync + 'static {
    /// Every record, with its name.
    ///
    /// # Errors
    ///
    /// When they cannot be read. Nothing is paid then.
    fn load(&self) -> Result<Vec<(String, Vec<u8>)>, Error>;

    /// Replaces a record. When this returns, the new one survives a power cut; until then the old one does. Never a half of one.
    ///
    /// # Errors
    ///
    /// When it cannot be written. Then no voucher leaves.
    fn save(&self, name: &str, record: &[u8]) -> Result<(), Error>;
}

/// Keeps nothing beyond the process: for a payer that can lose its totals, since its relayer answers with the last one it has.
#[derive(Debug, Default)]
pub struct Forgetful(Mutex<BTreeMap<String, Vec<u8>>>);

impl Keep for Forgetful {
    fn load(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().into_iter().collect())
    }

    fn save(&self, name: &str, record: &[u8]) -> Result<(), Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), record.into());
        Ok(())
    }
}

/// A folder with a file a record, readable by its user alone. One program at a time: two would promise the same money.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    // Held as long as this lives; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

const SUFFIX: &str = ".json";

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + use<'_> {
    move |source| Error::Keep { path: path.into(), source }
}

impl Folder {
    /// Opens a folder, made if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] when another program has it open, [`Error::Keep`] when it cannot be made or written to.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let (path, lock) = Self::lock_file(path.into())?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path }),
            Err(TryLockError::Error(source)) => Err(Error::Keep { path, source }),
        }
    }

    /// As [`Folder::open`], after waiting for the program that has it open.
    ///
    /// # Errors
    ///
    /// [`Error::Keep`] when it cannot be made or written to.
    pub fn wait(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let (path, lock) = Self::lock_file(path.into())?;
        lock.lock().map_err(failed(&path))?;
        Ok(Self { path, _lock: lock })
    }

    fn lock_file(path: PathBuf) -> Result<(PathBuf, File), Error> {
        private_folder(&path).map_err(failed(&path))?;
        let at = path.join("lock");
        let lock = private_file(OpenOptions::new().create(true).truncate(false).write(true), &at).map_err(failed(&at))?;
        Ok((path, lock))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(unix)]
fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

impl Keep for Folder {
    fn load(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed(&self.path))? {
            let path = entry.map_err(failed(&self.path))?.path();
            // Drafts end otherwise: a crash left them, and what they were to replace is still there.
            let Some(name) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(SUFFIX)) else { continue };
            records.push((name.to_owned(), fs::read(&path).map_err(failed(&path))?));
        }
        records.sort();
        Ok(records)
    }

    fn save(&self, name: &str, record: &[u8]) -> Result<(), Error> {
        let (path, draft) = (self.path.join(format!("{name}{SUFFIX}")), self.path.join(format!("{name}.draft")));
        let mut file = private_file(OpenOptions::new().create(true).truncate(true).write(true), &draft).map_err(failed(&draft))?;
        file.write_all(record).and_then(|()| file.sync_all()).map_err(failed(&draft))?;
        fs::rename(&draft, &path).map_err(failed(&path))?;
        // The new name is durable only with its folder.
        #[cfg(unix)]
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed(&self.path))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_back_what_was_saved_last_and_ignores_what_a_crash_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let folder = Folder::open(&path).unwrap();
        folder.save("one", b"1").unwrap();
        folder.save("one", b"2").unwrap();
        folder.save("two", b"3").unwrap();
        fs::write(path.join("one.draft"), "half of").unwrap();
        assert_eq!(folder.load().unwrap(), [("one".to_owned(), b"2".to_vec()), ("two".to_owned(), b"3".to_vec())]);
    }

    #[test]
    fn two_programs_cannot_have_one_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path()).unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(Error::InUse { .. })));
        drop(first);
        Folder::wait(dir.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_on_the_machine_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("kept")).unwrap();
        folder.save("one", b"1").unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(folder.path().into()), mode(folder.path().join("one.json"))], [0o700, 0o600]);
    }
}
