//! `abi.encode` of value types: 32-byte words, integers right-aligned, big-endian. Source: Solidity ABI specification.

use crate::ids::Address;

/// `N` bytes of words, filled from the front. A word that does not fit is dropped: callers size `N` for what they push, and a golden vector checks each use.
#[derive(Debug)]
pub struct Words<const N: usize>(Buffer<[u8; N]>);

/// Words of any width: the code that writes them stands once in a contract, not once for each `N`.
#[derive(Debug)]
struct Buffer<B: ?Sized> {
    len: usize,
    bytes: B,
}

impl Buffer<[u8]> {
    #[inline(never)]
    fn push(&mut self, word: &[u8]) {
        let end = self.len.saturating_add(32);
        if let Some(place) = end.checked_sub(word.len()).and_then(|start| self.bytes.get_mut(start..end)) {
            place.copy_from_slice(word);
            self.len = end;
        }
    }
    #[inline(never)]
    fn address(&mut self, a: &Address) {
        self.push(&a.0);
    }
    #[inline(never)]
    fn u64(&mut self, v: u64) {
        self.push(&v.to_be_bytes());
    }
    #[inline(never)]
    fn u128(&mut self, v: u128) {
        self.push(&v.to_be_bytes());
    }
    #[inline(never)]
    fn bytes32(&mut self, v: &[u8; 32]) {
        self.push(v);
    }
}

impl<const N: usize> Words<N> {
    /// No words yet.
    pub fn new() -> Self {
        Self(Buffer { len: 0, bytes: [0; N] })
    }

    fn buffer(&mut self) -> &mut Buffer<[u8]> {
        &mut self.0
    }

    /// `address`
    #[inline(always)]
    pub fn address(&mut self, a: &Address) -> &mut Self {
        self.buffer().address(a);
        self
    }
    /// `uint32` (also `uint16`)
    #[inline(always)]
    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.u64(u64::from(v))
    }
    /// `uint64`, and `uint256` for chain ids
    #[inline(always)]
    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.buffer().u64(v);
        self
    }
    /// `uint128`
    #[inline(always)]
    pub fn u128(&mut self, v: u128) -> &mut Self {
        self.buffer().u128(v);
        self
    }
    /// `bytes32`
    #[inline(always)]
    pub fn bytes32(&mut self, v: &[u8; 32]) -> &mut Self {
        self.buffer().bytes32(v);
        self
    }

    /// What was pushed.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes.get(..self.0.len).unwrap_or(&self.0.bytes)
    }
}

impl<const N: usize> Default for Words<N> {
    fn default() -> Self {
        Self::new()
    }
}
