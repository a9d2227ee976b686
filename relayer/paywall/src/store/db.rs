//! The statements.

use super::{Accepted, Channel, Charge, Outcome, Owner, PurchaseId, PurchaseRow, StoreError};
use crate::grant::{Account, Purchase, Refused};
use rivulet_core::{
    ids::{Address, ChannelId, ChannelNumber, Number},
    signature::CompactSignature,
};
use rusqlite::{Connection, OptionalExtension, Row, types::Type};
use std::path::Path;

/// The shape of the tables. Another one is refused.
const VERSION: i64 = 1;

pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    // FULL: in WAL mode, NORMAL would lose commits on a power cut.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000;")?;
    Ok(db)
}

pub fn make_tables(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema.sql"))
}

fn bytes_at<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    let bytes = row.get_ref(column)?.as_blob()?;
    let what = || format!("{} bytes instead of {N}", bytes.len()).into();
    bytes.try_into().map_err(|_| rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, what()))
}

fn amount_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u128> {
    bytes_at(row, column).map(u128::from_be_bytes)
}

fn int(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

/// Writes whose store it is, or compares.
pub fn check(db: &Connection, expected: Option<&Owner>) -> Result<(), StoreError> {
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?, Address(bytes_at(row, 2)?), Address(bytes_at(row, 3)?)));
    let found = db.query_row("SELECT schema_version, chain_id, channels, payee FROM owner", [], read).optional()?;
    let other = |field, found: String, expected: String| Err(StoreError::Other { field, found, expected });
    match (found, expected) {
        (None, None) => Err(StoreError::Database("not a paywall's database".to_owned())),
        (None, Some(Owner { at, payee })) => {
            let sql = "INSERT INTO owner (id, schema_version, chain_id, channels, payee) VALUES (1, ?1, ?2, ?3, ?4)";
            db.execute(sql, (VERSION, int(at.chain_id), at.contract.0, payee.0))?;
            Ok(())
        }
        (Some((version, ..)), _) if version != VERSION => other("schema_version", version.to_string(), VERSION.to_string()),
        (Some(_), None) => Ok(()),
        (Some((_, chain_id, channels, payee)), Some(expected)) => match () {
            () if chain_id != expected.at.chain_id => other("chain_id", chain_id.to_string(), expected.at.chain_id.to_string()),
            () if channels != expected.at.contract => other("channels", channels.to_string(), expected.at.contract.to_string()),
            () if payee != expected.payee => other("payee", payee.to_string(), expected.payee.to_string()),
            () => Ok(()),
        },
    }
}

pub fn channel(db: &Connection, id: &ChannelId) -> Result<Option<Channel>, StoreError> {
    let sql = "SELECT book, serial, payer, token, accepted, signature, charged, returned FROM channels WHERE channel_id = ?1";
    let read = |row: &Row<'_>| {
        let signature = match row.get_ref(5)?.as_blob_or_null()? {
            Some(_) => Some(CompactSignature(bytes_at(row, 5)?)),
            None => None,
        };
        Ok(Channel {
            id: *id,
            number: Number { book: row.get(0)?, serial: row.get(1)? },
            payer: Address(bytes_at(row, 2)?),
            token: Address(bytes_at(row, 3)?),
            account: Account { accepted: amount_at(row, 4)?, charged: amount_at(row, 6)?, returned: amount_at(row, 7)? },
            signature,
        })
    };
    Ok(db.prepare_cached(sql)?.query_row([&id.0], read).optional()?)
}

pub fn insert_channel(db: &Connection, channel: &Channel, now: u64) -> Result<(), StoreError> {
    let Channel { id, number, payer, token, account, signature } = channel;
    let mut insert = db.prepare_cached(
        "INSERT INTO channels (channel_id, book, serial, payer, token, accepted, signature, charged, returned, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (channel_id) DO NOTHING",
    )?;
    let amount = |v: u128| v.to_be_bytes();
    insert.execute((
        id.0,
        number.book,
        number.serial,
        payer.0,
        token.0,
        amount(account.accepted),
        signature.map(|s| s.0),
        amount(account.charged),
        amount(account.returned),
        int(now),
    ))?;
    Ok(())
}

/// Writes an account that was read in the same transaction.
fn write_account(db: &Connection, id: &ChannelId, account: &Account) -> Result<(), StoreError> {
    let mut update = db.prepare_cached("UPDATE channels SET charged = ?2, returned = ?3 WHERE channel_id = ?1")?;
    update.execute((id.0, account.charged.to_be_bytes(), account.returned.to_be_bytes()))?;
    Ok(())
}

/// A total that the relayer accepted: it only ever grows, whatever was read before.
fn accept(db: &Connection, id: &ChannelId, accepted: Option<&Accepted>) -> Result<(), StoreError> {
    if let Some(Accepted { total, signature }) = accepted {
        let mut update = db.prepare_cached("UPDATE channels SET accepted = ?2, signature = ?3 WHERE channel_id = ?1 AND accepted < ?2")?;
        update.execute((id.0, total.to_be_bytes(), signature.0))?;
    }
    Ok(())
}

fn known(db: &Connection, id: &ChannelId) -> Result<Channel, StoreError> {
    channel(db, id)?.ok_or_else(|| StoreError::Database("a purchase of a channel that was not written down".to_owned()))
}

/// A purchase as it lies.
pub struct Stored {
    pub request: String,
    money: Purchase,
    requests: u32,
}

pub fn purchase(db: &Connection, id: &PurchaseId) -> Result<Option<Stored>, StoreError> {
    let sql = "SELECT request, budget, charged, requests FROM purchases WHERE channel_id = ?1 AND nonce = ?2";
    let read = |row: &Row<'_>| {
        let money = Purchase { budget: amount_at(row, 1)?, charged: amount_at(row, 2)? };
        Ok(Stored { request: row.get(0)?, money, requests: row.get(3)? })
    };
    Ok(db.prepare_cached(sql)?.query_row((id.channel.0, id.nonce), read).optional()?)
}

fn write_purchase(db: &Connection, id: &PurchaseId, money: &Purchase) -> Result<(), StoreError> {
    let mut update = db.prepare_cached("UPDATE purchases SET budget = ?3, charged = ?4 WHERE channel_id = ?1 AND nonce = ?2")?;
    update.execute((id.channel.0, id.nonce, money.budget.to_be_bytes(), money.charged.to_be_bytes()))?;
    Ok(())
}

pub fn charge(db: &Connection, charge: &Charge) -> Result<Outcome, StoreError> {
    let id = &charge.id;
    // What was accepted counts, whatever becomes of the purchase.
    accept(db, &id.channel, charge.accepted.as_ref())?;
    let mut account = known(db, &id.channel)?.account;
    let before = purchase(db, id)?;
    let (mut money, requests) = match &before {
        Some(p) if p.request != charge.request => return Ok(Outcome::Replayed),
        Some(p) if p.requests >= charge.most_requests => return Ok(Outcome::UsedUp),
        Some(p) => (p.money, p.requests),
        None => (Purchase::default(), 0),
    };
    money.budget = money.budget.max(charge.budget);
    let charged = if charge.is_step { account.charge(&mut money, charge.price) } else { account.charge_up_to(&mut money, charge.price) };
    let due = match charged {
        Ok(due) => due,
        Err(refused) => return Ok(Outcome::Refused(refused)),
    };
    if due > 0 {
        write_account(db, &id.channel, &account)?;
    }
    let mut upsert = db.prepare_cached(
        "INSERT INTO purchases (channel_id, nonce, request, budget, charged, requests, valid_until, bought_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (channel_id, nonce) DO UPDATE SET budget = excluded.budget, charged = excluded.charged, requests = excluded.requests,
             valid_until = max(valid_until, excluded.valid_until)",
    )?;
    upsert.execute((
        id.channel.0,
        id.nonce,
        &charge.request,
        money.budget.to_be_bytes(),
        money.charged.to_be_bytes(),
        requests.saturating_add(1),
        int(charge.valid_until),
        int(charge.now),
    ))?;
    Ok(Outcome::Granted { due, cost: money.charged })
}

pub fn charge_more(db: &Connection, id: &PurchaseId, due: u128) -> Result<(), StoreError> {
    let mut account = known(db, &id.channel)?.account;
    let mut money = purchase(db, id)?.ok_or(StoreError::NoPurchase)?.money;
    account.charge(&mut money, due)?;
    write_account(db, &id.channel, &account)?;
    write_purchase(db, id, &money)
}

pub fn raise(db: &Connection, id: &PurchaseId, budget: u128, valid_until: u64, accepted: Option<&Accepted>) -> Result<(), StoreError> {
    accept(db, &id.channel, accepted)?;
    let mut money = purchase(db, id)?.ok_or(StoreError::NoPurchase)?.money;
    money.budget = money.budget.max(budget);
    write_purchase(db, id, &money)?;
    let mut update = db.prepare_cached("UPDATE purchases SET valid_until = max(valid_until, ?3) WHERE channel_id = ?1 AND nonce = ?2")?;
    update.execute((id.channel.0, id.nonce, int(valid_until)))?;
    Ok(())
}

pub fn give_back(db: &Connection, id: &PurchaseId, amount: Option<u128>) -> Result<u128, StoreError> {
    let mut account = channel(db, &id.channel)?.ok_or(StoreError::NoPurchase)?.account;
    let mut money = purchase(db, id)?.ok_or(StoreError::NoPurchase)?.money;
    let amount = amount.unwrap_or(money.charged);
    if amount == 0 {
        return Err(Refused::NotCharged { charged: money.charged, asked: 0 }.into());
    }
    account.give_back(&mut money, amount)?;
    write_account(db, &id.channel, &account)?;
    write_purchase(db, id, &money)?;
    Ok(amount)
}

pub fn forget(db: &Connection, before: u64, now: u64) -> Result<usize, StoreError> {
    // Only what is expired: as long as a purchase may be asked for, its nonce must be known.
    Ok(db.execute("DELETE FROM purchases WHERE bought_at < ?1 AND valid_until < ?2", (int(before), int(now)))?)
}

pub fn purchases(db: &Connection, number: Option<ChannelNumber>, limit: u32) -> Result<Vec<PurchaseRow>, StoreError> {
    let sql = "SELECT p.channel_id, p.nonce, c.book, c.serial, c.payer, c.token, p.request, p.charged, p.requests, p.bought_at
        FROM purchases p JOIN channels c USING (channel_id) WHERE ?1 IS NULL OR (c.book = ?1 AND c.serial = ?2) ORDER BY p.bought_at DESC LIMIT ?3";
    let read = |row: &Row<'_>| {
        Ok(PurchaseRow {
            id: PurchaseId { channel: ChannelId(bytes_at(row, 0)?), nonce: bytes_at(row, 1)? },
            number: Number { book: row.get(2)?, serial: row.get(3)? },
            payer: Address(bytes_at(row, 4)?),
            token: Address(bytes_at(row, 5)?),
            request: row.get(6)?,
            charged: amount_at(row, 7)?,
            requests: row.get(8)?,
            bought_at: row.get(9)?,
        })
    };
    let mut query = db.prepare(sql)?;
    let rows = query.query_map((number.map(|n| n.book), number.map(|n| n.serial), limit), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
