//! Who signed?

use super::{Offer, Rejection};
use rivulet_core::{
    Keccak256, SoftKeccak,
    eip712::{Message, Voucher},
    ids::{Address, ChannelTerms},
    signature::CompactSignature,
};
use secp256k1::{
    Message as Digest, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// The address whose key made this signature of this digest; `None` when no key can have, or when s is high.
pub fn recover(digest: [u8; 32], signature: &CompactSignature) -> Option<Address> {
    let split = signature.split()?;
    let id = RecoveryId::try_from(i32::from(split.v.checked_sub(27)?)).ok()?;
    let mut rs = [0u8; 64];
    rs[..32].copy_from_slice(&split.r);
    rs[32..].copy_from_slice(&split.s);
    let signature = RecoverableSignature::from_compact(&rs, id).ok()?;
    let key = SECP256K1.recover_ecdsa(Digest::from_digest(digest), &signature).ok()?;
    let hash = SoftKeccak.keccak256(key.serialize_uncompressed().get(1..)?);
    hash.get(12..)?.try_into().ok().map(Address)
}

/// Either the session key or the payer itself, as on the chain.
///
/// # Errors
/// [`Rejection::BadSignature`], [`Rejection::WrongSigner`].
pub fn check(offer: &Offer, terms: &ChannelTerms, separator: &[u8; 32]) -> Result<(), Rejection> {
    let voucher = Voucher { channel_id: offer.channel_id, cumulative_amount: offer.cumulative_amount };
    let given = recover(voucher.digest(separator, &SoftKeccak), &offer.signature).ok_or(Rejection::BadSignature)?;
    if given == terms.voucher_signer || given == terms.payer {
        return Ok(());
    }
    Err(Rejection::WrongSigner { voucher_signer: terms.voucher_signer, payer: terms.payer, given })
}
