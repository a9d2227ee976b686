//! The keys that claims are signed with: one, or several of the same kind.

use super::{ConfigError, value};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt, path::PathBuf};

/// The keys that claims are signed with. Exactly one of the six.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signer {
    /// A file with `0x` and the 64 hex digits of an sr25519 seed, or a secret phrase.
    pub file: Option<PathBuf>,
    /// The name of an environment variable that holds what such a file would.
    pub env: Option<String>,
    /// A development key such as `//Alice`. Everybody knows it: only for chains without value.
    pub dev_uri: Option<String>,
    /// Several files, best first: each key has nonces of its own, so that one that is stuck does not stop the others.
    pub files: Vec<PathBuf>,
    /// Several variables.
    pub envs: Vec<String>,
    /// Several development keys.
    pub dev_uris: Vec<String>,
}

/// Where a key is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable of this name.
    Env(String),
    /// It is this development key.
    DevUri(String),
}

impl Signer {
    /// Where the keys are, best first.
    pub fn sources(&self) -> Vec<KeySource> {
        let files = self.file.iter().chain(&self.files).cloned().map(KeySource::File);
        let envs = self.env.iter().chain(&self.envs).cloned().map(KeySource::Env);
        files.chain(envs).chain(self.dev_uri.iter().chain(&self.dev_uris).cloned().map(KeySource::DevUri)).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Signer { file, env, dev_uri, files, envs, dev_uris } = self;
        // The value is not repeated: it may be a real secret in the wrong place.
        for (key, mut uris) in [("signer.dev_uri", dev_uri.as_slice().iter()), ("signer.dev_uris", dev_uris.iter())] {
            if uris.any(|uri| !uri.starts_with("//")) {
                return Err(value(key, "a development key such as //Alice; a real key belongs in a file", "another text"));
            }
        }
        let given = [file.is_some(), env.is_some(), dev_uri.is_some(), !files.is_empty(), !envs.is_empty(), !dev_uris.is_empty()];
        match given.into_iter().filter(|is_given| *is_given).count() {
            1 => {}
            0 => return Err(value("signer", "one of file, env, dev_uri, files, envs and dev_uris", "none")),
            _ => return Err(value("signer", "one of file, env, dev_uri, files, envs and dev_uris", "more than one")),
        }
        let sources = self.sources();
        if sources.iter().collect::<BTreeSet<_>>().len() < sources.len() {
            // Two lanes of one key would take each other's nonces.
            return Err(value("signer", "each key once", "one of them twice"));
        }
        Ok(())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whatever somebody put into dev_uri by mistake stays out of the log.
        let Self { file, env, dev_uri, files, envs, dev_uris } = self;
        let mut shown = f.debug_struct("Signer");
        shown.field("file", file).field("env", env).field("dev_uri", &dev_uri.as_ref().map(|_| "…"));
        shown.field("files", files).field("envs", envs).field("dev_uris", &dev_uris.len()).finish()
    }
}
