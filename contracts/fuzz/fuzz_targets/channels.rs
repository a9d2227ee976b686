//! Any calls on channels by any party: nothing panics, money is neither made nor lost, the contract holds what it owes, claimed never falls.
#![no_main]

#[path = "../../core/tests/support/mod.rs"]
mod support;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rivulet_core::{
    channel::{self, Opening},
    eip712::{Close, Open, RequestRefund, Terms},
    fee::RelayTerms,
    ids::{Address, ChannelId, Number, Token},
    ledger, signed as nonces,
    testing::MemoryHost,
};
use support::*;

const PARTIES: [Address; 6] = [PAYER, OTHER_PAYER, PAYEE, OTHER_PAYEE, SESSION, RELAYER];

#[derive(Arbitrary, Debug)]
enum Call {
    Open { payee: u8, signer: u8, native: bool, period: u32, amount: u128 },
    OpenFor { payer: u8, payee: u8, by: u8, amount: u64, nonce: u8, deadline: i16 },
    OpenMany { native: bool, many: Vec<(u8, u64)> },
    TopUp { which: u8, right: bool, amount: u128 },
    Claim { which: u8, by: u8, total: u128 },
    ClaimBatch { rows: Vec<(u8, u8, u64)> },
    RequestClose { which: u8 },
    RequestRefund { which: u8, amount: u128 },
    RequestRefundFor { which: u8, by: u8, amount: u64, nonce: u8 },
    Finish { which: u8 },
    Close { which: u8, by: u8, total: u64 },
    CloseFor { which: u8, by: u8, total: u64, nonce: u8 },
    SetTerms { native: bool, beneficiary: u8, fee_bps: u16, flat_fee: u64, min_gain: u64, until: i16 },
    SetTermsFor { payee: u8, by: u8, fee_bps: u16, nonce: u8 },
    Collect { native: bool, to: u8 },
    Push { owner: u8, native: bool },
    Sweep { native: bool },
    Revoke { nonce: u8 },
}

#[derive(Arbitrary, Debug)]
struct Step {
    caller: u8,
    wait_secs: u16,
    /// Wei sent along when the call is not the one to take it.
    stray: bool,
    refuse: Option<u8>,
    call: Call,
}

fn party(i: u8) -> Address {
    PARTIES[usize::from(i) % PARTIES.len()]
}

fn token(native: bool) -> Token {
    if native { NATIVE } else { USDC }
}

/// Amounts that can move, small ones more often.
fn amount(token: &Token, raw: u128) -> u128 {
    if token.is_zero() { raw.wrapping_mul(rivulet_core::amount::NATIVE_GRAIN) % (100 * DOT) } else { raw % 1_000_000 }
}

fn find(known: &[(Number, ChannelId)], which: u8) -> (Number, ChannelId) {
    known.get(usize::from(which) % known.len().max(1)).copied().unwrap_or((Number { book: 1, serial: u32::from(which) }, ChannelId([0; 32])))
}

fn run(h: &mut MemoryHost, known: &mut Vec<(Number, ChannelId)>, step: &Step) {
    let caller = party(step.caller);
    let stray = u128::from(step.stray);
    let at = h.now;
    match &step.call {
        Call::Open { payee, signer, native, period, amount: raw } => {
            let token = token(*native);
            let one =
                Opening { payee: party(*payee), voucher_signer: party(*signer), amount: if period % 7 == 0 { *raw } else { amount(&token, *raw) } };
            let value = value_of(&token, one.amount).min(1_000 * DOT) + stray;
            known.extend(h.call(caller, value, |h| channel::open(h, &one, token, 60 + period % 900_000)));
        }
        Call::OpenFor { payer, payee, by, amount, nonce, deadline } => {
            let message = Open {
                payer: party(*payer),
                payee: party(*payee),
                voucher_signer: SESSION,
                token: USDC,
                challenge_period_secs: PERIOD,
                amount: u128::from(*amount) % 1_000_000,
                nonce: u64::from(*nonce),
                deadline: at.saturating_add_signed(i64::from(*deadline)),
            };
            let signature = signed(h, party(*by), &message);
            known.extend(h.call(caller, stray, |h| channel::open_for(h, &message, &signature, None)));
        }
        Call::OpenMany { native, many } => {
            let token = token(*native);
            let many: Vec<_> = many
                .iter()
                .take(9)
                .map(|(p, a)| Opening { payee: party(*p), voucher_signer: SESSION, amount: amount(&token, u128::from(*a)) })
                .collect();
            let total = many.iter().map(|o| o.amount).sum::<u128>();
            let numbers = h.call(caller, value_of(&token, total) + stray, |h| channel::open_many(h, token, PERIOD, &many));
            known.extend(numbers.into_iter().flatten().map(|n| (n, channel::id(h, n))));
        }
        Call::TopUp { which, right, amount: raw } => {
            let (number, id) = find(known, *which);
            let token = channel::find(h, number).map_or(NATIVE, |(_, book)| book.token);
            let amount = amount(&token, *raw);
            let id = if *right { id } else { ChannelId([1; 32]) };
            let _ = h.call(caller, value_of(&token, amount), |h| channel::top_up(h, number, id, amount));
        }
        Call::Claim { which, by, total } => {
            let (number, id) = find(known, *which);
            let row = voucher(h, id, party(*by), *total);
            let _ = h.call(caller, stray, |h| channel::claim(h, number, row));
        }
        Call::ClaimBatch { rows } => {
            let rows: Vec<_> = rows
                .iter()
                .map(|(which, by, total)| {
                    let (number, id) = find(known, *which);
                    (number, voucher(h, id, party(*by), u128::from(*total)))
                })
                .collect();
            let blob = batch(&rows, step.wait_secs % 2 == 0);
            let _ = h.call(caller, stray, |h| channel::claim_batch(h, &blob));
        }
        Call::RequestClose { which } => {
            let _ = h.call(caller, stray, |h| channel::request_close(h, find(known, *which).0));
        }
        Call::RequestRefund { which, amount } => {
            let _ = h.call(caller, stray, |h| channel::request_refund(h, find(known, *which).0, *amount));
        }
        Call::RequestRefundFor { which, by, amount, nonce } => {
            let (number, channel_id) = find(known, *which);
            let (amount, nonce, deadline) = (u128::from(*amount), u64::from(*nonce), at + 1);
            let signature = signed(h, party(*by), &RequestRefund { channel_id, amount, nonce, deadline });
            let _ = h.call(caller, stray, |h| channel::request_refund_for(h, number, amount, nonce, deadline, &signature));
        }
        Call::Finish { which } => {
            let _ = h.call(caller, stray, |h| channel::finish(h, find(known, *which).0));
        }
        Call::Close { which, by, total } => {
            let (number, id) = find(known, *which);
            let row = voucher(h, id, party(*by), u128::from(*total));
            let _ = h.call(caller, stray, |h| channel::close(h, number, row));
        }
        Call::CloseFor { which, by, total, nonce } => {
            let (number, channel_id) = find(known, *which);
            let (cumulative_amount, nonce, deadline) = (u128::from(*total), u64::from(*nonce), at + 1);
            let signature = signed(h, party(*by), &Close { channel_id, cumulative_amount, nonce, deadline });
            let _ = h.call(caller, stray, |h| channel::close_for(h, number, cumulative_amount, nonce, deadline, &signature));
        }
        Call::SetTerms { native, beneficiary, fee_bps, flat_fee, min_gain, until } => {
            let terms = RelayTerms {
                beneficiary: party(*beneficiary),
                fee_bps: fee_bps % 1_100,
                flat_fee: u128::from(*flat_fee),
                min_gain: u128::from(*min_gain),
                until: at.saturating_add_signed(i64::from(*until)),
            };
            let _ = h.call(caller, stray, |h| rivulet_core::book::set_terms(h, &token(*native), terms));
        }
        Call::SetTermsFor { payee, by, fee_bps, nonce } => {
            let (payee, nonce, deadline) = (party(*payee), u64::from(*nonce), at + 1);
            let message = Terms {
                payee,
                token: USDC,
                beneficiary: RELAYER,
                fee_bps: fee_bps % 1_100,
                flat_fee: 0,
                min_gain: 1,
                until: at + 999,
                nonce,
                deadline,
            };
            let signature = signed(h, party(*by), &message);
            let _ = h.call(caller, stray, |h| rivulet_core::book::set_terms_signed(h, rivulet_core::eip712::Domain::Channels, &message, &signature));
        }
        Call::Collect { native, to } => {
            let _ = h.call(caller, stray, |h| ledger::collect(h, &token(*native), &party(*to)));
        }
        Call::Push { owner, native } => {
            let _ = h.call(caller, stray, |h| ledger::push(h, &party(*owner), &token(*native)));
        }
        Call::Sweep { native } => {
            let swept = h.call(caller, stray, |h| ledger::sweep(h, &token(*native)));
            assert!(swept.is_err(), "nobody sent anything by mistake, yet {swept:?} was swept");
        }
        Call::Revoke { nonce } => {
            let _ = h.call(caller, stray, |h| nonces::revoke(h, u64::from(*nonce)));
        }
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let mut h = world();
    for who in PARTIES {
        for token in [NATIVE, USDC] {
            // All the same, so that sums can be compared.
            h.balances.insert((token, who), if token == NATIVE { 10_000_000 * DOT } else { 1_000_000_000_000 });
        }
    }
    let wealth = |h: &MemoryHost, token: Token| h.balances.iter().filter(|((t, _), _)| *t == token).map(|(_, v)| *v).sum::<u128>();
    let before = [wealth(&h, NATIVE), wealth(&h, USDC)];
    let mut known = Vec::new();
    for step in steps.iter().take(64) {
        h.now += u64::from(step.wait_secs);
        if let Some(who) = step.refuse {
            let who = party(who);
            if !h.refusing.remove(&who) {
                h.refusing.insert(who);
            }
        }
        let claimed: Vec<_> = known.iter().map(|(n, _)| channel::find(&h, *n).map(|(c, _)| c.claimed).ok()).collect();
        run(&mut h, &mut known, step);
        for ((number, _), before) in known.iter().zip(claimed) {
            if let (Some(before), Ok((now, _))) = (before, channel::find(&h, *number)) {
                assert!(now.claimed >= before, "claimed of {number} fell");
            }
        }
        assert_eq!([wealth(&h, NATIVE), wealth(&h, USDC)], before, "money was made or lost by {step:?}");
        check_books(&h);
    }
});
