//! Whose money it is: the account's key, from a keystore file, the environment or, on a development network, a path such as `//Alice`.

pub mod keystore;
pub mod passphrase;

use crate::{failure::Failure, home, network::is_dev};
use anyhow::Context;
use clap::Args;
use passphrase::PassphraseArgs;
use rivulet_chain::{Deployment, Signer};
use rivulet_client::VoucherKey;
use rivulet_core::{Keccak256, SoftKeccak};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Which key.
#[derive(Clone, Debug, Args)]
pub struct KeyArgs {
    /// The key: a name in the keystore, a keystore file, or, on a development network only, a path such as //Alice. Without it, the seed or phrase in the
    /// variable RIVULET_SECRET, or the keystore's only key.
    #[arg(long, env = "RIVULET_KEY", value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// An account that can sign.
pub struct Account {
    /// Its key on the chain.
    pub signer: Signer,
    /// Its key for vouchers. It follows from the account's secret, so that whoever still has that has lost nothing; nothing follows from it.
    pub vouchers: VoucherKey,
}

fn voucher_key(secret: &[u8]) -> anyhow::Result<VoucherKey> {
    const DOMAIN: &[u8] = b"Rivulet voucher key, version 1";
    Ok(VoucherKey::from_bytes(SoftKeccak.keccak256(&[DOMAIN, secret].concat()))?)
}

fn from_uri(uri: &str) -> anyhow::Result<Account> {
    // A seed or phrase is the same secret in a keystore file.
    let vouchers = keystore::Secret::read(uri).map_or_else(|_| voucher_key(uri.as_bytes()), |secret| voucher_key(&secret.bytes()))?;
    Ok(Account { signer: Signer::from_uri(uri)?, vouchers })
}

/// A path, not a secret: everybody knows these keys.
pub fn is_dev_uri(given: &str) -> bool {
    given.starts_with("//")
}

/// The keystore's file of a name, or the file itself.
pub fn file_of(given: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(given);
    let is_path = given.contains('/') || path.extension().is_some();
    Ok(if is_path { path.to_owned() } else { home::keys()?.join(format!("{given}.json")) })
}

/// All keystore files, by name.
pub fn files() -> anyhow::Result<Vec<(String, PathBuf)>> {
    let folder = home::keys()?;
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(found) };
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".json")) {
            found.push((name.to_owned(), path.clone()));
        }
    }
    found.sort();
    Ok(found)
}

impl KeyArgs {
    /// The key, for a network.
    pub fn account(&self, deployment: &Deployment) -> anyhow::Result<Account> {
        let secret = env::var("RIVULET_SECRET").ok().filter(|s| !s.trim().is_empty());
        match (&self.key, secret) {
            (Some(uri), _) if is_dev_uri(uri) => dev(uri, deployment),
            (Some(given), _) => self.unlock(&file_of(given)?),
            (None, Some(secret)) if is_dev_uri(secret.trim()) => dev(secret.trim(), deployment),
            (None, Some(secret)) => from_uri(secret.trim()).context("the variable RIVULET_SECRET"),
            (None, None) => match &files()?[..] {
                [(_, only)] => self.unlock(only),
                [] => Err(Failure::Key("no key: make one by 'rivulet key new NAME', or import one by 'rivulet key import NAME'".into()).into()),
                several => {
                    let names: Vec<_> = several.iter().map(|(name, _)| name.as_str()).collect();
                    Err(Failure::Key(format!("which key? Say --key and one of: {}", names.join(", "))).into())
                }
            },
        }
    }

    fn unlock(&self, path: &Path) -> anyhow::Result<Account> {
        let shown = path.display();
        let json = fs::read_to_string(path)
            .map_err(|e| Failure::Key(format!("cannot read the key {shown}: {e}. 'rivulet key list' shows the keys there are")))?;
        let passphrase = self.passphrase.existing(&format!("Passphrase of {shown}: "))?;
        let signer = Signer::from_keystore(&json, &passphrase).with_context(|| format!("the key {shown}"))?;
        Ok(Account { signer, vouchers: voucher_key(&keystore::secret_of(&json, &passphrase)?)? })
    }
}

fn dev(uri: &str, deployment: &Deployment) -> anyhow::Result<Account> {
    if !is_dev(deployment) {
        let why = format!("{uri} is a key that everybody knows: expected a keystore file or RIVULET_SECRET on {}", deployment.network);
        return Err(Failure::Key(why).into());
    }
    from_uri(uri)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    pub fn deployment(chain_id: u64) -> Deployment {
        let hash = format!("0x{}", "33".repeat(32));
        let contract = |n: &str| json!({ "address": format!("0x{}", n.repeat(20)), "code_hash": hash });
        let contracts = json!({ "channels": contract("11"), "streams": contract("22") });
        let file = json!({ "network": "some", "chain_id": chain_id, "genesis_hash": hash, "block": 7, "contracts": contracts, "tokens": {} });
        serde_json::from_value(file).unwrap()
    }

    #[test]
    fn keys_that_everybody_knows_are_for_development_only() {
        assert!(dev("//Alice", &deployment(420_420_420)).is_ok());
        let refused = dev("//Alice", &deployment(420_420_419)).err().unwrap().to_string();
        assert!(refused.contains("a key that everybody knows"), "{refused}");
    }

    #[test]
    fn a_voucher_key_follows_from_the_secret_and_from_nothing_else() {
        let of = |uri| from_uri(uri).unwrap().vouchers.address();
        assert_eq!(of("//Alice"), of("//Alice"));
        assert_ne!(of("//Alice"), of("//Bob"));
        // Fixed: whoever loses everything but the secret finds its channels by this key.
        assert_eq!(of("//Alice").to_string(), "0x631fefb85208ebfd82352c4452a1d02114756abc");
    }

    #[test]
    fn a_phrase_and_its_keystore_file_have_one_voucher_key() {
        let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
        let file = keystore::Secret::read(phrase).unwrap().encrypt("correct horse", "reader").unwrap();
        let of_file = voucher_key(&keystore::secret_of(&file, "correct horse").unwrap()).unwrap();
        assert_eq!(of_file.address(), from_uri(phrase).unwrap().vouchers.address());
    }

    #[test]
    fn a_name_leads_into_the_keystore_and_a_path_where_it_says() {
        assert_eq!(file_of("some/where").unwrap(), Path::new("some/where"));
        assert_eq!(file_of("here.json").unwrap(), Path::new("here.json"));
        assert!(file_of("reader").unwrap().ends_with("keys/reader.json"));
    }
}
