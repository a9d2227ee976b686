//! What can go wrong for a client.

use rivulet_core::ids::{Address, Token};

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain, or the contract on it.
    #[error(transparent)]
    Chain(#[from] rivulet_chain::Error),
    /// The relayer could not be reached or did not answer in time. Sending the same voucher again is harmless.
    #[error("the relayer did not answer: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The relayer did not take what was sent.
    #[error("the relayer refused it: {0}")]
    Rejected(Box<crate::relay::Problem>),
    /// The relayer answered something that cannot be understood.
    #[error("cannot understand the relayer's answer: {0}")]
    Answer(String),
    /// The relayer says that it has the voucher, but does not sign for it with the key that it should. Sending the same voucher again is harmless.
    #[error("the relayer did not acknowledge the voucher: expected a signature by {expected}, found {}", given.map_or("none".into(), |a| a.to_string()))]
    NotAcknowledged {
        /// The relayer's acknowledgement key.
        expected: Address,
        /// What the signature recovers to.
        given: Option<Address>,
    },
    /// A native amount that the chain cannot move.
    #[error("{amount} wei of {token}: expected a multiple of {grain}, the smallest amount that the chain can move")]
    NotMovable {
        /// The amount.
        amount: u128,
        /// The token.
        token: Token,
        /// The smallest amount that moves.
        grain: u128,
    },
    /// A total that is not covered by the channel's deposit, or below what was promised before.
    #[error("a total of {total}: expected at least {promised} and at most {deposit}")]
    BadTotal {
        /// What was to be promised.
        total: u128,
        /// What was promised before.
        promised: u128,
        /// What the channel holds in all.
        deposit: u128,
    },
    /// A voucher that is said to be ours, and is not.
    #[error("the voucher was not signed here: expected {expected}, found {}", given.map_or("no key".into(), |a| a.to_string()))]
    NotOurs {
        /// Our voucher key's address.
        expected: Address,
        /// What the signature recovers to.
        given: Option<Address>,
    },
    /// A transaction succeeded without the event that it should have emitted.
    #[error("the transaction succeeded without {0}")]
    MissingEvent(&'static str),
    /// A statement that does not add up: the node left something out, or is not the chain it seems.
    #[error("the statement does not add up: {0}")]
    Statement(#[from] rivulet_rules::statement::StatementError),
    /// A key that cannot be used. The key is not repeated here.
    #[error("not a usable key: {0}")]
    BadKey(&'static str),
}
