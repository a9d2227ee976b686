//! What a payer signs besides the voucher: which request the money is for.
//!
//! A voucher is only a total, and relayers show the best one of a channel to anybody. So a total alone buys nothing here: the voucher's signer also signs
//! `Purchase(bytes32 channelId,uint128 amount,string request,bytes32 nonce,uint64 validUntil)` in the domain
//! `{name "Rivulet Paywall", version "1", chainId, verifyingContract: the channels contract}`. No contract ever takes such a signature.

use rivulet_core::{
    Keccak256, SoftKeccak,
    eip712::Message,
    ids::{Address, ChannelId, Deployment},
    signature::CompactSignature,
    words::Words,
};
use rivulet_rules::accept::signature::recover;

/// "For this request I pay up to this amount from this channel, once, until then."
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Purchase {
    /// Which channel pays.
    pub channel_id: ChannelId,
    /// The most that may be charged, in the token's smallest unit.
    pub amount: u128,
    /// Method, host, path and query: `GET blog.example/articles/1`.
    pub request: String,
    /// The payer's name for this purchase: the same again is the same purchase.
    pub nonce: [u8; 32],
    /// Until when it may be asked for (Unix seconds).
    pub valid_until: u64,
}

impl Message for Purchase {
    const TYPE: &'static str = "Purchase(bytes32 channelId,uint128 amount,string request,bytes32 nonce,uint64 validUntil)";

    fn struct_hash(&self, k: &impl Keccak256) -> [u8; 32] {
        let mut words = Words::<192>::new();
        words.bytes32(&k.keccak256(Self::TYPE.as_bytes())).bytes32(&self.channel_id.0).u128(self.amount);
        words.bytes32(&k.keccak256(self.request.as_bytes())).bytes32(&self.nonce).u64(self.valid_until);
        k.keccak256(words.bytes())
    }
}

/// The name in the domain.
pub const DOMAIN: &str = "Rivulet Paywall";

/// The domain of purchases from the channels of one deployment.
pub fn separator(channels: &Deployment) -> [u8; 32] {
    const TYPE: &[u8] = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let hash = |text: &[u8]| SoftKeccak.keccak256(text);
    let mut words = Words::<160>::new();
    words.bytes32(&hash(TYPE)).bytes32(&hash(DOMAIN.as_bytes())).bytes32(&hash(b"1")).u64(channels.chain_id).address(&channels.contract);
    hash(words.bytes())
}

impl Purchase {
    /// What is signed.
    pub fn to_sign(&self, separator: &[u8; 32]) -> [u8; 32] {
        self.digest(separator, &SoftKeccak)
    }

    /// Who signed it; `None`: nobody can have.
    pub fn signer(&self, signature: &CompactSignature, separator: &[u8; 32]) -> Option<Address> {
        recover(self.to_sign(separator), signature)
    }
}
