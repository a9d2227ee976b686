//! The key that signs vouchers: secp256k1, usually one made for the session.

use crate::Error;
use rivulet_core::{Keccak256, SoftKeccak, ids::Address, signature::CompactSignature};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// A voucher key. It can only promise what a channel holds, so it may live where a wallet's key should not.
#[derive(Clone)]
pub struct VoucherKey {
    secret: SecretKey,
    address: Address,
}

impl VoucherKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    ///
    /// When the system has none to give.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| Error::BadKey("the system gave no randomness"))?;
        Self::from_bytes(bytes)
    }

    /// From its 32 bytes.
    ///
    /// ```
    /// use rivulet_client::VoucherKey;
    /// let key = VoucherKey::from_bytes([1; 32])?;
    /// assert_eq!(key.address().to_string(), "0x1a642f0e3c3af545e7acbd38b07251b3990914f1");
    /// # Ok::<(), rivulet_client::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When they are zero or not below the order of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Error> {
        let secret = SecretKey::from_byte_array(bytes).map_err(|_| Error::BadKey("zero, or not below the order of the curve"))?;
        let public = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
        let hash = SoftKeccak.keccak256(&public[1..]);
        let mut address = [0; 20];
        address.copy_from_slice(&hash[12..]);
        Ok(Self { secret, address: Address(address) })
    }

    /// The address that its signatures recover to.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a digest.
    pub fn sign(&self, digest: [u8; 32]) -> CompactSignature {
        let (parity, mut bytes) = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest), &self.secret).serialize_compact();
        // libsecp256k1 signs with low s, so the top bit is free for the parity (EIP-2098).
        if i32::from(parity) & 1 == 1 {
            bytes[32] |= 0x80;
        }
        CompactSignature(bytes)
    }
}

/// Shows the address, never the key.
impl std::fmt::Debug for VoucherKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VoucherKey({})", self.address)
    }
}
