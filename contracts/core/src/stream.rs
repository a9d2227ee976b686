//! Streams: money that flows by the second.

/// What flows, when. Times are Unix seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Amount per second, × 1e9.
    pub rate_per_second_scaled: u128,
    /// When it starts.
    pub start_at: u64,
    /// With a cliff: when its amount falls due and the flow begins; before it nothing is owed.
    pub cliff: Option<Cliff>,
    /// When it ends; 0: open-ended.
    pub end_at: u64,
}

/// A cliff.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cliff {
    /// When.
    pub at: u64,
    /// What falls due then, may be 0.
    pub amount: u128,
}

/// Bits of a stream's flags. Others are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags;

impl Flags {
    /// The payer may cancel.
    pub const CANCELLABLE: u8 = 1;
    /// The payee may hand its side over.
    pub const TRANSFERABLE: u8 = 2;
    /// There is a cliff.
    pub const CLIFF: u8 = 4;
}
