//! Core's events as Solidity events of the same names and fields.

use ink::{
    env::emit_event_sol,
    primitives::Address,
    sol::{DynBytes, FixedBytes},
};
use rivulet_core::event::Event;

fn a(address: rivulet_core::ids::Address) -> Address {
    Address::from(address.0)
}

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

/// Logs the event.
pub fn emit(event: &Event<'_>) {
    match *event {
        Event::BookCreated { book, payee, token } => emit_event_sol(BookCreated { book, payee: a(payee), token: a(token) }),
        Event::TermsSet { book, terms } => emit_event_sol(TermsSet {
            book,
            beneficiary: a(terms.beneficiary),
            fee_bps: terms.fee_bps,
            flat_fee: terms.flat_fee,
            min_gain: terms.min_gain,
            until: terms.until,
        }),
        Event::Claimed { book, gain, fee, rows } => emit_event_sol(Claimed { book, gain, fee, rows: DynBytes(rows.to_vec()) }),
        Event::Credited { owner, token, amount } => emit_event_sol(Credited { owner: a(owner), token: a(token), amount }),
        Event::Collected { owner, token, to, amount } => emit_event_sol(Collected { owner: a(owner), token: a(token), to: a(to), amount }),
        Event::ToppedUp { number, from, amount, deposit } => {
            emit_event_sol(ToppedUp { book: number.book, serial: number.serial, from: a(from), amount, deposit })
        }
        #[cfg(feature = "channels")]
        ref other => channels::emit(other),
        #[cfg(feature = "streams")]
        ref other => streams::emit(other),
        #[cfg(not(any(feature = "channels", feature = "streams")))]
        _ => {}
    }
}

/// Events of channels alone.
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

    pub fn emit(event: &Event<'_>) {
        match *event {
            Event::ChannelOpened { terms, amount, id } => emit_event_sol(ChannelOpened {
                payer: a(terms.payer),
                payee: a(terms.payee),
                book: terms.number.book,
                serial: terms.number.serial,
                voucher_signer: a(terms.voucher_signer),
                token: a(terms.token),
                challenge_period_secs: terms.challenge_period_secs,
                opened_at: terms.opened_at,
                amount,
                channel_id: FixedBytes(id.0),
            }),
            Event::CloseRequested { number, due_at } => {
                emit_event_sol(CloseRequested { book: number.book, serial: number.serial, due_at })
            }
            Event::Closed { number, claimed, refund } => {
                emit_event_sol(Closed { book: number.book, serial: number.serial, claimed, refund })
            }
            _ => {}
        }
    }
}

/// Events of streams alone.
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
        reference: FixedBytes<32>,
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

    pub fn emit(event: &Event<'_>) {
        match *event {
            Event::StreamCreated { number, payer, payee, token, schedule, total, flags, amount, committed, reference, id } => {
                let (cliff_at, cliff_amount) = schedule.cliff.map_or((0, 0), |c| (c.at, c.amount));
                emit_event_sol(StreamCreated {
                    payer: a(payer),
                    payee: a(payee),
                    book: number.book,
                    serial: number.serial,
                    token: a(token),
                    rate_per_second_scaled: schedule.rate_per_second_scaled,
                    total,
                    start_at: schedule.start_at,
                    cliff_at,
                    cliff_amount,
                    end_at: schedule.end_at,
                    flags,
                    amount,
                    committed,
                    reference: FixedBytes(*reference),
                    stream_id: FixedBytes(id.0),
                });
            }
            Event::StreamPaused { number } => emit_event_sol(StreamPaused { book: number.book, serial: number.serial }),
            Event::StreamResumed { number } => emit_event_sol(StreamResumed { book: number.book, serial: number.serial }),
            Event::StreamCancelled { number, by, due, refund } => {
                emit_event_sol(StreamCancelled { book: number.book, serial: number.serial, by: a(by), due, refund })
            }
            Event::StreamEnded { number, paid } => emit_event_sol(StreamEnded { book: number.book, serial: number.serial, paid }),
            _ => {}
        }
    }
}
