//! No git.
//!
//! `pallet-revive-eth-rpc`'s build script names the commit in `web3_clientVersion`, if it is built in Parity's repository, which it is not here. For that it would
//! compile libgit2, a minute and a half of C. This crate says that there is no repository; its types have no value, so nothing behind `open` can ever run.

use std::{convert::Infallible, fmt, io, path::Path};

/// A repository that there is none of.
#[derive(Debug)]
pub struct Repository(Infallible);

/// A branch in it.
#[derive(Debug)]
pub struct Reference(Infallible);

/// A commit in it.
#[derive(Debug)]
pub struct Commit(Infallible);

/// A commit's name.
#[derive(Debug)]
pub struct Oid(Infallible);

impl Repository {
    /// Opens none.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn open<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, format!("{}: this program was built without git", path.as_ref().display())))
    }

    /// The branch that is checked out.
    ///
    /// # Errors
    ///
    /// Never: it is never called.
    pub fn head(&self) -> io::Result<Reference> {
        match self.0 {}
    }
}

impl Reference {
    /// Its commit.
    ///
    /// # Errors
    ///
    /// Never: it is never called.
    pub fn peel_to_commit(&self) -> io::Result<Commit> {
        match self.0 {}
    }

    /// Its name.
    pub fn shorthand(&self) -> Option<&str> {
        match self.0 {}
    }
}

impl Commit {
    /// Its name.
    pub fn id(&self) -> Oid {
        match self.0 {}
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}
