//! Secrets, from files or environment variables: the key that claims are signed with, the one for acknowledgements, the admin token. Each is read once and
//! never shown.

use anyhow::{Context, anyhow, bail};
use rivulet_chain::Signer;
use rivulet_rules::{acknowledgement::AcknowledgementKey, text};
use rivulet_server::{
    api::admin::AdminToken,
    config::{self, KeySource},
    serve::Secrets,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

const SEED: &str = "0x and 64 hex digits of an sr25519 seed, or a secret phrase";
const HEX: &str = "0x and 64 hex digits of a secp256k1 key (rivulet key --out FILE makes one)";

/// Reads the keys, best first. No two may be the same: they would take each other's nonces.
pub fn load(config: &config::Signer) -> anyhow::Result<Vec<Signer>> {
    let mut signers: Vec<Signer> = Vec::new();
    for source in config.sources() {
        let (from, signer) = read(&source)?;
        if signers.iter().any(|other| other.account() == signer.account()) {
            bail!("{from} holds the same key as another one: expected each key once");
        }
        signers.push(signer);
    }
    if signers.is_empty() {
        bail!("signer: expected one of file, env, dev_uri, files, envs and dev_uris");
    }
    Ok(signers)
}

fn read(source: &KeySource) -> anyhow::Result<(String, Signer)> {
    let (from, secret) = match source {
        KeySource::File(path) => file("key", path, SEED)?,
        KeySource::Env(name) => variable("key", name, SEED)?,
        KeySource::DevUri(uri) => return Ok(("a development key".to_owned(), Signer::from_uri(uri).context("signer.dev_uri")?)),
    };
    // Neither the text nor what is wrong with it in detail: both could end up in a log.
    let signer = Signer::from_uri(&secret).map_err(|_| anyhow!("{from} holds no key: expected {SEED}"))?;
    Ok((from, signer))
}

/// Reads the others, those that the configuration names.
pub fn others(config: &config::Config) -> anyhow::Result<Secrets> {
    let mut secrets = Secrets::default();
    if let Some((from, secret)) = one_of("acknowledgement key", &config.acknowledge.key_file, &config.acknowledge.key_env, HEX)? {
        let key = text::bytes(&secret).and_then(AcknowledgementKey::from_bytes);
        secrets.acknowledgement = Some(key.with_context(|| format!("{from} holds no key: expected {HEX}"))?);
    }
    let token = format!("at least {} characters", AdminToken::SHORTEST);
    if let Some((from, secret)) = one_of("admin token", &config.admin.token_file, &config.admin.token_env, &token)? {
        secrets.admin = Some(AdminToken::new(&secret).with_context(|| format!("{from} holds no token: expected {token}"))?);
    }
    Ok(secrets)
}

fn one_of(what: &str, path: &Option<PathBuf>, name: &Option<String>, expected: &str) -> anyhow::Result<Option<(String, String)>> {
    match (path, name) {
        (Some(path), _) => file(what, path, expected).map(Some),
        (None, Some(name)) => variable(what, name, expected).map(Some),
        (None, None) => Ok(None),
    }
}

/// Where it is from, and the secret.
fn file(what: &str, path: &Path, expected: &str) -> anyhow::Result<(String, String)> {
    let from = format!("the {what} file {}", path.display());
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {from}"))?;
    warn_if_shared(path);
    trimmed(from, &text, expected)
}

fn variable(what: &str, name: &str, expected: &str) -> anyhow::Result<(String, String)> {
    let from = format!("the variable {name} for the {what}");
    let text = env::var(name).map_err(|_| anyhow!("{from} is not set, or no text: expected {expected}"))?;
    trimmed(from, &text, expected)
}

fn trimmed(from: String, text: &str, expected: &str) -> anyhow::Result<(String, String)> {
    match text.trim() {
        "" => bail!("{from} is empty: expected {expected}"),
        text => Ok((from, text.to_owned())),
    }
}

/// A key that others on the machine can read is theirs too.
fn warn_if_shared(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
        eprintln!("warning: {} can be read by other users of this machine: chmod 600 it", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> (tempfile::TempDir, config::Signer) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relayer.key");
        fs::write(&path, content).unwrap();
        (dir, config::Signer { file: Some(path), ..config::Signer::default() })
    }

    #[test]
    fn a_seed_and_a_phrase_are_read_with_spaces_around() {
        for content in [format!(" 0x{}\n", "11".repeat(32)), "bottom drive obey lake curtain smoke basket hold race lonely fit walk\n".to_owned()] {
            let (_dir, config) = file(&content);
            assert!(load(&config).is_ok());
        }
    }

    #[test]
    fn what_is_in_a_bad_key_file_is_not_repeated() {
        for content in ["", "0x1234", "not a phrase at all"] {
            let (_dir, config) = file(content);
            let Err(e) = load(&config) else { panic!("taken for a key") };
            let text = format!("{e:#}");
            assert!(text.contains("relayer.key") && (content.is_empty() || !text.contains(content)), "{text}");
        }
    }
}
