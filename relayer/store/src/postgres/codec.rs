//! Values as they travel to and from Postgres.

use super::db::Failure;
use bytes::{BufMut, BytesMut};
use rivulet_core::ids::{Number, Token};
use rivulet_rules::chain::ContractKind;
use std::error::Error;
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

/// An amount as NUMERIC: all of u128, compared and added by the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount(pub u128);

/// NUMERIC's digits count to this.
const BASE: u128 = 10_000;
/// The header's four fields and a digit have two bytes each.
const FIELD: usize = 2;

impl ToSql for Amount {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let mut digits = Vec::new();
        let mut rest = self.0;
        while rest > 0 {
            digits.push(i16::try_from(rest % BASE)?);
            rest /= BASE;
        }
        let count = i16::try_from(digits.len())?;
        out.put_i16(count);
        out.put_i16(count.saturating_sub(1).max(0)); // weight of the first digit
        out.put_i16(0); // positive
        out.put_i16(0); // no digits behind the point
        digits.iter().rev().for_each(|digit| out.put_i16(*digit));
        Ok(IsNull::No)
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Amount {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let mut fields = raw.chunks_exact(FIELD).map(|field| i16::from_be_bytes([field[0], field[1]]));
        let mut field = || fields.next().ok_or("a NUMERIC is cut short");
        let (count, weight, sign, scale) = (field()?, field()?, field()?, field()?);
        // The last digits are not sent when they are zero; an amount has none behind the point.
        if sign != 0 || scale != 0 || count < 0 || weight < count.saturating_sub(1) {
            return Err("a NUMERIC is no amount".into());
        }
        let mut value = 0u128;
        for place in 0..=weight {
            let digit = if place < count { field()? } else { 0 };
            let digit = u128::try_from(digit)?;
            value = value.checked_mul(BASE).and_then(|v| v.checked_add(digit)).ok_or("a NUMERIC is beyond 2^128")?;
        }
        Ok(Self(value))
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
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

fn damaged(column: usize, what: &str) -> Failure {
    Failure::damaged(format!("column {column}: {what}"))
}

/// A contract from a number.
pub fn contract_at(row: &Row, column: usize) -> Result<ContractKind, Failure> {
    match row.try_get::<_, i64>(column)? {
        0 => Ok(ContractKind::Channels),
        1 => Ok(ContractKind::Streams),
        other => Err(damaged(column, &format!("contract {other}"))),
    }
}

/// Exactly `N` bytes.
pub fn bytes_at<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], Failure> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| damaged(column, &format!("{} bytes instead of {N}", bytes.len())))
}

/// An address, of an account or a token.
pub fn address_at(row: &Row, column: usize) -> Result<Token, Failure> {
    bytes_at(row, column).map(rivulet_core::ids::Address)
}

/// An amount.
pub fn amount_at(row: &Row, column: usize) -> Result<u128, Failure> {
    Ok(row.try_get::<_, Amount>(column)?.0)
}

/// A number that is not negative and fits its type.
pub fn uint_at<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, Failure> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| damaged(column, &format!("{value} is out of range")))
}

/// The same, or NULL.
pub fn some_uint_at<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<Option<T>, Failure> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(|v| T::try_from(v).map_err(|_| damaged(column, &format!("{v} is out of range")))).transpose()
}

/// Book and serial, in two columns.
pub fn number_at(row: &Row, column: usize) -> Result<Number, Failure> {
    Ok(Number { book: uint_at(row, column)?, serial: uint_at(row, column.saturating_add(1))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(value: u128) -> u128 {
        let mut bytes = BytesMut::new();
        Amount(value).to_sql(&Type::NUMERIC, &mut bytes).unwrap();
        Amount::from_sql(&Type::NUMERIC, &bytes).unwrap().0
    }

    #[test]
    fn amounts_travel_as_numeric_and_come_back() {
        for shift in 0..128 {
            for value in [1u128 << shift, (1u128 << shift) - 1, u128::MAX >> shift] {
                assert_eq!(there_and_back(value), value);
            }
        }
        let mut power = 1u128;
        while let Some(next) = power.checked_mul(10) {
            assert_eq!((there_and_back(power), there_and_back(power - 1)), (power, power - 1));
            power = next;
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let numeric = |fields: &[i16]| fields.iter().flat_map(|f| f.to_be_bytes()).collect::<Vec<_>>();
        for fields in [
            &[1, 0, 0x4000, 0, 5][..], // negative
            &[1, -1, 0, 4, 5],         // below one
            &[2, 0, 0, 2, 1, 5000],    // a fraction
            &[1, 0, 0, 0],             // cut short
            &[1, 10, 0, 0, 1],         // 10^40
            &[0, 0, -0x4000, 0],       // not a number
        ] {
            assert!(Amount::from_sql(&Type::NUMERIC, &numeric(fields)).is_err(), "{fields:?}");
        }
        // Trailing zeros are left out by the server: 50,000 is one digit of weight 1.
        assert_eq!(Amount::from_sql(&Type::NUMERIC, &numeric(&[1, 1, 0, 0, 5])).unwrap(), Amount(50_000));
    }
}
