//! What can go wrong for a client.

use crate::SignedVoucher;
use rivulet_core::ids::{Address, ChannelId, ChannelNumber, Token};
use std::path::PathBuf;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain, or the contract on it.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Chain(#[from] rivulet_chain::Error),
    /// The relayer could not be reached or did not answer in time. Sending the same voucher again is harmless.
    #[cfg(feature = "http")]
    #[error("the relayer did not answer: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The relayer did not take what was sent.
    #[cfg(feature = "http")]
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
    /// The site could not be reached, or its answer broke off. Asked for again, a purchase whose answer was lost is not paid twice.
    #[cfg(feature = "http")]
    #[error("the site did not answer: {0}")]
    Site(#[source] reqwest::Error),
    /// The site did not serve what was paid for.
    #[cfg(feature = "http")]
    #[error("the site refused it: {0}")]
    NotServed(crate::buy::Refusal),
    /// An offer that must not be paid.
    #[error("the site's offer is not to be paid: {what}: expected {expected}, found {found}")]
    BadOffer {
        /// What differs.
        what: &'static str,
        /// As it should be.
        expected: String,
        /// As the site says.
        found: String,
    },
    /// It costs more than it may.
    #[error("it costs {price}, at most {most} may be paid")]
    TooDear {
        /// The price, or that of its first step, in the token's smallest unit.
        price: u128,
        /// The most that may be spent.
        most: u128,
    },
    /// No channel that could pay.
    #[error("no channel to {payee} in {token}: open one")]
    NoChannel {
        /// Who is to be paid.
        payee: Address,
        /// In what.
        token: Token,
    },
    /// A request that cannot be sent twice, as paying for it takes.
    #[error("a request whose body streams cannot be sent again: hold its body in memory")]
    Streaming,
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
    #[cfg(feature = "chain")]
    #[error("the statement does not add up: {0}")]
    Statement(#[from] rivulet_rules::statement::StatementError),
    /// A key that cannot be used. The key is not repeated here.
    #[error("not a usable key: {0}")]
    BadKey(&'static str),
    /// A relayer that works for other contracts, or on another chain, than the deployment says.
    #[error("the relayer works elsewhere: wrong {what}: expected {expected}, found {found}")]
    OtherContracts {
        /// What differs.
        what: &'static str,
        /// As the deployment has it.
        expected: String,
        /// As the relayer says.
        found: String,
    },
    /// A payee that could not get at its money.
    #[error(
        "{0} belongs to no account on this chain: neither to a Polkadot account that is mapped nor to an Ethereum account or contract that exists. \
        Money paid to it may be out of reach. Ask the payee to map its account (Revive.map_account) or to receive something first"
    )]
    UnmappedPayee(Address),
    /// What should be kept cannot be written or read.
    #[error("{}: {source}", path.display())]
    Keep {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another program pays from this folder.
    #[error("{}: another program is using it; two would promise the same money", path.display())]
    InUse {
        /// Which folder.
        path: PathBuf,
    },
    /// A kept record that cannot be used. Nothing is paid before that is cleared up: a wrong total would pay twice or be worth nothing.
    #[error("the kept record {name} cannot be used: {why}. Restore it, or move it away and resume from the relayer's last voucher")]
    BadRecord {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A channel that is not in the purse.
    #[error("channel 0x{} is not kept here", hex(.0))]
    NotKept(ChannelId),
    /// A channel that has ended.
    #[error("channel {0} has ended")]
    Ended(ChannelNumber),
    /// A promise of which nothing is known yet stands before this one.
    #[error("what became of the voucher for {purchase:?} is not known: hand it over again first")]
    Unsettled {
        /// What it was for.
        purchase: String,
        /// The voucher.
        voucher: Box<SignedVoucher>,
    },
    /// A purchase that was promised at another price.
    #[error("{purchase:?} was promised at {before}, not {now}: a purchase has one price")]
    OtherPrice {
        /// What was bought.
        purchase: String,
        /// What was promised.
        before: u128,
        /// What is asked now.
        now: u128,
    },
    /// More than the user allowed for a site.
    #[error("{site}: {wanted} more than the {spent} spent would pass the limit of {limit}{}", period_secs.map_or(String::new(), |s| format!(" in {s} seconds")))]
    OverLimit {
        /// Where.
        site: String,
        /// The most that may be spent.
        limit: u128,
        /// What was.
        spent: u128,
        /// What was to come on top.
        wanted: u128,
        /// For a limit per period, how long it is.
        period_secs: Option<u64>,
    },
}

fn hex(id: &ChannelId) -> String {
    rivulet_rules::text::hex(&id.0).trim_start_matches("0x").to_owned()
}
