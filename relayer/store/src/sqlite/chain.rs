//! The cache of the chain.

use super::codec::{amount, amount_at, bytes_at, contract, int, u64_at};
use crate::{ChainUpdate, ChannelUpdate, StoreError, StoredChannel, StreamUpdate};
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Number},
    signature::CompactSignature,
};
use rivulet_rules::{
    accept::Best,
    batch::BookView,
    chain::{BlockHead, BlockRef, BookState, ChannelState, ContractKind},
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, types::ValueRef};
use std::collections::BTreeMap;

/// The columns that [`state_at`] reads, from the first on.
pub const STATE: &str = "c.book, c.serial, c.payer, c.payee, c.voucher_signer, c.token, c.challenge_period_secs, c.opened_at, c.deposit, c.claimed, \
     c.close_due_at, c.refund_requested, c.refund_due_at";
/// How many they are.
pub const STATE_COLUMNS: usize = 13;

/// A channel's record from a row that begins with [`STATE`].
pub fn state_at(row: &Row<'_>) -> rusqlite::Result<ChannelState> {
    Ok(ChannelState {
        terms: ChannelTerms {
            number: Number { book: row.get(0)?, serial: row.get(1)? },
            payer: Address(bytes_at(row, 2)?),
            payee: Address(bytes_at(row, 3)?),
            voucher_signer: Address(bytes_at(row, 4)?),
            token: Address(bytes_at(row, 5)?),
            challenge_period_secs: row.get(6)?,
            opened_at: u64_at(row, 7)?,
        },
        deposit: amount_at(row, 8)?,
        claimed: amount_at(row, 9)?,
        close_due_at: row.get(10)?,
        refund_requested: amount_at(row, 11)?,
        refund_due_at: row.get(12)?,
    })
}

/// What [`stored_at`] reads: channels `c` with their best vouchers `v`, if those are of the same id. Conditions follow.
const STORED: &str = "c.channel_id, c.is_closed, v.cumulative_amount, v.signature, v.accepted_ms, v.set_aside FROM channels c
     LEFT JOIN vouchers v ON v.book = c.book AND v.serial = c.serial AND v.channel_id = c.channel_id";

/// A channel with its best voucher, from a row of [`STATE`] and [`STORED`].
fn stored_at(row: &Row<'_>) -> rusqlite::Result<StoredChannel> {
    const ID: usize = STATE_COLUMNS;
    let best = match row.get_ref(ID + 2)? {
        ValueRef::Null => None,
        _ => Some(Best { cumulative_amount: amount_at(row, ID + 2)?, signature: CompactSignature(bytes_at(row, ID + 3)?) }),
    };
    Ok(StoredChannel {
        state: state_at(row)?,
        channel_id: ChannelId(bytes_at(row, ID)?),
        is_closed: row.get(ID + 1)?,
        best,
        accepted_ms: row.get(ID + 4)?,
        set_aside: row.get(ID + 5)?,
    })
}

/// A channel and its best voucher.
pub fn channel(db: &Connection, number: ChannelNumber) -> Result<Option<StoredChannel>, StoreError> {
    let sql = format!("SELECT {STATE}, {STORED} WHERE c.book = ?1 AND c.serial = ?2");
    Ok(db.prepare_cached(&sql)?.query_row((number.book, number.serial), stored_at).optional()?)
}

/// A payee's channels, closed ones included, by number.
pub fn channels_of(db: &Connection, payee: Address) -> Result<Vec<StoredChannel>, StoreError> {
    let mut query = db.prepare_cached(&format!("SELECT {STATE}, {STORED} WHERE c.payee = ?1 ORDER BY c.book, c.serial"))?;
    let rows = query.query_map([&payee.0], stored_at)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sets one value of a channel, unless it is known from a later block.
fn set(db: &Connection, column: &str, number: ChannelNumber, value: impl ToSql, block: u64) -> rusqlite::Result<()> {
    let sql = format!("UPDATE channels SET {column} = ?3, seen_at_block = ?4 WHERE book = ?1 AND serial = ?2 AND seen_at_block <= ?4");
    db.prepare_cached(&sql)?.execute((number.book, number.serial, value, int(block)))?;
    Ok(())
}

fn put_channel(db: &Connection, update: &ChannelUpdate, block: u64) -> rusqlite::Result<()> {
    match update {
        ChannelUpdate::Claimed { number, claimed } => set(db, "claimed", *number, amount(*claimed), block)?,
        ChannelUpdate::Deposit { number, deposit } => set(db, "deposit", *number, amount(*deposit), block)?,
        ChannelUpdate::CloseRequested { number, due_at } => set(db, "close_due_at", *number, int(*due_at), block)?,
        ChannelUpdate::RefundRequested { number, amount: asked, due_at } => {
            set(db, "refund_requested", *number, amount(*asked), block)?;
            set(db, "refund_due_at", *number, due_at.map(int), block)?;
        }
        ChannelUpdate::Closed { number, claimed } => {
            let sql = "UPDATE channels SET is_closed = 1, claimed = max(claimed, ifnull(?3, claimed)), seen_at_block = max(seen_at_block, ?4)
                 WHERE book = ?1 AND serial = ?2";
            db.prepare_cached(sql)?.execute((number.book, number.serial, claimed.map(amount), int(block)))?;
        }
        ChannelUpdate::Live { state, channel_id } => {
            let t = &state.terms;
            // What was seen closed at a finalized block stays closed: numbers are never reused.
            let sql =
                "INSERT INTO channels (book, serial, channel_id, payer, payee, voucher_signer, token, challenge_period_secs, opened_at, deposit,
                     claimed, close_due_at, refund_requested, refund_due_at, is_closed, seen_at_block)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, ?15)
                 ON CONFLICT (book, serial) DO UPDATE SET channel_id = excluded.channel_id, payer = excluded.payer, payee = excluded.payee,
                     voucher_signer = excluded.voucher_signer, token = excluded.token, challenge_period_secs = excluded.challenge_period_secs,
                     opened_at = excluded.opened_at, deposit = excluded.deposit, claimed = excluded.claimed, close_due_at = excluded.close_due_at,
                     refund_requested = excluded.refund_requested, refund_due_at = excluded.refund_due_at, seen_at_block = excluded.seen_at_block
                 WHERE excluded.seen_at_block >= channels.seen_at_block AND channels.is_closed = 0";
            let mut upsert = db.prepare_cached(sql)?;
            let params = rusqlite::params![
                t.number.book,
                t.number.serial,
                &channel_id.0,
                &t.payer.0,
                &t.payee.0,
                &t.voucher_signer.0,
                &t.token.0,
                t.challenge_period_secs,
                int(t.opened_at),
                amount(state.deposit),
                amount(state.claimed),
                state.close_due_at.map(int),
                amount(state.refund_requested),
                state.refund_due_at.map(int),
                int(block)
            ];
            upsert.execute(params)?;
        }
    }
    Ok(())
}

fn put_book(db: &Connection, block: u64, kind: ContractKind, book: &BookState) -> rusqlite::Result<()> {
    let terms = &book.terms;
    let sql = "INSERT INTO books (contract, book, payee, token, next_serial, beneficiary, fee_bps, flat_fee, min_gain, until_at, seen_at_block)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (contract, book) DO UPDATE SET payee = excluded.payee, token = excluded.token, next_serial = excluded.next_serial,
             beneficiary = excluded.beneficiary, fee_bps = excluded.fee_bps, flat_fee = excluded.flat_fee, min_gain = excluded.min_gain,
             until_at = excluded.until_at, seen_at_block = excluded.seen_at_block
         WHERE excluded.seen_at_block >= books.seen_at_block";
    db.prepare_cached(sql)?.execute((
        contract(kind),
        book.book,
        &book.payee.0,
        &book.token.0,
        book.next_serial,
        &terms.beneficiary.0,
        terms.fee_bps,
        amount(terms.flat_fee),
        amount(terms.min_gain),
        int(terms.until),
        int(block),
    ))?;
    Ok(())
}

fn put_stream(db: &Connection, update: &StreamUpdate) -> rusqlite::Result<()> {
    let end = |n: &Number| db.prepare_cached("UPDATE streams SET is_ended = 1 WHERE book = ?1 AND serial = ?2")?.execute((n.book, n.serial));
    match update {
        StreamUpdate::Ended { number } => end(number)?,
        StreamUpdate::Changed { number } => {
            db.prepare_cached("UPDATE streams SET set_aside = NULL WHERE book = ?1 AND serial = ?2")?.execute((number.book, number.serial))?
        }
        StreamUpdate::Moved { number, new_number } => {
            // Read anew before, it may be there already.
            let sql = "INSERT OR IGNORE INTO streams (book, serial, stream_id, is_ended, set_aside)
                 SELECT ?3, ?4, stream_id, 0, NULL FROM streams WHERE book = ?1 AND serial = ?2";
            db.prepare_cached(sql)?.execute((number.book, number.serial, new_number.book, new_number.serial))?;
            end(number)?
        }
        StreamUpdate::Live { number, stream_id } => {
            // What was seen ended stays ended: numbers are never reused.
            let sql = "INSERT INTO streams (book, serial, stream_id, is_ended, set_aside) VALUES (?1, ?2, ?3, 0, NULL)
                 ON CONFLICT (book, serial) DO UPDATE SET stream_id = excluded.stream_id, set_aside = NULL";
            db.prepare_cached(sql)?.execute((number.book, number.serial, &stream_id.0))?
        }
    };
    Ok(())
}

/// Takes in what the chain says.
pub fn apply(db: &Connection, update: &ChainUpdate) -> Result<(), StoreError> {
    for (block, kind, book) in &update.books {
        put_book(db, *block, *kind, book)?;
    }
    for (block, channel) in &update.channels {
        put_channel(db, channel, *block)?;
    }
    for stream in &update.streams {
        put_stream(db, stream)?;
    }
    // Before the cursor: it says which of them are new.
    super::payee::add_claims(db, &update.claims)?;
    if let Some(BlockHead { block, now }) = &update.cursor {
        let sql = "INSERT OR REPLACE INTO cursor (id, block_number, block_hash, block_at) VALUES (1, ?1, ?2, ?3)";
        db.prepare_cached(sql)?.execute((int(block.number), &block.hash, int(*now)))?;
    }
    Ok(())
}

/// How far the chain has been followed.
pub fn cursor(db: &Connection) -> Result<Option<BlockHead>, StoreError> {
    let read = |row: &Row<'_>| Ok(BlockHead { block: BlockRef { number: u64_at(row, 0)?, hash: bytes_at(row, 1)? }, now: u64_at(row, 2)? });
    Ok(db.query_row("SELECT block_number, block_hash, block_at FROM cursor", [], read).optional()?)
}

/// The books of a contract.
pub fn books(db: &Connection, kind: ContractKind) -> Result<BTreeMap<u32, BookView>, StoreError> {
    some_books(db, kind, None)
}

/// One book of a contract, or all.
pub fn some_books(db: &Connection, kind: ContractKind, book: Option<u32>) -> Result<BTreeMap<u32, BookView>, StoreError> {
    let (from, to) = (book.unwrap_or(0), book.unwrap_or(u32::MAX));
    let sql =
        "SELECT book, payee, token, beneficiary, fee_bps, flat_fee, min_gain, until_at FROM books WHERE contract = ?1 AND book BETWEEN ?2 AND ?3";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((contract(kind), from, to), |row| {
        let terms = RelayTerms {
            beneficiary: Address(bytes_at(row, 3)?),
            fee_bps: row.get(4)?,
            flat_fee: amount_at(row, 5)?,
            min_gain: amount_at(row, 6)?,
            until: u64_at(row, 7)?,
        };
        Ok((row.get(0)?, BookView { payee: Address(bytes_at(row, 1)?), token: Address(bytes_at(row, 2)?), terms }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
