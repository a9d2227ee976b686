//! `abi.encode` of value types: 32-byte words, integers right-aligned, big-endian. Source: Solidity ABI specification.

use crate::ids::Address;

/// `N` bytes of words, filled from the front. A word that does not fit is dropped: callers size `N` for what they push, and a golden vector checks each use.
#[derive(Debug)]
pub struct Words<const N: usize> {
    buf: [u8; N],
    len: usize,
}

/// Out of line and of one width, so that every size of [`Words`] shares it.
#[inline(never)]
fn push(buf: &mut [u8], len: &mut usize, bytes: &[u8]) {
    let end = len.saturating_add(32);
    if let (Some(start), true) = (end.checked_sub(bytes.len()), end <= buf.len())
        && let Some(place) = buf.get_mut(start..end)
    {
        place.copy_from_slice(bytes);
        *len = end;
    }
}

impl<const N: usize> Words<N> {
    /// No words yet.
    pub fn new() -> Self {
        Self { buf: [0; N], len: 0 }
    }

    fn right_aligned(&mut self, bytes: &[u8]) -> &mut Self {
        push(&mut self.buf, &mut self.len, bytes);
        self
    }

    /// `address`
    pub fn address(&mut self, a: &Address) -> &mut Self {
        self.right_aligned(&a.0)
    }
    /// `uint32` (also `uint16`)
    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.right_aligned(&v.to_be_bytes())
    }
    /// `uint64`, and `uint256` for chain ids
    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.right_aligned(&v.to_be_bytes())
    }
    /// `uint128`
    pub fn u128(&mut self, v: u128) -> &mut Self {
        self.right_aligned(&v.to_be_bytes())
    }
    /// `bytes32`
    pub fn bytes32(&mut self, v: &[u8; 32]) -> &mut Self {
        self.right_aligned(v)
    }

    /// What was pushed.
    pub fn bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&self.buf)
    }
}

impl<const N: usize> Default for Words<N> {
    fn default() -> Self {
        Self::new()
    }
}
