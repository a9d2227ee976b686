use crate::node::{DOT, World};
use rivulet_chain::{Error, Lane, Refusal, Signer};
use rivulet_client::OpenChannel;
use rivulet_core::{
    blob::{VoucherRow, encode},
    ids::Address,
};
use rivulet_rules::chain::{ContractKind, TxHash};
use serde_json::json;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const CHANNELS: ContractKind = ContractKind::Channels;

#[tokio::test(flavor = "multi_thread")]
async fn many_channels_are_opened_at_once_and_claimed_in_one_transaction() {
    let world = World::new().await;
    let (chain, payer, payee) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"));
    let wanted = OpenChannel { payee: payee.address(), token: Address::ZERO, challenge_period_secs: 60, amount: DOT / 10 };
    let begun = Instant::now();
    let mut channels = payer.open_many(&vec![wanted; 200]).await.unwrap();
    eprintln!("200 channels opened in {:?}", begun.elapsed());
    assert_eq!(channels.len(), 200);
    assert!(channels.iter().enumerate().all(|(i, c)| c.number().serial as usize == i), "in the order asked for");

    let rows: BTreeMap<_, _> = channels
        .iter_mut()
        .map(|c| {
            let v = c.pay(payer.vouchers(), DOT / 100).unwrap();
            (v.number.serial, VoucherRow { cumulative_amount: v.cumulative_amount, signature: v.signature })
        })
        .collect();
    let blob = encode(&BTreeMap::from([(channels[0].number().book, (false, rows))]));
    let relayer = Signer::from_uri("//Dave").unwrap();
    let at = chain.node().finalized().await.unwrap();
    let begun = Instant::now();
    let dry = chain.dry_run_claim(CHANNELS, &blob, &relayer.account(), at).await.unwrap();
    eprintln!("dry run of 200 rows in {:?}: {:?}, {} planck a row", begun.elapsed(), dry.weight, dry.fee_planck / 200);
    assert!(dry.outcomes.unwrap().iter().all(|o| o.is_paid()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_transactions_of_one_key_are_in_flight_at_once() {
    let world = World::new().await;
    let (chain, payer, payee) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"));
    let lane = payer.lane();
    let node = lane.node();
    let wanted = OpenChannel { payee: payee.address(), token: Address::ZERO, challenge_period_secs: 60, amount: DOT };
    let channel = payer.open(&wanted).await.unwrap();
    let transfer = node.transfer(node.finalized().await.unwrap(), &Signer::from_uri("//Ferdie").unwrap().account(), 1).await.unwrap();
    let begun = Instant::now();
    let mut sent = Vec::new();
    for _ in 0..100 {
        sent.push(lane.send(&transfer).await.unwrap());
    }
    eprintln!("100 transactions sent in {:?}", begun.elapsed());
    let nonces: Vec<_> = sent.iter().map(|s| s.tx.nonce).collect();
    assert!(nonces.is_sorted_by(|a, b| a + 1 == *b), "{nonces:?}");
    for s in sent {
        s.success().await.unwrap();
    }
    eprintln!("and final after {:?}", begun.elapsed());

    // One that waits for a nonce that nobody sends is taken, and is in no block.
    let birth = node.finalized().await.unwrap();
    let far = node.sign(&transfer, lane.signer(), nonces[99] + 50, birth).await.unwrap();
    node.submit(&far).await.unwrap();
    assert_eq!(chain.find_tx(far.hash, birth.number, birth.number + 2).await.unwrap(), None);

    // Another program used the key: the lane finds its nonce again.
    let head = node.finalized().await.unwrap();
    let foreign = node.sign(&transfer, lane.signer(), nonces[99] + 1, head).await.unwrap();
    node.submit(&foreign).await.unwrap();
    lane.send(&transfer).await.unwrap().success().await.unwrap();

    // An expired transaction is told apart from a bad one.
    let mut short = *node.options();
    short.mortality_blocks = 4;
    let quick = rivulet_chain::Node::connect(&[world.node.url()], None, short).await.unwrap();
    let birth = quick.finalized().await.unwrap();
    let nonce = quick.account_next_nonce(&lane.signer().account()).await.unwrap();
    let expiring = quick.sign(&transfer, lane.signer(), nonce, birth).await.unwrap();
    let mut feed = quick.finalized_after(birth);
    // The pool may be a few blocks behind.
    while feed.next().await.unwrap().number < expiring.valid_until_block + 8 {}
    let error = quick.submit(&expiring).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refusal::Expired)), "{error}");

    // One that the node lost: its nonce is used again, or all later ones would wait for it.
    let forgetful = Lane::new(quick, lane.signer().clone());
    world.node.call("dev_setSealing", json!([false])).await;
    let lost = forgetful.send(&transfer).await.unwrap();
    world.node.call("author_removeExtrinsic", json!([[{ "hash": format!("0x{}", hex::encode(lost.tx.hash.0)) }]])).await;
    world.node.call("dev_setSealing", json!([true])).await;
    assert!(matches!(lost.report().await, Err(Error::Expired { .. })));
    forgetful.send(&transfer).await.unwrap().success().await.unwrap();

    // A failed call names the chain's reason and what it cost.
    let poor = node.transfer(birth, &Signer::from_uri("//Ferdie").unwrap().account(), u128::MAX / 2).await.unwrap();
    let report = lane.send(&poor).await.unwrap().report().await.unwrap();
    assert!(report.result.is_err() && report.fee_planck.is_some_and(|fee| fee > 0), "{report:?}");
    eprintln!("failed: {:?}", report.result);
    assert_eq!(payer.find(channel.number()).await.unwrap(), Some(channel));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_on_after_the_node_was_restarted_and_lost_blocks_are_noticed() {
    let mut world = World::new().await;
    let chain = world.chain.clone();
    let payer = world.payer("//Bob");
    let payee = world.payee("//Charlie").address();
    let mut feed = chain.finalized_blocks(0);
    let mut last = feed.next().await.unwrap();
    for _ in 0..5 {
        last = feed.next().await.unwrap();
    }
    world.node.stop();
    let url = world.node.url();
    let asking = tokio::spawn({
        let chain = chain.clone();
        async move { chain.node().finalized().await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    world.node.restart();
    assert_eq!(world.node.url(), url);
    let begun = Instant::now();
    asking.await.unwrap();
    eprintln!("answered {:?} after the node was ready again", begun.elapsed());
    // No block is lost or comes twice, and the chain is the same one.
    for _ in 0..10 {
        let block = feed.next().await.unwrap();
        assert_eq!(block.number, last.number + 1);
        last = block;
    }
    let wanted = OpenChannel { payee, token: Address::ZERO, challenge_period_secs: 60, amount: DOT };
    payer.open(&wanted).await.unwrap();
    assert_eq!(chain.find_tx(TxHash([7; 32]), 0, last.number).await.unwrap(), None);

    // A crash of the node is survived, or noticed when its database lost blocks that were final: never passed over.
    while feed.next_number() <= chain.node().finalized().await.unwrap().number {
        last = feed.next().await.unwrap();
    }
    world.node.kill();
    world.node.restart();
    for _ in 0..10 {
        match feed.next().await {
            Ok(block) => {
                assert_eq!(block.number, last.number + 1);
                last = block;
            }
            Err(Error::FinalityBroken { number, .. }) => {
                eprintln!("the crash lost final blocks before {number}");
                break;
            }
            Err(e) => panic!("{e}"),
        }
    }
}
