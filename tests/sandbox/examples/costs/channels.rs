//! Channels: each call alone, and batches of first claims of fresh channels.

use crate::{Line, Shape, amount, fits};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use rivulet_core::{
    blob::VoucherRow,
    ids::{Number, Token},
};
use rivulet_sandbox::{
    Bundle, ChannelsContract, NATIVE, Parameters, Party, Sandbox, USDC, VoucherKey,
    abi::{both::Both, channels::Channels, erc20::Erc20, to_sol},
};

struct World {
    chain: Sandbox,
    channels: ChannelsContract,
    payer: Party,
    relayer: Party,
    session: VoucherKey,
}

fn world() -> World {
    let mut chain = Sandbox::new();
    let channels = ChannelsContract::deploy(&mut chain);
    let [payer, relayer] = ["//payer", "//relayer"].map(|uri| chain.party(uri));
    World { chain, channels, payer, relayer, session: VoucherKey::named("session") }
}

/// Channels of as many payees, in turn.
fn open(w: &mut World, token: Token, rows: usize, payees: usize) -> Vec<(Number, VoucherRow)> {
    let (this, unit) = (w.channels.address, amount(token));
    if token != NATIVE {
        let approve = Erc20::approveCall { spender: to_sol(&this), amount: U256::from(unit * rows as u128) };
        w.chain.send(&w.payer, token, 0, &approve).bytes();
    }
    let payees: Vec<_> = (0..payees).map(|n| w.chain.party(&format!("//payee/{n}")).address).collect();
    let mut vouchers = Vec::new();
    for payee in payees.iter().cycle().take(rows) {
        let call = Channels::openCall {
            payee: to_sol(payee),
            voucherSigner: to_sol(&w.session.address),
            token: to_sol(&token),
            challengePeriodSecs: 3_600,
            amount: unit,
        };
        let value = if token == NATIVE { unit } else { 0 };
        let opened = ChannelsContract::opened(&w.chain.call_as(w.payer.address, this, value, call.abi_encode()));
        vouchers.push((opened.number, w.channels.voucher(&w.session, &opened, unit)));
    }
    vouchers
}

fn batch(token: Token, name: &str, rows: usize, shape: Shape) -> Option<Line> {
    let mut w = world();
    let vouchers = match shape {
        Shape::Neighbours => open(&mut w, token, rows, 1),
        Shape::Apart => open(&mut w, token, rows * 4, 1).into_iter().step_by(4).collect(),
        Shape::Payees => open(&mut w, token, rows, rows),
    };
    let done = w.channels.claim_batch(&mut w.chain, &w.relayer, &vouchers);
    fits(name, shape, rows, &done)
}

fn single_calls(token: Token, name: &str) -> Vec<Line> {
    let mut w = world();
    let payee = w.chain.party("//payee").address;
    let session = w.session.address;
    let mut lines = Vec::new();
    let mut line = |what: &str, done: &rivulet_sandbox::Outcome| {
        done.bytes();
        lines.push(Line::single(format!("{what}, {name}"), done));
    };
    let unit = amount(token);
    let (first, _) = w.channels.try_open(&mut w.chain, &w.payer, payee, session, token, 3_600, unit);
    line("open, a payee's first", &first);
    let (next, channel) = w.channels.try_open(&mut w.chain, &w.payer, payee, session, token, 3_600, unit);
    line("open", &next);
    let Ok(channel) = channel else { panic!("no channel") };
    if token != NATIVE {
        w.chain.approve(&w.payer, token, w.channels.address, unit);
    }
    let (book, serial) = (channel.number.book, channel.number.serial);
    let call = Channels::topUpCall { book, serial, channelId: channel.id.0.into(), amount: unit };
    line("topUp", &w.chain.send(&w.payer, w.channels.address, if token == NATIVE { unit } else { 0 }, &call));
    let row = w.channels.voucher(&w.session, &channel, unit / 2);
    line("claim", &w.channels.claim(&mut w.chain, &w.relayer, channel.number, &row));
    let row = w.channels.voucher(&w.session, &channel, unit);
    line("claimBatch, 1 row", &w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]));
    let refund = Channels::requestRefundCall { book, serial, amount: unit / 2 };
    line("requestRefund", &w.chain.send(&w.payer, w.channels.address, 0, &refund));
    w.chain.advance(3_600);
    line("finish, a refund", &w.chain.send(&w.payer, w.channels.address, 0, &Channels::finishCall { book, serial }));
    line("requestClose", &w.chain.send(&w.payer, w.channels.address, 0, &Channels::requestCloseCall { book, serial }));
    w.chain.advance(3_600);
    line("finish", &w.chain.send(&w.payer, w.channels.address, 0, &Channels::finishCall { book, serial }));
    let channel = w.channels.open(&mut w.chain, &w.payer, payee, session, token, unit);
    let row = w.channels.voucher(&w.session, &channel, unit / 2);
    let payee = w.chain.party("//payee");
    line("close, with a voucher", &w.channels.close(&mut w.chain, &payee, channel.number, &row));
    if token != NATIVE {
        w.chain.approve(&w.payer, token, w.channels.address, unit * 10);
    }
    let many = Channels::openManyCall {
        token: to_sol(&token),
        challengePeriodSecs: 3_600,
        payees: vec![to_sol(&payee.address); 10],
        voucherSigners: vec![to_sol(&session); 10],
        amounts: vec![unit; 10],
    };
    line("openMany, 10", &w.chain.send(&w.payer, w.channels.address, if token == NATIVE { unit * 10 } else { 0 }, &many));
    let stranger = w.chain.stranger("//new").address;
    let channel = w.channels.open(&mut w.chain, &w.payer, stranger, session, NATIVE, amount(NATIVE));
    let row = w.channels.voucher(&w.session, &channel, amount(NATIVE));
    w.channels.claim(&mut w.chain, &w.relayer, channel.number, &row).bytes();
    let push = Both::pushCall { owner: to_sol(&stranger), token: to_sol(&NATIVE) };
    if token == NATIVE {
        line("push, to a new account", &w.chain.send(&w.relayer, w.channels.address, 0, &push));
    }
    lines
}

/// Every line of channels.
pub fn lines() -> Vec<Line> {
    let mut chain = Sandbox::new();
    let deployer = chain.party("//deployer");
    let deployed = chain.deploy(&deployer, &Bundle::channels().code, Parameters::default().calldata());
    deployed.bytes();
    let mut lines = vec![Line::single("deploy".to_owned(), &deployed)];
    for (token, name) in [(NATIVE, "native"), (USDC, "USDC")] {
        lines.extend(single_calls(token, name));
        lines.extend(crate::batches(token == NATIVE, |rows, shape| batch(token, name, rows, shape)));
    }
    lines
}
