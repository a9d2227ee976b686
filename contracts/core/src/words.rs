//! `abi.encode` of value types: 32-byte words, integers right-aligned, big-endian. Source: Solidity ABI specification.

use crate::ids::Address;

/// `N` bytes of words, filled from the front. A word that does not fit is dropped: callers size `N` for what they push, and a golden vector checks each use.
pub struct Words<const N: usize> {
    buf: [u8; N],
    len: usize,
}

impl<const N: usize> Words<N> {
    /// No words yet.
    pub fn new() -> Self {
        Self { buf: [0; N], len: 0 }
    }

    fn right_aligned(mut self, bytes: &[u8]) -> Self {
        if let Some(word) = self.buf.get_mut(self.len..self.len.saturating_add(32)) {
            if let Some(tail) = word.len().checked_sub(bytes.len()).and_then(|at| word.get_mut(at..)) {
                tail.copy_from_slice(bytes);
            }
            self.len = self.len.saturating_add(32);
        }
        self
    }

    /// `address`
    pub fn address(self, a: &Address) -> Self {
        self.right_aligned(&a.0)
    }
    /// `uint32` (also `uint16`)
    pub fn u32(self, v: u32) -> Self {
        self.right_aligned(&v.to_be_bytes())
    }
    /// `uint64`, and `uint256` for chain ids
    pub fn u64(self, v: u64) -> Self {
        self.right_aligned(&v.to_be_bytes())
    }
    /// `uint128`
    pub fn u128(self, v: u128) -> Self {
        self.right_aligned(&v.to_be_bytes())
    }
    /// `bytes32`
    pub fn bytes32(self, v: &[u8; 32]) -> Self {
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
