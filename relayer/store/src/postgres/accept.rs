//! Storing vouchers: one transaction for many callers.

use super::{
    codec::{Amount, amount_at, bytes_at, int, number_at, uint_at},
    db::Failure,
};
use crate::{Accepted, MS_PER_DAY};
use deadpool_postgres::Transaction;
use rivulet_core::{
    ids::{Address, ChannelNumber, Token},
    signature::CompactSignature,
};
use rivulet_rules::accept::{
    Best, Rejection, Verified,
    growth::{self, Growth},
};
use std::collections::BTreeMap;

/// One caller's vouchers, and when they came.
pub type Call = (Vec<Verified>, u64);
/// What each caller is told, if the commit goes through.
pub type Answers = Vec<Vec<Result<Accepted, Rejection>>>;

/// What is stored of a channel, and what is to be.
struct Slot {
    before: Option<([u8; 32], u128)>,
    id: [u8; 32],
    best: Best,
    /// When the best came.
    accepted_ms: u64,
    has_grown: bool,
}

/// The work of one transaction. Maps are ordered, so that two relayers lock the same rows in the same order.
#[derive(Default)]
struct Group {
    slots: BTreeMap<ChannelNumber, Slot>,
    grown: BTreeMap<(Address, Token, u64), (u128, u64)>,
}

/// Stores what grows. [`Failure::Raced`] when another process came between: nothing is stored then.
pub async fn accept(tx: &Transaction<'_>, calls: &[Call]) -> Result<Answers, Failure> {
    let mut group = Group { slots: read(tx, calls).await?, ..Group::default() };
    let answers = calls.iter().map(|(vouchers, now_ms)| vouchers.iter().map(|v| group.one(v, *now_ms)).collect()).collect();
    group.write(tx).await?;
    Ok(answers)
}

/// The best vouchers of these channels.
async fn read(tx: &Transaction<'_>, calls: &[Call]) -> Result<BTreeMap<ChannelNumber, Slot>, Failure> {
    let numbers = || calls.iter().flat_map(|(vouchers, _)| vouchers.iter().map(Verified::number));
    let books: Vec<_> = numbers().map(|n| i64::from(n.book)).collect();
    let serials: Vec<_> = numbers().map(|n| i64::from(n.serial)).collect();
    let sql = "SELECT v.book, v.serial, v.channel_id, v.cumulative_amount, v.signature, v.accepted_ms
         FROM unnest($1::bigint[], $2::bigint[]) AS k (book, serial) JOIN vouchers v ON v.book = k.book AND v.serial = k.serial";
    let rows = tx.query(&tx.prepare_cached(sql).await?, &[&books, &serials]).await?;
    let slot = |row: &tokio_postgres::Row| {
        let (id, cumulative_amount) = (bytes_at(row, 2)?, amount_at(row, 3)?);
        let best = Best { cumulative_amount, signature: CompactSignature(bytes_at(row, 4)?) };
        Ok((number_at(row, 0)?, Slot { before: Some((id, cumulative_amount)), id, best, accepted_ms: uint_at(row, 5)?, has_grown: false }))
    };
    rows.iter().map(slot).collect()
}

impl Group {
    fn one(&mut self, voucher: &Verified, now_ms: u64) -> Result<Accepted, Rejection> {
        let (number, id, total) = (voucher.number(), voucher.channel_id().0, voucher.cumulative_amount());
        // A voucher of another id under this number says nothing about this channel.
        let (best, first_ms) = self.slots.get(&number).filter(|slot| slot.id == id).map(|slot| (slot.best, slot.accepted_ms)).unzip();
        if growth::check(best.as_ref(), total)? == Growth::Same {
            return Ok(Accepted { cumulative_amount: total, growth: 0, accepted_ms: first_ms.unwrap_or(now_ms) });
        }
        let before = self.slots.get(&number).and_then(|slot| slot.before);
        let new = Best { cumulative_amount: total, signature: voucher.signature() };
        self.slots.insert(number, Slot { before, id, best: new, accepted_ms: now_ms, has_grown: true });
        let growth = total.saturating_sub(best.map_or(0, |b| b.cumulative_amount));
        let entry = self.grown.entry((voucher.payee(), voucher.token(), now_ms / MS_PER_DAY)).or_default();
        *entry = (entry.0.saturating_add(growth), entry.1.saturating_add(1));
        Ok(Accepted { cumulative_amount: total, growth, accepted_ms: now_ms })
    }

    async fn write(&self, tx: &Transaction<'_>) -> Result<(), Failure> {
        let grown = || self.slots.iter().filter(|(_, slot)| slot.has_grown);
        let (new, old): (Vec<_>, Vec<_>) = grown().partition(|(_, slot)| slot.before.is_none());
        if !new.is_empty() {
            insert(tx, &new).await?;
        }
        if !old.is_empty() {
            replace(tx, &old).await?;
        }
        if !self.grown.is_empty() {
            self.write_totals(tx).await?;
        }
        Ok(())
    }

    /// Adds what the commit grew: one write a (payee, token, day), not one a voucher. Last, since relayers wait for each other here.
    async fn write_totals(&self, tx: &Transaction<'_>) -> Result<(), Failure> {
        let keys = || self.grown.keys();
        let payees: Vec<&[u8]> = keys().map(|(payee, ..)| &payee.0[..]).collect();
        let tokens: Vec<&[u8]> = keys().map(|(_, token, _)| &token.0[..]).collect();
        let days: Vec<_> = keys().map(|(.., day)| int(*day)).collect();
        let growth: Vec<_> = self.grown.values().map(|(growth, _)| Amount(*growth)).collect();
        let counts: Vec<_> = self.grown.values().map(|(_, count)| int(*count)).collect();
        // A sum stays within what an amount can be, as everywhere.
        let sql = "INSERT INTO totals (payee, token, day, accepted, vouchers)
             SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::numeric[], $5::bigint[])
             ON CONFLICT (payee, token, day) DO UPDATE SET vouchers = totals.vouchers + excluded.vouchers,
                 accepted = least(totals.accepted + excluded.accepted, 340282366920938463463374607431768211455)";
        tx.execute(&tx.prepare_cached(sql).await?, &[&payees, &tokens, &days, &growth, &counts]).await?;
        Ok(())
    }
}

/// Columns of slots, in arrays.
struct Columns<'a> {
    books: Vec<i64>,
    serials: Vec<i64>,
    ids: Vec<&'a [u8]>,
    amounts: Vec<Amount>,
    signatures: Vec<&'a [u8]>,
    accepted_ms: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(slots: &[(&'a ChannelNumber, &'a Slot)]) -> Self {
        Self {
            books: slots.iter().map(|(n, _)| i64::from(n.book)).collect(),
            serials: slots.iter().map(|(n, _)| i64::from(n.serial)).collect(),
            ids: slots.iter().map(|(_, s)| &s.id[..]).collect(),
            amounts: slots.iter().map(|(_, s)| Amount(s.best.cumulative_amount)).collect(),
            signatures: slots.iter().map(|(_, s)| &s.best.signature.0[..]).collect(),
            accepted_ms: slots.iter().map(|(_, s)| int(s.accepted_ms)).collect(),
        }
    }
}

/// Channels that had no voucher. One that has by now was another process's.
async fn insert(tx: &Transaction<'_>, slots: &[(&ChannelNumber, &Slot)]) -> Result<(), Failure> {
    let c = Columns::of(slots);
    let sql = "INSERT INTO vouchers (book, serial, channel_id, cumulative_amount, signature, accepted_ms, set_aside)
         SELECT *, NULL FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::numeric[], $5::bytea[], $6::bigint[])
         ON CONFLICT (book, serial) DO NOTHING";
    let written = tx.execute(&tx.prepare_cached(sql).await?, &[&c.books, &c.serials, &c.ids, &c.amounts, &c.signatures, &c.accepted_ms]).await?;
    all(written, slots.len())
}

/// Compare and set: a voucher is only ever replaced by a higher one of the same channel, and only if it is still the one that was read.
async fn replace(tx: &Transaction<'_>, slots: &[(&ChannelNumber, &Slot)]) -> Result<(), Failure> {
    let c = Columns::of(slots);
    let before = || slots.iter().filter_map(|(_, s)| s.before.as_ref());
    let ids_before: Vec<&[u8]> = before().map(|(id, _)| &id[..]).collect();
    let amounts_before: Vec<_> = before().map(|(_, amount)| Amount(*amount)).collect();
    let sql = "UPDATE vouchers v SET channel_id = n.channel_id, cumulative_amount = n.cumulative_amount, signature = n.signature,
             accepted_ms = n.accepted_ms, set_aside = NULL
         FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::numeric[], $5::bytea[], $6::bigint[], $7::bytea[], $8::numeric[])
             AS n (book, serial, channel_id, cumulative_amount, signature, accepted_ms, id_before, amount_before)
         WHERE v.book = n.book AND v.serial = n.serial AND v.channel_id = n.id_before AND v.cumulative_amount = n.amount_before
             AND (n.cumulative_amount > v.cumulative_amount OR n.channel_id <> v.channel_id)";
    let statement = tx.prepare_cached(sql).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [&c.books, &c.serials, &c.ids, &c.amounts, &c.signatures, &c.accepted_ms, &ids_before, &amounts_before];
    all(tx.execute(&statement, &values).await?, slots.len())
}

fn all(written: u64, expected: usize) -> Result<(), Failure> {
    if usize::try_from(written).is_ok_and(|written| written == expected) { Ok(()) } else { Err(Failure::Raced) }
}
