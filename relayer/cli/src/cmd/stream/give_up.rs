//! `rivulet stream cancel`, `void`, `renounce`: somebody gives something up for good.

use super::{Answer, view::View};
use crate::{account::KeyArgs, amount::Money, confirm::Confirm, kept::number, network::NetworkArgs};
use clap::Args;
use rivulet_chain::TxReport;
use rivulet_client::{Error, Payee, Payer};
use rivulet_core::ids::StreamNumber;
use rivulet_rules::{chain::ContractEvent, statement::time_text};

/// Which stream.
#[derive(Debug, Args)]
pub struct GiveUp {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

/// What is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The rest of the stream; the caller's side is paid.
    Cancel,
    /// The rest of the stream, and debt that is not covered; nobody is paid.
    Void,
    /// The payer's right to cancel.
    Renounce,
}

/// What to ask first; `None` where the caller gives nothing away.
fn question(what: What, view: &View, by_payee: bool) -> Option<String> {
    let (s, b, number) = (&view.state, &view.balances, view.state.number);
    let money = |units| view.coin.money(units);
    let due = if by_payee { s.covered_debt } else { view.due_to_payee() };
    let uncovered = money(b.uncovered_debt);
    match what {
        // The payee ends it for itself: whatever has not flowed by now is the payer's, committed or not, and of a stream that could not be cancelled too.
        What::Cancel if by_payee => {
            let rest = s.deposit.saturating_sub(s.paid).saturating_sub(s.covered_debt);
            let off =
                if b.uncovered_debt > 0 { format!(", {uncovered} that are owed and not covered are written off for good") } else { String::new() };
            (rest > 0 || b.uncovered_debt > 0).then(|| {
                format!(
                    "Cancel stream {number}: {} are paid to you, {} that would still have flowed go back to {}{off}",
                    money(due),
                    money(rest),
                    s.payer
                )
            })
        }
        What::Cancel if !by_payee && due > s.covered_debt => {
            let early = money(due.saturating_sub(s.covered_debt));
            Some(format!("Cancel stream {number}: {early} that are committed, but not owed yet, go to {}", s.payee))
        }
        What::Cancel => None,
        What::Void => {
            let rest = money(s.deposit.saturating_sub(s.paid).saturating_sub(due));
            Some(format!(
                "Void stream {number} for good: {uncovered} that are owed and not covered are written off, {} stay claimable, {rest} refundable",
                money(due)
            ))
        }
        What::Renounce => {
            let until = if s.end_at > 0 { format!("until its end, {},", time_text(s.end_at)) } else { "as it has no end, ever again".to_owned() };
            Some(format!(
                "Give up cancelling stream {number} for good: {until} you can neither cancel, void nor pause it, take money back, nor lower its rate"
            ))
        }
    }
}

/// What it has done, as events say: amounts with what they are called in JSON and for people.
fn outcome(report: &TxReport, view: &View, by_payee: bool, chain: &rivulet_chain::Chain) -> anyhow::Result<Vec<(&'static str, Money, &'static str)>> {
    let money = |units| view.coin.money(units);
    let told = |event| match event {
        ContractEvent::StreamCancelled { due, refund, .. } => {
            let (due_is, refund_is) = match by_payee {
                true => ("paid to the payee", "the payer's to collect"),
                false => ("the payee's to claim", "paid back to the payer"),
            };
            Some(vec![("due", money(due), due_is), ("refund", money(refund), refund_is)])
        }
        ContractEvent::StreamVoided { due, written_off, .. } => {
            Some(vec![("due", money(due), "the payee's to claim"), ("written_off", money(written_off), "written off for good")])
        }
        _ => None,
    };
    Ok(chain.events_of(report)?.into_iter().find_map(told).unwrap_or_default())
}

impl GiveUp {
    pub async fn run(self, what: What) -> Answer {
        let network = self.network.connect().await?;
        let number = self.stream;
        let view = View::read(&network, number, network.head().await?).await?;
        let account = self.key.account(&network.deployment)?;
        // Payer and payee make the same calls; what they get differs.
        let by_payee = account.signer.address() == view.state.payee;
        if let Some(question) = question(what, &view, by_payee) {
            self.confirm.ask(&question)?;
        }
        let payee = Payee::new(network.chain.clone(), account.signer.clone());
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        let report: Result<TxReport, Error> = match (what, by_payee) {
            (What::Cancel, true) => payee.cancel_stream(number).await,
            (What::Cancel, false) => payer.cancel_stream(number).await,
            (What::Void, true) => payee.void_stream(number).await,
            (What::Void, false) => payer.void_stream(number).await,
            (What::Renounce, _) => payer.renounce_stream(number).await,
        };
        let parts = outcome(&report?, &view, by_payee, &network.chain)?;
        let mut told = View::after(&network, number).await?;
        for (name, money, _) in &parts {
            told.json[*name] = money.json();
        }
        let said: Vec<_> = parts.iter().map(|(_, money, what)| format!("{money} {what}")).collect();
        if !said.is_empty() {
            told.text = format!("{}\n{}", said.join(", "), told.text);
        }
        Ok(told)
    }
}
