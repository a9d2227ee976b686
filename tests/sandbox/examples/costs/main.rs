//! What each call costs on Polkadot Hub's parameters: `scripts/bench contracts` writes it to `tests/bench`.
//!
//! All figures come from transactions applied in the sandbox, each batch on a chain of its own; once by the SDK's weights, once by those of the Hub today.
//! Prints JSON, or with `--markdown DIR` the tables, and a curve of the fee of a row for each contract into the folder.

mod channels;
mod report;
mod streams;

use rivulet_core::{ids::Token, outcome::RowOutcome};
use rivulet_runtime::weights::charge_as_the_hub_today;
use rivulet_sandbox::{Bundle, Cost, Failure, NATIVE, Outcome};

/// A line of a table: a transaction, its rows, its cost.
struct Line {
    what: String,
    /// The batch's shape and whether it is native, for the curve.
    shape: Option<(Shape, bool)>,
    rows: u64,
    cost: Cost,
    required: (u64, u64),
}

impl Line {
    fn single(what: String, done: &Outcome) -> Self {
        Self { what, shape: None, rows: 1, cost: done.cost, required: done.required }
    }
}

/// Whose rows a batch claims.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// As many payees as rows.
    Payees,
    /// Of one payee's book, none sharing a cell with another.
    Apart,
    /// Neighbours in one payee's book, which share cells.
    Neighbours,
}

impl Shape {
    const ALL: [Self; 3] = [Self::Payees, Self::Apart, Self::Neighbours];

    fn name(self) -> &'static str {
        match self {
            Self::Payees => "as many payees",
            Self::Apart => "one payee, no two share a cell",
            Self::Neighbours => "one payee, neighbours",
        }
    }
}

/// A hundredth of a token.
fn amount(token: Token) -> u128 {
    if token == NATIVE { 10_000_000_000_000_000 } else { 10_000 }
}

/// Batches of all shapes and sizes.
fn batches(native: bool, batch: impl Fn(usize, Shape) -> Option<Line>) -> Vec<Line> {
    let mut lines = Vec::new();
    for shape in Shape::ALL {
        let more: &[usize] = if shape == Shape::Neighbours && native { &[300, 500, 1_000, 1_500] } else { &[1_000] };
        for rows in [1, 10, 50, 200].iter().chain(more) {
            let Some(line) = batch(*rows, shape) else { break };
            lines.push(line);
        }
    }
    lines
}

/// A batch that pays each of its rows; `None` when it does not fit one transaction.
fn fits(token: &str, shape: Shape, rows: usize, done: &Outcome) -> Option<Line> {
    if matches!(done.result, Err(Failure::Dispatch("OutOfGas") | Failure::Invalid(_))) {
        eprintln!("left out of the table: {rows} rows of {} do not fit one transaction", shape.name());
        return None;
    }
    assert!(done.rows().iter().all(|row| *row == RowOutcome::Applied), "every row pays");
    let what = format!("claimBatch, {rows} rows, {}, {token}", shape.name());
    Some(Line { what, shape: Some((shape, token == "native")), rows: rows as u64, cost: done.cost, required: done.required })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => None,
        ["--markdown", folder] => Some(folder),
        _ => return Err("usage: costs [--markdown DIR]".into()),
    };
    for (name, code, lines) in
        [("channels", Bundle::channels().code, channels::lines as fn() -> Vec<Line>), ("streams", Bundle::streams().code, streams::lines)]
    {
        let sdk = lines();
        charge_as_the_hub_today(true);
        let today = lines();
        charge_as_the_hub_today(false);
        match folder {
            Some(folder) => {
                report::tables(name, &sdk, &today, code.len());
                report::curve(&sdk, &today, &format!("{folder}/{name}-fee-per-row.svg"), name)?;
            }
            None => report::json(name, &sdk, &today, code.len()),
        }
    }
    Ok(())
}
