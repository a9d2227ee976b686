//! A statement as text: one [`Row`] a line, written as CSV or JSON. What stands in a row is the same in both.

mod csv;
mod json;

pub use csv::csv;
pub use json::json;

use rivulet_chain::Chain;
use rivulet_client::statement::{Payments, token_name};
use rivulet_core::ids::Address;
use rivulet_rules::{
    chain::ContractKind,
    statement::{Date, Line, Period, time_text},
    text,
};

/// What all lines share.
pub struct Context<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// Whose statement.
    pub payee: Address,
    /// What a line stands for.
    pub period: Period,
    /// What was read.
    pub read: &'a Payments,
}

/// A line as it is written: a value for each of [`COLUMNS`].
pub type Row = [Value; COLUMNS.len()];

/// A value as it is written.
pub enum Value {
    /// Ours: digits, hex, dates, names of tokens.
    Plain(String),
    /// The payer's own words.
    Foreign(String),
    /// A number.
    Count(u64),
    /// Several.
    List(Vec<String>),
}

/// The payer's reference where it is text: UTF-8 without control characters, filled up with zeros.
pub fn reference(memo: &[u8; 32]) -> Option<&str> {
    let end = memo.iter().rposition(|b| *b != 0)?.checked_add(1)?;
    let text = std::str::from_utf8(memo.get(..end)?).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// A transaction as explorers name it: block and place in it.
fn transaction((block, index): &(u64, Option<u32>)) -> String {
    index.map_or_else(|| block.to_string(), |index| format!("{block}-{index}"))
}

/// The columns, in order.
pub const COLUMNS: [&str; 19] = [
    "from",
    "to",
    "kind",
    "id",
    "number",
    "payer",
    "reference",
    "memo",
    "token",
    "paid",
    "relay_fee",
    "received",
    "paid_units",
    "relay_fee_units",
    "received_units",
    "claims",
    "first_block",
    "last_block",
    "transactions",
];

impl Context<'_> {
    /// A line's values, by column.
    pub fn row(&self, line: &Line) -> Row {
        use Value::{Count, Foreign, List, Plain};
        let (token, decimals) = token_name(self.chain, &line.source.token);
        let last = line.covers.end.saturating_sub(1);
        let (from, to) = match self.period {
            Period::Claim => (time_text(line.covers.start), time_text(line.covers.start)),
            Period::Day | Period::Month => (Date::of(line.covers.start).to_string(), Date::of(last).to_string()),
        };
        let kind = match line.source.contract {
            ContractKind::Channels => "channel",
            ContractKind::Streams => "stream",
        };
        let has_memo = line.source.memo != [0; 32];
        let whole = |units| Plain(text::whole(units, decimals));
        let units = |units: u128| Plain(units.to_string());
        let block = |end: Option<&(u64, Option<u32>)>| Count(end.map_or(0, |(block, _)| *block));
        [
            Plain(from),
            Plain(to),
            Plain(kind.into()),
            Plain(text::hex(&line.source.id)),
            Plain(line.number.to_string()),
            Plain(line.source.payer.to_string()),
            Foreign(reference(&line.source.memo).unwrap_or_default().to_owned()),
            Plain(if has_memo { text::hex(&line.source.memo) } else { String::new() }),
            Plain(token),
            whole(line.paid),
            whole(line.relay_fees),
            whole(line.received()),
            units(line.paid),
            units(line.relay_fees),
            units(line.received()),
            Count(line.claims),
            block(line.transactions.first()),
            block(line.transactions.last()),
            List(line.transactions.iter().map(transaction).collect()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memo(text: &[u8]) -> [u8; 32] {
        let mut memo = [0; 32];
        memo[..text.len()].copy_from_slice(text);
        memo
    }

    #[test]
    fn a_reference_is_shown_where_it_is_text() {
        assert_eq!(reference(&memo("Rechnung 7, März".as_bytes())), Some("Rechnung 7, März"));
        assert_eq!(reference(&memo(&[0xff, 1])), None);
        assert_eq!(reference(&memo(b"a\nb")), None);
        assert_eq!(reference(&[0; 32]), None);
    }

    #[test]
    fn a_transaction_is_its_block_and_its_place() {
        assert_eq!([transaction(&(7, Some(2))), transaction(&(7, None))], ["7-2", "7"]);
    }
}
