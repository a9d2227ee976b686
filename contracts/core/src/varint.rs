//! Unsigned LEB128, canonical: the shortest form, nothing else. Source: the DWARF 5 standard, §7.6, less its redundant forms.

use crate::blob::BlobError;

/// A place in a byte string, read from the front.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the front.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
    /// How far it has come.
    pub fn at(&self) -> usize {
        self.at
    }
    /// True when nothing is left.
    pub fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }
    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, BlobError> {
        let b = *self.bytes.get(self.at).ok_or(BlobError::Truncated)?;
        self.at = self.at.saturating_add(1);
        Ok(b)
    }
    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BlobError> {
        let end = self.at.saturating_add(N);
        let mut out = [0; N];
        out.copy_from_slice(self.bytes.get(self.at..end).ok_or(BlobError::Truncated)?);
        self.at = end;
        Ok(out)
    }
    /// A number below 2^128.
    pub fn u128(&mut self) -> Result<u128, BlobError> {
        let (mut value, mut shift) = (0u128, 0u32);
        loop {
            let b = self.byte()?;
            let part = u128::from(b & 0x7f);
            // The 19th byte has room for two bits.
            if shift > 126 || (shift == 126 && part > 3) {
                return Err(BlobError::TooLarge);
            }
            value |= part << shift;
            if b & 0x80 == 0 {
                return if b == 0 && shift > 0 { Err(BlobError::NotCanonical) } else { Ok(value) };
            }
            shift = shift.saturating_add(7);
        }
    }
    /// A number below 2^32.
    pub fn u32(&mut self) -> Result<u32, BlobError> {
        u32::try_from(self.u128()?).map_err(|_| BlobError::TooLarge)
    }
}

/// Appends a number.
#[cfg(feature = "std")]
pub fn write(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
