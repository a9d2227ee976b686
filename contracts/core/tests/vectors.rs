//! Core reproduces `tests/vectors/vectors.json`, whose every value was made by viem and plain JavaScript. What its parts mean: the README beside it.

use rivulet_core::{
    SoftKeccak,
    blob::{Blob, BlobError, Item, MAX_ROWS, Payload, StreamRow, VoucherRow, encode},
    eip712::{Close, Collect, Create, Domain, Message, Open, RequestRefund, Terms, Voucher},
    ids::{Address, ChannelId, ChannelTerms, Deployment, Number, StreamOrigin},
    signature::{CompactSignature, HALF_ORDER},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

// ---- reading the file

fn vectors() -> Value {
    let text = std::fs::read_to_string(std::env::var("CARGO_MANIFEST_DIR").expect("cargo says it") + "/../../tests/vectors/vectors.json")
        .expect("the file is there");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The elements under a JSON pointer; a list that is empty or missing is no test.
fn list<'a>(v: &'a Value, pointer: &str) -> &'a [Value] {
    let list = v.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {pointer}"));
    assert!(!list.is_empty(), "nothing at {pointer}");
    list
}

fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_else(|| panic!("no text {key} in {v}"))
}

fn bytes(v: &Value, key: &str) -> Vec<u8> {
    let digits = text(v, key).strip_prefix("0x").expect("hex starts with 0x").as_bytes();
    assert_eq!(digits.len() % 2, 0, "half a byte in {key}");
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex digits")).collect()
}

fn array<const N: usize>(v: &Value, key: &str) -> [u8; N] {
    bytes(v, key).try_into().unwrap_or_else(|_| panic!("{key} is not {N} bytes"))
}

fn address(v: &Value, key: &str) -> Address {
    Address(array(v, key))
}

/// An integer: a JSON number up to 32 bits, a decimal string above.
fn int<T: TryFrom<u128>>(v: &Value, key: &str) -> T {
    let n = v[key].as_u64().map(u128::from).unwrap_or_else(|| text(v, key).parse().expect("a decimal number"));
    T::try_from(n).unwrap_or_else(|_| panic!("{key} is too large: {n}"))
}

fn number(v: &Value) -> Number {
    Number { book: int(v, "book"), serial: int(v, "serial") }
}

fn deployment(vectors: &Value, v: &Value) -> Deployment {
    let at = &vectors["deployments"][int::<usize>(v, "deployment")];
    Deployment { chain_id: int(at, "chainId"), contract: address(at, "contract") }
}

fn domain(name: &str) -> Domain {
    match name {
        "channels" => Domain::Channels,
        "streams" => Domain::Streams,
        _ => panic!("no domain {name}"),
    }
}

// ---- ids and domains

#[test]
fn domain_separators_are_those_of_viem() {
    for at in list(&vectors(), "/deployments") {
        let deployment = Deployment { chain_id: int(at, "chainId"), contract: address(at, "contract") };
        for name in ["channels", "streams"] {
            assert_eq!(domain(name).separator(&deployment, &SoftKeccak), array(&at["separators"], name), "{name} at {at}");
        }
    }
}

fn channel_terms(t: &Value, number: Number) -> ChannelTerms {
    ChannelTerms {
        number,
        payer: address(t, "payer"),
        payee: address(t, "payee"),
        voucher_signer: address(t, "voucherSigner"),
        token: address(t, "token"),
        challenge_period_secs: int(t, "challengePeriodSecs"),
        opened_at: int(t, "openedAt"),
    }
}

#[test]
fn channel_ids_are_those_of_viem() {
    let vectors = vectors();
    for v in list(&vectors, "/channelIds") {
        let terms = channel_terms(&v["terms"], number(&v["terms"]));
        assert_eq!(terms.channel_id(&deployment(&vectors, v), &SoftKeccak).0, array(v, "id"), "{v}");
    }
}

#[test]
fn stream_ids_are_those_of_viem() {
    let vectors = vectors();
    for v in list(&vectors, "/streamIds") {
        let t = &v["terms"];
        let origin = StreamOrigin {
            number: number(t),
            payer: address(t, "payer"),
            payee: address(t, "payee"),
            token: address(t, "token"),
            created_at: int(t, "createdAt"),
        };
        assert_eq!(origin.stream_id(&deployment(&vectors, v), &SoftKeccak).0, array(v, "id"), "{v}");
    }
}

// ---- messages

fn channel_id(m: &Value) -> ChannelId {
    ChannelId(array(m, "channelId"))
}

fn voucher(m: &Value) -> Voucher {
    Voucher { channel_id: channel_id(m), cumulative_amount: int(m, "cumulativeAmount") }
}

fn open(m: &Value) -> Open {
    Open {
        payer: address(m, "payer"),
        payee: address(m, "payee"),
        voucher_signer: address(m, "voucherSigner"),
        token: address(m, "token"),
        challenge_period_secs: int(m, "challengePeriodSecs"),
        amount: int(m, "amount"),
        nonce: int(m, "nonce"),
        deadline: int(m, "deadline"),
    }
}

fn request_refund(m: &Value) -> RequestRefund {
    RequestRefund { channel_id: channel_id(m), amount: int(m, "amount"), nonce: int(m, "nonce"), deadline: int(m, "deadline") }
}

fn terms(m: &Value) -> Terms {
    Terms {
        payee: address(m, "payee"),
        token: address(m, "token"),
        beneficiary: address(m, "beneficiary"),
        fee_bps: int(m, "feeBps"),
        flat_fee: int(m, "flatFee"),
        min_gain: int(m, "minGain"),
        until: int(m, "until"),
        nonce: int(m, "nonce"),
        deadline: int(m, "deadline"),
    }
}

fn close(m: &Value) -> Close {
    Close { channel_id: channel_id(m), cumulative_amount: int(m, "cumulativeAmount"), nonce: int(m, "nonce"), deadline: int(m, "deadline") }
}

fn collect(m: &Value) -> Collect {
    Collect { owner: address(m, "owner"), token: address(m, "token"), to: address(m, "to"), nonce: int(m, "nonce"), deadline: int(m, "deadline") }
}

fn create(m: &Value) -> Create {
    Create {
        payer: address(m, "payer"),
        payee: address(m, "payee"),
        token: address(m, "token"),
        rate_per_second_scaled: int(m, "ratePerSecondScaled"),
        total: int(m, "total"),
        start_at: int(m, "startAt"),
        cliff_at: int(m, "cliffAt"),
        cliff_amount: int(m, "cliffAmount"),
        end_at: int(m, "endAt"),
        flags: int(m, "flags"),
        amount: int(m, "amount"),
        committed: int(m, "committed"),
        memo: array(m, "memo"),
        nonce: int(m, "nonce"),
        deadline: int(m, "deadline"),
    }
}

/// The type's text, the struct hash and the digest.
type Hashes = (&'static str, [u8; 32], [u8; 32]);

fn hashes<M: Message>(message: M, separator: &[u8; 32]) -> Hashes {
    (M::TYPE, message.struct_hash(&SoftKeccak), message.digest(separator, &SoftKeccak))
}

fn hashes_of(type_name: &str, m: &Value, separator: &[u8; 32]) -> Hashes {
    match type_name {
        "Voucher" => hashes(voucher(m), separator),
        "Open" => hashes(open(m), separator),
        "RequestRefund" => hashes(request_refund(m), separator),
        "Terms" => hashes(terms(m), separator),
        "Close" => hashes(close(m), separator),
        "Collect" => hashes(collect(m), separator),
        "Create" => hashes(create(m), separator),
        _ => panic!("no type {type_name}"),
    }
}

fn type_name(v: &Value) -> &str {
    text(v, "typeText").split('(').next().expect("a split has a first part")
}

#[test]
fn every_signed_type_hashes_as_viem_hashes_it() {
    let vectors = vectors();
    for v in list(&vectors, "/messages") {
        let separator = domain(text(v, "domain")).separator(&deployment(&vectors, v), &SoftKeccak);
        let expected = (text(v, "typeText"), array(v, "structHash"), array(v, "digest"));
        assert_eq!(hashes_of(type_name(v), &v["message"], &separator), expected, "{v}");
    }
}

#[test]
fn every_type_of_each_domain_has_vectors() {
    let vectors = vectors();
    let found: BTreeSet<_> = list(&vectors, "/messages").iter().map(|v| (text(v, "domain"), type_name(v))).collect();
    let channels = ["Voucher", "Open", "RequestRefund", "Terms", "Close", "Collect"].map(|t| ("channels", t));
    let streams = ["Terms", "Collect", "Create"].map(|t| ("streams", t));
    assert_eq!(found, channels.into_iter().chain(streams).collect());
}

// ---- signatures

/// `r ‖ s ‖ v` put together again.
fn joined(c: &CompactSignature) -> Option<[u8; 65]> {
    let split = c.split()?;
    [&split.r[..], &split.s[..], &[split.v][..]].concat().try_into().ok()
}

#[test]
fn the_long_form_of_every_signature_becomes_the_compact_form_of_viem() {
    for v in list(&vectors(), "/messages") {
        let (long, compact) = (array(v, "signature"), CompactSignature(array(v, "compact")));
        assert_eq!(CompactSignature::from_65(&long), Some(compact), "{v}");
        assert_eq!(joined(&compact), Some(long), "{v}");
    }
}

#[test]
fn a_signature_is_accepted_up_to_half_the_order_and_with_either_kind_of_v() {
    for v in list(&vectors(), "/signatures/accepted") {
        let compact = CompactSignature(array(v, "compact"));
        assert_eq!(CompactSignature::from_65(&array(v, "signature")), Some(compact), "{v}");
        assert!(compact.split().is_some(), "{v}");
    }
}

#[test]
fn a_signature_with_a_high_s_a_zero_or_another_v_is_refused() {
    let vectors = vectors();
    for v in list(&vectors, "/signatures/refused65") {
        assert_eq!(CompactSignature::from_65(&array(v, "signature")), None, "{v}");
    }
    for v in list(&vectors, "/signatures/refused64") {
        assert_eq!(CompactSignature(array(v, "compact")).split(), None, "{v}");
    }
}

#[test]
fn a_signature_that_no_key_made_is_taken_apart_and_left_to_recovery() {
    for v in list(&vectors(), "/signatures/unrecoverable") {
        let split = CompactSignature(array(v, "compact")).split().unwrap_or_else(|| panic!("{v}"));
        assert!(split.s <= HALF_ORDER && (split.v == 27 || split.v == 28), "{v}");
    }
}

// ---- blobs

type Groups<P> = BTreeMap<u32, (bool, BTreeMap<u32, P>)>;

fn voucher_row(v: &Value) -> VoucherRow {
    VoucherRow { cumulative_amount: int(v, "cumulativeAmount"), signature: CompactSignature(array(v, "signature")) }
}

/// A group's rows; `run` stands for so many stream rows from serial 0.
fn expected_rows<P: Payload>(group: &Value, payload: fn(&Value) -> P) -> BTreeMap<u32, P> {
    match group["run"].as_u64() {
        Some(run) => (0..u32::try_from(run).expect("a count")).map(|serial| (serial, payload(&Value::Null))).collect(),
        None => list(group, "/rows").iter().map(|r| (int(r, "serial"), payload(r))).collect(),
    }
}

fn expected_groups<P: Payload>(v: &Value, payload: fn(&Value) -> P) -> Groups<P> {
    let group = |g: &Value| (int(g, "book"), (g["fundNew"].as_bool().expect("a flag"), expected_rows(g, payload)));
    list(v, "/groups").iter().map(group).collect()
}

/// All that a blob says, having checked that it says it in ascending order and that each group has the rows it announces.
fn content<P: Payload>(blob: &[u8]) -> Result<Groups<P>, BlobError> {
    let parsed = Blob::parse::<P>(blob).map_err(|(e, _)| e)?;
    let mut reader = parsed.reader::<P>();
    let (mut groups, mut announced, mut last) = (Groups::new(), BTreeMap::new(), None);
    while let Some(item) = reader.next_item()? {
        match item {
            Item::Group(g) => {
                assert!(groups.last_key_value().is_none_or(|(book, _)| *book < g.book), "books ascend");
                groups.insert(g.book, (g.fund_new, BTreeMap::new()));
                announced.insert(g.book, g.rows as usize);
            }
            Item::Row(n, payload) => {
                assert!(last < Some(n), "rows ascend");
                last = Some(n);
                groups.get_mut(&n.book).expect("its group came before").1.insert(n.serial, payload);
            }
        }
    }
    let found: BTreeMap<_, _> = groups.iter().map(|(book, (_, rows))| (*book, rows.len())).collect();
    assert_eq!(found, announced);
    assert_eq!(found.values().sum::<usize>(), parsed.rows() as usize);
    Ok(groups)
}

fn check_valid<P: Payload + PartialEq>(vectors: &Value, kind: &str, payload: fn(&Value) -> P) {
    for v in list(vectors, &format!("/blobs/{kind}/valid")) {
        let (why, blob) = (text(v, "why"), bytes(v, "bytes"));
        let expected = expected_groups(v, payload);
        // Compared by assert!: the largest would print pages.
        assert!(encode(&expected) == blob, "{kind}: {why}: written otherwise");
        assert!(content::<P>(&blob).unwrap_or_else(|e| panic!("{kind}: {why}: {e:?}")) == expected, "{kind}: {why}: read otherwise");
    }
}

#[test]
fn a_valid_blob_is_read_as_it_was_meant_and_written_to_the_same_bytes() {
    let vectors = vectors();
    check_valid(&vectors, "channels", voucher_row);
    check_valid(&vectors, "streams", |_| StreamRow);
}

/// `padTo`: zeros up to that length.
fn padded(v: &Value) -> Vec<u8> {
    let mut blob = bytes(v, "bytes");
    blob.resize(v["padTo"].as_u64().map_or(blob.len(), |n| n as usize), 0);
    blob
}

/// The errors that were seen.
fn check_invalid<P: Payload>(vectors: &Value, kind: &str) -> BTreeSet<String> {
    let refused = |v: &Value| {
        let (blob, why) = (padded(v), text(v, "why"));
        let (error, at) = Blob::parse::<P>(&blob).expect_err(why);
        assert_eq!(format!("{error:?}"), text(v, "error"), "{kind}: {why}");
        assert!(at as usize <= blob.len(), "{kind}: {why}");
        format!("{error:?}")
    };
    list(vectors, &format!("/blobs/{kind}/invalid")).iter().map(refused).collect()
}

#[test]
fn an_invalid_blob_is_refused_with_its_error_and_every_error_has_one() {
    let vectors = vectors();
    let errors = ["Truncated", "NotCanonical", "TooLarge", "Version", "Flags", "Empty", "Oversized", "Trailing"].map(String::from);
    assert_eq!(check_invalid::<StreamRow>(&vectors, "streams"), errors.clone().into());
    assert_eq!(check_invalid::<VoucherRow>(&vectors, "channels"), errors.into());
}

#[test]
fn the_longest_blob_of_the_vectors_has_the_most_rows_there_can_be() {
    let vectors = vectors();
    let rows = |v: &Value| Blob::parse::<StreamRow>(&bytes(v, "bytes")).expect("valid").rows();
    assert_eq!(list(&vectors, "/blobs/streams/valid").iter().map(rows).max(), Some(MAX_ROWS));
}

#[test]
fn every_channel_row_of_the_valid_blobs_carries_a_voucher_for_its_channel() {
    let vectors = vectors();
    let (blobs, at) = (&vectors["blobs"], deployment(&vectors, &vectors["blobs"]));
    for v in list(&vectors, "/blobs/channels/valid") {
        for group in list(v, "/groups") {
            for row in list(group, "/rows") {
                let number = Number { book: int(group, "book"), serial: int(row, "serial") };
                let id = channel_terms(&blobs["terms"], number).channel_id(&at, &SoftKeccak);
                assert_eq!(id, channel_id(row), "{}: {number}", text(v, "why"));
                assert!(voucher_row(row).signature.split().is_some(), "{}: {number}", text(v, "why"));
            }
        }
    }
}
