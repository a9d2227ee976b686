//! No RocksDB.
//!
//! `pallet-revive-eth-rpc` takes `sc-service` with its default features, one of which is RocksDB: eight minutes of C++ and a
//! libclang for a database that nothing here opens. This crate has the part of `kvdb-rocksdb`'s interface that the SDK is
//! written against, and one thing to say. A [`Database`] has no value, so nothing behind `open` can ever run.

pub use kvdb::KeyValueDB;
use kvdb::{DBKeyValue, DBTransaction, DBValue};
use std::{collections::HashMap, io, path::Path};

/// How a database would be opened.
#[derive(Clone, Debug, Default)]
pub struct DatabaseConfig {
    /// Makes one that does not exist.
    pub create_if_missing: bool,
    /// Cache of each column, in MiB.
    pub memory_budget: HashMap<u32, usize>,
}

impl DatabaseConfig {
    /// With so many columns.
    pub fn with_columns(_columns: u32) -> Self {
        Self::default()
    }
}

/// A database that there is none of.
#[derive(Debug)]
pub enum Database {}

impl Database {
    /// Opens none.
    ///
    /// # Errors
    ///
    /// Always: this program was built without RocksDB.
    pub fn open<P: AsRef<Path>>(_config: &DatabaseConfig, path: P) -> io::Result<Self> {
        let path = path.as_ref().display();
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("{path} is a RocksDB database, and this program was built without RocksDB; use ParityDB"),
        ))
    }

    /// As [`KeyValueDB::transaction`].
    pub fn transaction(&self) -> DBTransaction {
        match *self {}
    }

    /// As [`KeyValueDB::get`].
    ///
    /// # Errors
    ///
    /// Never: it is never called.
    pub fn get(&self, _col: u32, _key: &[u8]) -> io::Result<Option<DBValue>> {
        match *self {}
    }

    /// As [`KeyValueDB::write`].
    ///
    /// # Errors
    ///
    /// Never: it is never called.
    pub fn write(&self, _transaction: DBTransaction) -> io::Result<()> {
        match *self {}
    }

    /// As [`KeyValueDB::iter`].
    pub fn iter<'a>(&'a self, _col: u32) -> Box<dyn Iterator<Item = io::Result<DBKeyValue>> + 'a> {
        match *self {}
    }

    /// Compacts a column.
    ///
    /// # Errors
    ///
    /// Never: it is never called.
    pub fn force_compact(&self, _col: u32) -> io::Result<()> {
        match *self {}
    }

    /// Adds a column.
    ///
    /// # Errors
    ///
    /// Never: it is never called.
    pub fn add_column(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl KeyValueDB for Database {
    fn get(&self, _col: u32, _key: &[u8]) -> io::Result<Option<DBValue>> {
        match *self {}
    }

    fn get_by_prefix(&self, _col: u32, _prefix: &[u8]) -> io::Result<Option<DBValue>> {
        match *self {}
    }

    fn write(&self, _transaction: DBTransaction) -> io::Result<()> {
        match *self {}
    }

    fn iter<'a>(&'a self, _col: u32) -> Box<dyn Iterator<Item = io::Result<DBKeyValue>> + 'a> {
        match *self {}
    }

    fn iter_with_prefix<'a>(&'a self, _col: u32, _prefix: &'a [u8]) -> Box<dyn Iterator<Item = io::Result<DBKeyValue>> + 'a> {
        match *self {}
    }
}
