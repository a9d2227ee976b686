//! What became of each row of a batch.

/// The outcome of a row. The codes are final; new ones are appended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum RowOutcome {
    /// Paid in full.
    Applied = 0,
    /// Paid what the deposit covers, which is less than the row asked for.
    Capped = 1,
    /// Nothing to pay: the channel has paid as much before, or the stream owes less than the smallest payable amount.
    Stale = 2,
    /// Signed neither by the voucher signer nor by the payer.
    BadSignature = 3,
    /// No such book, or a serial at or above its counter.
    Unknown = 4,
    /// The channel or stream has ended and its record is gone.
    Closed = 5,
}

impl RowOutcome {
    /// The outcome of a code; `None` for a code this version does not know.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Applied, Self::Capped, Self::Stale, Self::BadSignature, Self::Unknown, Self::Closed].into_iter().find(|o| *o as u8 == code)
    }

    /// True when the row paid something.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Applied | Self::Capped)
    }
}
