//! Why a row is not claimed now: for people.

use super::{BookView, Candidate, CostModel, Policy, row_bytes, value::row_value_planck};
use rivulet_core::{blob::Payload, ids::Address};
use std::{collections::BTreeMap, fmt};

/// Why a row stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyNot {
    /// Its book is not known yet.
    NoBook,
    /// Its book's relay fees go to somebody else, or nobody.
    NotOurs {
        /// To whom; zero: nobody.
        beneficiary: Address,
    },
    /// Its book's terms have ended.
    TermsOver {
        /// When (Unix seconds).
        until: u64,
    },
    /// It gains less than its book's terms ask a fee for.
    BelowMinGain {
        /// The least gain that pays a fee.
        min_gain: u128,
    },
    /// The operator has not said what the token is worth.
    NoPrice,
    /// It costs more than it is worth.
    BelowCost {
        /// What it is worth.
        value_planck: u128,
        /// What it would cost, its book's payout left out.
        cost_planck: u128,
    },
    /// It pays for itself, but its payee has a schedule, and it went in this slot already.
    WaitsForSlot {
        /// When the next begins (Unix seconds).
        from: u64,
    },
    /// It pays for itself, but its book or the transaction does not yet, or there is no room.
    WithOthers {
        /// What it is worth.
        value_planck: u128,
    },
}

impl WhyNot {
    /// A word for it, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoBook => "no_book",
            Self::NotOurs { .. } => "not_ours",
            Self::TermsOver { .. } => "terms_over",
            Self::BelowMinGain { .. } => "below_min_gain",
            Self::NoPrice => "no_price",
            Self::BelowCost { .. } => "below_cost",
            Self::WaitsForSlot { .. } => "waits_for_slot",
            Self::WithOthers { .. } => "with_others",
        }
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBook => f.write_str("its book is not known yet"),
            Self::NotOurs { beneficiary } if beneficiary.is_zero() => f.write_str("its payee has set no relay terms"),
            Self::NotOurs { beneficiary } => write!(f, "its relay fee goes to {beneficiary}"),
            Self::TermsOver { until } => write!(f, "its payee's terms ended at {until}"),
            Self::BelowMinGain { min_gain } => write!(f, "its payee pays no fee for a gain below {min_gain}"),
            Self::NoPrice => f.write_str("batch.planck_per_whole does not say what its token is worth"),
            Self::BelowCost { value_planck, cost_planck } => write!(f, "worth {value_planck} planck, its row costs {cost_planck}"),
            Self::WaitsForSlot { from } => write!(f, "waits for its slot, by batch.claim_every_secs: from {from} on"),
            Self::WithOthers { value_planck } => write!(f, "worth {value_planck} planck: waits for more, or for room"),
        }
    }
}

/// Why this candidate was not chosen. It is looked at alone: what it shares with neighbours only makes it cheaper.
pub fn why_not<P: Payload>(candidate: &Candidate<P>, books: &BTreeMap<u32, BookView>, policy: &Policy, cost: &CostModel, now: u64) -> WhyNot {
    let Some(book) = books.get(&candidate.number.book) else { return WhyNot::NoBook };
    let value_planck = row_value_planck(book, policy, candidate.gain, now);
    let cost_planck = cost.row_planck(row_bytes(&candidate.payload), 1);
    let is_pressing = candidate.deadline.is_some_and(|d| d.is_pressing(now));
    let due_at = policy.schedule.due_at(&book.payee, candidate.last_at);
    if !is_pressing && now < due_at && policy.is_worth(value_planck, cost_planck) {
        return WhyNot::WaitsForSlot { from: due_at };
    }
    if value_planck > 0 && policy.is_worth(value_planck, cost_planck) {
        return WhyNot::WithOthers { value_planck };
    }
    let is_own = policy.own_payees.contains(&book.payee);
    if !is_own && book.terms.beneficiary != policy.beneficiary {
        return WhyNot::NotOurs { beneficiary: book.terms.beneficiary };
    }
    if !is_own && now >= book.terms.until {
        return WhyNot::TermsOver { until: book.terms.until };
    }
    if !is_own && candidate.gain < book.terms.min_gain {
        return WhyNot::BelowMinGain { min_gain: book.terms.min_gain };
    }
    if !book.token.is_zero() && !policy.token_values.contains_key(&book.token) {
        return WhyNot::NoPrice;
    }
    WhyNot::BelowCost { value_planck, cost_planck }
}
