//! What a backup holds: every table, in an order in which rows can be put back, with what each column is.
//!
//! A test compares this with both schemas, so a migration that adds a column is not forgotten here.

/// What a column holds, however each database keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A number up to 2^63 − 1.
    Int,
    /// Yes or no: 1 or 0 in SQLite.
    Bool,
    /// Up to 2^128 − 1: 16 bytes, big-endian, in SQLite; NUMERIC in Postgres.
    Amount,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// Its columns' names.
    pub fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

use Kind::{Amount, Bool, Bytes, Int, Text};

/// Every table, but those that say how a database works, not what it knows: migrations and leases.
pub const TABLES: &[Table] = &[
    Table { name: "deployment", columns: &[("id", Int), ("chain_id", Int), ("genesis_hash", Bytes), ("channels", Bytes), ("streams", Bytes)] },
    Table { name: "marks", columns: &[("id", Int), ("generation", Int), ("last_accepted_ms", Int), ("taken_ms", Int)] },
    Table { name: "cursor", columns: &[("id", Int), ("block_number", Int), ("block_hash", Bytes), ("block_at", Int)] },
    Table {
        name: "books",
        columns: &[
            ("contract", Int),
            ("book", Int),
            ("payee", Bytes),
            ("token", Bytes),
            ("next_serial", Int),
            ("beneficiary", Bytes),
            ("fee_bps", Int),
            ("flat_fee", Amount),
            ("min_gain", Amount),
            ("until_at", Int),
            ("seen_at_block", Int),
        ],
    },
    Table {
        name: "channels",
        columns: &[
            ("book", Int),
            ("serial", Int),
            ("channel_id", Bytes),
            ("payer", Bytes),
            ("payee", Bytes),
            ("voucher_signer", Bytes),
            ("token", Bytes),
            ("challenge_period_secs", Int),
            ("opened_at", Int),
            ("deposit", Amount),
            ("claimed", Amount),
            ("close_due_at", Int),
            ("refund_requested", Amount),
            ("refund_due_at", Int),
            ("is_closed", Bool),
            ("seen_at_block", Int),
        ],
    },
    Table {
        name: "vouchers",
        columns: &[
            ("book", Int),
            ("serial", Int),
            ("channel_id", Bytes),
            ("cumulative_amount", Amount),
            ("signature", Bytes),
            ("accepted_ms", Int),
            ("set_aside", Text),
        ],
    },
    Table { name: "totals", columns: &[("payee", Bytes), ("token", Bytes), ("day", Int), ("accepted", Amount), ("vouchers", Int)] },
    Table { name: "claims_by_day", columns: &[("contract", Int), ("book", Int), ("day", Int), ("gain", Amount), ("fee", Amount), ("rows", Int)] },
    Table { name: "streams", columns: &[("book", Int), ("serial", Int), ("stream_id", Bytes), ("is_ended", Bool), ("set_aside", Text)] },
    Table {
        name: "intents",
        columns: &[
            ("id", Int),
            ("contract", Int),
            ("signer", Bytes),
            ("nonce", Int),
            ("valid_from_block", Int),
            ("valid_until_block", Int),
            ("tx_hash", Bytes),
            ("tx_bytes", Bytes),
            ("blob", Bytes),
            ("state", Text),
            ("created_ms", Int),
            ("block_number", Int),
            ("block_hash", Bytes),
            ("fee_planck", Amount),
            ("reason", Text),
        ],
    },
    Table {
        name: "intent_rows",
        columns: &[
            ("intent_id", Int),
            ("contract", Int),
            ("book", Int),
            ("serial", Int),
            ("cumulative_amount", Amount),
            ("gain", Amount),
            ("is_open", Bool),
            ("outcome", Int),
            ("total", Amount),
        ],
    },
    Table { name: "row_claims", columns: &[("contract", Int), ("book", Int), ("serial", Int), ("sent_at", Int)] },
];
