//! Large batches fit a block.

use crate::support::{RATIO, USD, World, world};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use rivulet_core::{
    ids::{Number, Token},
    outcome::RowOutcome::Applied,
};
use rivulet_sandbox::{Limits, NATIVE, Outcome, USDC, abi::both::Both, abi::channels::Channels, abi::to_sol, batch};

/// Opens this many channels of one book and claims a row of each in one transaction, with no deposit allowed.
fn claim_rows(w: &mut World, token: Token, rows: u32) -> Outcome {
    let unit = if token == NATIVE { 1_000 * RATIO } else { USD / 1_000 };
    let this = w.channels.address;
    if token != NATIVE {
        let approve = rivulet_sandbox::abi::erc20::Erc20::approveCall { spender: to_sol(&this), amount: U256::from(unit * u128::from(rows)) };
        w.chain.send(&w.payer, token, 0, &approve).bytes();
    }
    let open = Channels::openCall {
        payee: to_sol(&w.payee.address),
        voucherSigner: to_sol(&w.session.address),
        token: to_sol(&token),
        challengePeriodSecs: 60,
        amount: unit,
    };
    let value = if token == NATIVE { unit } else { 0 };
    let vouchers: Vec<_> = (0..rows)
        .map(|serial| {
            let opened = rivulet_sandbox::ChannelsContract::opened(&w.chain.call_as(w.payer.address, this, value, open.abi_encode()));
            assert_eq!(opened.number, Number { book: 1, serial });
            (opened.number, w.channels.voucher(&w.session, &opened, unit))
        })
        .collect();
    let before = w.chain.balance(token, w.payee.address);
    let calldata = Both::claimBatchCall { blob: batch(false, &vouchers).into() }.abi_encode();
    let done = w.chain.call_within(&w.relayer, this, 0, calldata, &Limits::NO_DEPOSIT);
    assert_eq!(done.rows(), vec![Applied; rows as usize]);
    assert_eq!(w.chain.balance(token, w.payee.address), before + unit * u128::from(rows));
    let event = done.event::<Both::Claimed>();
    assert_eq!((event.gain, event.rows.len()), (unit * u128::from(rows), 21 * rows as usize));
    w.assert_balanced();
    done
}

#[test]
fn two_hundred_rows_fit_a_block_many_times_over() {
    for token in [NATIVE, USDC] {
        let done = claim_rows(&mut world(), token, 200);
        let row = done.cost.per(200);
        println!("200 rows of {token}: {}\n  a row: {row}", done.cost);
        assert!(row.calldata_bytes <= 80, "{} bytes of calldata a row", row.calldata_bytes);
        assert_eq!(done.cost.storage_deposit_planck, 0);
    }
}

#[test]
fn five_hundred_rows_fit_one_transaction() {
    let done = claim_rows(&mut world(), NATIVE, 500);
    println!("500 rows: {}\n  a row: {}", done.cost, done.cost.per(500));
    println!("  weight limit needed: {:?}", done.required);
}
