//! Calls in a party's name: its signature, a nonce it uses once, and a deadline.
//!
//! Nonces are unordered, so that a signature that is never used blocks no other. One cell holds which of 256 are used; a signer that counts up pays for
//! few of them.

use crate::{
    eip712::{Domain, Message},
    error::{Error, Refused},
    event::Event,
    host::{Host, Key},
    ids::Address,
    ledger,
    signature::CompactSignature,
};

fn place(signer: &Address, nonce: u64) -> (Key, usize, u8) {
    let [.., low] = nonce.to_be_bytes();
    (Key::Nonces(*signer, nonce >> 8), usize::from(low >> 3), 1 << (low & 7))
}

/// True when this signer's nonce was used or revoked.
pub fn is_used<H: Host>(h: &H, signer: &Address, nonce: u64) -> bool {
    let (key, byte, bit) = place(signer, nonce);
    h.load::<32>(&key).is_some_and(|b| b.get(byte).is_some_and(|b| b & bit != 0))
}

fn spend<H: Host>(h: &mut H, signer: &Address, nonce: u64) -> Result<(), Refused> {
    let (key, byte, bit) = place(signer, nonce);
    let mut used = h.load::<32>(&key).unwrap_or_default();
    match used.get_mut(byte) {
        Some(b) if *b & bit == 0 => *b |= bit,
        _ => return Err(h.refuse(Error::NonceUsed { signer: *signer, nonce })),
    }
    h.save(&key, &used);
    h.emit(&Event::NonceUsed { signer: *signer, nonce });
    Ok(())
}

/// Takes the signer's word for `message`, once and before its deadline.
pub fn check<H: Host>(
    h: &mut H,
    domain: Domain,
    message: &impl Message,
    signer: &Address,
    nonce: u64,
    deadline: u64,
    signature: &CompactSignature,
) -> Result<(), Refused> {
    let digest = message.digest(&domain.separator(&h.deployment(), h), h);
    check_digest(h, &digest, signer, nonce, deadline, signature)
}

fn check_digest<H: Host>(
    h: &mut H,
    digest: &[u8; 32],
    signer: &Address,
    nonce: u64,
    deadline: u64,
    signature: &CompactSignature,
) -> Result<(), Refused> {
    if h.now() >= deadline {
        return Err(h.refuse(Error::Expired { now: h.now(), deadline }));
    }
    // Nobody has the zero address's key, whatever recovers to it.
    let by = signature.split().and_then(|split| h.recover(digest, &split));
    if signer.is_zero() || by != Some(*signer) {
        return Err(h.refuse(Error::BadSignature {}));
    }
    spend(h, signer, nonce)
}

/// The caller takes back whatever it signed with this nonce.
pub fn revoke<H: Host>(h: &mut H, nonce: u64) -> Result<(), Refused> {
    ledger::refuse_value(h)?;
    let signer = h.caller();
    spend(h, &signer, nonce)
}
