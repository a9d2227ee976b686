//! Keystore files: an account's key under a passphrase, in the form that Polkadot wallets export and import (scrypt, xsalsa20-poly1305, PKCS #8).

use crate::failure::Failure;
use base64::{Engine, engine::general_purpose::STANDARD};
use crypto_secretbox::{
    Key, Nonce, XSalsa20Poly1305,
    aead::{Aead, KeyInit},
};
use rivulet_chain::{Signer, account::account_text};
use rivulet_rules::text;
use schnorrkel::{ExpansionMode, MiniSecretKey, SecretKey};
use serde_json::{Value, json};

/// What `scrypt` is asked for: as wallets do it today.
const LOG_N: u8 = 17;
const P: u32 = 1;
const R: u32 = 8;
/// Salt, N, p, r, nonce.
const HEAD: usize = 32 + 3 * 4 + 24;
/// PKCS #8 as wallets write it: a head, the 64-byte secret, a divider, the public key.
const PKCS8_HEAD: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const PKCS8_DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];

/// A key that can be written to a keystore file.
pub struct Secret {
    secret: SecretKey,
    seed: Option<[u8; 32]>,
}

fn bad(text: impl Into<String>) -> Failure {
    Failure::Key(text.into())
}

impl Secret {
    /// A new one, from the system's randomness.
    pub fn generate() -> Result<Self, Failure> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| bad("the system gave no randomness"))?;
        Self::from_seed(seed)
    }

    fn from_seed(seed: [u8; 32]) -> Result<Self, Failure> {
        let mini = MiniSecretKey::from_bytes(&seed).map_err(|_| bad("the seed gives no key"))?;
        Ok(Self { secret: mini.expand(ExpansionMode::Ed25519), seed: Some(seed) })
    }

    /// From `0x` and 64 hex digits, or a phrase without a path. What was given is never repeated.
    pub fn read(given: &str) -> Result<Self, Failure> {
        const EXPECTED: &str = "expected 0x and 64 hex digits of a seed, or a secret phrase of 12 to 24 words without a path";
        if let Some(seed) = text::bytes(given) {
            return Self::from_seed(seed);
        }
        let phrase = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, given).map_err(|_| bad(EXPECTED))?;
        let mini = substrate_bip39::mini_secret_from_entropy(&phrase.to_entropy(), "").map_err(|_| bad(EXPECTED))?;
        let secret = Self::from_seed(mini.to_bytes())?;
        // Two ways to the same key: neither can be wrong alone.
        let other = Signer::from_uri(given).map_err(|_| bad(EXPECTED))?;
        if secret.public() != other.account().0 {
            return Err(bad("two readings of this phrase disagree"));
        }
        Ok(secret)
    }

    fn public(&self) -> [u8; 32] {
        self.secret.to_public().to_bytes()
    }

    /// The secret as a keystore file has it.
    pub fn bytes(&self) -> [u8; 64] {
        self.secret.to_ed25519_bytes()
    }

    /// The seed, to be written down by its owner.
    pub fn seed(&self) -> Option<String> {
        self.seed.map(|seed| text::hex(&seed))
    }

    /// The keystore file's text.
    pub fn encrypt(&self, passphrase: &str, name: &str) -> Result<String, Failure> {
        let mut random = [0; 56];
        getrandom::fill(&mut random).map_err(|_| bad("the system gave no randomness"))?;
        let (salt, nonce) = random.split_at(32);
        let cipher = cipher(passphrase, salt, LOG_N, R, P)?;
        let plain = [&PKCS8_HEAD[..], &self.bytes(), &PKCS8_DIVIDER, &self.public()].concat();
        let sealed = cipher.encrypt(Nonce::from_slice(nonce), &plain[..]).map_err(|_| bad("the key cannot be encrypted"))?;
        let numbers = [1u32 << LOG_N, P, R].map(u32::to_le_bytes).concat();
        let encoded = STANDARD.encode([salt, &numbers, nonce, &sealed].concat());
        let account = rivulet_rules::chain::Account(self.public());
        let file = json!({
            "encoded": encoded,
            "encoding": { "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" },
            "address": account_text(&account),
            "meta": { "name": name },
        });
        Ok(format!("{file:#}\n"))
    }
}

fn cipher(passphrase: &str, salt: &[u8], log_n: u8, r: u32, p: u32) -> Result<XSalsa20Poly1305, Failure> {
    let params = scrypt::Params::new(log_n, r, p, 32).map_err(|_| bad("the keystore file asks for scrypt in a way that is not known"))?;
    let mut key = Key::default();
    scrypt::scrypt(passphrase.as_bytes(), salt, &params, &mut key).map_err(|_| bad("scrypt failed"))?;
    Ok(XSalsa20Poly1305::new(&key))
}

/// The account that a keystore file says it is of, and its name. Needs no passphrase.
pub fn labels(json: &str) -> Option<(String, String)> {
    let file: Value = serde_json::from_str(json).ok()?;
    let name = file["meta"]["name"].as_str().unwrap_or_default();
    Some((file["address"].as_str()?.to_owned(), name.to_owned()))
}

/// The 64-byte secret in a file that `Signer::from_keystore` has read: its form and its scrypt figures are known to be good.
pub fn secret_of(json: &str, passphrase: &str) -> Result<[u8; 64], Failure> {
    let broken = || bad("expected a keystore file as Polkadot wallets export it");
    let file: Value = serde_json::from_str(json).map_err(|_| broken())?;
    let bytes = STANDARD.decode(file["encoded"].as_str().ok_or_else(broken)?).map_err(|_| broken())?;
    let (head, sealed) = bytes.split_at_checked(HEAD).ok_or_else(broken)?;
    let number = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).ok_or_else(broken);
    let (n, p, r) = (number(32)?, number(36)?, number(40)?);
    let cipher = cipher(passphrase, &head[..32], n.ilog2() as u8, r, p)?;
    let plain = cipher.decrypt(Nonce::from_slice(&head[44..]), sealed).map_err(|_| bad("the passphrase is not that of this file"))?;
    plain.get(PKCS8_HEAD.len()..PKCS8_HEAD.len() + 64).and_then(|b| b.try_into().ok()).ok_or_else(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

    #[test]
    fn a_written_file_is_read_by_the_wallets_own_reader_and_by_nobody_without_the_passphrase() {
        let secret = Secret::read(PHRASE).unwrap();
        let file = secret.encrypt("correct horse", "reader").unwrap();
        let signer = Signer::from_keystore(&file, "correct horse").unwrap();
        assert_eq!(signer.account(), Signer::from_uri(PHRASE).unwrap().account());
        assert_eq!(labels(&file), Some(("5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV".into(), "reader".into())));
        assert_eq!(secret_of(&file, "correct horse").unwrap(), secret.bytes());
        let refused = Signer::from_keystore(&file, "wrong").unwrap_err().to_string();
        assert!(refused.contains("passphrase"), "{refused}");
        assert!(!file.contains("bottom"));
    }

    #[test]
    fn a_file_from_a_wallet_is_read() {
        // Of polkadot-js.
        let file = r#"{"encoded":"J2FFcPHAY11Pmq/38eqbwfUv9OPitYJs+oYgahBvlagAAAIAAQAAAAgAAAB5o0DwXCWDblsH+9pc++RaBO4fpHBHzUirHFHFE9yS3sDzgAIQjhgvPqJ3ODrMR2gy7vk0VZg1fyirIvmsrfjGbWnOI8YU0joX0tYytroyWaykFKtZJMmE0pNKcJ5dJmDxscbK53Ac+7ld2UdH07yKPXxmPuYNNw3vKx8cg9CdQgifKfzQxHnC+EUpOoHPLwGlHsFEYtIlQtngqd9n","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5CfWTDh7XxJ2yrayqQ2aJnnZAH5v5XaF1oJFfH5QCpbfP9v8","meta":{"name":"bob"}}"#;
        let bob = Signer::from_keystore(file, "whoisbob").unwrap();
        assert_eq!(labels(file).unwrap().0, account_text(&bob.account()));
        let secret = SecretKey::from_ed25519_bytes(&secret_of(file, "whoisbob").unwrap()).unwrap();
        assert_eq!(secret.to_public().to_bytes(), bob.account().0);
        assert!(Signer::from_keystore(file, "wrong").is_err());
    }

    #[test]
    fn seeds_and_phrases_are_read_and_never_repeated() {
        assert_eq!(Secret::read(&format!("0x{}", "09".repeat(32))).unwrap().public(), Signer::from_seed([9; 32]).unwrap().account().0);
        for given in ["", "0x12", "bottom drive obey", &format!("{PHRASE}//path")] {
            let Err(e) = Secret::read(given) else { panic!("taken for a key") };
            assert!(given.is_empty() || !e.to_string().contains(given), "{e}");
        }
    }
}
