//! Values as they lie in columns.

use rivulet_rules::chain::ContractKind;
use rusqlite::{Row, types::Type};

/// An amount as a blob that compares as a number.
pub fn amount(v: u128) -> [u8; 16] {
    v.to_be_bytes()
}

/// A time or a count. Beyond 2^63 − 1 it is stored as that: a time this far away is never reached.
pub fn int(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

/// A contract as a number.
pub fn contract(kind: ContractKind) -> i64 {
    match kind {
        ContractKind::Channels => 0,
        ContractKind::Streams => 1,
    }
}

fn damaged(column: usize, ty: Type, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, ty, what.into())
}

/// A contract from a number.
pub fn contract_at(row: &Row<'_>, column: usize) -> rusqlite::Result<ContractKind> {
    match row.get::<_, i64>(column)? {
        0 => Ok(ContractKind::Channels),
        1 => Ok(ContractKind::Streams),
        other => Err(damaged(column, Type::Integer, format!("contract {other}"))),
    }
}

/// Exactly `N` bytes.
pub fn bytes_at<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    let bytes = row.get_ref(column)?.as_blob()?;
    bytes.try_into().map_err(|_| damaged(column, Type::Blob, format!("{} bytes instead of {N}", bytes.len())))
}

/// An amount.
pub fn amount_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u128> {
    bytes_at(row, column).map(u128::from_be_bytes)
}

/// A number that is not negative.
pub fn u64_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column)
}
