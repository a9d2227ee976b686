//! The events as ink! knows them: for the metadata alone. On chain `event.rs` writes the same bytes in a tenth of the code, and the sandbox checks
//! that topics and data decode by the ABI.
#![allow(dead_code, reason = "read by ink!'s metadata")]

use ink::{
    primitives::Address,
    sol::{DynBytes, FixedBytes},
};

/// See `rivulet_core::event::Event::BookCreated`.
#[ink::event]
pub struct BookCreated {
    #[ink(topic)]
    book: u32,
    #[ink(topic)]
    payee: Address,
    #[ink(topic)]
    token: Address,
}

/// See `rivulet_core::event::Event::TermsSet`.
#[ink::event]
pub struct TermsSet {
    #[ink(topic)]
    book: u32,
    #[ink(topic)]
    beneficiary: Address,
    fee_bps: u16,
    flat_fee: u128,
    min_gain: u128,
    until: u64,
}

/// See `rivulet_core::event::Event::Claimed`.
#[ink::event]
pub struct Claimed {
    #[ink(topic)]
    book: u32,
    gain: u128,
    fee: u128,
    rows: DynBytes,
}

/// See `rivulet_core::event::Event::Credited`.
#[ink::event]
pub struct Credited {
    #[ink(topic)]
    owner: Address,
    #[ink(topic)]
    token: Address,
    amount: u128,
}

/// See `rivulet_core::event::Event::Collected`.
#[ink::event]
pub struct Collected {
    #[ink(topic)]
    owner: Address,
    #[ink(topic)]
    token: Address,
    to: Address,
    amount: u128,
}

/// See `rivulet_core::event::Event::ToppedUp`.
#[ink::event]
pub struct ToppedUp {
    #[ink(topic)]
    book: u32,
    #[ink(topic)]
    serial: u32,
    from: Address,
    amount: u128,
    deposit: u128,
}

#[cfg(feature = "channels")]
mod channels {
    use super::*;

    /// See `rivulet_core::event::Event::ChannelOpened`.
    #[ink::event]
    pub struct ChannelOpened {
        #[ink(topic)]
        payer: Address,
        #[ink(topic)]
        payee: Address,
        #[ink(topic)]
        book: u32,
        serial: u32,
        voucher_signer: Address,
        token: Address,
        challenge_period_secs: u32,
        opened_at: u64,
        amount: u128,
        channel_id: FixedBytes<32>,
    }

    /// See `rivulet_core::event::Event::CloseRequested`.
    #[ink::event]
    pub struct CloseRequested {
        #[ink(topic)]
        book: u32,
        #[ink(topic)]
        serial: u32,
        due_at: u64,
    }

    /// See `rivulet_core::event::Event::Closed`.
    #[ink::event]
    pub struct Closed {
        #[ink(topic)]
        book: u32,
        #[ink(topic)]
        serial: u32,
        claimed: u128,
        refund: u128,
    }
}

#[cfg(feature = "streams")]
mod streams {
    use super::*;

    /// See `rivulet_core::event::Event::StreamCreated`.
    #[ink::event]
    pub struct StreamCreated {
        #[ink(topic)]
        payer: Address,
        #[ink(topic)]
        payee: Address,
        #[ink(topic)]
        book: u32,
        serial: u32,
        token: Address,
        rate_per_second_scaled: u128,
        total: u128,
        start_at: u64,
        cliff_at: u64,
        cliff_amount: u128,
        end_at: u64,
        flags: u8,
        amount: u128,
        committed: u128,
        memo: FixedBytes<32>,
        stream_id: FixedBytes<32>,
    }

    /// See `rivulet_core::event::Event::StreamPaused`.
    #[ink::event]
    pub struct StreamPaused {
        #[ink(topic)]
        book: u32,
        #[ink(topic)]
        serial: u32,
    }

    /// See `rivulet_core::event::Event::StreamResumed`.
    #[ink::event]
    pub struct StreamResumed {
        #[ink(topic)]
        book: u32,
        #[ink(topic)]
        serial: u32,
    }

    /// See `rivulet_core::event::Event::StreamCancelled`.
    #[ink::event]
    pub struct StreamCancelled {
        #[ink(topic)]
        book: u32,
        #[ink(topic)]
        serial: u32,
        by: Address,
        due: u128,
        refund: u128,
    }

    /// See `rivulet_core::event::Event::StreamEnded`.
    #[ink::event]
    pub struct StreamEnded {
        #[ink(topic)]
        book: u32,
        #[ink(topic)]
        serial: u32,
        paid: u128,
    }
}
