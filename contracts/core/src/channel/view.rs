//! What can be read of channels.

use alloc::vec::Vec;

use super::record::{CHANNELS_A_CELL, Cell, Found};
use crate::{
    book::Book,
    fee::relay_fee,
    host::Host,
    ids::{ChannelId, ChannelNumber},
    outcome::RowOutcome,
};

/// What a claim of this total would do now, its signature taken for good: outcome, gain, fee.
pub fn claimable<H: Host>(h: &H, number: ChannelNumber, cumulative_amount: u128) -> (RowOutcome, u128, u128) {
    match Found::look(h, number) {
        Ok(Found { channel, book, .. }) => {
            let (outcome, gain) = channel.gain(&book.token, cumulative_amount);
            (outcome, gain, relay_fee(&book.terms, book.fee_ceiling_bps, &book.token, gain, h.now()))
        }
        Err(why) => (why, 0, 0),
    }
}

/// The highest total that a new voucher is covered up to, 0 without a record.
pub fn cover<H: Host>(h: &H, number: ChannelNumber) -> u128 {
    Found::look(h, number).map_or(0, |found| found.channel.cover(h.now()))
}

/// A channel's id, zero without a record.
pub fn id<H: Host>(h: &H, number: ChannelNumber) -> ChannelId {
    Found::look(h, number).map_or(ChannelId([0; 32]), |found| found.id(h))
}

/// The most serials that [`list`] looks at.
pub const MAX_LISTED: u32 = 400;

/// The open channels of a book among `count` serials (1 to [`MAX_LISTED`]) from `from` on, and the serial to go on from; 0 at the end.
pub fn list<H: Host>(h: &H, book: u32, from: u32, count: u32) -> (Vec<u32>, u32) {
    let Some(next_serial) = Book::load(h, book).map(|b| b.next_serial) else { return (Vec::new(), 0) };
    let to = from.saturating_add(count.clamp(1, MAX_LISTED)).min(next_serial);
    let mut open = Vec::new();
    let mut cell: Option<Cell> = None;
    for serial in from..to {
        let number = ChannelNumber { book, serial };
        if serial == from || serial % CHANNELS_A_CELL == 0 {
            cell = Some(Cell::load(h, number));
        }
        if cell.as_ref().is_some_and(|c| c.get(serial).is_some()) {
            open.push(serial);
        }
    }
    (open, if to < next_serial { to } else { 0 })
}

/// The channel's state as the `channel` view tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ChannelStatus {
    /// No such number.
    Unknown = 0,
    /// Open.
    Open = 1,
    /// A close was requested.
    Closing = 2,
    /// Its record is gone.
    Closed = 3,
}

/// The status of a number.
pub fn status<H: Host>(h: &H, number: ChannelNumber) -> ChannelStatus {
    match Found::look(h, number) {
        Ok(found) if found.channel.close_due_at != 0 => ChannelStatus::Closing,
        Ok(_) => ChannelStatus::Open,
        Err(RowOutcome::Closed) => ChannelStatus::Closed,
        Err(_) => ChannelStatus::Unknown,
    }
}
