//! Core's events as Solidity logs of the same names and fields, written by hand: ink!'s encoders cost some kilobytes more.

use crate::syscalls;
use rivulet_core::{event::Event, ids::Address, ids::Number, words::Words};

type Word = [u8; 32];

const fn topic(signature: &str) -> Word {
    keccak_const::Keccak256::new().update(signature.as_bytes()).finalize()
}

fn n(v: u32) -> Word {
    let mut w = [0; 32];
    let (_, low) = w.split_at_mut(28);
    low.copy_from_slice(&v.to_be_bytes());
    w
}

fn a(v: &Address) -> Word {
    let mut w = [0; 32];
    let (_, low) = w.split_at_mut(12);
    low.copy_from_slice(&v.0);
    w
}

/// Logs the event.
#[inline(never)]
pub fn emit(event: &Event<'_>) {
    match event {
        Event::BookCreated { book, payee, token } => {
            syscalls::log(&[const { topic("BookCreated(uint32,address,address)") }, n(*book), a(payee), a(token)], &[]);
        }
        Event::TermsSet { book, terms } => {
            let mut data = Words::<128>::new();
            data.u32(u32::from(terms.fee_bps)).u128(terms.flat_fee).u128(terms.min_gain).u64(terms.until);
            let signature = const { topic("TermsSet(uint32,address,uint16,uint128,uint128,uint64)") };
            syscalls::log(&[signature, n(*book), a(&terms.beneficiary)], data.bytes());
        }
        Event::Claimed { book, gain, fee, rows } => {
            let len = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let mut head = Words::<128>::new();
            head.u128(*gain).u128(*fee).u32(96).u32(len);
            let padded = rows.len().next_multiple_of(32);
            let mut data = ink::prelude::vec::Vec::with_capacity(padded.saturating_add(128));
            data.extend_from_slice(head.bytes());
            data.extend_from_slice(rows);
            data.resize(padded.saturating_add(128), 0);
            syscalls::log(&[const { topic("Claimed(uint32,uint128,uint128,bytes)") }, n(*book)], &data);
        }
        Event::Credited { owner, token, amount } => {
            let signature = const { topic("Credited(address,address,uint128)") };
            syscalls::log(&[signature, a(owner), a(token)], Words::<32>::new().u128(*amount).bytes());
        }
        Event::Collected { owner, token, to, amount } => {
            let signature = const { topic("Collected(address,address,address,uint128)") };
            syscalls::log(&[signature, a(owner), a(token)], Words::<64>::new().address(to).u128(*amount).bytes());
        }
        Event::NonceUsed { signer, nonce } => {
            syscalls::log(&[const { topic("NonceUsed(address,uint64)") }, a(signer)], Words::<32>::new().u64(*nonce).bytes());
        }
        Event::Swept { token, to, amount } => {
            let signature = const { topic("Swept(address,address,uint128)") };
            syscalls::log(&[signature, a(token)], Words::<64>::new().address(to).u128(*amount).bytes());
        }
        Event::ToppedUp { number, from, amount, deposit } => {
            let mut data = Words::<96>::new();
            data.address(from).u128(*amount).u128(*deposit);
            numbered(const { topic("ToppedUp(uint32,uint32,address,uint128,uint128)") }, number, data.bytes());
        }
        Event::Refunded { number, amount, deposit } => {
            let signature = const { topic("Refunded(uint32,uint32,uint128,uint128)") };
            numbered(signature, number, Words::<64>::new().u128(*amount).u128(*deposit).bytes());
        }
        #[cfg(feature = "channels")]
        other => channels(other),
        #[cfg(feature = "streams")]
        other => streams(other),
        #[cfg(not(any(feature = "channels", feature = "streams")))]
        _ => {}
    }
}

fn numbered(signature: Word, number: &Number, data: &[u8]) {
    syscalls::log(&[signature, n(number.book), n(number.serial)], data);
}

/// Events of channels alone.
#[cfg(feature = "channels")]
fn channels(event: &Event<'_>) {
    match event {
        Event::ChannelOpened { terms, amount, id } => {
            let mut data = Words::<224>::new();
            data.u32(terms.number.serial)
                .address(&terms.voucher_signer)
                .address(&terms.token)
                .u32(terms.challenge_period_secs)
                .u64(terms.opened_at)
                .u128(*amount)
                .bytes32(&id.0);
            let signature = const { topic("ChannelOpened(address,address,uint32,uint32,address,address,uint32,uint64,uint128,bytes32)") };
            syscalls::log(&[signature, a(&terms.payer), a(&terms.payee), n(terms.number.book)], data.bytes());
        }
        Event::CloseRequested { number, due_at } => {
            numbered(const { topic("CloseRequested(uint32,uint32,uint64)") }, number, Words::<32>::new().u64(*due_at).bytes());
        }
        Event::RefundRequested { number, amount, due_at } => {
            let signature = const { topic("RefundRequested(uint32,uint32,uint128,uint64)") };
            numbered(signature, number, Words::<64>::new().u128(*amount).u64(*due_at).bytes());
        }
        Event::Closed { number, claimed, refund } => {
            let mut data = Words::<64>::new();
            data.u128(*claimed).u128(*refund);
            numbered(const { topic("Closed(uint32,uint32,uint128,uint128)") }, number, data.bytes());
        }
        _ => {}
    }
}

/// Events of streams alone.
#[cfg(feature = "streams")]
fn streams(event: &Event<'_>) {
    match event {
        Event::StreamCreated { number, payer, payee, token, schedule, total, flags, amount, committed, memo, id } => {
            let (cliff_at, cliff_amount) = schedule.cliff.map_or((0, 0), |c| (c.at, c.amount));
            let mut data = Words::<416>::new();
            data.u32(number.serial)
                .address(token)
                .u128(schedule.rate_per_second_scaled)
                .u128(*total)
                .u64(schedule.start_at)
                .u64(cliff_at)
                .u128(cliff_amount)
                .u64(schedule.end_at)
                .u32(u32::from(*flags))
                .u128(*amount)
                .u128(*committed)
                .bytes32(memo)
                .bytes32(&id.0);
            let signature = const {
                topic(
                    "StreamCreated(address,address,uint32,uint32,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32,bytes32)",
                )
            };
            syscalls::log(&[signature, a(payer), a(payee), n(number.book)], data.bytes());
        }
        Event::StreamPaused { number } => numbered(const { topic("StreamPaused(uint32,uint32)") }, number, &[]),
        Event::StreamResumed { number } => numbered(const { topic("StreamResumed(uint32,uint32)") }, number, &[]),
        Event::StreamCancelled { number, by, due, refund } => {
            let mut data = Words::<96>::new();
            data.address(by).u128(*due).u128(*refund);
            numbered(const { topic("StreamCancelled(uint32,uint32,address,uint128,uint128)") }, number, data.bytes());
        }
        Event::StreamEnded { number, paid, remainder } => {
            let signature = const { topic("StreamEnded(uint32,uint32,uint128,uint128)") };
            numbered(signature, number, Words::<64>::new().u128(*paid).u128(*remainder).bytes());
        }
        Event::RateAdjusted { number, rate_per_second_scaled, by } => {
            let signature = const { topic("RateAdjusted(uint32,uint32,uint128,address)") };
            numbered(signature, number, Words::<64>::new().u128(*rate_per_second_scaled).address(by).bytes());
        }
        Event::StreamRenounced { number } => numbered(const { topic("StreamRenounced(uint32,uint32)") }, number, &[]),
        Event::StreamVoided { number, by, due, written_off } => {
            let mut data = Words::<96>::new();
            data.address(by).u128(*due).u128(*written_off);
            numbered(const { topic("StreamVoided(uint32,uint32,address,uint128,uint128)") }, number, data.bytes());
        }
        Event::StreamHandedOver { number, new, from, to } => {
            let mut data = Words::<128>::new();
            data.u32(new.book).u32(new.serial).address(from).address(to);
            numbered(const { topic("StreamHandedOver(uint32,uint32,uint32,uint32,address,address)") }, number, data.bytes());
        }
        Event::DelegateSet { number, delegate, rights, rate_cap_scaled } => {
            let mut data = Words::<96>::new();
            data.address(delegate).u32(u32::from(*rights)).u128(*rate_cap_scaled);
            numbered(const { topic("DelegateSet(uint32,uint32,address,uint8,uint128)") }, number, data.bytes());
        }
        _ => {}
    }
}
