//! What an operator does with the relayer's database: back it up, put it back, take a payee's vouchers out.

use rivulet_core::{
    blob::{Blob, Item, VoucherRow},
    ids::{Address, Number},
};
use rivulet_rules::testing::{Key, channel, id, payee, verified};
use rivulet_store::{ChainUpdate, ChannelUpdate, DeploymentId, SqliteStore, Store, testing::server};
use serde_json::Value;
use std::{path::Path, process::Command};

const DEPLOYMENT: &str = r#"{"network":"dev","chain_id":420420420,"genesis_hash":"0x3333333333333333333333333333333333333333333333333333333333333333","block":7,
"contracts":{"channels":{"address":"0x1111111111111111111111111111111111111111","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"},
"streams":{"address":"0x2222222222222222222222222222222222222222","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"}},
"tokens":{"native":{"address":"0x0000000000000000000000000000000000000000","decimals":18}}}"#;
/// 100 planck in wei: amounts that can move.
const UNIT: u128 = 10_000_000_000;

fn deployment() -> DeploymentId {
    DeploymentId { chain_id: 420_420_420, genesis_hash: [0x33; 32], channels: Address([0x11; 20]), streams: Address([0x22; 20]) }
}

struct Output {
    ok: bool,
    out: String,
    err: String,
}

fn rivulet(dir: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_rivulet")).arg("relay").args(args).current_dir(dir).env_remove("RIVULET_CONFIG").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

/// Three channels of payee 1: with a voucher, with a lower one that was claimed, without.
async fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("deployments")).unwrap();
    std::fs::write(dir.path().join("deployments/dev.json"), DEPLOYMENT).unwrap();
    std::fs::write(dir.path().join("relayer.toml"), include_str!("../../config/minimal.toml")).unwrap();
    let store = SqliteStore::open(&dir.path().join("relayer.db"), &deployment()).unwrap();
    let key = Key::of(1);
    for (serial, total, claimed) in [(0, 30, 0), (4, 20, 20), (5, 0, 0)] {
        let state = channel(Number { book: 1, serial }, &key, 1_000 * UNIT);
        let channels = vec![(1, ChannelUpdate::Live { state, channel_id: id(&state) })];
        store.apply(ChainUpdate { channels, ..ChainUpdate::default() }).await.unwrap();
        if total > 0 {
            store.accept(vec![verified(&state, &key, total * UNIT)], 1_800_000_000_000).await.unwrap().remove(0).unwrap();
        }
        let paid = ChannelUpdate::Claimed { number: state.terms.number, claimed: claimed * UNIT };
        store.apply(ChainUpdate { channels: vec![(2, paid)], ..ChainUpdate::default() }).await.unwrap();
    }
    dir
}

#[tokio::test]
async fn a_backup_is_put_back_into_a_new_file_and_into_postgres_and_exports_the_same() {
    let dir = folder().await;
    let of = format!("{}", payee(1));
    let before = rivulet(dir.path(), &["export", "--payee", &of]);
    assert!(before.ok, "{}", before.err);
    let taken = rivulet(dir.path(), &["backup", "relayer.backup", "--json"]);
    assert!(taken.ok, "{}", taken.err);
    let said: Value = serde_json::from_str(&taken.out).unwrap();
    assert_eq!((&said["channels"], &said["vouchers"], &said["last_accepted_at"]), (&3.into(), &2.into(), &"2027-01-15T08:00:00Z".into()));
    for database in ["new.db".to_owned(), server().fresh_url().await] {
        let back = rivulet(dir.path(), &["restore", "relayer.backup", "--database", &database]);
        assert!(back.ok && back.out.contains("3, 2 with a voucher") && back.out.contains("2027-01-15T08:00:00Z"), "{}{}", back.out, back.err);
        // Into Postgres, an export reads where the relayer has yet to start: the schema is there.
        assert_eq!(rivulet(dir.path(), &["export", "--payee", &of, "--database", &database]).out, before.out);
        let again = rivulet(dir.path(), &["restore", "relayer.backup", "--database", &database]);
        assert!(!again.ok && again.err.starts_with("error: cannot put relayer.backup back into "), "{}", again.err);
    }
    assert_eq!(rivulet(dir.path(), &["export", "--payee", &of, "--from", "relayer.backup"]).out, before.out);
}

#[tokio::test]
async fn an_export_has_each_voucher_and_the_calldata_that_claims_what_is_open() {
    let dir = folder().await;
    let of = format!("{}", payee(1));
    let said: Value = serde_json::from_str(&rivulet(dir.path(), &["export", "--payee", &of]).out).unwrap();
    assert_eq!(said["contract"], "0x1111111111111111111111111111111111111111");
    let vouchers = said["vouchers"].as_array().unwrap();
    let told: Vec<_> = vouchers.iter().map(|v| (v["serial"].as_u64().unwrap(), v["claimable"].as_str().unwrap())).collect();
    assert_eq!(told, [(0, "300000000000"), (4, "0")]);
    let calldata = said["claim_batches"][0]["calldata"].as_str().unwrap();
    assert_eq!(said["claim_batches"].as_array().unwrap().len(), 1);
    let lines = rivulet(dir.path(), &["export", "--payee", &of, "--calldata"]).out;
    assert_eq!(lines.trim_end(), calldata);
    // claimBatch(bytes): selector, offset, length, the blob.
    let bytes: Vec<u8> = (2..calldata.len()).step_by(2).map(|at| u8::from_str_radix(&calldata[at..at + 2], 16).unwrap()).collect();
    let length = usize::from(u16::from_be_bytes([bytes[66], bytes[67]]));
    let blob = Blob::parse::<VoucherRow>(&bytes[68..68 + length]).unwrap();
    let mut reader = blob.reader::<VoucherRow>();
    let mut rows = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::Row(number, row) = item {
            rows.push((number, row.cumulative_amount, row.signature));
        }
    }
    let key = Key::of(1);
    let number = Number { book: 1, serial: 0 };
    let signature = key.voucher(id(&channel(number, &key, 1_000 * UNIT)), 30 * UNIT);
    assert_eq!(rows, [(number, 30 * UNIT, signature)]);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_changes_nothing() {
    let dir = folder().await;
    let before = std::fs::read(dir.path().join("relayer.db")).unwrap();
    std::fs::write(dir.path().join("taken"), "mine").unwrap();
    std::fs::write(dir.path().join("empty.password"), "\n").unwrap();
    let (of, other) = (format!("{}", payee(1)), format!("{}", payee(2)));
    for (args, expected) in [
        (vec!["backup", "taken"], "taken exists: it is not overwritten"),
        (vec!["backup", "new", "--database", "none.db"], "none.db"),
        (vec!["backup", "no-folder/new"], "no-folder/new"),
        (vec!["restore", "taken", "--database", "new.db"], "taken is no backup"),
        (vec!["restore", "none", "--database", "new.db"], "none"),
        (vec!["restore", "relayer.db", "--database", "new.db"], "not a backup of one"),
        (vec!["export", "--payee", "0x12"], "expected 0x and 40 hex digits"),
        (vec!["export", "--payee", &other, "--calldata"], "has nothing to claim"),
        (vec!["export", "--payee", &of, "--max-rows", "0"], "1..=1000"),
        (vec!["export", "--payee", &of, "--database", "mysql://u:Tr0ub4dor@h/d"], "expected a file or postgres://user@host/database, got mysql://…"),
        (vec!["export", "--payee", &of, "--database-password-file", "empty.password"], "the password file empty.password is empty"),
        (
            vec!["export", "--payee", &of, "--database", "postgres:///d?host=/nowhere&user=u&password=Tr0ub4dor"],
            "cannot read postgres://u@/nowhere/d",
        ),
    ] {
        let said = rivulet(dir.path(), &args);
        assert!(!said.ok && said.out.is_empty() && said.err.contains(expected), "{args:?}: {}", said.err);
        assert!(!said.err.contains("Tr0ub4dor"), "{}", said.err);
    }
    assert_eq!(std::fs::read(dir.path().join("taken")).unwrap(), b"mine");
    assert_eq!(std::fs::read(dir.path().join("relayer.db")).unwrap(), before);
    let mut left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.retain(|name| name.contains("new") || name.contains("unfinished"));
    assert_eq!(left, ["new.db-lock"]);
}

#[test]
fn each_has_help_with_examples() {
    let dir = tempfile::tempdir().unwrap();
    for (action, example) in [
        ("backup", "rivulet relay backup relayer.backup"),
        ("restore", "rivulet relay restore relayer.backup --database postgres://rivulet@db/rivulet"),
        ("export", "rivulet relay export --payee"),
    ] {
        let said = rivulet(dir.path(), &[action, "--help"]);
        assert!(said.ok && said.out.contains(example), "{}", said.out);
    }
}
