use crate::node::{DOT, USDC, World};
use rivulet_chain::{Error as ChainError, StreamDelegate};
use rivulet_client::{ALL, CreateStream, Error, REFUNDABLE, rate_per_second_scaled};
use rivulet_core::{
    blob::{StreamRow, encode},
    fee::RelayTerms,
    ids::Address,
    outcome::RowOutcome,
    stream::{Flags, Rights, view::StreamStatus},
};
use rivulet_rules::{
    batch::{CostModel, Shape},
    chain::{BlockRef, ContractKind, StreamState},
};
use std::collections::BTreeMap;

const STREAMS: ContractKind = ContractKind::Streams;

impl World {
    /// Time passes; returns a block after it.
    async fn pass(&self, secs: u64) -> BlockRef {
        let node = self.chain.node();
        self.node.advance_time(secs).await;
        let mut feed = self.chain.finalized_blocks(node.finalized().await.unwrap().number + 1);
        feed.next().await.unwrap();
        feed.next().await.unwrap()
    }

    async fn stream(&self, number: rivulet_core::ids::Number) -> Option<StreamState> {
        self.chain.stream(number, self.chain.node().finalized().await.unwrap()).await.unwrap()
    }
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, Error>, name: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::Chain(ChainError::Reverted(r)) if r.is(name)), "expected {name}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_created_claimed_paused_and_cancelled() {
    let world = World::new().await;
    let (chain, payer, payee) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"));
    let node = chain.node();
    let usdc = world.token("usdc");
    let wanted = CreateStream { memo: [7; 32], ..CreateStream::open_ended(payee.address(), usdc, 1_000 * 1_000_000_000, 50 * USDC) };
    let stream = payer.create_stream(&wanted).await.unwrap();
    let state = world.stream(stream.number).await.unwrap();
    assert_eq!((state.stream_id, state.payer, state.payee, state.deposit), (stream.id, payer.address(), payee.address(), 50 * USDC));
    assert_eq!((state.memo, state.status), ([7; 32], StreamStatus::Streaming as u8));
    assert_eq!(payer.find_stream(stream.number).await.unwrap(), Some(stream));

    let at = world.pass(1_000).await;
    let due = chain.balances(stream.number, at).await.unwrap();
    assert!((1_000_000..1_100_000).contains(&due.covered_debt), "{due:?}");
    assert_eq!(chain.claimable_of_stream(stream.number, at).await.unwrap(), (due.covered_debt, 0));

    // A relayer could claim it, and the payee does.
    let blob = encode(&BTreeMap::from([(stream.number.book, (false, BTreeMap::from([(stream.number.serial, StreamRow)])))]));
    let dry = chain.dry_run_claim(STREAMS, &blob, &payee.lane().signer().account(), at).await.unwrap();
    assert_eq!(dry.outcomes, Ok(vec![RowOutcome::Applied]));
    payee.claim_stream(stream.number, ALL, &payee.address()).await.unwrap();
    payer.top_up_stream(&stream, USDC).await.unwrap();
    payer.pause_stream(stream.number).await.unwrap();
    payer.resume_stream(stream.number).await.unwrap();
    payer.cancel_stream(stream.number).await.unwrap();
    let at = node.finalized().await.unwrap();
    assert_eq!(chain.stream(stream.number, at).await.unwrap().map(|s| s.stream_id).unwrap_or(stream.id), stream.id);
    let unknown = rivulet_core::ids::Number { book: stream.number.book, serial: 99 };
    assert_eq!(chain.stream(unknown, at).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_are_created_at_once_in_the_order_asked_for() {
    let world = World::new().await;
    let (chain, payer) = (&world.chain, world.payer("//Bob"));
    let (one, other, usdc) = (world.payee("//Charlie").address(), world.payee("//Dave").address(), world.token("usdc"));
    // Two kinds that cannot share a call, in turns.
    let wanted: Vec<_> = (0..70u8)
        .map(|n| {
            let (payee, token) = if n % 2 == 0 { (one, usdc) } else { (other, Address::ZERO) };
            let deposit = if n % 2 == 0 { USDC } else { DOT / 100 };
            CreateStream { memo: [n; 32], ..CreateStream::open_ended(payee, token, rate_per_second_scaled(deposit, 100), deposit) }
        })
        .collect();
    let streams = payer.create_streams(&wanted).await.unwrap();
    let at = chain.node().finalized().await.unwrap();
    for (stream, wanted) in streams.iter().zip(&wanted) {
        let state = chain.stream(stream.number, at).await.unwrap().unwrap();
        assert_eq!((state.memo, state.payee, state.token, state.deposit), (wanted.memo, wanted.payee, wanted.token, wanted.deposit_units));
    }
    let mut listed = Vec::new();
    let (first, next) = chain.open_serials(STREAMS, streams[0].number.book, 0, 20, at).await.unwrap();
    listed.extend(first);
    let (rest, end) = chain.open_serials(STREAMS, streams[0].number.book, next.unwrap(), 20, at).await.unwrap();
    listed.extend(rest);
    assert_eq!((listed, end), ((0..35).collect(), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_changes_its_stream_and_a_delegate_does_what_it_may() {
    let world = World::new().await;
    let (chain, payer, payee, app) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"), world.payer("//Dave"));
    let usdc = world.token("usdc");
    let rate = rate_per_second_scaled(36 * USDC / 10, 3_600);
    let stream = payer.create_stream(&CreateStream::open_ended(payee.address(), usdc, rate, 20 * USDC)).await.unwrap();
    let number = stream.number;
    let balances = async || chain.balances(number, chain.node().finalized().await.unwrap()).await.unwrap();

    // The delegate raises the rate up to its cap, pauses, and can do nothing else.
    is_refused(app.adjust_stream_rate(number, rate + 1).await, "NotAllowed");
    let delegate = StreamDelegate { address: app.address(), rights: Rights::ADJUST | Rights::PAUSE, rate_cap_per_second_scaled: 2 * rate };
    payer.set_stream_delegate(number, Some(&delegate)).await.unwrap();
    let at = chain.node().finalized().await.unwrap();
    assert_eq!(chain.stream_delegate(number, at).await.unwrap(), Some(delegate));
    app.adjust_stream_rate(number, 2 * rate).await.unwrap();
    is_refused(app.adjust_stream_rate(number, 2 * rate + 1).await, "BadRate");
    is_refused(app.refund_stream(number, REFUNDABLE).await, "NotAllowed");
    assert_eq!(world.stream(number).await.unwrap().rate_per_second_scaled, 2 * rate);
    app.pause_stream(number).await.unwrap();
    is_refused(app.resume_stream(number).await, "NotAllowed");
    payer.set_stream_delegate(number, None).await.unwrap();
    let at = chain.node().finalized().await.unwrap();
    assert_eq!(chain.stream_delegate(number, at).await.unwrap(), None);
    payer.resume_stream(number).await.unwrap();

    // A part of what is not owed comes back; all of it is less than was put in.
    payer.refund_stream(number, 5 * USDC).await.unwrap();
    assert_eq!(balances().await.deposit, 15 * USDC);
    world.pass(10).await;
    is_refused(payer.refund_stream(number, 15 * USDC).await, "Overdraw");
    payer.refund_stream(number, REFUNDABLE).await.unwrap();
    world.pass(3_600).await;
    let now = balances().await;
    assert!(now.uncovered_debt > 0 && now.deposit < USDC, "{now:?}");

    // Voided, its uncovered debt is gone for good; what was covered is still the payee's.
    payer.void_stream(number).await.unwrap();
    let voided = balances().await;
    assert_eq!(
        (voided.uncovered_debt, voided.covered_debt, world.stream(number).await.unwrap().status),
        (0, now.covered_debt, StreamStatus::Voided as u8)
    );
    is_refused(payer.top_up_stream(&stream, USDC).await, "Ended");
    payee.claim_stream(number, ALL, &payee.address()).await.unwrap();
    assert_eq!(world.stream(number).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_hands_its_side_over_and_the_payer_gives_up_cancelling() {
    let world = World::new().await;
    let (chain, payer, seller, buyer) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"), world.payee("//Dave"));
    let usdc = world.token("usdc");
    let terms = RelayTerms { beneficiary: world.payer("//Eve").address(), fee_bps: 100, flat_fee: 0, min_gain: 0, until: u64::MAX >> 2 };
    buyer.set_terms(STREAMS, &usdc, &terms).await.unwrap();
    let end_at = chain.finalized_head().await.unwrap().now + 36_000;
    let flags = Flags::CANCELLABLE | Flags::TRANSFERABLE;
    let wanted = CreateStream { flags, ..CreateStream::of_total(seller.address(), usdc, 36 * USDC, end_at) };
    let stream = payer.create_stream(&wanted).await.unwrap();
    payer.renounce_stream(stream.number).await.unwrap();
    is_refused(payer.renounce_stream(stream.number).await, "NotCancellable");
    is_refused(payer.cancel_stream(stream.number).await, "NotCancellable");
    is_refused(payer.refund_stream(stream.number, REFUNDABLE).await, "NotCancellable");

    world.pass(3_600).await;
    is_refused(buyer.hand_over_stream(stream.number, &buyer.address()).await, "NotAllowed");
    let (number, _) = seller.hand_over_stream(stream.number, &buyer.address()).await.unwrap();
    assert_ne!(number, stream.number);
    assert_eq!(world.stream(stream.number).await, None);
    let moved = world.stream(number).await.unwrap();
    assert_eq!((moved.stream_id, moved.payee, moved.payer, moved.paid), (stream.id, buyer.address(), payer.address(), 0));

    // What was owed before is the new payee's too, less the fee that its own book gives.
    let at = chain.node().finalized().await.unwrap();
    let (gain, fee) = chain.claimable_of_stream(number, at).await.unwrap();
    assert!(gain >= 36 * USDC / 10 && fee == gain / 100, "{gain} {fee}");
    is_refused(seller.claim_stream(number, ALL, &seller.address()).await, "NotAllowed");
    buyer.claim_stream(number, ALL, &buyer.address()).await.unwrap();
    world.pass(40_000).await;
    buyer.claim_stream(number, ALL, &buyer.address()).await.unwrap();
    assert_eq!(world.stream(number).await, None);
    // A payee may end what is its own, and the payer gets the rest.
    let other = payer.create_stream(&CreateStream::open_ended(buyer.address(), usdc, 1_000_000_000, USDC)).await.unwrap();
    buyer.void_stream(other.number).await.unwrap();
    is_refused(buyer.cancel_stream(other.number).await, "Ended");
}

/// A batch of these serials of a book.
fn batch(book: u32, serials: impl Iterator<Item = u32>) -> Vec<u8> {
    encode(&BTreeMap::from([(book, (false, serials.map(|serial| (serial, StreamRow)).collect::<BTreeMap<_, _>>()))]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cost_model_of_streams_is_near_what_claims_take() {
    let world = World::new().await;
    let (chain, payer, usdc) = (&world.chain, world.payer("//Bob"), world.token("usdc"));
    let payee = world.payee("//Charlie");
    let wanted = vec![CreateStream::open_ended(payee.address(), usdc, rate_per_second_scaled(USDC, 1_000), USDC); 120];
    let streams = payer.create_streams(&wanted).await.unwrap();
    let at = world.pass(500).await;
    let cost = CostModel { fees: chain.fee_model(at).await.unwrap(), shape: Shape::STREAMS };
    let origin = payee.lane().signer().account();
    for (step, rows) in [(1, 1), (1, 120), (3, 40), (3, 1)] {
        let blob = batch(streams[0].number.book, (0..120).step_by(step).take(rows));
        let dry = chain.dry_run_claim(STREAMS, &blob, &origin, at).await.unwrap();
        assert_eq!(dry.outcomes.as_ref().map(Vec::len), Ok(rows));
        let cells = if step == 1 { rows.div_ceil(3) } else { rows };
        let sharing = if step == 1 && rows > 1 { 3 } else { 1 };
        let modelled = cost.base_planck() + cost.group_planck() + rows as u128 * cost.row_planck(3, sharing);
        println!("{rows} rows in {cells} cells: {:?}, fee {}, modelled {modelled} {:?}", dry.weight, dry.fee_planck, cost.weight(1, cells, rows, 0));
        assert!(modelled.abs_diff(dry.fee_planck) < dry.fee_planck / 10, "modelled {modelled}, the chain says {}", dry.fee_planck);
    }
}
