//! The power supply, the disk and the clock of a program's machine: `rivulet-power-cut`, preloaded into it.

use super::process::built;
use crate::{Context, Error, Result};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// What a program needs so that its power can be cut. Its files are below `disk`; nothing else may be there.
#[derive(Clone, Debug)]
pub struct Power {
    library: PathBuf,
    disk: PathBuf,
    kept: PathBuf,
}

impl Power {
    /// For the programs whose files are below this folder, which is made when there is none. What is there is taken as synced.
    ///
    /// # Errors
    ///
    /// When the library is not built, or the folder cannot be copied.
    pub fn new(disk: &Path) -> Result<Self> {
        fs::create_dir_all(disk).doing("making a folder for a disk")?;
        let disk = fs::canonicalize(disk).doing("looking for a disk's folder")?;
        let name = disk.file_name().ok_or_else(|| Error::new("a disk's folder has no name"))?.to_string_lossy().into_owned();
        let kept = disk.with_file_name(format!("{name}-kept"));
        fs::create_dir_all(kept.join("files")).doing("making a folder for what a disk keeps")?;
        let power = Self { library: built("librivulet_power_cut.so")?, disk, kept };
        copy(&power.disk, &power.kept.join("files")).doing("copying a disk")?;
        Ok(power)
    }

    /// Where the programs' files are.
    pub fn disk(&self) -> &Path {
        &self.disk
    }

    /// The environment that the programs are started with. So many of a hundred writes survive a power cut although they were not synced.
    pub fn environment(&self, luck_percent: u8) -> BTreeMap<String, String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let variables = [
            ("LD_PRELOAD", text(&self.library)),
            ("RIVULET_POWER_ROOT", text(&self.disk)),
            ("RIVULET_POWER_KEPT", text(&self.kept)),
            ("RIVULET_POWER_LUCK", luck_percent.to_string()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Takes away what was not synced. The programs must have been killed.
    ///
    /// # Errors
    ///
    /// When files cannot be written.
    pub fn cut(&self) -> Result<()> {
        let doing = "putting back what was synced";
        fs::remove_dir_all(&self.disk).doing(doing)?;
        fs::create_dir_all(&self.disk).doing(doing)?;
        copy(&self.kept.join("files"), &self.disk).doing(doing)?;
        let dirty = self.kept.join("dirty");
        if dirty.exists() { fs::remove_dir_all(dirty).doing(doing) } else { Ok(()) }
    }

    /// Fills the disk, or makes room.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn fill_disk(&self, full: bool) -> Result<()> {
        let path = self.kept.join("full");
        let done = if full { fs::write(path, "") } else { fs::remove_file(path) };
        done.doing("filling a disk")
    }

    /// Sets by how many milliseconds the programs' clock is wrong.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn shift_clock(&self, ms: i64) -> Result<()> {
        // In one step: nobody reads half of it.
        let (new, path) = (self.kept.join("clock.new"), self.kept.join("clock"));
        fs::write(&new, ms.to_string()).and_then(|()| fs::rename(new, path)).doing("shifting a clock")
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() => copy(&entry.path(), &target)?,
            kind if kind.is_file() => drop(fs::copy(entry.path(), target)?),
            // Sockets are their programs'.
            _ => {}
        }
    }
    Ok(())
}
