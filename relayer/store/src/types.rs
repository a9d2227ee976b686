//! What goes into the store and comes out.

use rivulet_core::ids::{Address, ChannelId, ChannelNumber, Number, StreamId, StreamNumber, Token};
use rivulet_rules::{
    accept::Best,
    chain::{BlockHead, BlockRef, BookState, ChannelState, ContractKind, SignedTx},
    reconcile::{IntentRow, RowResult},
};

/// Whose database it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeploymentId {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The chain's first block.
    pub genesis_hash: [u8; 32],
    /// The channels contract.
    pub channels: Address,
    /// The streams contract.
    pub streams: Address,
}

/// A voucher is on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The channel's best total: the voucher's own.
    pub cumulative_amount: u128,
    /// What it grew by; 0 when it was stored before.
    pub growth: u128,
    /// When it was stored (Unix milliseconds): the first time, if more than once.
    pub accepted_ms: u64,
}

/// A channel as last seen, and its best voucher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredChannel {
    /// Its record on the chain; as last seen when it is closed.
    pub state: ChannelState,
    /// Its id.
    pub channel_id: ChannelId,
    /// True when the record on the chain is gone.
    pub is_closed: bool,
    /// The best voucher of this id.
    pub best: Option<Best>,
    /// When it was accepted (Unix milliseconds).
    pub accepted_ms: Option<u64>,
    /// Why the best voucher is not claimed.
    pub set_aside: Option<String>,
}

/// Something that happened to a channel, or its whole record. Every value is absolute, so applying one twice is harmless.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // lives for one call
pub enum ChannelUpdate {
    /// What the chain has.
    Live {
        /// The record.
        state: ChannelState,
        /// Its id.
        channel_id: ChannelId,
    },
    /// Something was paid out.
    Claimed {
        /// Of which.
        number: ChannelNumber,
        /// Paid out in all.
        claimed: u128,
    },
    /// The deposit grew or shrank.
    Deposit {
        /// Of which.
        number: ChannelNumber,
        /// The new total.
        deposit: u128,
    },
    /// The payer asked to close.
    CloseRequested {
        /// Which.
        number: ChannelNumber,
        /// When it can be finished (Unix seconds).
        due_at: u64,
    },
    /// The payer asked for a part of its balance, or no longer does.
    RefundRequested {
        /// Which.
        number: ChannelNumber,
        /// How much.
        amount: u128,
        /// When it can be finished (Unix seconds).
        due_at: Option<u64>,
    },
    /// The record is gone.
    Closed {
        /// Which.
        number: ChannelNumber,
        /// What was paid out in its life, if an event said so.
        claimed: Option<u128>,
    },
}

impl ChannelUpdate {
    /// Which channel.
    pub fn number(&self) -> ChannelNumber {
        match self {
            Self::Live { state, .. } => state.terms.number,
            Self::Claimed { number, .. }
            | Self::Deposit { number, .. }
            | Self::CloseRequested { number, .. }
            | Self::RefundRequested { number, .. }
            | Self::Closed { number, .. } => *number,
        }
    }
}

/// What became of a stream. What it owes is not stored: it changes by the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamUpdate {
    /// It has a record.
    Live {
        /// Which.
        number: StreamNumber,
        /// Its id.
        stream_id: StreamId,
    },
    /// It may owe something else than before: no longer set aside.
    Changed {
        /// Which.
        number: StreamNumber,
    },
    /// Its payee's side was handed over. The old number is closed.
    Moved {
        /// Where it was.
        number: StreamNumber,
        /// Where it is.
        new_number: StreamNumber,
    },
    /// Its record is gone.
    Ended {
        /// Which.
        number: StreamNumber,
    },
}

/// What finalized blocks said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChainUpdate {
    /// Everything up to this block has been taken in; `None`: as before.
    pub cursor: Option<BlockHead>,
    /// Channels, each with the block that it was read at or that changed it. What an older block said never overwrites what a newer one did.
    pub channels: Vec<(u64, ChannelUpdate)>,
    /// Books, each with the block that it was read at. What was read at an older block never overwrites what was read at a newer one.
    pub books: Vec<(u64, ContractKind, BookState)>,
    /// Streams, in the order of what happened.
    pub streams: Vec<StreamUpdate>,
    /// What was paid out, in the blocks up to the new cursor.
    pub claims: Vec<BookClaim>,
}

/// What a claim paid out of one book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookClaim {
    /// From which contract.
    pub contract: ContractKind,
    /// From which book.
    pub book: u32,
    /// In which block.
    pub block_number: u64,
    /// The block's time (Unix seconds).
    pub at: u64,
    /// Paid out, relay fee included.
    pub gain: u128,
    /// Of it, the relay fee.
    pub fee: u128,
    /// How many rows.
    pub rows: u64,
}

/// What a payee earned on one day in one token through one contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayEarnings {
    /// Days since 1970-01-01 (UTC).
    pub day: u64,
    /// Vouchers are of channels; streams are only claimed.
    pub contract: ContractKind,
    /// Which token.
    pub token: Token,
    /// What accepted vouchers grew by.
    pub accepted: u128,
    /// How many vouchers grew it.
    pub vouchers: u64,
    /// Paid out in finalized blocks, relay fees included, whoever claimed.
    pub claimed: u128,
    /// Of it, relay fees.
    pub fees: u128,
    /// How many rows were claimed.
    pub rows: u64,
}

/// A channel that could be claimed from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// Its record.
    pub state: ChannelState,
    /// Its best voucher.
    pub best: Best,
    /// When a claim of it was last sent, by the chain's clock (Unix seconds).
    pub sent_at: Option<u64>,
}

/// A channel that could be claimed from, as far as choosing needs to know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unclaimed {
    /// Which.
    pub number: ChannelNumber,
    /// What a claim would pay out.
    pub gain: u128,
    /// When a claim of it was last sent, or else it was opened (Unix seconds).
    pub last_at: u64,
}

/// Some of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UnclaimedPage {
    /// By number.
    pub rows: Vec<Unclaimed>,
    /// There may be more after this number.
    pub next: Option<ChannelNumber>,
}

/// A stream that could be claimed from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingStream {
    /// Which.
    pub number: StreamNumber,
    /// When a claim of it was last sent, by the chain's clock (Unix seconds).
    pub sent_at: Option<u64>,
}

/// The number of a lease to claim: another holder's is another number, and a later holder's a higher one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fence(pub i64);

/// An intent's place in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IntentId(pub i64);

/// What is about to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIntent {
    /// To which contract.
    pub contract: ContractKind,
    /// The calldata.
    pub blob: Vec<u8>,
    /// The signed transaction.
    pub tx: SignedTx,
    /// Its rows.
    pub rows: Vec<IntentRow>,
    /// The chain's clock when it was decided (Unix seconds).
    pub sent_at: u64,
    /// When (Unix milliseconds).
    pub created_ms: u64,
    /// The lease under which it was decided.
    pub fence: Fence,
}

/// An intent whose end is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// To which contract.
    pub contract: ContractKind,
    /// The signed transaction.
    pub tx: SignedTx,
    /// Its rows.
    pub rows: Vec<IntentRow>,
    /// When it was recorded (Unix milliseconds).
    pub created_ms: u64,
}

/// What became of an intent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IntentEnd {
    /// In a finalized block, and it succeeded.
    Finalized {
        /// Where.
        block: BlockRef,
        /// What it cost.
        fee_planck: Option<u128>,
        /// Each row's outcome.
        results: Vec<RowResult>,
    },
    /// In a finalized block, and it failed.
    Failed {
        /// Where.
        block: BlockRef,
        /// What it cost.
        fee_planck: Option<u128>,
        /// Why.
        reason: String,
    },
    /// It can never be included.
    Expired {
        /// Why.
        reason: String,
    },
}

/// A row to be left out of batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetAside {
    /// Of which contract.
    pub contract: ContractKind,
    /// Which row.
    pub number: Number,
    /// The voucher's total: a higher one that came meanwhile is not set aside.
    pub cumulative_amount: u128,
    /// Why: an outcome's name.
    pub reason: &'static str,
}

/// What a payee has earned in one token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Earnings {
    /// Which token.
    pub token: Token,
    /// Channels, closed ones included.
    pub channels: u64,
    /// Sum of the best vouchers.
    pub accepted: u128,
    /// Paid out on the chain, relay fees included, whoever claimed.
    pub claimed: u128,
    /// Accepted, covered and not yet claimed.
    pub pending: u128,
    /// Accepted and out of reach: the channel was closed before it was claimed, or the row is set aside.
    pub lost: u128,
}

/// Counts for the log, readiness and metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Channels known.
    pub channels: u64,
    /// Channels with a voucher.
    pub vouchers: u64,
    /// Intents whose end is not known.
    pub open_intents: u64,
    /// Vouchers set aside.
    pub set_aside: u64,
}

/// How far a database had come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// How often a relayer had started on it.
    pub generation: u64,
    /// When a voucher was last stored (Unix milliseconds); 0: never.
    pub last_accepted_ms: u64,
}

/// A channel of which the chain has paid out more than the best voucher stored allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClaimedAbove {
    /// Which.
    pub number: ChannelNumber,
    /// Who was paid.
    pub payee: Address,
    /// The best voucher stored.
    pub best: u128,
    /// Paid out on the chain.
    pub claimed: u128,
}

/// How many channels [`Doubts`] names at most.
pub const DOUBTS_SHOWN: usize = 20;

/// What speaks for a database that is an old copy put back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Doubts {
    /// It was put back from a backup that was taken then (Unix milliseconds).
    pub taken_ms: Option<u64>,
    /// When a voucher was last stored in it, as far as it knows (Unix milliseconds); 0: never.
    pub last_accepted_ms: u64,
    /// What stood in its place had come further than it.
    pub mark: Option<Mark>,
    /// Channels whose claims were made with vouchers that are not here: the first [`DOUBTS_SHOWN`].
    pub claimed_above: Vec<ClaimedAbove>,
    /// How many they are.
    pub claimed_above_count: u64,
    /// The nonce after the last one that the signer is known to have used, apart from transactions that were lost.
    pub next_nonce: Option<u64>,
}
