//! Storing vouchers.

use super::{
    codec::{amount, amount_at, bytes_at, int, u64_at},
    doubts,
};
use crate::{Accepted, MS_PER_DAY, StoreError};
use rivulet_core::{
    ids::{Address, ChannelNumber, Token},
    signature::CompactSignature,
};
use rivulet_rules::accept::{Best, Rejection, Verified, growth};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// What a commit adds to the totals: one write a (payee, token, day), not one a voucher.
#[derive(Default)]
pub struct Group {
    grown: HashMap<(Address, Token, u64), (u128, u64)>,
    last_ms: Option<u64>,
    /// Channels with a new best voucher.
    numbers: Vec<ChannelNumber>,
}

/// The best voucher of the channel with this id, and when it was accepted.
fn best(db: &Connection, number: ChannelNumber, channel_id: &[u8; 32]) -> rusqlite::Result<Option<(Best, u64)>> {
    let mut query =
        db.prepare_cached("SELECT cumulative_amount, signature, accepted_ms FROM vouchers WHERE book = ?1 AND serial = ?2 AND channel_id = ?3")?;
    query
        .query_row((number.book, number.serial, channel_id), |row| {
            Ok((Best { cumulative_amount: amount_at(row, 0)?, signature: CompactSignature(bytes_at(row, 1)?) }, u64_at(row, 2)?))
        })
        .optional()
}

impl Group {
    /// The channels that have grown.
    pub fn into_numbers(self) -> Vec<ChannelNumber> {
        self.numbers
    }

    /// Stores what grows; answers in order.
    pub fn accept(&mut self, db: &Connection, vouchers: &[Verified], now_ms: u64) -> Result<Vec<Result<Accepted, Rejection>>, StoreError> {
        vouchers.iter().map(|v| self.one(db, v, now_ms)).collect()
    }

    fn one(&mut self, db: &Connection, voucher: &Verified, now_ms: u64) -> Result<Result<Accepted, Rejection>, StoreError> {
        let (number, id, total) = (voucher.number(), voucher.channel_id(), voucher.cumulative_amount());
        let (best, first_ms) = best(db, number, &id.0)?.map_or((None, now_ms), |(best, at)| (Some(best), at));
        let (growth, accepted_ms) = match growth::check(best.as_ref(), total) {
            Err(stale) => return Ok(Err(stale)),
            Ok(growth::Growth::Same) => (0, first_ms),
            Ok(growth::Growth::Higher) => {
                // The condition is the rule, whatever was read before: a total is only ever replaced by a higher one of the same channel.
                let mut upsert = db.prepare_cached(
                    "INSERT INTO vouchers (book, serial, channel_id, cumulative_amount, signature, accepted_ms, set_aside)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)
                     ON CONFLICT (book, serial) DO UPDATE SET channel_id = excluded.channel_id, cumulative_amount = excluded.cumulative_amount,
                         signature = excluded.signature, accepted_ms = excluded.accepted_ms, set_aside = NULL
                     WHERE excluded.cumulative_amount > vouchers.cumulative_amount OR excluded.channel_id <> vouchers.channel_id",
                )?;
                let signature = voucher.signature();
                let row = (number.book, number.serial, &id.0, amount(total), &signature.0, int(now_ms));
                if upsert.execute(row)? != 1 {
                    return Err(StoreError::Damaged(format!("channel {number} changed within the transaction")));
                }
                let growth = total.saturating_sub(best.map_or(0, |b| b.cumulative_amount));
                let entry = self.grown.entry((voucher.payee(), voucher.token(), now_ms / MS_PER_DAY)).or_default();
                *entry = (entry.0.saturating_add(growth), entry.1.saturating_add(1));
                self.last_ms = self.last_ms.max(Some(now_ms));
                self.numbers.push(number);
                (growth, now_ms)
            }
        };
        Ok(Ok(Accepted { cumulative_amount: total, growth, accepted_ms }))
    }
}

/// Adds what the commit grew. When a voucher was last stored, if any was.
pub fn write_totals(db: &Connection, group: &Group) -> Result<Option<u64>, StoreError> {
    for ((payee, token, day), (growth, vouchers)) in &group.grown {
        let mut read = db.prepare_cached("SELECT accepted FROM totals WHERE payee = ?1 AND token = ?2 AND day = ?3")?;
        let before = read.query_row((&payee.0, &token.0, int(*day)), |row| amount_at(row, 0)).optional()?.unwrap_or(0);
        let mut write = db.prepare_cached(
            "INSERT INTO totals (payee, token, day, accepted, vouchers) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (payee, token, day) DO UPDATE SET accepted = excluded.accepted, vouchers = totals.vouchers + excluded.vouchers",
        )?;
        write.execute((&payee.0, &token.0, int(*day), amount(before.saturating_add(*growth)), int(*vouchers)))?;
    }
    if let Some(at_ms) = group.last_ms {
        doubts::accepted(db, at_ms)?;
    }
    Ok(group.last_ms)
}
