//! What a call did. The shells turn each into the Solidity event of the same name and fields (`contracts/README.md`).

use crate::{
    fee::RelayTerms,
    ids::{Address, ChannelId, ChannelTerms, Number, StreamId, Token},
    stream::Schedule,
};

/// An event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// A pair of payee and token got its book.
    BookCreated {
        /// Its number.
        book: u32,
        /// Whose it is.
        payee: Address,
        /// Of what.
        token: Token,
    },
    /// A book has new relay terms.
    TermsSet {
        /// Which book.
        book: u32,
        /// From now on.
        terms: RelayTerms,
    },
    /// Rows of one book were claimed.
    Claimed {
        /// Which book.
        book: u32,
        /// All that left the deposits.
        gain: u128,
        /// The part of it that went to the beneficiary.
        fee: u128,
        /// 21 bytes a row: serial ‖ outcome ‖ claimed or paid so far.
        rows: &'a [u8],
    },
    /// A payout did not go through and became credit.
    Credited {
        /// Of whom.
        owner: Address,
        /// Of what.
        token: Token,
        /// How much.
        amount: u128,
    },
    /// A signer's nonce was used or revoked.
    NonceUsed {
        /// Whose.
        signer: Address,
        /// Which.
        nonce: u64,
    },
    /// What nobody is owed was taken out.
    Swept {
        /// Of what.
        token: Token,
        /// Where it went: fixed at deployment.
        to: Address,
        /// How much.
        amount: u128,
    },
    /// A credit was paid out.
    Collected {
        /// Whose it was.
        owner: Address,
        /// Of what.
        token: Token,
        /// Where it went.
        to: Address,
        /// How much.
        amount: u128,
    },
    /// A channel was opened.
    ChannelOpened {
        /// All its terms.
        terms: ChannelTerms,
        /// Its deposit.
        amount: u128,
        /// Its id.
        id: ChannelId,
    },
    /// A channel or stream has more money.
    ToppedUp {
        /// Which.
        number: Number,
        /// Who paid it in.
        from: Address,
        /// How much.
        amount: u128,
        /// The deposit after it.
        deposit: u128,
    },
    /// The payer wants its balance back.
    CloseRequested {
        /// Which channel.
        number: Number,
        /// When it can be finished.
        due_at: u64,
    },
    /// The payer wants a part of its balance back, or (`due_at` 0) no longer.
    RefundRequested {
        /// Which channel.
        number: Number,
        /// How much; the balance, if that is less when it is executed.
        amount: u128,
        /// When it can be executed.
        due_at: u64,
    },
    /// A part of the balance went back to the payer.
    Refunded {
        /// Which channel or stream.
        number: Number,
        /// How much.
        amount: u128,
        /// The deposit after it.
        deposit: u128,
    },
    /// A channel's record is gone.
    Closed {
        /// Which channel.
        number: Number,
        /// All it ever paid.
        claimed: u128,
        /// What went back to the payer.
        refund: u128,
    },
    /// A stream was created.
    StreamCreated {
        /// Its number.
        number: Number,
        /// Who pays.
        payer: &'a Address,
        /// Who is paid.
        payee: &'a Address,
        /// In what.
        token: &'a Token,
        /// What flows, when.
        schedule: &'a Schedule,
        /// The stated total, 0 for a stream created by rate.
        total: u128,
        /// Its bits of [`crate::stream::Flags`].
        flags: u8,
        /// The first deposit.
        amount: u128,
        /// The part of the deposit that is never refunded.
        committed: u128,
        /// For the payee's books.
        memo: &'a [u8; 32],
        /// Its id.
        id: StreamId,
    },
    /// A stream stopped accruing.
    StreamPaused {
        /// Which.
        number: Number,
    },
    /// A stream accrues again.
    StreamResumed {
        /// Which.
        number: Number,
    },
    /// A stream was ended early.
    StreamCancelled {
        /// Which.
        number: Number,
        /// By whom.
        by: Address,
        /// What the payee has yet to get, or got now.
        due: u128,
        /// What the payer got, or was credited.
        refund: u128,
    },
    /// A stream's record is gone.
    StreamEnded {
        /// Which.
        number: Number,
        /// All it ever paid.
        paid: u128,
        /// What went back to the payer with it.
        remainder: u128,
    },
    /// A stream has another rate.
    RateAdjusted {
        /// Which.
        number: Number,
        /// From now on; × 1e9.
        rate_per_second_scaled: u128,
        /// By whom.
        by: Address,
    },
    /// The payer gave up cancelling.
    StreamRenounced {
        /// Which.
        number: Number,
    },
    /// A stream was ended early without moving money.
    StreamVoided {
        /// Which.
        number: Number,
        /// By whom.
        by: Address,
        /// What the payee has yet to get.
        due: u128,
        /// The debt that was not covered.
        written_off: u128,
    },
    /// The payee's side has another owner, and the stream another number.
    StreamHandedOver {
        /// Its number before.
        number: Number,
        /// Its number now.
        new: Number,
        /// The payee before.
        from: Address,
        /// The payee now.
        to: Address,
    },
    /// The payer named who may act for it.
    DelegateSet {
        /// Which stream.
        number: Number,
        /// Who; zero: nobody.
        delegate: Address,
        /// What it may do: bits of [`crate::stream::Rights`].
        rights: u8,
        /// The largest rate it may set; × 1e9.
        rate_cap_scaled: u128,
    },
}
