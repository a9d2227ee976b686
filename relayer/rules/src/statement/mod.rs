//! What a payee was paid, claim by claim, from the contracts' events: for its books, not for the relayer.
//!
//! - [`Reader`]: takes blocks in order, keeps the total of every channel and stream of one payee, and makes a [`Payment`] of every row that paid.
//! - [`lines`]: payments by claim, day or month. [`totals`]: their sums by token.
//! - [`Date`]: days in UTC.
//!
//! An event carries each row's total after the claim and the sums of its group. What a row paid is the difference of two totals, its relay fee follows
//! from the book's terms at that block's time; both are added up and compared with what the group says. So a statement that comes out is exact, and one
//! that was begun from wrong figures or with a block left out does not come out.
//!
//! ```
//! use rivulet_rules::statement::Date;
//! let day: Date = "2026-11-20".parse()?;
//! assert_eq!(day.ends_at() - day.starts_at(), 86_400);
//! # Ok::<(), rivulet_rules::statement::NotADate>(())
//! ```

mod calendar;
mod lines;
mod reader;

pub use calendar::{DAY_SECS, Date, NotADate, time_text};
pub use lines::{Line, Period, Total, lines, totals};
pub use reader::Reader;

use crate::chain::ContractKind;
use rivulet_core::ids::{Address, Number, Token};

/// Where money came from: a channel or a stream, as it was created.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Source {
    /// Channel or stream.
    pub contract: ContractKind,
    /// Its id, which stays when a stream is handed over.
    pub id: [u8; 32],
    /// Who pays.
    pub payer: Address,
    /// What is paid.
    pub token: Token,
    /// The payer's reference; zeros for channels, which have none.
    pub memo: [u8; 32],
}

/// One row of one claim that paid something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment {
    /// When: its block's time (Unix seconds).
    pub at: u64,
    /// In which block.
    pub block: u64,
    /// By which transaction of the block; `None` outside any.
    pub extrinsic_index: Option<u32>,
    /// From where.
    pub source: Source,
    /// Its number then.
    pub number: Number,
    /// What left the deposit, relay fee included.
    pub paid: u128,
    /// Of it, the relay fee.
    pub relay_fee: u128,
}

/// Why no statement came out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StatementError {
    /// Something was paid from a channel or stream that was never seen.
    #[error("block {block}: {contract:?} {number} paid, and nothing is known of it: a block before it was left out")]
    Unknown {
        /// Which block.
        block: u64,
        /// Of which contract.
        contract: ContractKind,
        /// Which number.
        number: Number,
    },
    /// A row's total is below what was paid before.
    #[error("block {block}: {contract:?} {number} has paid {found} in all, and had paid {before} before")]
    Fell {
        /// Which block.
        block: u64,
        /// Of which contract.
        contract: ContractKind,
        /// Which number.
        number: Number,
        /// Before.
        before: u128,
        /// Now.
        found: u128,
    },
    /// Rows do not add up to what their group says.
    #[error("block {block}: the rows of book {book} come to a {what} of {added}, the event says {said}")]
    Sum {
        /// Which block.
        block: u64,
        /// Which book.
        book: u32,
        /// Gain or relay fee.
        what: &'static str,
        /// By the rows.
        added: u128,
        /// By the event.
        said: u128,
    },
    /// What was read comes to another total than the chain has.
    #[error("{contract:?} {number} has paid {found} in all by the chain's record, and {added} by its events")]
    Total {
        /// Of which contract.
        contract: ContractKind,
        /// Which number.
        number: Number,
        /// By events.
        added: u128,
        /// By the record.
        found: u128,
    },
}
