//! Fixed-width records: fields one after another, integers big-endian, amounts in 12 bytes (they are at most 2^96 − 1).

use crate::ids::Address;

// Out of line: inlined for every field of every record they would be a good part of the blob.

/// The latest time a record can hold (Unix seconds).
pub const MAX_TIME: u64 = (1 << 40) - 1;

/// Writes fields from the front. What does not fit is dropped; record sizes are constants and a round-trip test covers each record.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// At the front of `buf`.
    pub fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, len: 0 }
    }
    /// How much has been written.
    pub fn len(&self) -> usize {
        self.len
    }
    /// True before the first field.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Raw bytes.
    #[inline(never)]
    pub fn bytes(&mut self, b: &[u8]) -> &mut Self {
        let end = self.len.saturating_add(b.len());
        if let Some(place) = self.buf.get_mut(self.len..end) {
            place.copy_from_slice(b);
            self.len = end;
        }
        self
    }
    /// One byte.
    #[inline(never)]
    pub fn u8(&mut self, v: u8) -> &mut Self {
        self.bytes(&[v])
    }
    /// Two bytes.
    #[inline(never)]
    pub fn u16(&mut self, v: u16) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }
    /// Four bytes.
    #[inline(never)]
    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }
    /// Eight bytes.
    #[inline(never)]
    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }
    /// Five bytes: a time. Later than the year 36,812 is written as the last second of that field.
    #[inline(never)]
    pub fn time(&mut self, v: u64) -> &mut Self {
        let bytes = v.min(MAX_TIME).to_be_bytes();
        let (_, low) = bytes.split_at(3);
        self.bytes(low)
    }
    /// Sixteen bytes.
    #[inline(never)]
    pub fn u128(&mut self, v: u128) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }
    /// Twelve bytes.
    #[inline(never)]
    pub fn amount(&mut self, v: u128) -> &mut Self {
        let bytes = v.to_be_bytes();
        let (_, low) = bytes.split_at(4);
        self.bytes(low)
    }
    /// Twenty bytes.
    #[inline(never)]
    pub fn address(&mut self, a: &Address) -> &mut Self {
        self.bytes(&a.0)
    }
}

/// Reads fields from the front; zeros past the end.
#[derive(Debug)]
pub struct Reader<'a> {
    buf: &'a [u8],
}

impl<'a> Reader<'a> {
    /// At the front of `buf`.
    pub fn new(buf: &'a [u8]) -> Self {
        Self { buf }
    }
    /// `N` raw bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        if let Some((head, rest)) = self.buf.split_at_checked(N) {
            out.copy_from_slice(head);
            self.buf = rest;
        }
        out
    }
    /// One byte.
    #[inline(never)]
    pub fn u8(&mut self) -> u8 {
        let [b] = self.array::<1>();
        b
    }
    /// Two bytes.
    #[inline(never)]
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }
    /// Four bytes.
    #[inline(never)]
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }
    /// Eight bytes.
    #[inline(never)]
    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }
    /// Five bytes: a time.
    #[inline(never)]
    pub fn time(&mut self) -> u64 {
        let mut wide = [0; 8];
        let (_, low) = wide.split_at_mut(3);
        low.copy_from_slice(&self.array::<5>());
        u64::from_be_bytes(wide)
    }
    /// Sixteen bytes.
    #[inline(never)]
    pub fn u128(&mut self) -> u128 {
        u128::from_be_bytes(self.array())
    }
    /// Twelve bytes.
    #[inline(never)]
    pub fn amount(&mut self) -> u128 {
        let mut wide = [0; 16];
        let (_, low) = wide.split_at_mut(4);
        low.copy_from_slice(&self.array::<12>());
        u128::from_be_bytes(wide)
    }
    /// Twenty bytes.
    #[inline(never)]
    pub fn address(&mut self) -> Address {
        Address(self.array())
    }
    /// Thirty-two bytes.
    #[inline(never)]
    pub fn bytes32(&mut self) -> [u8; 32] {
        self.array()
    }
}
