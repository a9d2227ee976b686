use crate::node::{USDC, World};
use rivulet_client::{ALL, CreateStream};
use rivulet_core::blob::{StreamRow, encode};
use rivulet_core::outcome::RowOutcome;
use rivulet_rules::chain::ContractKind;
use std::collections::BTreeMap;

const STREAMS: ContractKind = ContractKind::Streams;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_created_claimed_paused_and_cancelled() {
    let world = World::new().await;
    let (chain, payer, payee) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"));
    let node = chain.node();
    let usdc = world.token("usdc");
    let wanted = CreateStream {
        payee: payee.address(),
        token: usdc,
        rate_per_second_scaled: 1_000 * 1_000_000_000,
        total: 0,
        start_at: 0,
        cliff_at: 0,
        cliff_amount: 0,
        end_at: 0,
        flags: 1,
        amount: 50 * USDC,
        committed: 0,
        memo: [7; 32],
    };
    let stream = payer.create_stream(&wanted).await.unwrap();
    let at = node.finalized().await.unwrap();
    let state = chain.stream(stream.number, at).await.unwrap().unwrap();
    assert_eq!((state.stream_id, state.payer, state.payee, state.deposit), (stream.id, payer.address(), payee.address(), 50 * USDC));

    world.node.advance_time(1_000).await;
    let mut feed = chain.finalized_blocks(node.finalized().await.unwrap().number + 1);
    feed.next().await.unwrap();
    let at = feed.next().await.unwrap();
    let due = chain.balances(stream.number, at).await.unwrap();
    assert!((1_000_000..1_100_000).contains(&due.covered_debt), "{due:?}");

    // A relayer could claim it, and the payee does.
    let blob = encode(&BTreeMap::from([(stream.number.book, (false, BTreeMap::from([(stream.number.serial, StreamRow)])))]));
    let dry = chain.dry_run_claim(STREAMS, &blob, &payer.lane().signer().account(), at).await.unwrap();
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
