//! `tests/vectors/vectors.json`, made by viem, put to the contracts themselves: ids, vouchers, blobs.

use crate::support::{RATIO, World, world};
use alloy_sol_types::SolCall;
use rivulet_core::{
    blob::{BlobError, VoucherRow},
    book,
    channel::{CHANNELS_A_CELL, Channel},
    error::Error,
    host::Key,
    ids::{Address, Number, Token},
    ledger::TokenState,
    outcome::RowOutcome,
    record::MAX_TIME,
    signature::CompactSignature,
    testing::MemoryHost,
};
use rivulet_runtime::hub;
use rivulet_sandbox::{
    Bundle, ChannelsContract, NATIVE, Parameters, Sandbox,
    abi::{both::Both, channels::Channels, streams::Streams, to_sol},
};
use serde_json::Value;

fn vectors() -> Value {
    let text =
        std::fs::read_to_string(std::env::var("CARGO_MANIFEST_DIR").expect("cargo says it") + "/../vectors/vectors.json").expect("the file is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn list<'a>(v: &'a Value, pointer: &str) -> &'a [Value] {
    let list = v.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {pointer}"));
    assert!(!list.is_empty(), "nothing at {pointer}");
    list
}

fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().expect("a text").trim_start_matches("0x")).expect("hex")
}

fn array<const N: usize>(v: &Value) -> [u8; N] {
    bytes(v).try_into().unwrap_or_else(|_| panic!("{v} is not {N} bytes"))
}

fn address(v: &Value) -> Address {
    Address(array(v))
}

fn int<T: TryFrom<u128>>(v: &Value) -> T {
    let n = v.as_u64().map(u128::from).unwrap_or_else(|| v.as_str().expect("a number").parse().expect("a decimal number"));
    T::try_from(n).unwrap_or_else(|_| panic!("{n} is too large"))
}

fn number(v: &Value) -> Number {
    Number { book: int(&v["book"]), serial: int(&v["serial"]) }
}

/// The contract's address in the vectors of deployment 0, the only one with this chain's id.
fn home(vectors: &Value) -> Address {
    let at = &vectors["deployments"][0];
    assert_eq!(int::<u64>(&at["chainId"]), hub::CHAIN_ID);
    address(&at["contract"])
}

fn is_here(v: &&Value) -> bool {
    v["deployment"] == 0
}

/// The contract of `contract`, at the vectors' address.
fn at_home(chain: &mut Sandbox, contract: Address, vectors: &Value) -> Address {
    let home = home(vectors);
    chain.mirror(contract, home);
    home
}

/// Cells of a book of this payee and token that has given out `serials` serials.
fn book_cell(payee: Address, token: Token, serials: u32) -> Vec<u8> {
    let mut memory = MemoryHost::default();
    memory.cells.insert(Key::Token(token), vec![0; TokenState::BYTES]);
    book::open_book(&mut memory, &payee, &token).expect("a first book");
    for _ in 0..serials {
        book::next_number(&mut memory, &payee, &token).expect("a serial");
    }
    memory.cells.remove(&Key::Book(1)).expect("the first book")
}

#[test]
fn the_contract_gives_the_channel_ids_of_viem() {
    let vectors = vectors();
    let mut w = world();
    let home = at_home(&mut w.chain, w.channels.address, &vectors);
    // A record's times have five bytes; the largest values of the field are for those who compute ids off chain.
    let storable = |v: &&Value| int::<u64>(&v["terms"]["openedAt"]) <= MAX_TIME;
    for v in list(&vectors, "/channelIds").iter().filter(is_here).filter(storable) {
        let (t, number) = (&v["terms"], number(&v["terms"]));
        let record = Channel {
            payer: address(&t["payer"]),
            voucher_signer: address(&t["voucherSigner"]),
            deposit: 0,
            claimed: 0,
            challenge_period_secs: int(&t["challengePeriodSecs"]),
            opened_at: int(&t["openedAt"]),
            close_due_at: 0,
            refund_requested: 0,
            refund_due_at: 0,
        };
        w.chain.set_cell(home, &Key::Book(number.book), &book_cell(address(&t["payee"]), address(&t["token"]), 0));
        let slot = [&[(number.serial % CHANNELS_A_CELL) as u8][..], &record.to_bytes()].concat();
        w.chain.set_cell(home, &Key::Channels(number.book, number.serial / CHANNELS_A_CELL), &slot);
        let id = w.chain.ask(home, &Channels::channelIdCall { book: number.book, serial: number.serial });
        assert_eq!(id, array::<32>(&v["id"]), "{v}");
    }
}

/// A channel opened at the vectors' address and time by the vectors' parties: their first channel.
fn first_channel(vectors: &Value) -> (World, Value) {
    let first = list(vectors, "/channelIds")[0].clone();
    let t = &first["terms"];
    let mut w = World { chain: Sandbox::starting_at(int(&t["openedAt"])), ..world() };
    w.channels = ChannelsContract::deploy(&mut w.chain);
    w.channels.address = at_home(&mut w.chain, w.channels.address, vectors);
    for who in ["//payer", "//payee", "//relayer"] {
        w.chain.party(who);
    }
    let [payer, payee] = ["payer", "payee"].map(|who| address(&t[who]));
    w.chain.fund(NATIVE, payer, 10_000_000 * RATIO * 1_000);
    w.chain.fund(NATIVE, payee, 10_000_000 * RATIO * 1_000);
    let open = Channels::openCall {
        payee: to_sol(&payee),
        voucherSigner: to_sol(&address(&t["voucherSigner"])),
        token: to_sol(&address(&t["token"])),
        challengePeriodSecs: int(&t["challengePeriodSecs"]),
        amount: 1_000_000 * RATIO,
    };
    let opened = ChannelsContract::opened(&w.chain.call_as(payer, w.channels.address, open.amount, open.abi_encode()));
    assert_eq!((opened.number, opened.id.0), (number(t), array(&first["id"])), "the vectors' first channel");
    (w, first)
}

#[test]
fn the_contract_pays_a_voucher_that_viem_signed_and_no_ill_formed_one() {
    let vectors = vectors();
    let (mut w, first) = first_channel(&vectors);
    let channel = number(&first["terms"]);
    let vouchers: Vec<_> = list(&vectors, "/messages")
        .iter()
        .filter(is_here)
        .filter(|m| m["typeText"].as_str().is_some_and(|t| t.starts_with("Voucher(")) && m["message"]["channelId"] == first["id"])
        .map(|m| VoucherRow { cumulative_amount: int(&m["message"]["cumulativeAmount"]), signature: CompactSignature(array(&m["compact"])) })
        .collect();
    let payable = vouchers.iter().find(|v| v.cumulative_amount > RATIO && v.cumulative_amount < u128::MAX).expect("a typical voucher");

    // Well-formed or not, a signature that is not the signer's is an outcome of its row.
    for v in list(&vectors, "/signatures/refused64").iter().chain(list(&vectors, "/signatures/unrecoverable")) {
        let row = VoucherRow { signature: CompactSignature(array(&v["compact"])), ..*payable };
        assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel, row)]).rows(), [RowOutcome::BadSignature], "{v}");
        assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel, &row).refusal(), Error::BadSignature {}, "{v}");
    }

    let payee = address(&first["terms"]["payee"]);
    let before = w.chain.balance(NATIVE, payee);
    let paid = w.channels.claim(&mut w.chain, &w.relayer, channel, payable).ok::<Channels::claimCall>();
    let whole = payable.cumulative_amount - payable.cumulative_amount % RATIO;
    assert_eq!((paid.outcome, paid.gain), (RowOutcome::Applied as u8, whole));
    assert_eq!(w.chain.balance(NATIVE, payee), before + whole);

    // The largest total, signed by the same key, takes what is left.
    let largest = vouchers.iter().find(|v| v.cumulative_amount == u128::MAX).expect("a voucher of 2^128 − 1");
    assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel, *largest)]).rows(), [RowOutcome::Capped]);
    assert_eq!(w.chain.balance(NATIVE, payee), before + 1_000_000 * RATIO);
}

fn code_of(name: &str) -> u8 {
    use BlobError::{Empty, Flags, NotCanonical, Oversized, TooLarge, Trailing, Truncated, Version};
    [Truncated, NotCanonical, TooLarge, Version, Flags, Empty, Oversized, Trailing]
        .into_iter()
        .find(|e| format!("{e:?}") == name)
        .unwrap_or_else(|| panic!("no error {name}")) as u8
}

/// What the events of a batch say it was: books, and the serials of their rows.
fn groups_of(done: &rivulet_sandbox::Outcome) -> Vec<(u32, Vec<u32>)> {
    let serials = |rows: &[u8]| rows.chunks(21).map(|row| u32::from_be_bytes([row[0], row[1], row[2], row[3]])).collect();
    done.events::<Both::Claimed>().iter().map(|e| (e.book, serials(&e.rows))).collect()
}

/// The blobs of one contract: read as they were meant, or refused whole with the right code.
fn blobs_are_read_as_they_were_written(chain: &mut Sandbox, contract: Address, of: &Value) {
    let who = chain.party("//relayer");
    let cells = chain.cells(contract);
    let submit = |chain: &mut Sandbox, blob: Vec<u8>| chain.send(&who, contract, 0, &Both::claimBatchCall { blob: blob.into() });
    for v in list(of, "/valid") {
        let expected: Vec<(u32, Vec<u32>)> = list(v, "/groups")
            .iter()
            .map(|g| {
                let rows = g["run"].as_u64().map(|n| (0..n as u32).collect());
                (int(&g["book"]), rows.unwrap_or_else(|| list(g, "/rows").iter().map(|r| int(&r["serial"])).collect()))
            })
            .collect();
        let done = submit(chain, bytes(&v["bytes"]));
        // No book exists, so every row is unknown; the log still says what was read.
        assert_eq!(done.rows(), vec![RowOutcome::Unknown; expected.iter().map(|(_, rows)| rows.len()).sum()], "{}", v["why"]);
        assert_eq!(groups_of(&done), expected, "{}", v["why"]);
    }
    for v in list(of, "/invalid") {
        let mut blob = bytes(&v["bytes"]);
        blob.resize(v["padTo"].as_u64().map_or(blob.len(), |n| n as usize), 0);
        let refused = submit(chain, blob);
        let Error::BadBlob { reason, .. } = refused.refusal() else { panic!("{}: {:?}", v["why"], refused.result) };
        assert_eq!(reason, code_of(v["error"].as_str().expect("a name")), "{}", v["why"]);
    }
    assert_eq!(chain.cells(contract), cells);
}

#[test]
fn the_channels_contract_reads_every_blob_as_it_was_written() {
    let mut w = world();
    blobs_are_read_as_they_were_written(&mut w.chain, w.channels.address, &vectors()["blobs"]["channels"]);
}

#[test]
fn the_streams_contract_reads_every_blob_as_it_was_written() {
    let mut chain = Sandbox::new();
    let who = chain.party("//deployer");
    let streams = chain.deploy_seeded(&who, &Bundle::streams(), &Parameters::default());
    blobs_are_read_as_they_were_written(&mut chain, streams, &vectors()["blobs"]["streams"]);
}

#[test]
fn the_contract_gives_the_stream_ids_of_viem() {
    let vectors = vectors();
    for v in list(&vectors, "/streamIds").iter().filter(is_here) {
        let (t, number) = (&v["terms"], number(&v["terms"]));
        let [payer, payee, token] = ["payer", "payee", "token"].map(|who| address(&t[who]));
        if payer == payee {
            continue; // the extremes: no such stream can be created
        }
        let mut chain = Sandbox::starting_at(int(&t["createdAt"]));
        let who = chain.party("//deployer");
        let streams = chain.deploy_seeded(&who, &Bundle::streams(), &Parameters::default());
        let home = at_home(&mut chain, streams, &vectors);
        chain.set_cell(home, &Key::Book(number.book), &book_cell(payee, token, number.serial));
        chain.set_cell(home, &Key::BookOf(payee, token), &number.book.to_be_bytes());
        chain.fund(NATIVE, payer, 1_000 * RATIO * RATIO);
        let create = Streams::createCall {
            payee: to_sol(&payee),
            token: to_sol(&token),
            ratePerSecondScaled: 1_000_000_000_000_000_000,
            total: 0,
            startAt: 0,
            cliffAt: 0,
            cliffAmount: 0,
            endAt: 0,
            flags: 0,
            amount: 0,
            committed: 0,
            memo: [0; 32].into(),
        };
        let created = chain.call_as(payer, home, 0, create.abi_encode()).ok::<Streams::createCall>();
        assert_eq!((created.book, created.serial), (number.book, number.serial));
        assert_eq!(created.streamId, array::<32>(&v["id"]), "{v}");
        assert_eq!(chain.ask(home, &Streams::streamCall { book: number.book, serial: number.serial }).streamId, created.streamId);
    }
}
