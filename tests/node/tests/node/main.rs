//! The node as its users meet it: the real binary, over JSON-RPC.

mod eth;
mod harness;

use codec::Encode;
use harness::{Node, wait_until};
use polkadot_sdk::{frame_system, pallet_revive, pallet_transaction_payment, sp_keyring::Sr25519Keyring, sp_runtime::generic};
use rivulet_runtime::{Hash, Runtime, RuntimeCall, TxExtension, UncheckedExtrinsic, VERSION};
use serde_json::json;
use std::{process::Command, thread::sleep, time::Duration};

/// Alice's first transaction, in hexadecimal.
fn signed_by_alice(node: &Node, call: RuntimeCall) -> String {
    let genesis: Hash = serde_json::from_value(node.call("chain_getBlockHash", json!([0]))).expect("a hash");
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(generic::Era::Immortal),
        frame_system::CheckNonce::from(0),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        pallet_revive::evm::tx_extension::SetOrigin::<Runtime>::default(),
        frame_system::WeightReclaim::new(),
    );
    let implicit = ((), VERSION.spec_version, VERSION.transaction_version, genesis, genesis, (), (), (), (), ());
    let payload = generic::SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
    let signature = payload.using_encoded(|bytes| Sr25519Keyring::Alice.sign(bytes));
    let alice = Sr25519Keyring::Alice.to_account_id();
    let transaction = generic::UncheckedExtrinsic::new_signed(call, alice.into(), signature.into(), extension);
    let bytes = UncheckedExtrinsic::from(transaction).encode();
    bytes.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn blocks_come_by_themselves_and_are_final() {
    let mut node = Node::start(&["--block-time-ms", "100"]);
    wait_until("five final blocks", || node.finalized() >= 5);
    let health = node.call("system_health", json!([]));
    assert_eq!(health, json!({ "peers": 0, "isSyncing": false, "shouldHavePeers": false }));
    assert!(node.signal("-INT"), "the node ends well on ctrl-C");
}

#[test]
fn finality_lags_as_told() {
    let node = Node::start(&["--block-time-ms", "50", "--finality-lag", "3"]);
    wait_until("ten blocks", || node.best().0 >= 10);
    node.call("dev_setSealing", json!([false]));
    node.call("dev_advanceTime", json!([0]));
    assert_eq!(node.finalized() + 3, node.best().0);
}

#[test]
fn time_moves_as_told() {
    let node = Node::start(&["--instant"]);
    node.call("dev_sealBlock", json!([true]));
    let before = node.time_ms();
    let told = node.call("dev_advanceTime", json!([86_400])).as_u64().expect("seconds");
    node.call("dev_sealBlock", json!([true]));
    let after = node.time_ms();
    assert!((86_400_000..86_460_000).contains(&(after - before)), "{before} to {after}");
    assert!((told..told + 60).contains(&(after / 1000)));
}

#[test]
fn a_longer_fork_replaces_the_best_chain_and_a_final_block_stays() {
    let node = Node::start(&["--instant"]);
    let root = node.call("dev_sealBlock", json!([true]))["hash"].clone();
    let old = node.call("dev_sealBlock", json!([false]))["hash"].clone();

    let equal = node.call("dev_buildFork", json!([root, 1]));
    assert_eq!(node.best().1, old, "a fork of the same length changes nothing");
    let longer = node.call("dev_buildFork", json!([root, 2]));
    assert_eq!(node.best().1, longer[1]);
    assert_ne!(equal[0], longer[0]);
    assert_eq!(node.finalized(), 1);

    node.call("dev_finalize", json!([longer[0]]));
    assert_eq!(node.finalized(), 2);
    let refused = node.request("dev_finalize", json!([old]));
    assert_eq!(refused["error"]["code"], 1, "{refused}");
    let refused = node.request("dev_buildFork", json!([root, 3]));
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("final already")), "{refused}");
}

#[test]
fn sealing_pauses_and_resumes() {
    let node = Node::start(&["--block-time-ms", "20"]);
    assert_eq!(node.call("dev_setSealing", json!([false])), true);
    // A block that was under way may still come.
    sleep(Duration::from_millis(500));
    let paused = node.best().0;
    sleep(Duration::from_millis(500));
    assert_eq!(node.best().0, paused);
    assert_eq!(node.call("dev_setSealing", json!([true])), false);
    wait_until("another block", || node.best().0 > paused);
}

#[test]
fn a_large_transaction_is_in_a_final_block_at_once() {
    let node = Node::start(&["--instant"]);
    let remark = frame_system::Call::remark { remark: vec![7; 140_000] };
    let sent = node.call("author_submitExtrinsic", json!([signed_by_alice(&node, remark.into())]));
    assert!(sent.is_string(), "{sent}");
    wait_until("a block", || node.finalized() == 1);
    let block = node.call("chain_getBlock", json!([]));
    let transactions = block["block"]["extrinsics"].as_array().expect("a list");
    assert!(transactions.len() == 2 && transactions[1].as_str().is_some_and(|text| text.len() > 280_000));
}

#[test]
fn a_transaction_in_an_abandoned_block_comes_again() {
    let node = Node::start(&["--instant"]);
    node.call("dev_setSealing", json!([false]));
    let root = node.call("dev_sealBlock", json!([true]))["hash"].clone();
    let remark = frame_system::Call::remark_with_event { remark: b"again".to_vec() };
    node.call("author_submitExtrinsic", json!([signed_by_alice(&node, remark.into())]));
    assert_eq!(node.call("dev_sealBlock", json!([false]))["transactions"], 1);

    node.call("dev_buildFork", json!([root, 2]));
    wait_until("the transaction waits again", || {
        node.call("author_pendingExtrinsics", json!([])).as_array().is_some_and(|waiting| waiting.len() == 1)
    });
    assert_eq!(node.call("dev_sealBlock", json!([true]))["transactions"], 1);
}

#[test]
fn transactions_that_came_while_sealing_was_off_are_sealed_when_it_is_on() {
    let node = Node::start(&["--instant"]);
    node.call("dev_setSealing", json!([false]));
    let remark = frame_system::Call::remark { remark: Vec::new() };
    node.call("author_submitExtrinsic", json!([signed_by_alice(&node, remark.into())]));
    sleep(Duration::from_millis(300));
    assert_eq!(node.best().0, 0);
    node.call("dev_setSealing", json!([true]));
    wait_until("a block", || node.finalized() == 1);
}

#[test]
fn a_kept_chain_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("in ASCII");
    let mut node = Node::start(&["--instant", "--base-path", path]);
    node.call("dev_advanceTime", json!([1_000_000]));
    let hash = node.call("dev_sealBlock", json!([true]))["hash"].clone();
    let before = node.time_ms();
    assert!(node.signal("-INT"));

    let node = Node::start(&["--instant", "--base-path", path]);
    assert_eq!(node.best().1, hash);
    node.call("dev_sealBlock", json!([true]));
    assert!(node.time_ms() > before);
}

#[test]
fn a_taken_port_is_told_in_a_sentence() {
    let node = Node::start(&["--instant"]);
    let output = Command::new(env!("CARGO_BIN_EXE_rivulet-node")).args(["--rpc-port", &node.port.to_string()]).output().expect("it runs");
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("is taken") && text.contains("--rpc-port"), "{text}");
}
