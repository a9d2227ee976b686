//! The calldata of `claimBatch`: many rows of many books in as few bytes as carry them.
//!
//! ```text
//! blob    = version(1) groups group{groups}        version 0x01: channels, 0x81: streams
//! group   = flags(1) book count row{count}         flags: bit 0 = fund_new, others 0
//! row     = serial                                 streams
//!         | serial cumulative_amount signature(64) channels
//! book    = varint: the first group's book; later: book − previous book − 1
//! serial  = varint: the first row's serial; later: serial − previous serial − 1
//! ```
//!
//! Numbers are canonical varints. Books and serials can only ascend, so no row can stand in a blob twice. A blob has one reading and one writing:
//! anything else is refused whole by [`Blob::parse`], before any change.

use crate::{ids::Number, signature::CompactSignature, varint::Cursor};

/// The longest blob: what calldata and the returned outcomes leave room for (pallet-revive: 128 KiB for both).
pub const MAX_BLOB_BYTES: usize = 122_880;
/// The most rows in a blob: their log, 21 bytes a row, must fit one event (pallet-revive: 64 KiB).
pub const MAX_ROWS: u32 = 3_000;

/// Why a blob was refused. The codes are final.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BlobError {
    /// It ends before its last group does.
    Truncated = 0,
    /// A number is not in its shortest form.
    NotCanonical = 1,
    /// A number is larger than its field, or a serial or book passes 2^32 − 1.
    TooLarge = 2,
    /// The version is not the one of this contract.
    Version = 3,
    /// A flag without a meaning is set.
    Flags = 4,
    /// A blob without groups or a group without rows.
    Empty = 5,
    /// More than [`MAX_ROWS`] rows or [`MAX_BLOB_BYTES`] bytes.
    Oversized = 6,
    /// Bytes after the last group.
    Trailing = 7,
}

/// What a row carries beside its serial.
pub trait Payload: Sized + Copy {
    /// The blob's version byte.
    const VERSION: u8;
    /// Reads one.
    fn read(c: &mut Cursor<'_>) -> Result<Self, BlobError>;
    /// Writes one.
    #[cfg(feature = "std")]
    fn write(&self, out: &mut Vec<u8>);
}

/// A channel row: a voucher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VoucherRow {
    /// The voucher's total.
    pub cumulative_amount: u128,
    /// Its signature.
    pub signature: CompactSignature,
}

impl Payload for VoucherRow {
    const VERSION: u8 = 0x01;
    fn read(c: &mut Cursor<'_>) -> Result<Self, BlobError> {
        Ok(Self { cumulative_amount: c.u128()?, signature: CompactSignature(c.array()?) })
    }
    #[cfg(feature = "std")]
    fn write(&self, out: &mut Vec<u8>) {
        crate::varint::write(out, self.cumulative_amount);
        out.extend_from_slice(&self.signature.0);
    }
}

/// A stream row: the serial says it all, everything payable is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamRow;

impl Payload for StreamRow {
    const VERSION: u8 = 0x81;
    fn read(_: &mut Cursor<'_>) -> Result<Self, BlobError> {
        Ok(Self)
    }
    #[cfg(feature = "std")]
    fn write(&self, _: &mut Vec<u8>) {}
}

/// The head of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// Whose channels or streams the rows are.
    pub book: u32,
    /// Pay a native payout even to an account that does not exist: the submitter pays its existential deposit.
    pub fund_new: bool,
    /// How many rows follow.
    pub rows: u32,
}

/// A blob that has been checked whole.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    bytes: &'a [u8],
    rows: u32,
}

/// Something read from a blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item<P> {
    /// A group begins.
    Group(Group),
    /// A row of the group.
    Row(Number, P),
}

/// Reads groups and rows in order.
#[derive(Debug)]
pub struct Reader<'a, P> {
    cursor: Cursor<'a>,
    groups_left: Option<u32>,
    group: Option<Group>,
    left: u32,
    serial: Option<u32>,
    payload: core::marker::PhantomData<P>,
}

/// `previous` and a delta to the next: strictly ascending within u32.
fn ascend(previous: Option<u32>, delta: u32) -> Result<u32, BlobError> {
    match previous {
        None => Ok(delta),
        Some(p) => p.checked_add(delta).and_then(|n| n.checked_add(1)).ok_or(BlobError::TooLarge),
    }
}

impl<P: Payload> Reader<'_, P> {
    /// The next item; `None` at the end.
    pub fn next_item(&mut self) -> Result<Option<Item<P>>, BlobError> {
        if let (Some(group), Some(left)) = (self.group, self.left.checked_sub(1)) {
            let serial = ascend(self.serial, self.cursor.u32()?)?;
            self.left = left;
            self.serial = Some(serial);
            return Ok(Some(Item::Row(Number { book: group.book, serial }, P::read(&mut self.cursor)?)));
        }
        let groups_left = match self.groups_left {
            Some(n) => n,
            None => match self.cursor.u32()? {
                0 => return Err(BlobError::Empty),
                n => n,
            },
        };
        let Some(groups_left) = groups_left.checked_sub(1) else {
            return if self.cursor.is_done() { Ok(None) } else { Err(BlobError::Trailing) };
        };
        self.groups_left = Some(groups_left);
        let fund_new = match self.cursor.byte()? {
            0 => false,
            1 => true,
            _ => return Err(BlobError::Flags),
        };
        let book = ascend(self.group.map(|g| g.book), self.cursor.u32()?)?;
        let rows = self.cursor.u32()?;
        if rows == 0 {
            return Err(BlobError::Empty);
        }
        let group = Group { book, fund_new, rows };
        self.group = Some(group);
        self.left = rows;
        self.serial = None;
        Ok(Some(Item::Group(group)))
    }

    /// How many bytes have been read, without the version byte: about where a refusal was found.
    pub fn at(&self) -> usize {
        self.cursor.at()
    }
}

impl<'a> Blob<'a> {
    /// Checks the whole blob. On refusal: the reason and the byte it was found at.
    pub fn parse<P: Payload>(bytes: &'a [u8]) -> Result<Self, (BlobError, u32)> {
        if bytes.len() > MAX_BLOB_BYTES {
            return Err((BlobError::Oversized, 0));
        }
        let (version, rest) = bytes.split_first().ok_or((BlobError::Truncated, 0))?;
        if *version != P::VERSION {
            return Err((BlobError::Version, 0));
        }
        let mut blob = Self { bytes: rest, rows: 0 };
        let mut reader = blob.reader::<P>();
        let place = |r: &Reader<'_, P>| u32::try_from(r.at()).unwrap_or(u32::MAX).saturating_add(1);
        loop {
            match reader.next_item() {
                Err(e) => return Err((e, place(&reader))),
                Ok(Some(Item::Group(_))) => {}
                Ok(Some(Item::Row(..))) => {
                    blob.rows = blob.rows.saturating_add(1);
                    if blob.rows > MAX_ROWS {
                        return Err((BlobError::Oversized, place(&reader)));
                    }
                }
                Ok(None) => return Ok(blob),
            }
        }
    }

    /// Reads it from the front.
    pub fn reader<P: Payload>(&self) -> Reader<'a, P> {
        Reader { cursor: Cursor::new(self.bytes), groups_left: None, group: None, left: 0, serial: None, payload: core::marker::PhantomData }
    }

    /// How many rows it has.
    pub fn rows(&self) -> u32 {
        self.rows
    }
}

/// Writes a blob; groups without rows are left out. It is the caller's to stay within [`MAX_ROWS`] and [`MAX_BLOB_BYTES`].
#[cfg(feature = "std")]
pub fn encode<P: Payload>(groups: &std::collections::BTreeMap<u32, (bool, std::collections::BTreeMap<u32, P>)>) -> Vec<u8> {
    let mut out = vec![P::VERSION];
    crate::varint::write(&mut out, groups.values().filter(|(_, rows)| !rows.is_empty()).count() as u128);
    let delta = |previous: Option<u32>, n: u32| u128::from(previous.map_or(n, |p| n - p - 1));
    let mut last_book = None;
    for (book, (fund_new, rows)) in groups.iter().filter(|(_, (_, rows))| !rows.is_empty()) {
        out.push(u8::from(*fund_new));
        crate::varint::write(&mut out, delta(last_book, *book));
        crate::varint::write(&mut out, rows.len() as u128);
        last_book = Some(*book);
        let mut last_serial = None;
        for (serial, row) in rows {
            crate::varint::write(&mut out, delta(last_serial, *serial));
            row.write(&mut out);
            last_serial = Some(*serial);
        }
    }
    out
}
