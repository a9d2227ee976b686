//! What a relayer signs when it has stored a voucher: with it a payer or payee can prove that the relayer had the voucher, and when, should it never claim it.
//!
//! EIP-712 under a domain of its own, so that no contract and no voucher key ever signs or takes one:
//! `{name "Rivulet Relayer", version "1", chainId, verifyingContract: the channels contract}`. Golden vectors by viem: `tests/vectors`.
//!
//! ```
//! use rivulet_core::ids::{Address, ChannelId, Deployment};
//! use rivulet_rules::acknowledgement::{Acknowledgement, AcknowledgementKey, separator, signer};
//!
//! let at = separator(&Deployment { chain_id: 1, contract: Address([5; 20]) });
//! let key = AcknowledgementKey::from_bytes([1; 32]).ok_or("no key")?;
//! let stored = Acknowledgement { channel_id: ChannelId([2; 32]), cumulative_amount: 7, accepted_at: 1_800_000_000 };
//! assert_eq!(signer(&stored, &key.sign(&stored, &at), &at), Some(key.address()));
//! # Ok::<(), &str>(())
//! ```

use crate::accept::signature::recover;
use rivulet_core::{
    Keccak256, SoftKeccak,
    eip712::Message,
    ids::{Address, ChannelId, Deployment},
    signature::CompactSignature,
    words::Words,
};
use secp256k1::{PublicKey, SECP256K1, SecretKey};

/// "This relayer has stored a voucher of this total for this channel."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acknowledgement {
    /// Which channel.
    pub channel_id: ChannelId,
    /// The voucher's total.
    pub cumulative_amount: u128,
    /// When it was stored (Unix seconds, the relayer's clock).
    pub accepted_at: u64,
}

impl Message for Acknowledgement {
    const TYPE: &'static str = "Acknowledgement(bytes32 channelId,uint128 cumulativeAmount,uint64 acceptedAt)";

    fn struct_hash(&self, k: &impl Keccak256) -> [u8; 32] {
        let mut words = Words::<128>::new();
        words.bytes32(&k.keccak256(Self::TYPE.as_bytes())).bytes32(&self.channel_id.0).u128(self.cumulative_amount).u64(self.accepted_at);
        k.keccak256(words.bytes())
    }
}

/// The name in the domain.
pub const DOMAIN: &str = "Rivulet Relayer";

/// The domain of acknowledgements about the channels of one deployment.
pub fn separator(channels: &Deployment) -> [u8; 32] {
    const TYPE: &[u8] = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let hash = |text: &[u8]| SoftKeccak.keccak256(text);
    let mut words = Words::<160>::new();
    words.bytes32(&hash(TYPE)).bytes32(&hash(DOMAIN.as_bytes())).bytes32(&hash(b"1")).u64(channels.chain_id).address(&channels.contract);
    hash(words.bytes())
}

/// Who signed this acknowledgement; `None`: nobody can have.
pub fn signer(acknowledgement: &Acknowledgement, signature: &CompactSignature, separator: &[u8; 32]) -> Option<Address> {
    recover(acknowledgement.digest(separator, &SoftKeccak), signature)
}

/// The key that acknowledgements are signed with. It moves no money: whoever has it can only make the relayer look as if it withheld vouchers.
#[derive(Clone)]
pub struct AcknowledgementKey {
    secret: SecretKey,
    address: Address,
}

impl AcknowledgementKey {
    /// From its 32 bytes; `None` when they are zero or not below the order of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let secret = SecretKey::from_byte_array(bytes).ok()?;
        let public = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
        let hash = SoftKeccak.keccak256(public.get(1..)?);
        Some(Self { secret, address: Address(hash.get(12..)?.try_into().ok()?) })
    }

    /// What its signatures recover to.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs. The nonce is derived from key and message (RFC 6979): the same acknowledgement has the same signature.
    pub fn sign(&self, acknowledgement: &Acknowledgement, separator: &[u8; 32]) -> CompactSignature {
        let digest = acknowledgement.digest(separator, &SoftKeccak);
        let (parity, mut bytes) = SECP256K1.sign_ecdsa_recoverable(secp256k1::Message::from_digest(digest), &self.secret).serialize_compact();
        if i32::from(parity) & 1 == 1 {
            bytes[32] |= 0x80;
        }
        CompactSignature(bytes)
    }
}

/// Shows the address, never the key.
impl std::fmt::Debug for AcknowledgementKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AcknowledgementKey({})", self.address)
    }
}
