//! Streams: five kinds of money by the second, from creation to the last unit.
//!
//! What each must pay is worked out here from the times of blocks alone, so that the audit compares two reckonings and not one with itself.

use super::{
    Play,
    options::{DOLLAR, MicroUsd, Options},
    plan::{Coin, Money},
};
use crate::{Error, Result};
use alloy_sol_types::SolCall;
use futures::future::try_join_all;
use rivulet_chain::{
    TxReport,
    abi::{both::Both, streams::Streams, to_sol},
};
use rivulet_client::{CreateStream, Stream};
use rivulet_core::{
    amount::floor_to_grain,
    blob::{self, StreamRow},
    stream::{Flags, schedule::SCALE},
};
use rivulet_rules::chain::ContractKind;
use std::{collections::BTreeMap, time::Duration};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What kind of stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Video by the minute, in DOT, cancelled by the payer when it has seen enough.
    Video,
    /// A salary in USDC with a cliff; runs to its end.
    Salary,
    /// A lesson in DOT, paused for an hour, cancelled.
    Lesson,
    /// A grant in USDC of a fixed total, cancelled halfway.
    Grant,
    /// A rent in DOT of a fixed total; runs to its end.
    Rent,
}

const KINDS: [Kind; 5] = [Kind::Video, Kind::Salary, Kind::Lesson, Kind::Grant, Kind::Rent];

/// A stream to be created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamPlan {
    /// What kind.
    pub kind: Kind,
    /// Whose, as an index.
    pub payer: usize,
    /// For whom, as an index.
    pub creator: usize,
    /// In what.
    pub coin: Coin,
    /// What is locked.
    pub deposit: u128,
    /// All that is owed at the end; 0 for a rate.
    total: u128,
    /// Rate × 1e9; 0 for a total.
    rate_scaled: u128,
    /// How long after its start it ends; 0: never.
    lasts: u64,
    /// When the cliff is, after the start, and what falls due then.
    cliff: Option<(u64, u128)>,
}

/// The streams of the story: payers and creators in turn, the five kinds in turn.
pub fn plan(options: &Options) -> Vec<StreamPlan> {
    (0..options.streams)
        .map(|n| {
            let kind = KINDS[n as usize % KINDS.len()];
            let coin = if matches!(kind, Kind::Salary | Kind::Grant) { Coin::Usdc } else { Coin::Dot };
            let usd = |dollars: u64| coin.amount(MicroUsd(dollars * DOLLAR), options.dot_usd);
            let by_hour = |dollars: u64| usd(dollars) * SCALE / u128::from(HOUR);
            let base = StreamPlan {
                kind,
                payer: (n % options.payers) as usize,
                creator: (n % options.creators) as usize,
                coin,
                deposit: usd(20),
                total: 0,
                rate_scaled: 0,
                lasts: 0,
                cliff: None,
            };
            match kind {
                Kind::Video => StreamPlan { rate_scaled: by_hour(3), ..base },
                Kind::Lesson => StreamPlan { rate_scaled: by_hour(6), deposit: usd(30), ..base },
                // More than it will ever owe: the rest comes back at the end.
                Kind::Salary => StreamPlan { total: usd(120), deposit: usd(125), lasts: 2 * HOUR, cliff: Some((30 * MINUTE, usd(30))), ..base },
                Kind::Grant => StreamPlan { total: usd(61), deposit: usd(61), lasts: 4 * HOUR, ..base },
                Kind::Rent => StreamPlan { total: usd(41), deposit: usd(41), lasts: 3 * HOUR, ..base },
            }
        })
        .collect()
}

/// A stream and what it must have paid in the end.
pub struct Flow {
    /// As planned.
    pub plan: StreamPlan,
    stream: Stream,
    start_at: u64,
    /// Seconds in which nothing flowed.
    paused: u64,
    paused_at: u64,
    /// When it was cancelled.
    cancelled_at: Option<u64>,
}

impl Flow {
    /// All that the creator must have got from it, as contracts count it.
    pub fn owed(&self) -> u128 {
        let StreamPlan { total, rate_scaled, lasts, cliff, coin, .. } = self.plan;
        let Some(cancelled_at) = self.cancelled_at else { return total };
        let elapsed = cancelled_at.saturating_sub(self.start_at);
        if total > 0 && elapsed >= lasts {
            return total;
        }
        let (cliff_at, cliff_amount) = cliff.unwrap_or_default();
        let (flowed, due) = if elapsed < cliff_at { (0, 0) } else { (elapsed - cliff_at - self.paused, cliff_amount) };
        let rate = if total > 0 { (total - cliff_amount) * SCALE / u128::from(lasts - cliff_at) } else { rate_scaled };
        floor_to_grain(&coin.token(), due + rate * u128::from(flowed) / SCALE)
    }

    /// The same as accounts have it.
    pub fn money(&self) -> Money {
        Money::of(self.plan.coin, self.owed())
    }
}

/// Payers create their streams.
///
/// # Errors
///
/// When the chain refuses.
pub async fn create(play: &Play) -> Result<Vec<Flow>> {
    // A start that was just now for all of them, whenever their blocks come.
    let start_at = play.stage.chain.finalized_head().await?.now;
    let created = play.streams.iter().map(|planned| async move {
        let StreamPlan { rate_scaled, total, lasts, cliff, deposit, .. } = *planned;
        let (cliff_after, cliff_amount) = cliff.unwrap_or_default();
        let cancellable = if planned.kind == Kind::Salary || planned.kind == Kind::Rent { 0 } else { Flags::CANCELLABLE };
        let wanted = CreateStream {
            payee: play.cast.creators[planned.creator].address(),
            token: planned.coin.token(),
            rate_per_second_scaled: rate_scaled,
            total,
            start_at,
            cliff_at: cliff.map_or(0, |_| start_at + cliff_after),
            cliff_amount,
            end_at: if lasts > 0 { start_at + lasts } else { 0 },
            flags: cancellable | if cliff.is_some() { Flags::CLIFF } else { 0 },
            amount: deposit,
            committed: 0,
            memo: [0; 32],
        };
        let stream = play.cast.pay[planned.payer].create_stream(&wanted).await?;
        Ok::<_, Error>(Flow { plan: *planned, stream, start_at, paused: 0, paused_at: 0, cancelled_at: None })
    });
    let flows = try_join_all(created).await?;
    play.screen.done(&format!("{} streams flow: video by the minute, a salary with a cliff, a lesson, a grant, a rent", flows.len()));
    Ok(flows)
}

/// Time passes on the chain.
///
/// # Errors
///
/// When the node does not answer.
pub async fn pass(play: &Play, secs: u64) -> Result<()> {
    let before = play.stage.chain.finalized_head().await?.now;
    play.stage.node.advance_time(secs).await?;
    while play.stage.chain.finalized_head().await?.now < before.saturating_add(secs) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// When a transaction happened, by its block's clock.
async fn time_of(play: &Play, report: &TxReport) -> Result<u64> {
    Ok(play.stage.chain.node().head(report.block).await?.now)
}

/// Somebody who has nothing to do with them pushes all streams' money to its payees, in one transaction.
async fn push_all(play: &Play, flows: &[Flow]) -> Result<()> {
    let mut content = BTreeMap::<u32, (bool, BTreeMap<u32, StreamRow>)>::new();
    for flow in flows {
        content.entry(flow.stream.number.book).or_default().1.insert(flow.stream.number.serial, StreamRow);
    }
    let call = Both::claimBatchCall { blob: blob::encode(&content).into() };
    play.cast.push.call_contract(&play.stage.chain.contract(ContractKind::Streams), 0, &call.abi_encode()).await?;
    Ok(())
}

/// A stream's payer has the last of it paid to the creator. That deletes the record, so its storage deposit goes back to who paid it.
async fn push_last(play: &Play, flow: &Flow) -> Result<()> {
    let number = flow.stream.number;
    let call = Streams::claimCall { book: number.book, serial: number.serial, amount: u128::MAX, to: to_sol(&flow.stream.payee) };
    let lane = play.cast.pay[flow.plan.payer].lane();
    lane.call_contract(&play.stage.chain.contract(ContractKind::Streams), 0, &call.abi_encode()).await?;
    Ok(())
}

/// Five and a half hours of streams: claims on the way, a pause, cancellations, the end. All of them are gone afterwards.
///
/// # Errors
///
/// When the chain refuses.
pub async fn run(play: &Play, flows: &mut [Flow]) -> Result<()> {
    if flows.is_empty() {
        return Ok(());
    }
    pass(play, HOUR).await?;
    let lessons = flows.iter_mut().filter(|f| f.plan.kind == Kind::Lesson);
    try_join_all(lessons.map(|flow| async move {
        let report = play.cast.pay[flow.plan.payer].pause_stream(flow.stream.number).await?;
        flow.paused_at = time_of(play, &report).await?;
        Ok::<_, Error>(())
    }))
    .await?;
    push_all(play, flows).await?;
    play.screen.done("an hour later: the lesson pauses, and a stranger pushes what has flowed to the creators, all in one transaction");

    pass(play, HOUR).await?;
    let lessons = flows.iter_mut().filter(|f| f.plan.kind == Kind::Lesson);
    try_join_all(lessons.map(|flow| async move {
        let report = play.cast.pay[flow.plan.payer].resume_stream(flow.stream.number).await?;
        flow.paused = time_of(play, &report).await?.saturating_sub(flow.paused_at);
        Ok::<_, Error>(())
    }))
    .await?;
    pass(play, HOUR / 2).await?;
    let cancelled = flows.iter_mut().filter(|f| matches!(f.plan.kind, Kind::Video | Kind::Lesson | Kind::Grant));
    try_join_all(cancelled.map(|flow| async move {
        let report = play.cast.pay[flow.plan.payer].cancel_stream(flow.stream.number).await?;
        flow.cancelled_at = Some(time_of(play, &report).await?);
        Ok::<_, Error>(())
    }))
    .await?;
    play.screen.done("later: the lesson went on; video, lesson and grant are cancelled, what had not flowed is back with the payers");

    pass(play, 3 * HOUR).await?;
    try_join_all(flows.iter().map(|flow| push_last(play, flow))).await?;
    let owed: Money = flows.iter().map(Flow::money).sum();
    let (dot, usdc) = (Coin::Dot.show(owed.planck, 4), Coin::Usdc.show(owed.usdc, 4));
    play.screen.done(&format!("salary and rent have ended; every stream is paid to the last unit, {dot} and {usdc}, and gone"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rivulet_core::ids::{Address, Number, StreamId};

    fn flow(kind: Kind) -> Flow {
        let plan = plan(&Options::parse_from(["story"])).into_iter().find(|p| p.kind == kind).unwrap();
        let stream = Stream { number: Number { book: 1, serial: 0 }, id: StreamId([0; 32]), payee: Address([1; 20]), token: plan.coin.token() };
        Flow { plan, stream, start_at: 1_000, paused: 0, paused_at: 0, cancelled_at: None }
    }

    #[test]
    fn one_that_ends_owes_its_total() {
        assert_eq!(flow(Kind::Salary).owed(), 120_000_000);
        assert_eq!(Flow { cancelled_at: Some(1_000 + 4 * HOUR), ..flow(Kind::Grant) }.owed(), 61_000_000);
    }

    #[test]
    fn one_that_is_cancelled_owes_what_flowed() {
        // 61 USDC over 4 hours: 4236.1 units a second.
        assert_eq!(Flow { cancelled_at: Some(1_000 + 100), ..flow(Kind::Grant) }.owed(), 423_611);
        // $6 an hour at $4: 1.5 DOT an hour.
        let lesson = Flow { cancelled_at: Some(1_000 + 3 * HOUR), paused: HOUR, ..flow(Kind::Lesson) };
        // The rate is rounded down, and so is what it makes: to whole planck.
        assert_eq!(lesson.owed(), 2_999_999_999_900_000_000);
    }
}
