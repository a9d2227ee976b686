//! Keys, channels and signed vouchers for tests and benches. Never in a release build.
#![allow(clippy::unwrap_used, missing_docs)]

use crate::{
    accept::{Offer, Policy, Snapshot, Verified, verify},
    chain::{ChannelState, ChannelView, FeeModel, Weight},
};
use rivulet_core::{
    Keccak256, SoftKeccak,
    eip712::{Domain, Message, Voucher},
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Deployment, Token},
    signature::CompactSignature,
};
use secp256k1::{PublicKey, SECP256K1, SecretKey};

/// The deployment that tests sign for.
pub const DEPLOYMENT: Deployment = Deployment { chain_id: 420_420_420, contract: Address([0xcc; 20]) };

/// The domain of that deployment.
pub fn separator() -> [u8; 32] {
    Domain::Channels.separator(&DEPLOYMENT, &SoftKeccak)
}

/// A payer's or session key.
#[derive(Clone, Copy, Debug)]
pub struct Key(SecretKey);

impl Key {
    /// A key by number: the same number, the same key.
    pub fn of(seed: u64) -> Self {
        Self(SecretKey::from_byte_array(SoftKeccak.keccak256(&seed.to_be_bytes())).unwrap())
    }

    pub fn address(&self) -> Address {
        let key = PublicKey::from_secret_key(SECP256K1, &self.0).serialize_uncompressed();
        Address(SoftKeccak.keccak256(&key[1..])[12..].try_into().unwrap())
    }

    pub fn sign_digest(&self, digest: [u8; 32]) -> CompactSignature {
        let signature = SECP256K1.sign_ecdsa_recoverable(secp256k1::Message::from_digest(digest), &self.0);
        let (id, rs) = signature.serialize_compact();
        let mut compact = rs;
        compact[32] |= (i32::from(id) as u8) << 7;
        CompactSignature(compact)
    }

    pub fn voucher(&self, channel_id: ChannelId, cumulative_amount: u128) -> CompactSignature {
        self.sign_digest(Voucher { channel_id, cumulative_amount }.digest(&separator(), &SoftKeccak))
    }
}

/// A payee by number.
pub fn payee(n: u8) -> Address {
    Address([0xa0 + n; 20])
}

/// An open channel whose vouchers `key` signs.
pub fn channel(number: ChannelNumber, key: &Key, deposit: u128) -> ChannelState {
    channel_of(number, key, deposit, payee(1), Address::ZERO)
}

/// An open channel of this payee and token.
pub fn channel_of(number: ChannelNumber, key: &Key, deposit: u128, payee: Address, token: Token) -> ChannelState {
    let terms = ChannelTerms {
        number,
        payer: Address([0x11; 20]),
        payee,
        voucher_signer: key.address(),
        token,
        challenge_period_secs: 3_600,
        opened_at: 1_000,
    };
    ChannelState { terms, deposit, claimed: 0, close_due_at: None, refund_requested: 0, refund_due_at: None }
}

/// The id that vouchers of this channel sign.
pub fn id(state: &ChannelState) -> ChannelId {
    state.terms.channel_id(&DEPLOYMENT, &SoftKeccak)
}

pub fn snapshot(state: ChannelState) -> Snapshot {
    Snapshot { view: ChannelView::Live(state), channel_id: id(&state), best_total: None, is_final: true }
}

/// A voucher as it would come in.
pub fn offer(state: &ChannelState, key: &Key, cumulative_amount: u128) -> Offer {
    let channel_id = id(state);
    Offer { number: state.terms.number, channel_id, cumulative_amount, signature: key.voucher(channel_id, cumulative_amount) }
}

/// A voucher that passed.
pub fn verified(state: &ChannelState, key: &Key, cumulative_amount: u128) -> Verified {
    verify(&offer(state, key, cumulative_amount), &snapshot(*state), &Policy::default(), &separator(), 2_000).unwrap()
}

/// Prices like Polkadot Hub's at multiplier 1.
pub fn fees() -> FeeModel {
    FeeModel {
        base_planck: 500_000,
        per_byte_planck: 50_000,
        per_ref_time_sec_planck: 3_970_000_000,
        per_proof_mib_planck: 793_600_000,
        existential_deposit_planck: 100_000_000,
        max_extrinsic: Weight { ref_time_ps: 1_600_000_000_000, proof_size_bytes: 8_390_000 },
    }
}
