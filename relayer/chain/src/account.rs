//! Accounts, the addresses that contracts see for them, and the keys that sign transactions.

use crate::Error;
use rivulet_core::{Keccak256, SoftKeccak, ids::Address};
use rivulet_rules::chain::Account;
use std::str::FromStr;
use subxt::utils::AccountId32;
use subxt_signer::{SecretUri, sr25519::Keypair};

/// What fills an Ethereum address up to an account. Source: pallet-revive, `address.rs`.
const ETH_SUFFIX: [u8; 12] = [0xEE; 12];

/// The address that contracts see for an account: its first 20 bytes when it was made from an address, else the end of its keccak hash.
///
/// ```
/// use rivulet_chain::account::{address_of, account_of};
/// use rivulet_core::ids::Address;
/// let address = Address([7; 20]);
/// assert_eq!(address_of(&account_of(&address)), address);
/// ```
pub fn address_of(account: &Account) -> Address {
    let mut address = [0; 20];
    let (head, tail) = account.0.split_at(20);
    if tail == ETH_SUFFIX {
        address.copy_from_slice(head);
    } else {
        address.copy_from_slice(&SoftKeccak.keccak256(&account.0)[12..]);
    }
    Address(address)
}

/// The account of an address that has no other: a contract, or an Ethereum key.
pub fn account_of(address: &Address) -> Account {
    let mut account = [0xEE; 32];
    account[..20].copy_from_slice(&address.0);
    Account(account)
}

/// An account from the text that wallets show (SS58, of any network) or `0x` and 64 hex digits; `None` for anything else.
pub fn read_account(text: &str) -> Option<Account> {
    match text.strip_prefix("0x") {
        Some(digits) => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(digits, &mut bytes).ok().map(|()| Account(bytes))
        }
        None => AccountId32::from_str(text).ok().map(|id| Account(id.0)),
    }
}

/// An account as wallets show it, whatever the network: SS58 with prefix 42.
pub fn account_text(account: &Account) -> String {
    account_id(account).to_string()
}

/// A key that signs transactions: sr25519.
#[derive(Clone)]
pub struct Signer {
    pub(crate) keypair: Keypair,
}

impl Signer {
    /// From a secret URI: a phrase, a `0x` seed or a dev path such as `//Alice`, with derivations and password.
    ///
    /// # Errors
    ///
    /// When the URI is not one. The message never repeats it.
    pub fn from_uri(uri: &str) -> Result<Self, Error> {
        let uri = SecretUri::from_str(uri).map_err(|_| Error::BadKey("expected a phrase, a 0x seed or a path such as //Alice".into()))?;
        let keypair = Keypair::from_uri(&uri).map_err(|_| Error::BadKey("the phrase or seed is not valid".into()))?;
        Ok(Self { keypair })
    }

    /// From a 32-byte seed.
    ///
    /// # Errors
    ///
    /// When the seed gives no key.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, Error> {
        let keypair = Keypair::from_secret_key(seed).map_err(|_| Error::BadKey("the seed is not valid".into()))?;
        Ok(Self { keypair })
    }

    /// From a keystore file as Polkadot wallets export it: scrypt and xsalsa20-poly1305.
    ///
    /// # Errors
    ///
    /// When it is no such file, or the passphrase is another.
    #[cfg(feature = "keystore")]
    pub fn from_keystore(json: &str, passphrase: &str) -> Result<Self, Error> {
        use subxt_signer::polkadot_js_compat::{Error as Js, decrypt_json};
        let keypair = decrypt_json(json, passphrase).map_err(|e| match e {
            Js::Secretbox(_) => Error::BadKey("the passphrase is not that of this file".into()),
            other => Error::BadKey(format!("expected a keystore file as Polkadot wallets export it: {other}")),
        })?;
        Ok(Self { keypair })
    }

    /// The account that it signs for.
    pub fn account(&self) -> Account {
        Account(self.keypair.public_key().0)
    }

    /// The address that contracts see for it.
    pub fn address(&self) -> Address {
        address_of(&self.account())
    }
}

/// Shows the account, never the key.
impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer(0x{})", hex::encode(self.account().0))
    }
}

pub(crate) fn account_id(account: &Account) -> AccountId32 {
    AccountId32(account.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_uris_give_the_known_accounts_and_addresses() {
        let alice = Signer::from_uri("//Alice").unwrap();
        assert_eq!(hex::encode(alice.account().0), "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");
        // The address that pallet-revive and polkadot-js show for Alice.
        assert_eq!(alice.address().to_string(), "0x9621dde636de098b43efb0fa9b61facfe328f99d");
    }

    #[test]
    fn accounts_are_read_as_wallets_show_them() {
        let alice = Signer::from_uri("//Alice").unwrap().account();
        for text in [
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
            "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
            &format!("0x{}", hex::encode(alice.0)),
        ] {
            assert_eq!(read_account(text), Some(alice), "{text}");
        }
        assert_eq!(read_account(&account_text(&alice)), Some(alice));
        for bad in ["", "0x12", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX", "//Alice"] {
            assert_eq!(read_account(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_seed_and_its_uri_give_the_same_account() {
        let seed = [9; 32];
        let uri = format!("0x{}", hex::encode(seed));
        assert_eq!(Signer::from_seed(seed).unwrap().account(), Signer::from_uri(&uri).unwrap().account());
    }

    #[test]
    fn a_bad_key_is_refused_without_repeating_it() {
        let secret = "correct horse battery staple";
        let e = Signer::from_uri(secret).unwrap_err().to_string();
        assert!(!e.contains("horse"), "{e}");
    }
}
