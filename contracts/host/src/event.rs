//! Core's events as Solidity logs of the same names and fields, written by hand: ink!'s encoders cost some kilobytes more.
//!
//! An event is a row of words: its topics, the first of which is the hash of its signature, and its data. Written one after another into one buffer, they are logged by one call.

use crate::syscalls;
use rivulet_core::{event::Event, ids::Number, words::Words};

type Word = [u8; 32];

const fn hash(signature: &str) -> Word {
    keccak_const::Keccak256::new().update(signature.as_bytes()).finalize()
}

macro_rules! topic {
    ($signature:literal) => {
        const { &hash($signature) }
    };
}

/// The longest event: four topics and thirteen words.
type Log = Words<{ 17 * 32 }>;

/// Logs the event.
#[inline(never)]
pub fn emit(event: &Event<'_>) {
    let mut log = Log::new();
    let topics = match event {
        Event::Claimed { book, gain, fee, rows } => {
            let len = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            log.bytes32(topic!("Claimed(uint32,uint128,uint128,bytes)")).u32(*book).u128(*gain).u128(*fee).u32(96).u32(len);
            let mut all = log.bytes().to_vec();
            all.extend_from_slice(rows);
            all.resize(all.len().next_multiple_of(32), 0);
            return syscalls::log(2, &all);
        }
        Event::BookCreated { book, payee, token } => {
            log.bytes32(topic!("BookCreated(uint32,address,address)")).u32(*book).address(payee).address(token);
            4
        }
        Event::TermsSet { book, terms } => {
            log.bytes32(topic!("TermsSet(uint32,address,uint16,uint128,uint128,uint64)")).u32(*book).address(&terms.beneficiary);
            log.u32(u32::from(terms.fee_bps)).u128(terms.flat_fee).u128(terms.min_gain).u64(terms.until);
            3
        }
        Event::Credited { owner, token, amount } => {
            log.bytes32(topic!("Credited(address,address,uint128)")).address(owner).address(token).u128(*amount);
            3
        }
        Event::Collected { owner, token, to, amount } => {
            log.bytes32(topic!("Collected(address,address,address,uint128)")).address(owner).address(token).address(to).u128(*amount);
            3
        }
        Event::NonceUsed { signer, nonce } => {
            log.bytes32(topic!("NonceUsed(address,uint64)")).address(signer).u64(*nonce);
            2
        }
        Event::Swept { token, to, amount } => {
            log.bytes32(topic!("Swept(address,address,uint128)")).address(token).address(to).u128(*amount);
            2
        }
        Event::ToppedUp { number, from, amount, deposit } => {
            numbered(&mut log, topic!("ToppedUp(uint32,uint32,address,uint128,uint128)"), number);
            log.address(from).u128(*amount).u128(*deposit);
            3
        }
        Event::Refunded { number, amount, deposit } => {
            numbered(&mut log, topic!("Refunded(uint32,uint32,uint128,uint128)"), number);
            log.u128(*amount).u128(*deposit);
            3
        }
        #[cfg(feature = "channels")]
        other => channels(&mut log, other),
        #[cfg(feature = "streams")]
        other => streams(&mut log, other),
        #[cfg(not(any(feature = "channels", feature = "streams")))]
        _ => return,
    };
    syscalls::log(topics, log.bytes());
}

fn numbered(log: &mut Log, signature: &Word, number: &Number) {
    log.bytes32(signature).u32(number.book).u32(number.serial);
}

/// Events of channels alone: how many topics.
#[cfg(feature = "channels")]
fn channels(log: &mut Log, event: &Event<'_>) -> usize {
    match event {
        Event::ChannelOpened { terms, amount, id } => {
            log.bytes32(topic!("ChannelOpened(address,address,uint32,uint32,address,address,uint32,uint64,uint128,bytes32)"));
            log.address(&terms.payer).address(&terms.payee).u32(terms.number.book).u32(terms.number.serial).address(&terms.voucher_signer);
            log.address(&terms.token).u32(terms.challenge_period_secs).u64(terms.opened_at).u128(*amount).bytes32(&id.0);
            return 4;
        }
        Event::CloseRequested { number, due_at } => {
            numbered(log, topic!("CloseRequested(uint32,uint32,uint64)"), number);
            log.u64(*due_at);
        }
        Event::RefundRequested { number, amount, due_at } => {
            numbered(log, topic!("RefundRequested(uint32,uint32,uint128,uint64)"), number);
            log.u128(*amount).u64(*due_at);
        }
        Event::Closed { number, claimed, refund } => {
            numbered(log, topic!("Closed(uint32,uint32,uint128,uint128)"), number);
            log.u128(*claimed).u128(*refund);
        }
        _ => {}
    }
    3
}

/// Events of streams alone: how many topics.
#[cfg(feature = "streams")]
fn streams(log: &mut Log, event: &Event<'_>) -> usize {
    match event {
        Event::StreamCreated { number, payer, payee, token, schedule, total, flags, amount, committed, memo, id } => {
            let (cliff_at, cliff_amount) = schedule.cliff.map_or((0, 0), |c| (c.at, c.amount));
            log.bytes32(topic!(
                "StreamCreated(address,address,uint32,uint32,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32,bytes32)"
            ));
            log.address(payer).address(payee).u32(number.book).u32(number.serial).address(token);
            log.u128(schedule.rate_per_second_scaled).u128(*total).u64(schedule.start_at).u64(cliff_at).u128(cliff_amount);
            log.u64(schedule.end_at).u32(u32::from(*flags)).u128(*amount).u128(*committed).bytes32(memo).bytes32(&id.0);
            return 4;
        }
        Event::StreamPaused { number } => numbered(log, topic!("StreamPaused(uint32,uint32)"), number),
        Event::StreamResumed { number } => numbered(log, topic!("StreamResumed(uint32,uint32)"), number),
        Event::StreamCancelled { number, by, due, refund } => {
            numbered(log, topic!("StreamCancelled(uint32,uint32,address,uint128,uint128)"), number);
            log.address(by).u128(*due).u128(*refund);
        }
        Event::StreamEnded { number, paid, remainder } => {
            numbered(log, topic!("StreamEnded(uint32,uint32,uint128,uint128)"), number);
            log.u128(*paid).u128(*remainder);
        }
        Event::RateAdjusted { number, rate_per_second_scaled, by } => {
            numbered(log, topic!("RateAdjusted(uint32,uint32,uint128,address)"), number);
            log.u128(*rate_per_second_scaled).address(by);
        }
        Event::StreamRenounced { number } => numbered(log, topic!("StreamRenounced(uint32,uint32)"), number),
        Event::StreamVoided { number, by, due, written_off } => {
            numbered(log, topic!("StreamVoided(uint32,uint32,address,uint128,uint128)"), number);
            log.address(by).u128(*due).u128(*written_off);
        }
        Event::StreamHandedOver { number, new, from, to } => {
            numbered(log, topic!("StreamHandedOver(uint32,uint32,uint32,uint32,address,address)"), number);
            log.u32(new.book).u32(new.serial).address(from).address(to);
        }
        Event::DelegateSet { number, delegate, rights, rate_cap_scaled } => {
            numbered(log, topic!("DelegateSet(uint32,uint32,address,uint8,uint128)"), number);
            log.address(delegate).u32(u32::from(*rights)).u128(*rate_cap_scaled);
        }
        _ => {}
    }
    3
}
