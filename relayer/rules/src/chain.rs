//! What the relayer knows of the chain: plain data, filled by `rivulet-chain`, judged by the rules.
//!
//! Amounts are in the token's smallest unit as contracts count it (native: wei, 18 decimals). Fees of extrinsics are in planck (10 decimals).

use rivulet_core::{
    channel::Channel,
    fee::RelayTerms,
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Number, StreamId, StreamNumber, Token},
    outcome::RowOutcome,
};

/// Wei in a planck: contracts see 18 decimals, extrinsics 10.
pub const WEI_PER_PLANCK: u128 = 100_000_000;

/// A 32-byte account, as extrinsics are signed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Account(pub [u8; 32]);

/// The hash of an extrinsic: blake2-256 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxHash(pub [u8; 32]);

/// A block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlockRef {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// A block's head: where it stands and when it was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlockHead {
    /// Which block.
    pub block: BlockRef,
    /// Its timestamp (Unix seconds), as contracts see it.
    pub now: u64,
}

/// Which of the two contracts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContractKind {
    /// Payment channels.
    Channels,
    /// Per-second streams.
    Streams,
}

/// A channel with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelState {
    /// All that was fixed at open. The id is its hash: `terms.channel_id(..)`.
    pub terms: ChannelTerms,
    /// What the payer has locked in all.
    pub deposit: u128,
    /// What has been paid out in all.
    pub claimed: u128,
    /// When a requested close can be finished (Unix seconds); `None` while the channel is open.
    pub close_due_at: Option<u64>,
    /// What the payer asked to have back; 0: nothing.
    pub refund_requested: u128,
    /// When that refund can be finished (Unix seconds).
    pub refund_due_at: Option<u64>,
}

impl ChannelState {
    /// As the contract has it, so that its own rules say what it covers and pays.
    pub fn record(&self) -> Channel {
        Channel {
            payer: self.terms.payer,
            voucher_signer: self.terms.voucher_signer,
            deposit: self.deposit,
            claimed: self.claimed,
            challenge_period_secs: self.terms.challenge_period_secs,
            opened_at: self.terms.opened_at,
            close_due_at: self.close_due_at.unwrap_or(0),
            refund_requested: self.refund_requested,
            refund_due_at: self.refund_due_at.unwrap_or(0),
        }
    }
}

/// What the chain says of a channel number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // short-lived; a box would be allocated for every lookup
pub enum ChannelView {
    /// Its serial has not been given out.
    Unknown,
    /// It has ended; its record is gone.
    Closed,
    /// Open or closing.
    Live(ChannelState),
}

/// A book: all channels, or all streams, of one (payee, token).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookState {
    /// Its number.
    pub book: u32,
    /// Whose it is.
    pub payee: Address,
    /// What is paid.
    pub token: Token,
    /// The serial that the next channel or stream will get.
    pub next_serial: u32,
    /// What carrying a row earns.
    pub terms: RelayTerms,
}

/// A stream with a record, as of one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamState {
    /// Where it is.
    pub number: StreamNumber,
    /// Its id.
    pub stream_id: StreamId,
    /// The contract's status code (append-only).
    pub status: u8,
    /// Who pays.
    pub payer: Address,
    /// Who is paid.
    pub payee: Address,
    /// What is paid.
    pub token: Token,
    /// Rate × 1e9; 0 while paused.
    pub rate_per_second_scaled: u128,
    /// When it starts (Unix seconds).
    pub start_at: u64,
    /// When it ends (Unix seconds); 0: open-ended.
    pub end_at: u64,
    /// The payer's reference.
    pub memo: [u8; 32],
    /// What the payer has put in.
    pub deposit: u128,
    /// What has been paid out.
    pub paid: u128,
    /// Owed and covered by the balance: what a claim would pay at this block.
    pub covered_debt: u128,
    /// When the deposit runs out (Unix seconds); 0: never, as things stand.
    pub depletes_at: u64,
}

/// A row of a `Claimed` event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClaimedRow {
    /// The row's serial.
    pub serial: u32,
    /// What became of it.
    pub outcome: RowOutcome,
    /// Claimed (channel) or paid (stream) so far; 0 for Unknown and Closed.
    pub total: u128,
}

/// An event of one of the two contracts, as far as the relayer needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContractEvent {
    /// First open, create or setTerms of a pair.
    BookCreated {
        /// The book.
        book: u32,
        /// Whose.
        payee: Address,
        /// Of what.
        token: Token,
    },
    /// New relay terms.
    TermsSet {
        /// Of which book.
        book: u32,
        /// The terms.
        terms: RelayTerms,
    },
    /// A claim, or one group of a batch.
    Claimed {
        /// Which book.
        book: u32,
        /// Paid out in all, fee included.
        gain: u128,
        /// Of it, the relay fee.
        fee: u128,
        /// Each row's outcome.
        rows: Vec<ClaimedRow>,
    },
    /// A payout did not go through.
    Credited {
        /// Whose credit.
        owner: Address,
        /// In what.
        token: Token,
        /// How much.
        amount: u128,
    },
    /// A channel was opened.
    ChannelOpened {
        /// Its terms.
        terms: ChannelTerms,
        /// Its id, as the contract says.
        channel_id: ChannelId,
        /// The first deposit.
        amount: u128,
    },
    /// A deposit grew (both contracts).
    ToppedUp {
        /// Whose.
        number: Number,
        /// The new total.
        deposit: u128,
    },
    /// The payer asked to close.
    CloseRequested {
        /// Which channel.
        number: ChannelNumber,
        /// When it can be finished (Unix seconds).
        due_at: u64,
    },
    /// The payer asked for a part of its balance, or took that back.
    RefundRequested {
        /// Which channel.
        number: ChannelNumber,
        /// How much.
        amount: u128,
        /// When it can be finished (Unix seconds); 0: taken back.
        due_at: u64,
    },
    /// A part of the balance went back to the payer (both contracts).
    Refunded {
        /// Which channel or stream.
        number: Number,
        /// How much.
        amount: u128,
        /// What is left of the deposit.
        deposit: u128,
    },
    /// A channel's record is gone.
    Closed {
        /// Which.
        number: ChannelNumber,
        /// Paid out in its life.
        claimed: u128,
        /// What the payer got back.
        refund: u128,
    },
    /// A stream was created.
    StreamCreated {
        /// Where.
        number: StreamNumber,
        /// Its id.
        stream_id: StreamId,
        /// Who pays.
        payer: Address,
        /// Who is paid.
        payee: Address,
        /// What is paid.
        token: Token,
        /// The payer's reference.
        memo: [u8; 32],
    },
    /// A stream was paused or resumed, its rate or its balance changed: what it owes has to be read again.
    StreamChanged {
        /// Which.
        number: StreamNumber,
    },
    /// A stream was ended early, and what it owes has to be read again.
    StreamCancelled {
        /// Which.
        number: StreamNumber,
        /// What is the payee's: paid when the payee cancelled, else claimable.
        due: u128,
        /// What is the payer's: paid when the payer's side cancelled, else its credit.
        refund: u128,
    },
    /// A stream was ended by a void: it moves no money, and what it owes has to be read again.
    StreamVoided {
        /// Which.
        number: StreamNumber,
        /// What stays claimable.
        due: u128,
        /// What was owed and not covered: gone for good.
        written_off: u128,
    },
    /// The payee's side of a stream went to somebody else: its record moved to that payee's book. Its id stays.
    StreamHandedOver {
        /// Where it was. That number is closed.
        number: StreamNumber,
        /// Where it is now.
        new_number: StreamNumber,
        /// Who was paid.
        from: Address,
        /// Who is paid from now on.
        to: Address,
    },
    /// A stream's record is gone.
    StreamEnded {
        /// Which.
        number: StreamNumber,
        /// Paid out in its life.
        paid: u128,
        /// What the payer got back at the end.
        remainder: u128,
    },
}

/// An event and where it stands in its block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// Which contract emitted it.
    pub contract: ContractKind,
    /// The extrinsic it came from; `None` outside any.
    pub extrinsic_index: Option<u32>,
    /// What happened.
    pub event: ContractEvent,
}

/// Computation and state proof that a call takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Weight {
    /// Picoseconds.
    pub ref_time_ps: u64,
    /// Bytes of state proof.
    pub proof_size_bytes: u64,
}

/// What fees are made of right now, the fee multiplier included where the chain applies it.
/// `fee = base + length + max(ref time, proof)`: Polkadot Hub charges the dearer of the two dimensions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeModel {
    /// Every extrinsic.
    pub base_planck: u128,
    /// A byte of the extrinsic.
    pub per_byte_planck: u128,
    /// A second of ref time.
    pub per_ref_time_sec_planck: u128,
    /// A MiB of proof.
    pub per_proof_mib_planck: u128,
    /// What an account must hold to exist: the cost of paying to a new one.
    pub existential_deposit_planck: u128,
    /// The most weight that one extrinsic may ask for.
    pub max_extrinsic: Weight,
}

impl FeeModel {
    /// The fee of this much weight, rounded up.
    pub fn weight_fee_planck(&self, weight: Weight) -> u128 {
        let time = u128::from(weight.ref_time_ps).saturating_mul(self.per_ref_time_sec_planck).div_ceil(1_000_000_000_000);
        let proof = u128::from(weight.proof_size_bytes).saturating_mul(self.per_proof_mib_planck).div_ceil(1 << 20);
        time.max(proof)
    }

    /// The fee of an extrinsic of this weight and length.
    pub fn fee_planck(&self, weight: Weight, length_bytes: usize) -> u128 {
        self.base_planck.saturating_add((length_bytes as u128).saturating_mul(self.per_byte_planck)).saturating_add(self.weight_fee_planck(weight))
    }
}

/// What a claim batch would do, by a dry run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DryRun {
    /// What it needs (not only what it used).
    pub weight: Weight,
    /// Storage deposit that the submitter would pay.
    pub storage_deposit_planck: u128,
    /// The fee of a transaction with this weight.
    pub fee_planck: u128,
    /// Each row's outcome in the blob's order; `Err` when the contract refused the whole blob, with its reason.
    pub outcomes: Result<Vec<RowOutcome>, String>,
}

/// The limits that a claim transaction is sent with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClaimLimits {
    /// Weight limit.
    pub weight: Weight,
    /// Storage deposit limit.
    pub storage_deposit_planck: u128,
}

/// A transaction, signed and ready to send. The bytes are stored before they are sent: sending the same bytes twice is harmless.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedTx {
    /// The whole extrinsic.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: TxHash,
    /// Who signed it.
    pub signer: Account,
    /// The signer's nonce in it.
    pub nonce: u64,
    /// The first block whose chain its mortality is bound to.
    pub valid_from_block: u64,
    /// The last block that can include it.
    pub valid_until_block: u64,
}

/// A transaction found in a finalized block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncludedTx {
    /// Where.
    pub block: BlockRef,
    /// Its index there.
    pub extrinsic_index: u32,
    /// `Err` when it failed (a reverted call, out of gas), with the chain's reason. A failed transaction changed nothing but its fee.
    pub result: Result<(), String>,
    /// What its signer paid, if the chain says.
    pub fee_planck: Option<u128>,
    /// The contract's events of this extrinsic, in order.
    pub events: Vec<ContractEvent>,
}

/// Why the chain did not answer or not take something.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChainError {
    /// Nobody answered, or too late, or the answer was cut short. Trying again may help.
    #[error("the node did not answer: {0}")]
    Unavailable(String),
    /// The node refused the transaction for good: expired, too large, badly signed.
    #[error("the node refused the transaction: {0}")]
    Refused(String),
    /// Another transaction has its nonce, in the pool or in a block; or it is that transaction itself.
    #[error("the node refused the transaction: {0}")]
    NonceTaken(String),
    /// Its signer cannot pay for it.
    #[error("the node refused the transaction: {0}")]
    Unfunded(String),
    /// The node no longer has what an old block changed: what it came to has to be read from the newest one.
    #[error("the node no longer has the block: {0}")]
    Pruned(String),
    /// The node answered something that cannot be understood: another runtime or contract than this one was built for.
    #[error("unexpected answer from the node: {0}")]
    Unexpected(String),
    /// Nodes contradict each other or what was recorded, and it cannot be told who is right. Nothing may be done on what they say.
    #[error("no node can be believed: {0}")]
    Disputed(String),
}

impl ChainError {
    /// True when trying again may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
