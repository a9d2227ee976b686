//! Streams: each call alone, and batches of first claims of fresh streams.

use crate::{Line, Shape, amount, fits};
use alloy_primitives::U256;
use rivulet_core::ids::{Number, Token};
use rivulet_sandbox::{
    Bundle, NATIVE, Outcome, Parameters, Party, Sandbox, StreamsContract, USDC,
    abi::{erc20::Erc20, streams::Streams, to_sol},
};

const DAY_SECS: u64 = 86_400;
/// The payer may cancel, the payee may hand over.
const FLAGS: u8 = 3;

struct World {
    chain: Sandbox,
    streams: StreamsContract,
    payer: Party,
    relayer: Party,
}

fn world(token: Token) -> World {
    let mut chain = Sandbox::new();
    let streams = StreamsContract::deploy(&mut chain);
    let [payer, relayer] = ["//payer", "//relayer"].map(|uri| chain.party(uri));
    if token != NATIVE {
        let approve = Erc20::approveCall { spender: to_sol(&streams.address), amount: U256::from(u128::MAX >> 1) };
        chain.send(&payer, token, 0, &approve).bytes();
    }
    World { chain, streams, payer, relayer }
}

/// A hundredth of a token over a day, paid in at once.
fn terms(w: &mut World, token: Token, payee: &Party) -> Streams::createCall {
    let terms = StreamsContract::terms(payee.address, token, amount(token), w.chain.now(), DAY_SECS, amount(token));
    Streams::createCall { flags: FLAGS, ..terms }
}

fn create(w: &mut World, token: Token, payee: &Party) -> Outcome {
    let terms = terms(w, token, payee);
    w.chain.send(&w.payer, w.streams.address, if token == NATIVE { terms.amount } else { 0 }, &terms)
}

/// Streams of as many payees, in turn; half of each has flown.
fn running(w: &mut World, token: Token, rows: usize, payees: usize) -> Vec<Number> {
    let payees: Vec<_> = (0..payees).map(|n| w.chain.party(&format!("//payee/{n}"))).collect();
    let numbers = payees.iter().cycle().take(rows).map(|payee| StreamsContract::created(&create(w, token, payee))).collect();
    w.chain.advance(DAY_SECS / 2);
    numbers
}

fn batch(token: Token, name: &str, rows: usize, shape: Shape) -> Option<Line> {
    let mut w = world(token);
    let numbers = match shape {
        Shape::Neighbours => running(&mut w, token, rows, 1),
        Shape::Apart => running(&mut w, token, rows * 3, 1).into_iter().step_by(3).collect(),
        Shape::Payees => running(&mut w, token, rows, rows),
    };
    let done = w.streams.claim_batch(&mut w.chain, &w.relayer, &numbers);
    fits(name, shape, rows, &done)
}

fn single_calls(token: Token, name: &str) -> Vec<Line> {
    let mut w = world(token);
    let payee = w.chain.party("//payee");
    let (this, unit) = (w.streams.address, amount(token));
    let value = |amount: u128| if token == NATIVE { amount } else { 0 };
    let mut lines = Vec::new();
    let mut line = |what: &str, done: &Outcome| {
        done.bytes();
        lines.push(Line::single(format!("{what}, {name}"), done));
    };
    line("create, a payee's first", &create(&mut w, token, &payee));
    let done = create(&mut w, token, &payee);
    line("create", &done);
    let Number { book, serial } = StreamsContract::created(&done);
    let terms = terms(&mut w, token, &payee);
    let many = Streams::createManyCall {
        token: terms.token,
        startAt: 0,
        cliffAt: 0,
        endAt: terms.endAt,
        flags: FLAGS,
        payees: vec![to_sol(&payee.address); 10],
        ratesPerSecondScaled: vec![0; 10],
        totals: vec![unit; 10],
        cliffAmounts: vec![0; 10],
        amounts: vec![unit; 10],
        committed: vec![0; 10],
        memos: vec![[0; 32].into(); 10],
    };
    line("createMany, 10", &w.chain.send(&w.payer, this, value(unit * 10), &many));
    let [payer, owner] = [w.payer.address, payee.address].map(|a| to_sol(&a));
    let top_up = Streams::topUpCall { book, serial, payer, payee: owner, token: to_sol(&token), amount: unit };
    line("topUp", &w.chain.send(&w.payer, this, value(unit), &top_up));
    w.chain.advance(DAY_SECS / 4);
    line("claim", &w.streams.claim(&mut w.chain, &payee, Number { book, serial }, u128::MAX, payee.address));
    w.chain.advance(DAY_SECS / 4);
    line("claimBatch, 1 row", &w.streams.claim_batch(&mut w.chain, &w.relayer, &[Number { book, serial }]));
    line("pause", &w.chain.send(&w.payer, this, 0, &Streams::pauseCall { book, serial }));
    line("resume", &w.chain.send(&w.payer, this, 0, &Streams::resumeCall { book, serial }));
    let rate = unit * 1_000_000_000 / u128::from(DAY_SECS);
    line("adjustRate", &w.chain.send(&w.payer, this, 0, &Streams::adjustRateCall { book, serial, ratePerSecondScaled: rate * 2 }));
    line("refund", &w.chain.send(&w.payer, this, 0, &Streams::refundCall { book, serial, amount: unit / 2 }));
    let delegate = to_sol(&w.relayer.address);
    line("setDelegate", &w.chain.send(&w.payer, this, 0, &Streams::setDelegateCall { book, serial, delegate, rights: 1, rateCapScaled: 0 }));
    line("pause, by the delegate", &w.chain.send(&w.relayer, this, 0, &Streams::pauseCall { book, serial }));
    line("void", &w.chain.send(&w.payer, this, 0, &Streams::voidCall { book, serial }));
    let next = StreamsContract::created(&create(&mut w, token, &payee));
    w.chain.advance(DAY_SECS / 4);
    let heir = to_sol(&w.chain.party("//heir").address);
    let done = w.chain.send(&payee, this, 0, &Streams::handOverCall { book: next.book, serial: next.serial, to: heir });
    line("handOver, to a first book", &done);
    let moved = done.ok::<Streams::handOverCall>();
    line("renounce", &w.chain.send(&w.payer, this, 0, &Streams::renounceCall { book: moved.newBook, serial: moved.newSerial }));
    let last = StreamsContract::created(&create(&mut w, token, &payee));
    w.chain.advance(DAY_SECS / 4);
    line("cancel, by the payer", &w.chain.send(&w.payer, this, 0, &Streams::cancelCall { book: last.book, serial: last.serial }));
    line("claim of a cancelled stream", &w.streams.claim(&mut w.chain, &payee, last, u128::MAX, payee.address));
    lines
}

/// Every line of streams.
pub fn lines() -> Vec<Line> {
    let mut chain = Sandbox::new();
    let deployer = chain.party("//deployer");
    let deployed = chain.deploy(&deployer, &Bundle::streams().code, Parameters::default().calldata());
    deployed.bytes();
    let mut lines = vec![Line::single("deploy".to_owned(), &deployed)];
    for (token, name) in [(NATIVE, "native"), (USDC, "USDC")] {
        lines.extend(single_calls(token, name));
        lines.extend(crate::batches(token == NATIVE, |rows, shape| batch(token, name, rows, shape)));
    }
    lines
}
