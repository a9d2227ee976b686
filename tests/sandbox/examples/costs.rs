//! What each call costs on Polkadot Hub's parameters: `cargo run -p rivulet-sandbox --example costs [-- --json]`.
//!
//! Rows of a batch are first claims of fresh channels. All figures come from transactions applied in the sandbox; each batch has a chain of its own.

use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use rivulet_core::{blob::VoucherRow, ids::Number, ids::Token, outcome::RowOutcome};
use rivulet_sandbox::{
    Bundle, ChannelsContract, Cost, Failure, NATIVE, Parameters, Party, Sandbox, USDC, VoucherKey,
    abi::{both::Both, channels::Channels, erc20::Erc20, to_sol},
};

/// A line of the table: a transaction, its rows, its cost.
struct Line {
    what: String,
    rows: u64,
    cost: Cost,
    required: (u64, u64),
}

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

/// A hundredth of a token.
fn amount(token: Token) -> u128 {
    if token == NATIVE { 10_000_000_000_000_000 } else { 10_000 }
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

/// A batch of first claims; `None` when it does not fit one transaction.
fn batch(token: Token, name: &str, rows: usize, payees: usize) -> Option<Line> {
    let mut w = world();
    let vouchers = open(&mut w, token, rows, payees);
    let done = w.channels.claim_batch(&mut w.chain, &w.relayer, &vouchers);
    if done.result == Err(Failure::Dispatch("OutOfGas")) {
        eprintln!("{rows} rows do not fit one transaction");
        return None;
    }
    assert!(done.rows().iter().all(|row| *row == RowOutcome::Applied), "every row pays");
    let to = if payees == 1 { "one payee".to_owned() } else { format!("{payees} payees") };
    Some(Line { what: format!("claimBatch, {rows} rows, {to}, {name}"), rows: rows as u64, cost: done.cost, required: done.required })
}

fn single_calls(token: Token, name: &str) -> Vec<Line> {
    let mut w = world();
    let payee = w.chain.party("//payee").address;
    let session = w.session.address;
    let mut lines = Vec::new();
    let mut line = |what: &str, done: &rivulet_sandbox::Outcome| {
        done.bytes();
        lines.push(Line { what: format!("{what}, {name}"), rows: 1, cost: done.cost, required: done.required });
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
    line("requestClose", &w.chain.send(&w.payer, w.channels.address, 0, &Channels::requestCloseCall { book, serial }));
    w.chain.advance(3_600);
    line("finish", &w.chain.send(&w.payer, w.channels.address, 0, &Channels::finishCall { book, serial }));
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

fn table(lines: &[Line], code_bytes: usize) {
    println!("channels.polkavm: {code_bytes} bytes\n");
    println!(
        "| transaction | ref time, µs | proof, B | calldata, B | deposit, DOT | fee, DOT | fee at 0.1, DOT | a row: µs | proof, B | calldata, B | fee, DOT |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let dot = |planck: i128| planck as f64 / 1e10;
    for Line { what, rows, cost, .. } in lines {
        let row = cost.per(*rows);
        println!(
            "| {what} | {:.0} | {} | {} | {:.4} | {:.6} | {:.6} | {:.1} | {} | {} | {:.6} |",
            cost.ref_time_ps as f64 / 1e6,
            cost.proof_size_bytes,
            cost.calldata_bytes,
            dot(cost.storage_deposit_planck),
            dot(cost.fee_planck as i128),
            dot(cost.fee_low_planck as i128),
            row.ref_time_ps as f64 / 1e6,
            row.proof_size_bytes,
            row.calldata_bytes,
            dot(row.fee_planck as i128),
        );
    }
}

fn json(lines: &[Line], code_bytes: usize) {
    let lines: Vec<_> = lines
        .iter()
        .map(|Line { what, rows, cost, required }| {
            serde_json::json!({
                "transaction": what,
                "rows": rows,
                "ref_time_ps": cost.ref_time_ps,
                "proof_size_bytes": cost.proof_size_bytes,
                "calldata_bytes": cost.calldata_bytes,
                "tx_bytes": cost.tx_bytes,
                "storage_deposit_planck": cost.storage_deposit_planck.to_string(),
                "fee_planck": cost.fee_planck.to_string(),
                "fee_low_planck": cost.fee_low_planck.to_string(),
                "required_ref_time_ps": required.0,
                "required_proof_size_bytes": required.1,
            })
        })
        .collect();
    println!("{:#}", serde_json::json!({ "code_bytes": code_bytes, "transactions": lines }));
}

fn main() {
    let code = Bundle::channels().code;
    let mut chain = Sandbox::new();
    let deployer = chain.party("//deployer");
    let deployed = chain.deploy(&deployer, &code, Parameters::default().calldata());
    deployed.bytes();
    let mut lines = vec![Line { what: "deploy".to_owned(), rows: 1, cost: deployed.cost, required: deployed.required }];
    for (token, name) in [(NATIVE, "native"), (USDC, "USDC")] {
        lines.extend(single_calls(token, name));
        for rows in [10, 50, 200] {
            lines.extend(batch(token, name, rows, 1));
        }
        lines.extend(batch(token, name, 200, 200));
    }
    for rows in [500, 1_000, 1_500] {
        lines.extend(batch(NATIVE, "native", rows, 1));
    }
    if std::env::args().any(|a| a == "--json") { json(&lines, code.len()) } else { table(&lines, code.len()) }
}
