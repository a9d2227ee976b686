//! The key that claims are signed with. It is read once and never shown.

use anyhow::{Context, bail};
use rivulet_chain::Signer;
use rivulet_server::config;
use std::{fs, path::Path};

/// Reads the key.
pub fn load(config: &config::Signer) -> anyhow::Result<Signer> {
    match (&config.file, &config.dev_uri) {
        (Some(path), None) => from_file(path),
        (None, Some(uri)) => Signer::from_uri(uri).context("signer.dev_uri"),
        _ => bail!("signer: expected either file or dev_uri"),
    }
}

fn from_file(path: &Path) -> anyhow::Result<Signer> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the key file {shown}"))?;
    warn_if_shared(path);
    let text = text.trim();
    if text.is_empty() {
        bail!("the key file {shown} is empty: expected 0x and 64 hex digits of an sr25519 seed, or a secret phrase");
    }
    // Neither the text nor what is wrong with it in detail: both could end up in a log.
    Signer::from_uri(text)
        .with_context(|| format!("the key file {shown} holds no key: expected 0x and 64 hex digits of an sr25519 seed, or a secret phrase"))
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
        (dir, config::Signer { file: Some(path), dev_uri: None })
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
