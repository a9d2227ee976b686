//! Which rows go into the next transaction, and its blob.
//!
//! A row is worth what carrying it earns the relayer; for the operator's own payees it is worth its whole gain. It costs what it adds to the
//! transaction: bytes, proof, computation, and for the first row of a book that book's payout. Rows that do not pay for themselves are never sent,
//! whatever waits with them, so dust cannot starve value; rows that do are taken by deadline, then by value; the batch goes when together they also pay
//! for the transaction. A payee with a schedule is claimed for once a slot. A row past half of its challenge period goes even alone, schedule or not.

mod backlog;
mod cost;
mod explain;
mod schedule;
mod select;
mod value;

pub use backlog::Backlog;
pub use cost::{CostModel, Shape};
pub use explain::{WhyNot, why_not};
pub use schedule::Schedule;
pub use select::{choose, row_bytes};
pub use value::{BookView, TokenValue, fee_earned};

use crate::{
    accept::Best,
    chain::{ChannelState, StreamState},
};
use rivulet_core::{
    blob::{StreamRow, VoucherRow},
    channel::Channel,
    ids::{Address, Number, Token},
};
use std::collections::{BTreeMap, BTreeSet};

/// One hundred percent, in hundredths of a percent.
pub const BPS: u128 = 10_000;

/// How batches are chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Whose fees are the operator's: what goes to another beneficiary is worth nothing here.
    pub beneficiary: Address,
    /// Payees of the operator itself: their gains count in full.
    pub own_payees: BTreeSet<Address>,
    /// What a unit of each token is worth. The native token needs no entry.
    pub token_values: BTreeMap<Token, TokenValue>,
    /// The contract's ceiling of relay fees, in hundredths of a percent.
    pub fee_ceiling_bps: u16,
    /// How much value is asked for, in hundredths of a percent of the cost: 10000 is break-even, 0 claims whatever is pending.
    pub min_value_bps: u32,
    /// How often a payee's rows go.
    pub schedule: Schedule,
    /// The most rows in a batch.
    pub max_rows: usize,
    /// The longest blob, in bytes.
    pub max_blob_bytes: usize,
    /// Pay the existential deposit of a payee that does not exist yet, when its group is worth it.
    pub fund_new: bool,
}

impl Policy {
    /// True when this value is enough for this cost.
    pub fn is_worth(&self, value_planck: u128, cost_planck: u128) -> bool {
        value_planck.saturating_mul(BPS) >= cost_planck.saturating_mul(u128::from(self.min_value_bps))
    }
}

/// Until when a row must be on the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Deadline {
    /// From then on the payer can take the money back (Unix seconds).
    pub due_at: u64,
    /// The challenge period it is the end of.
    pub period_secs: u32,
}

impl Deadline {
    /// True past half of the period: the row goes even alone. Not earlier, or a payer could force a transaction by asking and withdrawing.
    pub fn is_pressing(&self, now: u64) -> bool {
        now >= self.due_at.saturating_sub(u64::from(self.period_secs / 2))
    }
}

/// A row that could be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate<P> {
    /// Which channel or stream.
    pub number: Number,
    /// What it would pay out, fee included.
    pub gain: u128,
    /// When the payer has asked for the money back.
    pub deadline: Option<Deadline>,
    /// When it was last sent, or else opened or started (Unix seconds).
    pub last_at: u64,
    /// True when its record may end with the claim: that takes more weight than a dry run before its end shows.
    pub may_end: bool,
    /// What the blob carries.
    pub payload: P,
}

/// What claiming this total from this channel would pay out now: 0 when nothing.
pub fn gain(state: &ChannelState, cumulative_amount: u128) -> u128 {
    state.record().gain(&state.terms.token, cumulative_amount).1
}

/// The same, from all that it depends on.
pub fn gain_of(token: &Token, deposit: u128, claimed: u128, cumulative_amount: u128) -> u128 {
    let nobody = Address::ZERO;
    let record = Channel {
        payer: nobody,
        voucher_signer: nobody,
        deposit,
        claimed,
        challenge_period_secs: 0,
        opened_at: 0,
        close_due_at: 0,
        refund_requested: 0,
        refund_due_at: 0,
    };
    record.gain(token, cumulative_amount).1
}

/// The row of a channel and its best voucher; `None` when it would pay nothing. `now`: time of the block that the state is of; `sent_at`: when a claim of it
/// was last sent.
pub fn channel_candidate(state: &ChannelState, best: &Best, sent_at: Option<u64>, now: u64) -> Option<Candidate<VoucherRow>> {
    let Best { cumulative_amount, signature } = *best;
    let gain = gain(state, cumulative_amount);
    // Whichever timer runs out first. A refund in part endangers only totals above what it leaves; one that lapsed endangers nothing, or it would press
    // for ever and a payer could make every voucher a transaction.
    let is_above = cumulative_amount > state.deposit.saturating_sub(state.refund_requested);
    let refund = state.refund_due_at.filter(|_| is_above && now < state.record().refund_lapses_at());
    let due_at = [state.close_due_at, refund].into_iter().flatten().min();
    (gain > 0).then_some(Candidate {
        number: state.terms.number,
        gain,
        deadline: due_at.map(|due_at| Deadline { due_at, period_secs: state.terms.challenge_period_secs }),
        last_at: sent_at.unwrap_or(state.terms.opened_at),
        may_end: false,
        payload: VoucherRow { cumulative_amount, signature },
    })
}

/// A transaction that is sent now is in a block long before this, in seconds: the longest mortality, 4,096 blocks of 6 s.
const UNTIL_INCLUDED: u64 = 24_576;

/// The row of a stream; `None` when it would pay nothing. `sent_at`: when a claim of it was last sent; `now`: time of the block that the state is of.
pub fn stream_candidate(state: &StreamState, sent_at: Option<u64>, now: u64) -> Option<Candidate<StreamRow>> {
    let gain = rivulet_core::amount::floor_to_grain(&state.token, state.covered_debt);
    let last_at = sent_at.unwrap_or(state.start_at);
    // No deadline: what is owed and covered nobody can take back.
    // Its end may come between the dry run and the block that carries the claim.
    let may_end = state.end_at != 0 && (now..=now.saturating_add(UNTIL_INCLUDED)).contains(&state.end_at);
    (gain > 0).then_some(Candidate { number: state.number, gain, deadline: None, last_at, may_end, payload: StreamRow })
}

/// A row of a chosen batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row<P> {
    /// Which channel or stream.
    pub number: Number,
    /// What it is expected to pay out.
    pub gain: u128,
    /// What it is worth to the relayer.
    pub value_planck: u128,
    /// What the blob carries.
    pub payload: P,
}

/// A transaction worth sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch<P> {
    /// The calldata.
    pub blob: Vec<u8>,
    /// Its rows, in the blob's order.
    pub rows: Vec<Row<P>>,
    /// What they are worth together.
    pub value_planck: u128,
    /// What the transaction is expected to cost.
    pub cost_planck: u128,
    /// How many rows may end with the claim though they have not yet.
    pub ends: usize,
    /// True when a deadline presses: it goes whether it pays for the transaction or not.
    pub is_pressing: bool,
}

/// What to do now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice<P> {
    /// Send this.
    Send(Batch<P>),
    /// There are rows that pay for themselves, but not for the transaction.
    Wait {
        /// How many.
        rows: usize,
        /// What they are worth.
        value_planck: u128,
        /// What sending them would cost.
        cost_planck: u128,
    },
    /// No row pays for itself.
    Nothing,
}
