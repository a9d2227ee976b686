//! The connection and the feed, against a node that is restarted, silent, behind, wiped, lying, or of another chain.

use jsonrpsee::{
    RpcModule, SubscriptionMessage,
    server::{Server, ServerHandle},
    types::ErrorObjectOwned,
};
use rivulet_chain::{Error, Limits, Node, NodeOptions, Refusal, Submitted};
use rivulet_rules::{
    chain::{Account, BlockRef, SignedTx, TxHash},
    endpoint::{EndpointState, Tolerance},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::sync::broadcast;

/// A chain that exists in name only. Block `n` of history `h` has the hash `h, n, 0…`.
struct FakeChain {
    history: u8,
    finalized: u64,
    /// Answers nothing any more.
    silent: bool,
    /// Tells subscribers nothing, answers requests.
    mute: bool,
    pool: Vec<String>,
}

#[derive(Clone)]
struct Fake {
    chain: Arc<Mutex<FakeChain>>,
    heads: broadcast::Sender<u64>,
}

fn hash(history: u8, number: u64) -> String {
    // Histories share their first three blocks.
    let history = if number < 3 { 0 } else { history };
    format!("0x{history:02x}{number:02x}{}", "00".repeat(30))
}

fn header(history: u8, number: u64) -> Value {
    let parent = number.checked_sub(1).map_or_else(|| format!("0x{}", "00".repeat(32)), |n| hash(history, n));
    let root = format!("0x{}", "00".repeat(32));
    json!({ "parentHash": parent, "number": format!("0x{number:x}"), "stateRoot": root, "extrinsicsRoot": root, "digest": { "logs": [] } })
}

fn pool_error(code: i32, message: &str, data: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, Some(data))
}

impl Fake {
    fn new(finalized: u64) -> Self {
        let chain = FakeChain { history: 0, finalized, silent: false, mute: false, pool: Vec::new() };
        Self { chain: Arc::new(Mutex::new(chain)), heads: broadcast::channel(100).0 }
    }

    fn lock(&self) -> MutexGuard<'_, FakeChain> {
        self.chain.lock().unwrap()
    }

    fn finalize(&self, number: u64) {
        let mute = {
            let mut chain = self.lock();
            chain.finalized = number;
            chain.mute
        };
        if !mute {
            let _ = self.heads.send(number);
        }
    }

    async fn answer(&self, method: &'static str, params: Value) -> Result<Value, ErrorObjectOwned> {
        while self.lock().silent {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut chain = self.lock();
        let (history, finalized) = (chain.history, chain.finalized);
        Ok(match method {
            "chain_getFinalizedHead" => json!(hash(history, finalized)),
            "chain_getBlockHash" => {
                let number = params[0].as_u64().unwrap();
                json!((number <= finalized).then(|| hash(history, number)))
            }
            "chain_getHeader" => {
                let text = params[0].as_str().unwrap();
                header(history, u64::from_str_radix(&text[4..6], 16).unwrap())
            }
            "author_submitExtrinsic" => {
                let tx = params[0].as_str().unwrap().to_owned();
                match tx.as_str() {
                    "0xdead" => return Err(pool_error(1010, "Invalid Transaction", "Transaction is outdated")),
                    _ if chain.pool.contains(&tx) => return Err(pool_error(1013, "Transaction Already Imported", "")),
                    _ => chain.pool.push(tx),
                }
                json!(hash(0, 9))
            }
            _ => unreachable!("{method}"),
        })
    }

    async fn serve(&self, at: SocketAddr) -> (SocketAddr, ServerHandle) {
        let mut module = RpcModule::new(self.clone());
        for method in ["chain_getFinalizedHead", "chain_getBlockHash", "chain_getHeader", "author_submitExtrinsic"] {
            let run = move |params: jsonrpsee::types::Params<'static>, fake: Arc<Fake>, _| {
                let params = params.parse::<Value>().unwrap_or_default();
                async move { fake.answer(method, params).await }
            };
            module.register_async_method(method, run).unwrap();
        }
        module
            .register_subscription(
                "chain_subscribeFinalizedHeads",
                "chain_finalizedHead",
                "chain_unsubscribeFinalizedHeads",
                |_, pending, fake, _| async move {
                    let mut heads = fake.heads.subscribe();
                    let sink = pending.accept().await?;
                    let first = {
                        let chain = fake.lock();
                        (!chain.mute).then_some((chain.history, chain.finalized))
                    };
                    let message = |h, n| SubscriptionMessage::from(serde_json::value::to_raw_value(&header(h, n)).unwrap());
                    if let Some((h, n)) = first {
                        sink.send(message(h, n)).await?;
                    }
                    while let Ok(number) = heads.recv().await {
                        let history = fake.lock().history;
                        sink.send(message(history, number)).await?;
                    }
                    Ok(())
                },
            )
            .unwrap();
        let server = loop {
            // A port that was just closed may take a moment.
            match Server::builder().build(at).await {
                Ok(server) => break server,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let address = server.local_addr().unwrap();
        (address, server.start(module))
    }

    async fn start(&self) -> (String, SocketAddr, ServerHandle) {
        let (address, handle) = self.serve("127.0.0.1:0".parse().unwrap()).await;
        (format!("ws://{address}"), address, handle)
    }
}

async fn stop(handle: ServerHandle) {
    handle.stop().unwrap();
    handle.stopped().await;
}

fn options() -> NodeOptions {
    let limits = Limits { connect: Duration::from_millis(500), request: Duration::from_millis(300), patience: Duration::from_secs(3) };
    let tolerance = Tolerance { blocks: 3, secs: 1 };
    NodeOptions { limits, poll: Duration::from_millis(200), tolerance, ..NodeOptions::default() }
}

async fn connect(urls: &[String]) -> Node {
    Node::connect(urls, None, options()).await.unwrap()
}

#[tokio::test]
async fn the_feed_gives_every_block_once_though_finality_jumps() {
    let fake = Fake::new(2);
    let (url, _, _handle) = fake.start().await;
    let mut feed = connect(&[url]).await.finalized_blocks(0);
    for expected in 0..=2 {
        assert_eq!(feed.next().await.unwrap().number, expected);
    }
    fake.finalize(7);
    for expected in 3..=7 {
        let block = feed.next().await.unwrap();
        assert_eq!((block.number, block.hash[1]), (expected, expected as u8));
    }
}

#[tokio::test]
async fn the_feed_goes_on_after_the_node_was_restarted() {
    let fake = Fake::new(2);
    let (url, address, handle) = fake.start().await;
    let mut feed = connect(&[url]).await.finalized_blocks(2);
    assert_eq!(feed.next().await.unwrap().number, 2);
    stop(handle).await;
    fake.finalize(4);
    let waiting = tokio::spawn(async move {
        let blocks = [feed.next().await.unwrap().number, feed.next().await.unwrap().number];
        (blocks, feed)
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (_, _handle) = fake.serve(address).await;
    let (blocks, mut feed) = waiting.await.unwrap();
    assert_eq!(blocks, [3, 4]);
    fake.finalize(5);
    assert_eq!(feed.next().await.unwrap().number, 5);
}

#[tokio::test]
async fn the_feed_does_not_depend_on_the_subscription_alone() {
    let fake = Fake::new(1);
    fake.lock().mute = true;
    let (url, _, _handle) = fake.start().await;
    let mut feed = connect(&[url]).await.finalized_blocks(1);
    assert_eq!(feed.next().await.unwrap().number, 1);
    fake.finalize(2);
    assert_eq!(feed.next().await.unwrap().number, 2);
}

#[tokio::test]
async fn calls_that_nobody_polls_hold_up_no_others() {
    let fake = Fake::new(5);
    let (url, address, handle) = fake.start().await;
    let node = connect(&[url]).await;
    stop(handle).await;
    assert!(node.finalized().await.is_err());
    // The first of these makes a new connection, the others wait for it; and then nobody asks any of them how far it is.
    let mut held: Vec<_> = (0..=5).map(|number| Box::pin(node.block_at(number))).collect();
    for call in &mut held {
        assert!(futures::poll!(call).is_pending());
    }
    let _handle = fake.serve(address).await;
    assert_eq!(node.finalized().await.unwrap().number, 5);
    for (number, call) in held.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap().number, number as u64);
    }
}

#[tokio::test]
async fn a_chain_that_was_wiped_is_noticed() {
    let fake = Fake::new(5);
    let (url, _, _handle) = fake.start().await;
    let node = connect(&[url]).await;
    let mut feed = node.finalized_blocks(5);
    let last = feed.next().await.unwrap();
    fake.lock().history = 1;
    fake.finalize(6);
    assert!(matches!(feed.next().await, Err(Error::FinalityBroken { number: 6, .. })));
    // So it is after a restart of this program, from the block that it stored.
    assert!(matches!(node.finalized_after(last).next().await, Err(Error::FinalityBroken { number: 6, .. })));
}

#[tokio::test]
async fn the_next_node_takes_over_and_may_be_behind() {
    let (ahead, behind) = (Fake::new(4), Fake::new(3));
    let (first, _, handle) = ahead.start().await;
    let (second, _, _handle) = behind.start().await;
    let mut feed = connect(&[first, second]).await.finalized_blocks(4);
    assert_eq!(feed.next().await.unwrap().number, 4);
    stop(handle).await;
    let waiting = tokio::spawn(async move { feed.next().await.unwrap().number });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "block 5 does not exist yet");
    behind.finalize(5);
    assert_eq!(waiting.await.unwrap(), 5);
}

#[tokio::test]
async fn a_node_of_another_chain_is_refused_at_once() {
    let fake = Fake::new(2);
    let (url, _, _handle) = fake.start().await;
    let started = Instant::now();
    let error = Node::connect(&[url], Some([7; 32]), options()).await.unwrap_err();
    assert!(matches!(error, Error::WrongGenesis { .. }), "{error}");
    assert!(error.to_string().contains(&"07".repeat(32)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(1), "waiting does not mend a wrong URL");
}

#[tokio::test]
async fn a_silent_node_costs_no_more_than_patience() {
    let fake = Fake::new(2);
    let (url, _, _handle) = fake.start().await;
    let node = connect(&[url]).await;
    fake.lock().silent = true;
    let started = Instant::now();
    let error = node.finalized().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    fake.lock().silent = false;
    assert_eq!(node.finalized().await.unwrap().number, 2);
}

#[tokio::test]
async fn no_node_at_all_is_an_error_and_not_a_wait_without_end() {
    let error = Node::connect(&["ws://127.0.0.1:9".into()], None, options()).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(Node::connect(&[], None, options()).await.unwrap_err().to_string().contains("no URL"));
}

#[tokio::test]
async fn a_transaction_sent_twice_is_known_and_a_stale_one_is_refused() {
    let fake = Fake::new(2);
    let (url, _, _handle) = fake.start().await;
    let node = connect(&[url]).await;
    let tx = |bytes: &[u8]| SignedTx {
        bytes: bytes.to_vec(),
        hash: TxHash([0; 32]),
        signer: Account([0; 32]),
        nonce: 0,
        valid_from_block: 1,
        valid_until_block: 64,
    };
    assert_eq!(node.submit(&tx(&[1])).await.unwrap(), Submitted::Accepted);
    assert_eq!(node.submit(&tx(&[1])).await.unwrap(), Submitted::AlreadyKnown);
    let error = node.submit(&tx(&[0xde, 0xad])).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refusal::StaleNonce)), "{error}");
}

fn states(node: &Node) -> Vec<&'static str> {
    node.endpoints().iter().map(|e| e.state.word()).collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_node_that_falls_behind_is_left_and_taken_again_when_the_other_is_gone() {
    let (slow, fast) = (Fake::new(4), Fake::new(4));
    let ((first, _, _a), (second, _, handle)) = (slow.start().await, fast.start().await);
    let node = connect(&[first, second]).await;
    let mut feed = node.finalized_blocks(4);
    assert_eq!((feed.next().await.unwrap().number, node.endpoints()[0].is_used), (4, true));
    for number in 5..=8 {
        fast.finalize(number);
    }
    for number in 5..=8 {
        assert_eq!(feed.next().await.unwrap().number, number);
    }
    assert_eq!(states(&node), ["lagging", "good"]);
    let lagging = node.endpoints().remove(0);
    assert_eq!((lagging.is_used, lagging.block_number), (false, Some(4)));
    assert!(lagging.state.reason().unwrap().contains("4 blocks behind that of ws://127.0.0.1:"), "{lagging:?}");
    // Late is better than nothing.
    stop(handle).await;
    slow.finalize(9);
    assert_eq!(feed.next().await.unwrap().number, 9);
}

#[tokio::test]
async fn a_node_that_stands_still_while_another_moves_is_left() {
    let (still, moving) = (Fake::new(4), Fake::new(4));
    let ((first, _, _a), (second, _, _b)) = (still.start().await, moving.start().await);
    let node = connect(&[first, second]).await;
    let mut feed = node.finalized_blocks(4);
    assert_eq!(feed.next().await.unwrap().number, 4);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(states(&node), ["good", "good"], "all stand still: nobody lags");
    moving.finalize(5);
    assert_eq!(feed.next().await.unwrap().number, 5);
    assert_eq!(states(&node), ["lagging", "good"]);
}

#[tokio::test]
async fn a_node_that_contradicts_the_record_is_not_used_again() {
    let (liar, honest) = (Fake::new(5), Fake::new(5));
    let ((first, _, _a), (second, _, handle)) = (liar.start().await, honest.start().await);
    let node = connect(&[first, second]).await;
    let block = node.finalized().await.unwrap();
    node.confirm(block).await.unwrap();
    assert!(node.endpoints()[0].is_used);
    liar.lock().history = 1;
    until("the lie is seen", || states(&node) == ["lying", "good"]).await;
    let found = node.endpoints().remove(0);
    let EndpointState::Lying(reason) = &found.state else { panic!("{found:?}") };
    assert!(reason.contains("final block 5 is 0x0105") && reason.contains("0x0005") && reason.contains("the relayer's record"), "{reason}");
    assert_eq!((node.finalized().await.unwrap(), node.endpoints()[1].is_used), (block, true));
    // It is not used either when nobody else is left.
    stop(handle).await;
    assert!(node.finalized().await.is_err());
}

#[tokio::test]
async fn a_block_that_most_nodes_contradict_is_not_confirmed_and_its_teller_is_left() {
    let fakes = [Fake::new(5), Fake::new(5), Fake::new(5)];
    let (mut urls, mut handles) = (Vec::new(), Vec::new());
    for fake in &fakes {
        let (url, _, handle) = fake.start().await;
        urls.push(url);
        handles.push(handle);
    }
    let node = connect(&urls).await;
    node.confirm(node.finalized().await.unwrap()).await.unwrap();
    // A fork above what was agreed on, told by the node in use.
    fakes[0].lock().history = 1;
    fakes.iter().for_each(|fake| fake.finalize(6));
    let lie = BlockRef { number: 6, hash: [[1, 6].as_slice(), &[0; 30]].concat().try_into().unwrap() };
    let error = node.confirm(lie).await.unwrap_err();
    assert!(matches!(error, Error::Disputed(_)) && error.to_string().contains("final block 6 is 0x0006"), "{error}");
    assert_eq!(states(&node), ["lying", "good", "good"]);
    let told = node.finalized().await.unwrap();
    assert_eq!((told.number, told.hash[0]), (6, 0));
    node.confirm(told).await.unwrap();
}

#[tokio::test]
async fn when_it_cannot_be_told_who_lies_nobody_is_used() {
    let (one, other) = (Fake::new(5), Fake::new(6));
    other.lock().history = 1;
    let ((first, _, _a), (second, _, _b)) = (one.start().await, other.start().await);
    let urls = [first, second];
    let error = Node::connect(&urls, None, options()).await.unwrap_err().to_string();
    assert!(error.contains("no node can be believed") && error.contains("take the wrong node out of chain.rpc_urls"), "{error}");
    assert!(Node::look_at(&urls, None, options()).await.iter().all(|e| e.state.is_refused()));
    // One of the two is mended: both say the same again.
    let third = Fake::new(6);
    let (third, _, _c) = third.start().await;
    let node = connect(&[&urls[..], &[third]].concat()).await;
    assert_eq!(states(&node), ["good", "lying", "good"]);
    other.lock().history = 0;
    until("it is believed again", || states(&node) == ["good"; 3]).await;
}

#[tokio::test]
async fn a_node_of_another_chain_is_passed_over() {
    let fake = Fake::new(5);
    let (url, _, _handle) = fake.start().await;
    let genesis: [u8; 32] = hex::decode(&hash(0, 0)[2..]).unwrap().try_into().unwrap();
    let nodes = Node::look_at(&[url, "ws://127.0.0.1:9".to_owned()], Some([7; 32]), options()).await;
    assert_eq!((nodes[0].state.word(), nodes[1].state.word()), ("other_chain", "unreachable"));
    let reason = nodes[0].state.reason().unwrap();
    assert!(reason.contains(&hex::encode(genesis)) && reason.contains("expected 0x0707"), "{reason}");
}
