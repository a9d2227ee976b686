//! Five and a half hours of streams.

use super::{
    HOUR, Kind, StreamPlan,
    reckoning::{Change, Flow},
};
use crate::{
    Context, Error, Result,
    story::{
        Play,
        plan::{Coin, Money},
    },
};
use alloy_sol_types::SolCall;
use futures::future::try_join_all;
use rivulet_chain::{StreamDelegate, TxReport, abi::streams::Streams, abi::to_sol};
use rivulet_client::{ALL, CreateStream, Payer, Stream, VoucherKey};
use rivulet_core::stream::{Rights, view::StreamStatus};
use rivulet_rules::chain::{ContractEvent, ContractKind};
use std::time::{Duration, Instant};

const STREAMS: ContractKind = ContractKind::Streams;
/// How long something that the relayer gets in the way of is tried again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the relayer has for the last of it; what is left then is not worth a transaction to it.
const LAST_CLAIMS: Duration = Duration::from_secs(20);

/// Whose a stream is at first: a grant is the seller's.
fn first_payee(play: &Play, planned: &StreamPlan) -> rivulet_core::ids::Address {
    if planned.kind == Kind::Grant { play.cast.seller.address() } else { play.cast.creators[planned.creator].address() }
}

/// What a creator sees in its books.
fn memo(planned: &StreamPlan) -> [u8; 32] {
    let mut memo = [0; 32];
    let text = format!("{:?}, payer {}", planned.kind, planned.payer + 1);
    text.bytes().zip(&mut memo).for_each(|(from, to)| *to = from);
    memo
}

/// Payers create their streams, each all of its own at once.
///
/// # Errors
///
/// When the chain refuses.
pub async fn create(play: &Play) -> Result<Vec<Flow>> {
    // A start that was just now for all of them, whenever their blocks come.
    let start_at = play.stage.chain.finalized_head().await?.now;
    let wanted = |planned: &StreamPlan| CreateStream {
        payee: first_payee(play, planned),
        token: planned.coin.token(),
        rate_per_second_scaled: planned.rate_scaled,
        total_units: planned.total,
        start_at,
        cliff_at: planned.cliff.map_or(0, |(after, _)| start_at + after),
        cliff_units: planned.cliff.map_or(0, |(_, amount)| amount),
        end_at: if planned.lasts > 0 { start_at + planned.lasts } else { 0 },
        flags: planned.flags(),
        deposit_units: planned.deposit,
        committed_units: 0,
        memo: memo(planned),
    };
    let created = play.cast.pay.iter().enumerate().map(|(payer, client)| async move {
        let mine: Vec<_> = play.streams.iter().filter(|s| s.payer == payer).collect();
        let wanted: Vec<_> = mine.iter().map(|planned| wanted(planned)).collect();
        let streams = if wanted.is_empty() { Vec::new() } else { client.create_streams(&wanted).await? };
        Ok::<_, Error>(mine.into_iter().zip(streams).map(|(planned, stream)| Flow::new(*planned, stream, start_at)).collect::<Vec<_>>())
    });
    let flows: Vec<_> = try_join_all(created).await?.into_iter().flatten().collect();
    for flow in &flows {
        let (number, payer) = (flow.stream.number, &play.cast.pay[flow.plan.payer]);
        match flow.plan.kind {
            Kind::Rent => drop(payer.renounce_stream(number).await?),
            Kind::Video => {
                let rate_cap_per_second_scaled = 2 * flow.plan.rate_scaled;
                let app = StreamDelegate { address: play.cast.operator.address(), rights: Rights::ADJUST, rate_cap_per_second_scaled };
                payer.set_stream_delegate(number, Some(&app)).await?;
            }
            _ => {}
        }
    }
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

/// Something that a payer, or its app, does with each stream of a kind. Returns the streams' changes.
async fn each<'a, F>(play: &'a Play, flows: &'a mut [Flow], kind: Kind, change: Change, act: impl Fn(usize, Stream) -> F) -> Result<()>
where
    F: Future<Output = std::result::Result<TxReport, rivulet_client::Error>>,
{
    let act = &act;
    let all = flows.iter_mut().filter(|f| f.plan.kind == kind).map(|flow| async move {
        let report = act(flow.plan.payer, flow.stream).await?;
        flow.changes.push((time_of(play, &report).await?, change));
        Ok::<_, Error>(())
    });
    try_join_all(all).await.map(drop)
}

/// Who got a grant takes all that is due and hands the rest over to a creator, in one transaction: the two shares are parted to the second.
async fn hand_over(play: &Play, flow: &mut Flow) -> Result<()> {
    let (chain, seller, to) = (&play.stage.chain, play.cast.sell.lane(), &play.cast.creators[flow.plan.creator]);
    let (book, serial) = (flow.stream.number.book, flow.stream.number.serial);
    let node = chain.node();
    let claim = Streams::claimCall { book, serial, amount: ALL, to: to_sol(&play.cast.seller.address()) }.abi_encode();
    let hand_over = Streams::handOverCall { book, serial, to: to_sol(&to.address()) }.abi_encode();
    let (contract, begun) = (chain.contract(STREAMS), Instant::now());
    let both = async || {
        let calls = [seller.prepare(&contract, 0, &claim).await?, seller.prepare(&contract, 0, &hand_over).await?];
        seller.send(&node.batch_all(node.finalized().await?, &calls).await?).await?.success().await
    };
    let report = loop {
        match both().await {
            Ok(report) => break report,
            // The relayer has just claimed: a second later there is something to take again.
            Err(rivulet_chain::Error::Reverted(_) | rivulet_chain::Error::Failed(_)) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            Err(e) => return Err(e).doing(format!("handing stream {book}/{serial} over")),
        }
    };
    let moved = chain.events_of(&report)?.into_iter().find_map(|event| match event {
        ContractEvent::StreamHandedOver { new_number, .. } => Some(new_number),
        _ => None,
    });
    flow.stream.number = moved.ok_or_else(|| Error::new("a stream was handed over without an event"))?;
    flow.stream.payee = to.address();
    flow.handed_over_at = Some(time_of(play, &report).await?);
    Ok(())
}

/// Lessons have run out by now: their payers see it, and top them up.
async fn top_up(play: &Play, flow: &Flow) -> Result<()> {
    let state = play.stage.chain.stream(flow.stream.number, play.stage.chain.node().finalized().await?).await?;
    if state.is_none_or(|s| s.status != StreamStatus::StreamingInsolvent as u8) {
        return Err(Error::new(format!("a lesson should have run out of money by now, and is {state:?}")));
    }
    play.cast.pay[flow.plan.payer].top_up_stream(&flow.stream, flow.plan.top_up).await?;
    Ok(())
}

/// The last of a stream. The relayer claims what is worth it; what is not, the payer has paid to the creator, which ends the record.
async fn settle(play: &Play, flow: &Flow, relayers: Duration) -> Result<()> {
    let (chain, number, begun) = (&play.stage.chain, flow.stream.number, Instant::now());
    let is_gone = async || Ok::<_, Error>(chain.stream(number, chain.node().finalized().await?).await?.is_none());
    while begun.elapsed() < relayers {
        if is_gone().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let call = Streams::claimCall { book: number.book, serial: number.serial, amount: ALL, to: to_sol(&flow.stream.payee) }.abi_encode();
    let pushed = play.cast.pay[flow.plan.payer].lane().call_contract(&chain.contract(STREAMS), 0, &call).await;
    // The relayer may have been faster.
    if is_gone().await? { Ok(()) } else { pushed.map(drop).doing(format!("the last of stream {number}")) }
}

/// Claims on the way, a pause, a new rate, a top-up, a hand-over, cancellations, the end. All of them are gone afterwards.
///
/// # Errors
///
/// When the chain refuses.
pub async fn run(play: &Play, flows: &mut [Flow]) -> Result<()> {
    if flows.is_empty() {
        return Ok(());
    }
    let (pay, screen) = (&play.cast.pay, &play.screen);
    let app = Payer::with_lane(play.stage.chain.clone(), play.cast.push.clone(), VoucherKey::generate()?);
    pass(play, HOUR).await?;
    each(play, flows, Kind::Lesson, Change::Pause, |payer, stream| pay[payer].pause_stream(stream.number)).await?;
    for rate in flows.iter().filter(|f| f.plan.kind == Kind::Video).map(|f| 2 * f.plan.rate_scaled).take(1).collect::<Vec<_>>() {
        each(play, flows, Kind::Video, Change::Rate(rate), |_, stream| app.adjust_stream_rate(stream.number, rate)).await?;
    }
    screen.done("an hour later: the lesson pauses, and the viewer's app, as its delegate, doubles the video's rate");

    pass(play, HOUR).await?;
    each(play, flows, Kind::Lesson, Change::Resume, |payer, stream| pay[payer].resume_stream(stream.number)).await?;
    for flow in flows.iter_mut().filter(|f| f.plan.kind == Kind::Grant) {
        hand_over(play, flow).await?;
    }
    screen.done("another hour: the lesson goes on, and who got the grant hands the rest of it over to a creator");

    pass(play, HOUR / 2).await?;
    try_join_all(flows.iter().filter(|f| f.plan.kind == Kind::Lesson).map(|flow| top_up(play, flow))).await?;
    screen.done("the lesson has run out of money and owes more than it has: its payer tops it up");
    let cancelled = flows.iter_mut().filter(|f| f.is_to_be_cancelled()).map(|flow| async move {
        let report = pay[flow.plan.payer].cancel_stream(flow.stream.number).await?;
        flow.cancelled_at = Some(time_of(play, &report).await?);
        Ok::<_, Error>(())
    });
    try_join_all(cancelled).await?;
    screen.done("video, lesson and grant are cancelled, what had not flowed is back with the payers");

    pass(play, 3 * HOUR).await?;
    try_join_all(flows.iter().map(|flow| settle(play, flow, LAST_CLAIMS))).await?;
    let owed: Money = flows.iter().map(Flow::money).sum();
    let (dot, usdc) = (Coin::Dot.show(owed.planck, 4), Coin::Usdc.show(owed.usdc, 4));
    screen.done(&format!("salary and rent have ended; every stream is paid to the last unit, {dot} and {usdc}, and gone"));
    Ok(())
}
