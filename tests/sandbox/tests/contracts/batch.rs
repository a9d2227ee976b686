//! Batches: every row has its own outcome; a blob that is not canonical is refused whole.

use crate::support::{DOT, RATIO, USD, world};
use alloy_sol_types::SolCall;
use rivulet_core::{
    blob::{MAX_BLOB_BYTES, VoucherRow},
    error::Error,
    ids::{Address, Number, Token},
    outcome::RowOutcome::{Applied, BadSignature, Capped, Closed, Stale, Unknown},
    signature::{CompactSignature, HALF_ORDER},
};
use rivulet_sandbox::{
    Failure, Limits, NATIVE, USDC, VoucherKey,
    abi::{both::Both, to_sol},
    batch,
};

/// The order of secp256k1 less `s`.
fn mirrored(s: &[u8; 32]) -> [u8; 32] {
    // order = 2 · half + 1
    let mut order = [0u8; 32];
    let mut carry = 1u16;
    for i in (0..32).rev() {
        let sum = u16::from(HALF_ORDER[i]) * 2 + carry;
        order[i] = sum as u8;
        carry = sum >> 8;
    }
    let (mut out, mut borrow) = ([0u8; 32], 0i16);
    for i in (0..32).rev() {
        let difference = i16::from(order[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(difference < 0);
        out[i] = difference.rem_euclid(256) as u8;
    }
    out
}

#[test]
fn each_row_has_its_own_outcome_and_a_bad_one_harms_only_itself() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = if token == NATIVE { DOT } else { USD };
        let open = |w: &mut crate::support::World| w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, unit);
        let channels: Vec<_> = (0..6).map(|_| open(&mut w)).collect();
        let (contract, session) = (w.channels, w.session.clone());
        let row = |i: usize, total: u128| (channels[i].number, contract.voucher(&session, &channels[i], total));
        // 1 has been claimed before, 4 is closed.
        let (_, claimed) = row(1, unit / 2);
        w.channels.claim(&mut w.chain, &w.relayer, channels[1].number, &claimed).bytes();
        w.channels.close(&mut w.chain, &w.payee, channels[4].number, &row(4, 0).1).bytes();
        let somebody = w.channels.voucher(&VoucherKey::named("somebody"), &channels[3], unit);
        let rows = vec![
            row(0, unit / 4),
            row(1, unit / 2),
            row(2, unit * 2),
            (channels[3].number, somebody),
            row(4, unit),
            row(5, unit),
            (Number { book: 1, serial: 6 }, row(0, unit).1),
            (Number { book: 77, serial: 0 }, row(0, unit).1),
        ];
        let before = w.chain.balance(token, w.payee.address);
        let size = w.size();
        let done = w.channels.claim_batch(&mut w.chain, &w.relayer, &rows);
        assert_eq!(done.rows(), [Applied, Stale, Capped, BadSignature, Closed, Applied, Unknown, Unknown]);
        assert_eq!(w.chain.balance(token, w.payee.address), before + unit / 4 + unit + unit);
        assert_eq!((done.cost.storage_deposit_planck, w.size()), (0, size), "a claim grows nothing");
        let events = done.events::<Both::Claimed>();
        assert_eq!(events.iter().map(|e| (e.book, e.gain)).collect::<Vec<_>>(), [(1, unit / 4 + 2 * unit), (77, 0)]);
        assert_eq!(events[0].rows.len(), 7 * 21);
        w.assert_balanced();
    }
}

#[test]
fn a_signature_has_one_form_and_its_mirror_image_is_refused() {
    let mut w = world();
    let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, DOT);
    let good = w.channels.voucher(&w.session, &channel, RATIO);
    let split = good.signature.split().expect("low s");
    let high = mirrored(&split.s);
    assert!(high > HALF_ORDER);
    // The mirror image fits the compact form only while its top bit is clear; both parities are tried.
    for parity in [0, 0x80] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&split.r);
        bytes[32..].copy_from_slice(&high);
        bytes[32] = (bytes[32] & 0x7f) | parity;
        let row = VoucherRow { signature: CompactSignature(bytes), ..good };
        assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]).rows(), [BadSignature]);
        assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &row).refusal(), Error::BadSignature {});
    }
    // Every single bit of a voucher counts: of its total, and of its signature.
    for bit in (0..512).step_by(37) {
        let mut row = good;
        row.signature.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]).rows(), [BadSignature], "bit {bit}");
    }
    let more = VoucherRow { cumulative_amount: 2 * RATIO, ..good };
    assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, more)]).rows(), [BadSignature]);
    assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, good)]).rows(), [Applied]);
    w.assert_balanced();
}

#[test]
fn a_blob_that_is_cut_longer_or_not_canonical_is_refused_whole() {
    let mut w = world();
    let first = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, DOT);
    let second = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, DOT);
    let rows = [first, second].map(|c| (c.number, w.channels.voucher(&w.session, &c, DOT / 2)));
    let good = batch(false, &rows);
    let with = |at: usize, byte: u8| {
        let mut blob = good.clone();
        blob[at] = byte;
        blob
    };
    let mut long_book = good.clone();
    long_book.splice(3..4, [0x81, 0x00]);
    let cases: Vec<(&str, Vec<u8>, u8)> = vec![
        ("empty", vec![], 0),
        ("cut within its last row", good[..good.len() - 1].to_vec(), 0),
        ("cut after its first row", good[..good.len() / 2].to_vec(), 0),
        ("a number in two bytes that needs one", long_book, 1),
        ("another contract's version", with(0, 0x81), 3),
        ("an unknown flag", with(2, 2), 4),
        ("no group", with(1, 0), 5),
        ("a group without rows", vec![1, 1, 0, 1, 0], 5),
        ("a byte too many", [&good[..], &[0]].concat(), 7),
        ("more bytes than may be", [good.clone(), vec![0; MAX_BLOB_BYTES]].concat(), 6),
    ];
    let before = w.chain.balance(NATIVE, w.payee.address);
    let cells = w.chain.cells(w.channels.address);
    for (what, blob, code) in cases {
        let refused = w.channels.claim_blob(&mut w.chain, &w.relayer, blob);
        let Error::BadBlob { reason, .. } = refused.refusal() else { panic!("{what}: {:?}", refused.refusal()) };
        assert_eq!(reason, code, "{what}");
        assert!(refused.logs.is_empty(), "{what}");
    }
    assert_eq!((w.chain.balance(NATIVE, w.payee.address), w.chain.cells(w.channels.address)), (before, cells));
    assert_eq!(w.channels.claim_blob(&mut w.chain, &w.relayer, good).rows(), [Applied, Applied]);
}

#[test]
fn the_beneficiary_is_paid_whoever_submits_and_the_payee_gets_the_rest() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = if token == NATIVE { DOT } else { USD };
        let terms = Both::setTermsCall {
            token: to_sol(&token),
            beneficiary: to_sol(&w.relayer.address),
            feeBps: 200,
            flatFee: unit / 1_000,
            minGain: unit / 10,
            until: w.chain.now() + 1_000,
        };
        w.chain.send(&w.payee, w.channels.address, 0, &terms).bytes();
        let channels: Vec<_> =
            (0..3).map(|_| w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, 10 * unit)).collect();
        let rows: Vec<_> =
            [unit / 20, unit, 2 * unit].into_iter().zip(&channels).map(|(total, c)| (c.number, w.channels.voucher(&w.session, c, total))).collect();
        let outsider = w.chain.party("//outsider");
        let [payee, relayer] = [w.payee.address, w.relayer.address].map(|who| w.chain.balance(token, who));
        let done = w.channels.claim_batch(&mut w.chain, &outsider, &rows);
        // Below the least gain: no fee. Above: 2 % and the flat part.
        let fee = unit / 50 + unit / 1_000 + 2 * unit / 50 + unit / 1_000;
        let event = done.event::<Both::Claimed>();
        assert_eq!((event.gain, event.fee), (3 * unit + unit / 20, fee));
        assert_eq!(w.chain.balance(token, w.relayer.address), relayer + fee);
        assert_eq!(w.chain.balance(token, w.payee.address), payee + 3 * unit + unit / 20 - fee);
        w.assert_balanced();
        // At `until` the terms are over.
        w.chain.advance(1_000);
        let late = w.channels.voucher(&w.session, &channels[0], unit);
        assert_eq!(w.channels.claim_batch(&mut w.chain, &outsider, &[(channels[0].number, late)]).event::<Both::Claimed>().fee, 0);
    }
}

#[test]
fn one_batch_pays_many_payees_in_both_kinds_of_token_with_no_deposit_allowed() {
    let mut w = world();
    let mut rows = Vec::new();
    let mut expected: Vec<(Token, Address, u128)> = Vec::new();
    for n in 0..8u128 {
        let payee = w.chain.party(&format!("//payee/{n}")).address;
        let (token, unit) = if n % 2 == 0 { (NATIVE, DOT) } else { (USDC, USD) };
        let channel = w.channels.open(&mut w.chain, &w.payer, payee, w.session.address, token, unit * (n + 1));
        rows.push((channel.number, w.channels.voucher(&w.session, &channel, unit * (n + 1))));
        expected.push((token, payee, w.chain.balance(token, payee) + unit * (n + 1)));
    }
    let calldata = Both::claimBatchCall { blob: batch(false, &rows).into() }.abi_encode();
    let done = w.chain.call_within(&w.relayer, w.channels.address, 0, calldata, &Limits::NO_DEPOSIT);
    assert_eq!(done.rows(), [Applied; 8]);
    for (token, payee, balance) in expected {
        assert_eq!(w.chain.balance(token, payee), balance);
    }
    w.assert_balanced();
}

#[test]
fn no_weight_limit_that_a_submitter_may_choose_makes_a_good_signature_look_bad() {
    let mut w = world();
    let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, DOT);
    let row = w.channels.voucher(&w.session, &channel, DOT / 2);
    let calldata = Both::claimBatchCall { blob: batch(false, &[(channel.number, row)]).into() }.abi_encode();
    let start = w.chain.snapshot();
    let enough = w.chain.call(&w.relayer, w.channels.address, 0, calldata.clone()).required;
    let (mut paid, mut refused) = (0, 0);
    for permille in (5..=1_005).step_by(5) {
        let part = |whole: u64| whole / 1_000 * permille + 1_000;
        for limit in [(part(enough.0), enough.1 * 2), (enough.0 * 2, part(enough.1))] {
            w.chain.restore(&start);
            let limits = Limits { weight: Some(limit), deposit_planck: None };
            let done = w.chain.call_within(&w.relayer, w.channels.address, 0, calldata.clone(), &limits);
            match &done.result {
                Ok(_) => assert_eq!(done.rows(), [Applied], "with a limit of {limit:?}"),
                Err(e) => assert_ne!(*e, Failure::Refused(Error::BadSignature {}), "with a limit of {limit:?}"),
            }
            *if done.result.is_ok() { &mut paid } else { &mut refused } += 1;
        }
    }
    assert!(paid > 0 && refused > 0, "{paid} paid, {refused} refused");
}
