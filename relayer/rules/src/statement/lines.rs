//! Payments as a book-keeper wants them: by claim, day or month, and their sums.

use super::{Date, Payment, Source};
use rivulet_core::ids::{Number, Token};
use std::{collections::BTreeMap, ops::Range};

/// What one line stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Period {
    /// One row of one claim.
    Claim,
    /// All that a channel or stream paid in a day (UTC).
    #[default]
    Day,
    /// All that a channel or stream paid in a calendar month (UTC).
    Month,
}

/// What one channel or stream paid in one period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// From when to when (Unix seconds, half-open): the period, as far as the statement covers it; a claim's own second.
    pub covers: Range<u64>,
    /// From where.
    pub source: Source,
    /// Its number at the last claim.
    pub number: Number,
    /// Rows that paid.
    pub claims: u64,
    /// What left the deposit, relay fees included.
    pub paid: u128,
    /// Of it, relay fees.
    pub relay_fees: u128,
    /// The blocks and, in them, the transactions that paid, in order.
    pub transactions: Vec<(u64, Option<u32>)>,
}

impl Line {
    /// What the payee got.
    pub fn received(&self) -> u128 {
        // A fee is at most what it is taken from.
        self.paid.saturating_sub(self.relay_fees)
    }
}

/// Sums of one token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Total {
    /// Lines.
    pub lines: u64,
    /// Rows that paid.
    pub claims: u64,
    /// What left deposits, relay fees included.
    pub paid: u128,
    /// Of it, relay fees.
    pub relay_fees: u128,
}

impl Total {
    /// What the payee got.
    pub fn received(&self) -> u128 {
        self.paid.saturating_sub(self.relay_fees)
    }
}

/// The period around a time.
fn around(period: Period, at: u64) -> Range<u64> {
    let day = Date::of(at);
    match period {
        Period::Claim => at..at.saturating_add(1),
        Period::Day => day.starts_at()..day.ends_at(),
        Period::Month => day.first_of_month().starts_at()..day.last_of_month().ends_at(),
    }
}

/// Lines of these payments, by time, then by where the money came from. `covers`: what the statement covers (Unix seconds, half-open); payments outside it
/// are left out.
pub fn lines(payments: &[Payment], period: Period, covers: &Range<u64>) -> Vec<Line> {
    let mut lines = BTreeMap::<_, Line>::new();
    for (place, payment) in payments.iter().enumerate().filter(|(_, p)| covers.contains(&p.at)) {
        let Payment { at, block, extrinsic_index, source, number, paid, relay_fee } = *payment;
        let around = around(period, at);
        // A claim is a line of its own, however many there are in a second.
        let place = if period == Period::Claim { place } else { 0 };
        let line = lines.entry((around.start, place, source.contract, number.book, source.id)).or_insert_with(|| Line {
            covers: around.start.max(covers.start)..around.end.min(covers.end),
            source,
            number,
            claims: 0,
            paid: 0,
            relay_fees: 0,
            transactions: Vec::new(),
        });
        line.number = number;
        line.claims = line.claims.saturating_add(1);
        // Sums of amounts below 2^96.
        line.paid = line.paid.saturating_add(paid);
        line.relay_fees = line.relay_fees.saturating_add(relay_fee);
        if line.transactions.last() != Some(&(block, extrinsic_index)) {
            line.transactions.push((block, extrinsic_index));
        }
    }
    lines.into_values().collect()
}

/// Sums by token.
pub fn totals(lines: &[Line]) -> BTreeMap<Token, Total> {
    let mut totals = BTreeMap::<_, Total>::new();
    for line in lines {
        let total = totals.entry(line.source.token).or_default();
        total.lines = total.lines.saturating_add(1);
        total.claims = total.claims.saturating_add(line.claims);
        total.paid = total.paid.saturating_add(line.paid);
        total.relay_fees = total.relay_fees.saturating_add(line.relay_fees);
    }
    totals
}
