//! The relayer's database, and the power of the machine that it is on.

use crate::{
    Context, Error, Result,
    harness::{Power, built},
};
use clap::ValueEnum;
use rivulet_store::testing::Server;
use std::{fs, os::unix::fs::PermissionsExt};
use tempfile::TempDir;

/// What the relayer stores in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// A file of its own.
    Sqlite,
    /// A server.
    Postgres,
}

/// A database.
pub struct Database {
    url: String,
    server: Option<Postgres>,
}

struct Postgres {
    server: Server,
    /// Has the library: Postgres' user may read nothing of ours.
    _library: TempDir,
}

impl Database {
    /// An empty one; a file is on the relayer's own machine.
    ///
    /// # Errors
    ///
    /// When the library is not built, or does nothing in the server.
    pub async fn start(kind: Kind, relayer: &Power) -> Result<Self> {
        if kind == Kind::Sqlite {
            return Ok(Self { url: relayer.disk().join("relayer.db").to_string_lossy().into_owned(), server: None });
        }
        let doing = "copying a library for Postgres";
        let folder = tempfile::tempdir().doing(doing)?;
        let library = folder.path().join("power_cut.so");
        fs::copy(built("librivulet_power_cut.so")?, &library).doing(doing)?;
        for path in [folder.path(), &library] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).doing(doing)?;
        }
        let server = Server::start_with_power("", &library.to_string_lossy());
        let url = server.fresh_url().await;
        if !server.dir().join("kept/dirty").is_dir() {
            return Err(Error::new("the library was not loaded into Postgres: its power cannot be cut"));
        }
        Ok(Self { url, server: Some(Postgres { server, _library: folder }) })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// True when it is a process that can be killed by itself.
    pub fn is_a_server(&self) -> bool {
        self.server.is_some()
    }

    /// Kills it, with all that it had not synced or without, and starts it again.
    ///
    /// # Errors
    ///
    /// When it is not a server.
    pub fn kill_server(&self, is_power_cut: bool) -> Result<()> {
        let Postgres { server, .. } = self.server.as_ref().ok_or_else(|| Error::new("no server to kill"))?;
        server.kill();
        if is_power_cut {
            server.cut_power();
        }
        server.restart();
        Ok(())
    }

    /// Takes away what a killed relayer had not synced. A server is on another machine.
    ///
    /// # Errors
    ///
    /// When files cannot be written.
    pub fn relayer_lost_power(&self, relayer: &Power) -> Result<()> {
        if self.server.is_none() { relayer.cut() } else { Ok(()) }
    }

    /// Fills the database's disk, or makes room.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn fill_disk(&self, relayer: &Power, full: bool) -> Result<()> {
        match &self.server {
            Some(Postgres { server, .. }) => {
                server.fill_disk(full);
                if !full {
                    server.ensure();
                }
                Ok(())
            }
            None => relayer.fill_disk(full),
        }
    }
}
