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
struct Ordered<'a> {
    rows: Rows<'a>,
    is_over: bool,
    at: Option<ChannelNumber>,
}

impl<'a> Ordered<'a> {
    fn new(rows: Rows<'a>) -> Self {
        Self { rows, is_over: false, at: None }
    }

    /// The row of this number, if there is one. Numbers are asked for in order. What `read` makes of the row is only asked for then.
    fn find<T>(&mut self, number: ChannelNumber, read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
        while !self.is_over && self.at.is_none_or(|at| at < number) {
            match self.rows.next()? {
                Some(row) => {
                    let at = number_at(row)?;
                    self.at = Some(at);
                    if at == number {
                        return read(row).map(Some);
                    }
                }
                None => self.is_over = true,
            }
        }
        Ok(None)
    }
}

fn number_at(row: &Row<'_>) -> rusqlite::Result<ChannelNumber> {
    Ok(Number { book: row.get(0)?, serial: row.get(1)? })
}

/// What a channel's record says of a voucher of this id and total: what it would gain, and when the channel was opened. `None`: it is not pending, or its
/// payer has asked for money back.
fn gain_at(row: &Row<'_>, id: &[u8; 32], total: u128) -> rusqlite::Result<Option<(u128, u64)>> {
    let (is_closed, is_closing): (bool, bool) = (row.get(2)?, row.get(3)?);
    if is_closed || is_closing || row.get_ref(4)?.as_blob()? != id {
        return Ok(None);
    }
    let (deposit, claimed) = (amount_at(row, 5)?, amount_at(row, 6)?);
    let gain = batch::gain_of(&Address(bytes_at(row, 7)?), deposit, claimed, total);
    Ok((gain > 0).then_some((gain, u64_at(row, 8)?)))
}

/// A page of them, in number order after `after`; looks at `limit` vouchers.
pub fn page(db: &Connection, after: Option<ChannelNumber>, limit: usize) -> Result<UnclaimedPage, StoreError> {
    // One state of the database for all readers.
    let tx = db.unchecked_transaction()?;
    // No book has number 0.
    let from = after.map_or((0, 0), |n| (n.book, n.serial));
    let mut query = tx.prepare_cached("SELECT book, serial FROM intent_rows WHERE contract = 0 AND is_open = 1")?;
    let in_flight: HashSet<_> = query.query_map([], |row| number_at(row))?.collect::<Result<_, _>>()?;
    let mut query = tx.prepare_cached(
        "SELECT book, serial, is_closed, close_due_at IS NOT NULL OR refund_due_at IS NOT NULL, channel_id, deposit, claimed, token, opened_at
         FROM channels WHERE (book, serial) > (?1, ?2) ORDER BY book, serial",
    )?;
    let mut channels = Ordered::new(query.query(from)?);
    let mut query =
        tx.prepare_cached("SELECT book, serial, sent_at FROM row_claims WHERE contract = 0 AND (book, serial) > (?1, ?2) ORDER BY book, serial")?;
    let mut sent = Ordered::new(query.query(from)?);
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
        let (id, total) = (bytes_at(row, 3)?, amount_at(row, 4)?);
        if let Some((gain, opened_at)) = channels.find(number, |row| gain_at(row, &id, total))?.flatten() {
            let last_at = sent.find(number, |row| u64_at(row, 2))?.unwrap_or(opened_at);
            page.rows.push(Unclaimed { number, gain, last_at });
        }
    }
    page.next = page.next.filter(|_| looked_at >= limit);
    Ok(page)
}
