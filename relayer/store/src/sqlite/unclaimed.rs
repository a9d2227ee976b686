//! Every channel that could be claimed from, read in the tables' own order.
//!
//! At a start all vouchers are looked at once. A join would search each channel anew from the root of its table; two readers side by side touch each page
//! of either table once.

use super::codec::{amount_at, bytes_at, u64_at};
use crate::{StoreError, Unclaimed, UnclaimedPage};
use rivulet_core::ids::{Address, ChannelNumber, Number};
use rivulet_rules::batch;
use rusqlite::{Connection, Row, Rows};
use std::collections::HashSet;

/// A reader that goes on only when what it has is behind.
struct Ordered<'a, T> {
    rows: Rows<'a>,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    /// The row that it stands at; `None`: before the first, or behind the last.
    at: Option<(ChannelNumber, T)>,
    is_over: bool,
}

impl<'a, T> Ordered<'a, T> {
    /// Of rows that begin with a number, in the order of numbers.
    fn new(rows: Rows<'a>, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Self {
        Self { rows, read, at: None, is_over: false }
    }

    /// The row of this number, if there is one. Numbers are asked for in order.
    fn find(&mut self, number: ChannelNumber) -> rusqlite::Result<Option<&T>> {
        while !self.is_over && self.at.as_ref().is_none_or(|(at, _)| *at < number) {
            self.at = self.rows.next()?.map(|row| Ok::<_, rusqlite::Error>((number_at(row)?, (self.read)(row)?))).transpose()?;
            self.is_over = self.at.is_none();
        }
        Ok(self.at.as_ref().filter(|(at, _)| *at == number).map(|(_, row)| row))
    }
}

fn number_at(row: &Row<'_>) -> rusqlite::Result<ChannelNumber> {
    Ok(Number { book: row.get(0)?, serial: row.get(1)? })
}

/// As much of a channel's record as choosing needs.
struct Record {
    /// Closed, or its payer has asked for money back.
    is_out: bool,
    channel_id: [u8; 32],
    deposit: u128,
    claimed: u128,
    token: Address,
    opened_at: u64,
}

fn record_at(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        is_out: row.get(2)?,
        channel_id: bytes_at(row, 3)?,
        deposit: amount_at(row, 4)?,
        claimed: amount_at(row, 5)?,
        token: Address(bytes_at(row, 6)?),
        opened_at: u64_at(row, 7)?,
    })
}

/// A page of them, in number order after `after`; looks at `limit` vouchers.
pub fn page(db: &Connection, after: Option<ChannelNumber>, limit: usize) -> Result<UnclaimedPage, StoreError> {
    // One state of the database for all readers.
    let tx = db.unchecked_transaction()?;
    // No book has number 0.
    let from = after.map_or((0, 0), |n| (n.book, n.serial));
    let mut query = tx.prepare_cached("SELECT book, serial FROM intent_rows WHERE contract = 0 AND is_open = 1")?;
    let in_flight: HashSet<_> = query.query_map([], number_at)?.collect::<Result<_, _>>()?;
    let mut query = tx.prepare_cached(
        "SELECT book, serial, is_closed OR close_due_at IS NOT NULL OR refund_due_at IS NOT NULL, channel_id, deposit, claimed, token, opened_at
         FROM channels WHERE (book, serial) > (?1, ?2) ORDER BY book, serial",
    )?;
    let mut channels = Ordered::new(query.query(from)?, record_at);
    let mut query =
        tx.prepare_cached("SELECT book, serial, sent_at FROM row_claims WHERE contract = 0 AND (book, serial) > (?1, ?2) ORDER BY book, serial")?;
    let mut sent = Ordered::new(query.query(from)?, |row| u64_at(row, 2));
    let mut query = tx.prepare_cached(
        "SELECT book, serial, set_aside IS NOT NULL, channel_id, cumulative_amount FROM vouchers WHERE (book, serial) > (?1, ?2)
         ORDER BY book, serial LIMIT ?3",
    )?;
    let mut vouchers = query.query((from.0, from.1, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut page = UnclaimedPage::default();
    let mut looked_at = 0usize;
    while let Some(row) = vouchers.next()? {
        let number = number_at(row)?;
        (looked_at, page.next) = (looked_at.saturating_add(1), Some(number));
        if row.get(2)? || in_flight.contains(&number) {
            continue;
        }
        let (id, total): ([u8; 32], _) = (bytes_at(row, 3)?, amount_at(row, 4)?);
        let Some(record) = channels.find(number)?.filter(|record| !record.is_out && record.channel_id == id) else { continue };
        let gain = batch::gain_of(&record.token, record.deposit, record.claimed, total);
        if gain > 0 {
            let last_at = sent.find(number)?.copied().unwrap_or(record.opened_at);
            page.rows.push(Unclaimed { number, gain, last_at });
        }
    }
    page.next = page.next.filter(|_| looked_at >= limit);
    Ok(page)
}
