//! What each call of channels costs on Polkadot Hub's parameters: `scripts/bench contracts` writes it to `tests/bench`.
//!
//! Rows of a batch are first claims of fresh channels. All figures come from transactions applied in the sandbox; each batch has a chain of its own.
//! Prints JSON, or with `--markdown FILE.svg` the table, and the curve of the fee of a row to the file.

use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use plotters::prelude::*;
use rivulet_core::{blob::VoucherRow, ids::Number, ids::Token, outcome::RowOutcome};
use rivulet_sandbox::{
    Bundle, ChannelsContract, Cost, Failure, NATIVE, Parameters, Party, Sandbox, USDC, VoucherKey,
    abi::{both::Both, channels::Channels, erc20::Erc20, to_sol},
};

/// A line of the table: a transaction, its rows, its cost.
struct Line {
    what: String,
    /// The batch's shape, for the curve.
    shape: Option<Shape>,
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

/// Whose channels a batch claims.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Neighbours in one payee's book: four rows a cell.
    Dense,
    /// Every fourth of one payee's book: each row has a cell of its own.
    Sparse,
    /// As many payees as rows.
    Payees,
}

impl Shape {
    const ALL: [Self; 3] = [Self::Dense, Self::Sparse, Self::Payees];

    fn name(self) -> &'static str {
        match self {
            Self::Dense => "one payee, neighbours",
            Self::Sparse => "one payee, every fourth channel",
            Self::Payees => "as many payees",
        }
    }
}

/// The fee of a row of 200 by x402's batch settlement contract on the same chain, in DOT: 336 µs, 12,183 B of proof, 480 B of calldata.
const X402_ROW_DOT: f64 = 0.0033;

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
fn batch(token: Token, name: &str, rows: usize, shape: Shape) -> Option<Line> {
    let mut w = world();
    let vouchers = match shape {
        Shape::Dense => open(&mut w, token, rows, 1),
        Shape::Sparse => open(&mut w, token, rows * 4, 1).into_iter().step_by(4).collect(),
        Shape::Payees => open(&mut w, token, rows, rows),
    };
    let done = w.channels.claim_batch(&mut w.chain, &w.relayer, &vouchers);
    if done.result == Err(Failure::Dispatch("OutOfGas")) {
        eprintln!("left out of the table: {rows} rows of {} do not fit one transaction", shape.name());
        return None;
    }
    assert!(done.rows().iter().all(|row| *row == RowOutcome::Applied), "every row pays");
    let what = format!("claimBatch, {rows} rows, {}, {name}", shape.name());
    Some(Line { what, shape: (token == NATIVE).then_some(shape), rows: rows as u64, cost: done.cost, required: done.required })
}

fn single_calls(token: Token, name: &str) -> Vec<Line> {
    let mut w = world();
    let payee = w.chain.party("//payee").address;
    let session = w.session.address;
    let mut lines = Vec::new();
    let mut line = |what: &str, done: &rivulet_sandbox::Outcome| {
        done.bytes();
        lines.push(Line { what: format!("{what}, {name}"), shape: None, rows: 1, cost: done.cost, required: done.required });
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

fn table(lines: &[Line], code_bytes: usize) {
    println!("Code: {code_bytes} bytes. Peer: x402's batch settlement contract on the same chain, {X402_ROW_DOT} DOT a row of 200.\n");
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
        .map(|Line { what, rows, cost, required, .. }| {
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

/// The fee of a row over the size of its batch, native, at multiplier 1.
fn curve(lines: &[Line], file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let points = |shape| lines.iter().filter(move |l| l.shape == Some(shape)).map(|l| (l.rows as f64, l.cost.per(l.rows).fee_planck as f64 / 1e10));
    let most = lines.iter().filter(|l| l.shape.is_some()).map(|l| l.rows).max().unwrap_or(1) as f64;
    let area = SVGBackend::new(file, (760, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Fee of a claimed row, DOT (native token, multiplier 1)", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d((1f64..most).log_scale(), (0.0005f64..0.02).log_scale())?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_desc("rows in the batch")
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&|v| format!("{v:.4}"))
        .draw()?;
    for (shape, colour) in Shape::ALL.into_iter().zip([BLUE, GREEN, MAGENTA]) {
        let series = chart.draw_series(LineSeries::new(points(shape), colour.stroke_width(2)).point_size(3))?;
        series.label(shape.name()).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let peer = chart.draw_series(LineSeries::new([(1.0, X402_ROW_DOT), (most, X402_ROW_DOT)], RED.stroke_width(1)))?;
    peer.label("x402 batch settlement, 200 rows").legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], RED.stroke_width(1)));
    chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).border_style(BLACK).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let code = Bundle::channels().code;
    let mut chain = Sandbox::new();
    let deployer = chain.party("//deployer");
    let deployed = chain.deploy(&deployer, &code, Parameters::default().calldata());
    deployed.bytes();
    let mut lines = vec![Line { what: "deploy".to_owned(), shape: None, rows: 1, cost: deployed.cost, required: deployed.required }];
    for (token, name) in [(NATIVE, "native"), (USDC, "USDC")] {
        lines.extend(single_calls(token, name));
        for shape in Shape::ALL {
            for rows in [1, 10, 50, 200, 1_000] {
                lines.extend(batch(token, name, rows, shape));
            }
        }
    }
    for rows in [500, 1_500] {
        lines.extend(batch(NATIVE, "native", rows, Shape::Dense));
    }
    lines.sort_by_key(|l| l.shape.map(|shape| (shape.name(), l.rows)));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--markdown", file] => {
            table(&lines, code.len());
            curve(&lines, file)?;
        }
        _ => json(&lines, code.len()),
    }
    Ok(())
}
