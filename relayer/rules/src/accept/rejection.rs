//! Why a voucher was not taken.

use crate::text::hex;
use rivulet_core::{
    ids::{Address, ChannelId, ChannelNumber},
    signature::CompactSignature,
};

/// The best voucher stored for a channel: what a client resumes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Best {
    /// Its total.
    pub cumulative_amount: u128,
    /// Its signature.
    pub signature: CompactSignature,
}

/// Why a voucher was not taken. Codes are stable; a client may act on them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejection {
    /// A field is missing, has another type or another form.
    #[error("{field}: expected {expected}, got {given}")]
    Malformed {
        /// Which field.
        field: &'static str,
        /// Its form.
        expected: &'static str,
        /// What came.
        given: String,
    },
    /// The number has not been given out, as of the last finalized block.
    #[error("channel {0} is not known at the last finalized block")]
    UnknownChannel(ChannelNumber),
    /// The channel's record is gone: nothing more can be claimed.
    #[error("channel {0} is closed")]
    ChannelClosed(ChannelNumber),
    /// The number is another channel's: a reorg may have renumbered it.
    #[error("channel_id: expected {}, got {}", hex(&expected.0), hex(&given.0))]
    WrongChannelId {
        /// The id of the channel with that number.
        expected: ChannelId,
        /// What came.
        given: ChannelId,
    },
    /// This relayer does not work for that payee.
    #[error("this relayer does not serve payee {0}")]
    PayeeNotServed(Address),
    /// No key can be recovered from the signature.
    #[error("signature: expected a secp256k1 signature of the voucher, got one that no key can have made")]
    BadSignature,
    /// Signed, but by nobody who may.
    #[error(
        "signature: expected one by {}, got one by {given}: another key, or a signature of another total, channel, chain or contract",
        either(voucher_signer, payer)
    )]
    WrongSigner {
        /// The channel's voucher signer.
        voucher_signer: Address,
        /// Its payer.
        payer: Address,
        /// Who signed this voucher, or another one.
        given: Address,
    },
    /// The store has a higher total.
    #[error("cumulative_amount: expected more than {}, got {given}", best.cumulative_amount)]
    Stale {
        /// What the store has.
        best: Best,
        /// What came.
        given: u128,
    },
    /// The payer has asked to close: only what was taken before counts.
    #[error("channel {number} is closing, due at {due_at}: no new vouchers")]
    ChannelClosing {
        /// Which channel.
        number: ChannelNumber,
        /// When it can be finished (Unix seconds).
        due_at: u64,
    },
    /// The total is more than the deposit less what the payer has asked back.
    #[error("cumulative_amount: expected at most {covered}, got {given}")]
    NotCovered {
        /// How far the money goes.
        covered: u128,
        /// What came.
        given: u128,
    },
    /// The channel is in a block that is not final yet, and the total is more than what is risked on one.
    #[error("channel {number} is not final yet: expected a total of at most {most}, got {given}")]
    NotFinal {
        /// Which channel.
        number: ChannelNumber,
        /// The highest total until it is final.
        most: u128,
        /// What came.
        given: u128,
    },
    /// A channel's first voucher must pay for carrying it.
    #[error("cumulative_amount: expected a first total of at least {least}, got {given}")]
    FirstTotalTooSmall {
        /// The least first total.
        least: u128,
        /// What came.
        given: u128,
    },
}

/// Who may sign.
fn either(voucher_signer: &Address, payer: &Address) -> String {
    if voucher_signer == payer { payer.to_string() } else { format!("{voucher_signer} (the channel's voucher signer) or {payer} (its payer)") }
}

impl Rejection {
    /// Every code that a voucher's refusal may have.
    pub const CODES: [&str; 12] = [
        "malformed",
        "unknown_channel",
        "channel_closed",
        "wrong_channel_id",
        "payee_not_served",
        "bad_signature",
        "wrong_signer",
        "stale",
        "channel_closing",
        "not_covered",
        "not_final",
        "first_total_too_small",
    ];

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::UnknownChannel(_) => "unknown_channel",
            Self::ChannelClosed(_) => "channel_closed",
            Self::WrongChannelId { .. } => "wrong_channel_id",
            Self::PayeeNotServed(_) => "payee_not_served",
            Self::BadSignature => "bad_signature",
            Self::WrongSigner { .. } => "wrong_signer",
            Self::Stale { .. } => "stale",
            Self::ChannelClosing { .. } => "channel_closing",
            Self::NotCovered { .. } => "not_covered",
            Self::NotFinal { .. } => "not_final",
            Self::FirstTotalTooSmall { .. } => "first_total_too_small",
        }
    }

    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Malformed { field, .. } => field,
            Self::UnknownChannel(_) | Self::ChannelClosed(_) | Self::ChannelClosing { .. } => "serial",
            Self::PayeeNotServed(_) => "book",
            Self::WrongChannelId { .. } => "channel_id",
            Self::BadSignature | Self::WrongSigner { .. } => "signature",
            Self::Stale { .. } | Self::NotCovered { .. } | Self::NotFinal { .. } | Self::FirstTotalTooSmall { .. } => "cumulative_amount",
        }
    }

    /// What would have been taken.
    pub fn expected(&self) -> String {
        match self {
            Self::Malformed { expected, .. } => (*expected).to_owned(),
            Self::UnknownChannel(_) => "a channel known at the last finalized block".to_owned(),
            Self::ChannelClosed(_) | Self::ChannelClosing { .. } => "an open channel".to_owned(),
            Self::WrongChannelId { expected, .. } => hex(&expected.0),
            Self::PayeeNotServed(_) => "a channel of a payee this relayer serves".to_owned(),
            Self::BadSignature => "a secp256k1 signature of the voucher".to_owned(),
            Self::WrongSigner { voucher_signer, payer, .. } => format!("signed by {}", either(voucher_signer, payer)),
            Self::Stale { best, .. } => format!("more than {}", best.cumulative_amount),
            Self::NotCovered { covered, .. } => format!("at most {covered}"),
            Self::NotFinal { most, .. } => format!("at most {most} until the channel's block is final"),
            Self::FirstTotalTooSmall { least, .. } => format!("at least {least}"),
        }
    }

    /// What came.
    pub fn given(&self) -> String {
        match self {
            Self::Malformed { given, .. } => given.clone(),
            Self::UnknownChannel(number) => number.to_string(),
            Self::ChannelClosed(number) => format!("{number}, closed"),
            Self::ChannelClosing { number, due_at } => format!("{number}, closing, due at {due_at}"),
            Self::WrongChannelId { given, .. } => hex(&given.0),
            Self::PayeeNotServed(payee) => payee.to_string(),
            Self::BadSignature => "one that no key can have made".to_owned(),
            Self::WrongSigner { given, .. } => format!("signed by {given}"),
            Self::Stale { given, .. } | Self::NotCovered { given, .. } | Self::NotFinal { given, .. } | Self::FirstTotalTooSmall { given, .. } => {
                given.to_string()
            }
        }
    }

    /// What the store has, when that is the answer: the client goes on from there.
    pub fn best(&self) -> Option<&Best> {
        match self {
            Self::Stale { best, .. } => Some(best),
            _ => None,
        }
    }
}
