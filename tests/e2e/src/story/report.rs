//! The table at the end, for people and as JSON.

use super::{
    Play,
    audit::{Audit, Facts, audit},
    cast::DOT,
    options::MicroUsd,
    paying::Paying,
    plan::{ARTICLE, Coin, Money},
    screen::{Screen, decimal, dot, grouped, usdc},
};
use serde_json::{Value, json};
use std::time::Duration;

/// One creator's line.
pub struct Line {
    name: String,
    payments: u64,
    earned: Money,
    received: Money,
    fees: Money,
}

/// Everything that is told at the end.
pub struct Report {
    lines: Vec<Line>,
    audit: Audit,
    paying: Paying,
    channels: usize,
    streams: usize,
    took: Duration,
    dot_usd: MicroUsd,
    /// Node and relayer were left running.
    pub is_kept: bool,
}

impl Report {
    /// Works it out.
    pub fn new(play: &Play, facts: &Facts, paying: Paying, took: Duration) -> Self {
        let audit = audit(facts);
        let lines = facts.creators.iter().zip(&audit.creators).map(|(creator, (received, fees))| Line {
            name: creator.name.clone(),
            payments: creator.payments,
            earned: creator.earned,
            received: *received,
            fees: *fees,
        });
        let (received, fees) = audit.seller;
        let seller = Line { name: facts.seller.name.clone(), payments: 0, earned: facts.seller.earned, received, fees };
        let lines = lines.chain(Some(seller).filter(|line| line.earned != Money::default()));
        let (channels, streams) = (play.plan.channels.len(), play.streams.len());
        Self { lines: lines.collect(), paying, channels, streams, took, dot_usd: play.options.dot_usd, is_kept: play.options.keep, audit }
    }

    /// True when every unit is accounted for.
    pub fn holds(&self) -> bool {
        self.audit.holds()
    }

    /// Fees in planck as DOT and as a share of ten cents, for each payment.
    fn per_payment(&self, planck: u128) -> (String, String) {
        let payments = u128::from(self.paying.accepted.max(1));
        let each = planck / payments;
        // In hundredths of a percent of the price of an article, from the sum: a single payment's part is below a planck's worth of rounding.
        let micro_usd = planck * u128::from(self.dot_usd.0) / DOT;
        let share = micro_usd * 1_000_000 / payments / u128::from(ARTICLE.0);
        (decimal(each, 10, 8), format!("{} %", decimal(share, 4, 3)))
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let money = |m: &Money| json!({ "planck": m.planck.to_string(), "usdc_units": m.usdc.to_string() });
        let creators = self.lines.iter().map(|line| {
            json!({
                "name": line.name, "payments": line.payments, "earned": money(&line.earned), "received": money(&line.received),
                "relay_fees": money(&line.fees),
            })
        });
        let differences = self.audit.differences.iter().map(|d| {
            let coin = if d.coin == Coin::Dot { "planck" } else { "usdc_units" };
            json!({ "what": d.what, "unit": coin, "expected": d.expected.to_string(), "found": d.found.to_string() })
        });
        let roles = ["payers", "creators", "relayer", "delegate_and_seller"];
        let costs = roles
            .iter()
            .zip(&self.audit.costs)
            .map(|(role, paid)| ((*role).to_owned(), json!({ "transactions": paid.transactions, "fees_planck": paid.fees.to_string() })));
        let relayer = self.audit.costs[2].fees;
        json!({
            "accounted_for": self.holds(), "equalities": self.audit.checked, "differences": differences.collect::<Vec<_>>(),
            "payments": self.paying.accepted, "channels": self.channels, "streams": self.streams,
            "vouchers_per_second": (self.paying.accepted as f64 / self.paying.took.as_secs_f64()).round(),
            "seconds": self.took.as_secs_f64().round(), "creators": creators.collect::<Vec<_>>(),
            "put_in": money(&self.audit.put_in), "relay_fees": money(&self.audit.relay_fees), "refunds": money(&self.audit.refunds),
            "transaction_costs": costs.collect::<serde_json::Map<_, _>>(),
            "channel_storage_deposit_planck": self.audit.channel_deposit.to_string(),
            "storage_deposits_to_creators_planck": self.audit.deposits_to_creators.to_string(),
            "storage_deposits_left_planck": self.audit.deposits_left.to_string(),
            "claim_fee_per_payment_dot": self.per_payment(relayer).0, "claim_fee_share_of_ten_cents": self.per_payment(relayer).1,
            "dot_usd": decimal(self.dot_usd.0.into(), 6, 2),
        })
    }
}

/// Columns, the first to the left, the others to the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(i, (cell, width))| if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

fn creators(report: &Report) -> String {
    let mut rows =
        vec![row(["", "", "DOT", "", "", "USDC", "", ""]), row(["creator", "payments", "earned", "received", "fees", "earned", "received", "fees"])];
    let mut all = (0, Money::default(), Money::default(), Money::default());
    let cells = |name: &str, payments: u64, earned: Money, received: Money, fees: Money| {
        let mut row = vec![name.to_owned(), grouped(payments.into())];
        row.extend([earned, received, fees].map(|m| decimal(m.planck, 10, 4)));
        row.extend([earned, received, fees].map(|m| usdc(m.usdc)));
        row
    };
    for line in &report.lines {
        rows.push(cells(&line.name, line.payments, line.earned, line.received, line.fees));
        all = (all.0 + line.payments, all.1 + line.earned, all.2 + line.received, all.3 + line.fees);
    }
    rows.push(cells("all", all.0, all.1, all.2, all.3));
    table(&rows)
}

fn books(report: &Report) -> String {
    let Audit { put_in, relay_fees, refunds, .. } = report.audit;
    let received: Money = report.lines.iter().map(|l| l.received).sum();
    let line = |name: &str, m: Money| vec![name.to_owned(), dot(m.planck), usdc(m.usdc)];
    table(&[
        row(["", "DOT", "USDC"]),
        line("payers put in", put_in),
        line("creators and seller got", received),
        line("the relayer's earnings got", relay_fees),
        line("payers got back", refunds),
        line("= together", received + relay_fees + refunds),
    ])
}

fn costs(report: &Report) -> String {
    let [payers, creators, relayer, operator] = report.audit.costs;
    let mut rows = vec![row(["transactions", "number", "fees in DOT", "DOT a payment", "of $0.10"])];
    let mut all = (0, 0);
    for (name, paid) in [
        ("payers: open, top up, streams, close", payers),
        ("relayer: claims", relayer),
        ("creators: close", creators),
        ("delegate and seller of streams", operator),
    ] {
        let (each, share) = report.per_payment(paid.fees);
        rows.push(vec![name.into(), grouped(paid.transactions.into()), dot(paid.fees), each, share]);
        all = (all.0 + paid.transactions, all.1 + paid.fees);
    }
    let (each, share) = report.per_payment(all.1);
    rows.push(vec!["all".into(), grouped(all.0.into()), dot(all.1), each, share]);
    table(&rows)
}

/// Shows all of it.
pub fn show(screen: &Screen, report: &Report) {
    screen.print(&format!("\n{}\n", creators(report)));
    screen.print(&format!("{}\n", books(report)));
    screen.print(&format!("{}\n", costs(report)));
    let Audit { channel_deposit, deposits_to_creators, deposits_left, checked, ref differences, .. } = report.audit;
    screen.print(&format!(
        "  Storage deposits, {} DOT a channel on average, came back to who closed: {} DOT of them to creators. {} DOT stays with the contracts,\n  \
         for the credit cells of payers. A DOT is taken for ${}.\n",
        dot(channel_deposit),
        dot(deposits_to_creators),
        dot(deposits_left),
        decimal(report.dot_usd.0.into(), 6, 2)
    ));
    let (each, share) = report.per_payment(report.audit.costs[2].fees);
    screen.print(&format!(
        "  {} payments through {} channels, {} streams, {} claims: {each} DOT a payment, {share} of $0.10. {:.0} s in all.\n",
        grouped(report.paying.accepted.into()),
        report.channels,
        report.streams,
        report.audit.costs[2].transactions,
        report.took.as_secs_f32()
    ));
    for d in differences {
        let amount =
            |n: i128| format!("{}{}", if n < 0 { "-" } else { "" }, if d.coin == Coin::Dot { dot(n.unsigned_abs()) } else { usdc(n.unsigned_abs()) });
        let coin = if d.coin == Coin::Dot { "DOT" } else { "USDC" };
        let (expected, found, by) = (amount(d.expected), amount(d.found), amount(d.found - d.expected));
        screen.print(&format!("  DIFFERENCE  {}: expected {expected} {coin}, found {found}: {by} too much", d.what));
    }
    match differences.len() {
        0 => screen.verdict(true, &format!("Every unit is accounted for: {checked} equalities between finalized balances hold.")),
        n => screen.verdict(false, &format!("{n} of {checked} equalities between finalized balances do not hold.")),
    }
}
