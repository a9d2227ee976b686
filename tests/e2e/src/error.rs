//! What went wrong, and what was being done.

use std::{error::Error as StdError, fmt};

/// Whatever went wrong here is told to a person, with what was being done; nobody tells one from another.
pub struct Error {
    doing: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// With our error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A sentence of our own.
    pub fn new(text: impl Into<String>) -> Self {
        Self { doing: text.into(), cause: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.doing),
            None => f.write_str(&self.doing),
        }
    }
}

/// As shown: tests print errors this way.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {}

/// Says what was being done when something failed.
pub trait Context<T> {
    /// In words that follow "could not" or stand alone.
    ///
    /// # Errors
    ///
    /// When there was an error before.
    fn doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error { doing: what.to_string(), cause: Some(cause.into()) })
    }
}

impl From<rivulet_client::Error> for Error {
    fn from(cause: rivulet_client::Error) -> Self {
        Self { doing: "a client's call".into(), cause: Some(cause.into()) }
    }
}

impl From<rivulet_chain::Error> for Error {
    fn from(cause: rivulet_chain::Error) -> Self {
        Self { doing: "a call to the chain".into(), cause: Some(cause.into()) }
    }
}
