//! Who acts: parties send transactions, voucher keys sign vouchers.

use polkadot_sdk::{
    sp_core::{Pair, ecdsa, sr25519},
    sp_io,
};
use rivulet_core::{
    Keccak256, SoftKeccak,
    blob::VoucherRow,
    eip712::{Domain, Message, Voucher},
    ids::{Address, ChannelId, Deployment},
    signature::CompactSignature,
};
use rivulet_runtime::{AccountId, genesis};

/// An account with an sr25519 key.
#[derive(Clone)]
pub struct Party {
    /// Its secret URI, such as `//payer/1`.
    pub name: String,
    /// The account.
    pub account: AccountId,
    /// The address that contracts see.
    pub address: Address,
    pub(crate) pair: sr25519::Pair,
}

impl Party {
    /// The party of a secret URI. It has no money; see [`crate::Sandbox::party`].
    ///
    /// # Panics
    ///
    /// When the URI is none.
    pub fn from_uri(uri: &str) -> Self {
        let pair = sr25519::Pair::from_string(uri, None).unwrap_or_else(|e| panic!("{uri} is no secret URI: {e:?}"));
        let account = AccountId::from(pair.public());
        Self { name: uri.to_owned(), address: Address(genesis::address_of(&account).0), account, pair }
    }
}

impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.address)
    }
}

/// A secp256k1 key, of a session or of an Ethereum account.
#[derive(Clone)]
pub struct VoucherKey {
    /// Its Ethereum address.
    pub address: Address,
    pair: ecdsa::Pair,
}

impl VoucherKey {
    /// The key of this secret.
    ///
    /// # Panics
    ///
    /// When the secret is no secp256k1 scalar.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let pair = ecdsa::Pair::from_seed_slice(secret).expect("the secret is a scalar");
        // The SDK keeps the compressed key; recovering a signature gives the whole one.
        let signature = pair.sign_prehashed(&[1; 32]);
        let Ok(public) = sp_io::crypto::secp256k1_ecdsa_recover(&signature.0, &[1; 32]) else { panic!("a signature of our own is good") };
        let mut address = Address::ZERO;
        address.0.copy_from_slice(&SoftKeccak.keccak256(&public)[12..]);
        Self { address, pair }
    }

    /// A key made from a name.
    pub fn named(name: &str) -> Self {
        Self::from_secret(&SoftKeccak.keccak256(name.as_bytes()))
    }

    /// Its signature of a digest: low s, compact.
    ///
    /// # Panics
    ///
    /// Never: the library makes low-s signatures.
    pub fn sign(&self, digest: &[u8; 32]) -> CompactSignature {
        CompactSignature::from_65(&self.pair.sign_prehashed(digest).0).expect("the library makes low-s signatures")
    }

    /// A voucher of this total, as a batch row.
    pub fn voucher(&self, at: &Deployment, channel_id: ChannelId, cumulative_amount: u128) -> VoucherRow {
        let separator = Domain::Channels.separator(at, &SoftKeccak);
        let digest = Voucher { channel_id, cumulative_amount }.digest(&separator, &SoftKeccak);
        VoucherRow { cumulative_amount, signature: self.sign(&digest) }
    }
}

impl std::fmt::Debug for VoucherKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key of {}", self.address)
    }
}
