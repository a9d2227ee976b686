//! Ethereum's JSON-RPC, at the node's second port.
//!
//! given a node
//! ├── it names its chain, and what accounts have
//! ├── a signed transfer is in a block, with a receipt
//! ├── a contract is called by eth_call
//! ├── started again after a good end or a kill, it has the receipts of before
//! └── told to do without, it does

use crate::harness::{Node, wait_until};
use polkadot_sdk::{
    pallet_revive::evm::{Account, GenericTransaction},
    sp_core::{H160, U256},
};
use rivulet_runtime::hub::CHAIN_ID;
use serde_json::{Value, json};

const DOT: u128 = 1_000_000_000_000_000_000;

fn number(value: &Value) -> U256 {
    U256::from_str_radix(value.as_str().expect("a number").trim_start_matches("0x"), 16).expect("in hexadecimal")
}

fn balance(node: &Node, of: H160) -> U256 {
    number(&node.eth("eth_getBalance", json!([of, "latest"])))
}

/// Alith's transfer, signed; its hash.
fn transfer(node: &Node, to: H160, wei: u128) -> Value {
    let alith = Account::default();
    let gas = node.eth("eth_estimateGas", json!([{ "from": alith.address(), "to": to, "value": U256::from(wei) }]));
    let transaction = GenericTransaction {
        chain_id: Some(CHAIN_ID.into()),
        gas: Some(number(&gas)),
        gas_price: Some(number(&node.eth("eth_gasPrice", json!([])))),
        nonce: Some(number(&node.eth("eth_getTransactionCount", json!([alith.address(), "latest"])))),
        to: Some(to),
        value: Some(wei.into()),
        ..Default::default()
    };
    let signed = alith.sign_transaction(transaction.try_into_unsigned().expect("a legacy transaction"));
    let bytes = signed.signed_payload().iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"));
    node.eth("eth_sendRawTransaction", json!([bytes]))
}

fn receipt(node: &Node, hash: &Value) -> Value {
    wait_until("a receipt", || !node.eth("eth_getTransactionReceipt", json!([hash])).is_null());
    node.eth("eth_getTransactionReceipt", json!([hash]))
}

#[test]
fn its_chain_id_is_the_one_that_contracts_see() {
    let node = Node::start(&["--instant"]);
    assert_eq!(number(&node.eth("eth_chainId", json!([]))), CHAIN_ID.into());
    let alith = Account::default().address();
    assert_eq!(node.eth("eth_accounts", json!([]))[0], json!(alith));
    // All but the existential deposit.
    assert!(balance(&node, alith) > U256::from(999_999 * DOT));
}

#[test]
fn a_signed_transfer_arrives_and_has_a_receipt() {
    let node = Node::start(&["--block-time-ms", "100"]);
    let to = H160([0x42; 20]);
    let hash = transfer(&node, to, DOT);
    let receipt = receipt(&node, &hash);
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    assert_eq!(balance(&node, to), U256::from(DOT));
    let block = number(&receipt["blockNumber"]);
    wait_until("the block to be final", || number(&node.eth("eth_getBlockByNumber", json!(["finalized", false]))["number"]) >= block);
}

#[test]
fn a_contract_is_called_by_its_solidity_abi() {
    let node = Node::start(&["--instant"]);
    // balanceOf(alith), of USDC.
    let data = format!("0x70a08231{:0>64}", format!("{:x}", Account::default().address()));
    let answer = node.eth("eth_call", json!([{ "to": "0x0000053900000000000000000000000001200000", "data": data }, "latest"]));
    assert_eq!(number(&answer), U256::from(1_000_000_000_000_u64));
}

#[test]
fn receipts_outlive_the_process_however_it_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("in ASCII");
    let flags = ["--block-time-ms", "100", "--base-path", path];
    let mut node = Node::start(&flags);
    let hash = transfer(&node, H160([0x42; 20]), DOT);
    let known = receipt(&node, &hash);
    for signal in ["-TERM", "-KILL"] {
        // The chain's database may lose the last blocks of a killed process; the transfer's is older than those.
        let best = node.best().0;
        wait_until("blocks", || node.best().0 > best + 20);
        node.signal(signal);
        node = Node::start(&flags);
        assert_eq!(receipt(&node, &hash), known);
    }
}

#[test]
fn it_can_be_left_out() {
    let node = Node::start(&["--instant", "--no-eth-rpc"]);
    assert_eq!(node.eth_port, None);
}
