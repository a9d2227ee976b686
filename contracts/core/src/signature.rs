//! secp256k1 signatures in the one form that counts: 64 bytes, EIP-2098, low s. Off chain the 65-byte form is accepted at the edge and turned into it.

/// Half the order of secp256k1, rounded down. A signature with a larger s is refused: its mirror image would be a second form of the same promise.
pub const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
    0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// `r ‖ (yParity << 255 | s)`. Source: EIP-2098.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompactSignature(pub [u8; 64]);

/// A signature taken apart for the recover precompile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SplitSignature {
    /// r, big-endian.
    pub r: [u8; 32],
    /// s, big-endian, low.
    pub s: [u8; 32],
    /// 27 or 28.
    pub v: u8,
}

impl CompactSignature {
    /// Takes the signature apart; `None` when r or s is zero or s is high.
    pub fn split(&self) -> Option<SplitSignature> {
        let (mut r, mut s) = ([0u8; 32], [0u8; 32]);
        let (first, second) = self.0.split_at(32);
        r.copy_from_slice(first);
        s.copy_from_slice(second);
        let v = 27u8.saturating_add(s[0] >> 7);
        s[0] &= 0x7f;
        let low = s <= HALF_ORDER;
        (low && r != [0; 32] && s != [0; 32]).then_some(SplitSignature { r, s, v })
    }

    /// From `r ‖ s ‖ v` with v ∈ {0, 1, 27, 28}; `None` for another v, a high s or a zero.
    pub fn from_65(bytes: &[u8; 65]) -> Option<Self> {
        let (rs, v) = bytes.split_at(64);
        let parity = match v {
            [0 | 27] => 0u8,
            [1 | 28] => 0x80,
            _ => return None,
        };
        let mut compact = [0u8; 64];
        compact.copy_from_slice(rs);
        if compact[32] & 0x80 != 0 {
            return None;
        }
        compact[32] |= parity;
        Self(compact).split().map(|_| Self(compact))
    }
}

impl core::fmt::Debug for CompactSignature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
