//! The command as an operator meets it.

use std::{
    path::Path,
    process::{Command, Output},
};

const DEPLOYMENT: &str = r#"{"network":"dev","chain_id":420420420,"genesis_hash":"0x3333333333333333333333333333333333333333333333333333333333333333","block":7,
"contracts":{"channels":{"address":"0x1111111111111111111111111111111111111111","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"},
"streams":{"address":"0x2222222222222222222222222222222222222222","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"}},
"tokens":{"native":{"address":"0x0000000000000000000000000000000000000000","decimals":18}}}"#;

fn rivulet(dir: &Path, args: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_rivulet")).args(args).current_dir(dir).env_remove("RIVULET_CONFIG").output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

fn folder(config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("deployments")).unwrap();
    std::fs::write(dir.path().join("deployments/dev.json"), DEPLOYMENT).unwrap();
    std::fs::write(dir.path().join("relayer.toml"), config).unwrap();
    dir
}

#[test]
fn both_examples_pass_check_config() {
    for example in [include_str!("../../config/minimal.toml"), include_str!("../../config/full.toml")] {
        let dir = folder(example);
        let (ok, text) = rivulet(dir.path(), &["relay", "--check-config"]);
        assert!(ok && text.contains("The configuration is good"), "{text}");
        // Alice's address, as contracts see her; her key is nowhere.
        assert!(text.contains("0x9621dde636de098b43efb0fa9b61facfe328f99d") && !text.contains("//Alice"), "{text}");
    }
}

#[test]
fn flags_go_before_the_file() {
    let dir = folder(include_str!("../../config/minimal.toml"));
    let args = ["relay", "--check-config", "--listen", "127.0.0.1:9999", "--database", "other.db", "--rpc-url", "ws://a:1,ws://b:2"];
    let (ok, text) = rivulet(dir.path(), &args);
    assert!(ok && ["127.0.0.1:9999", "other.db", "ws://a:1, ws://b:2"].iter().all(|t| text.contains(t)), "{text}");
}

#[test]
fn errors_say_what_was_being_done_and_why_it_failed() {
    let minimal = include_str!("../../config/minimal.toml");
    for (config, args, expected) in [
        (minimal, vec!["relay", "--config", "none.toml"], "cannot read the configuration none.toml"),
        ("nonsense = 1", vec!["relay", "--check-config"], "unknown field `nonsense`"),
        (minimal, vec!["relay", "--check-config", "--deployment", "none.json"], "none.json"),
        (minimal, vec!["relay", "--check-config", "--signer-file", "none.key"], "cannot read the key file none.key"),
        (minimal, vec!["relay", "--check-config", "--rpc-url", "http://x"], "chain.rpc_urls: expected ws:// or wss:// addresses, got http://x"),
    ] {
        let dir = folder(config);
        let (ok, text) = rivulet(dir.path(), &args);
        assert!(!ok && text.starts_with("error: ") && text.contains(expected), "{text}");
    }
    let dir = folder(&format!("{minimal}\n[batch.planck_per_whole]\neuro = 5"));
    let (ok, text) = rivulet(dir.path(), &["relay", "--check-config"]);
    assert!(!ok && text.contains("batch.planck_per_whole: expected a token of dev: native, got euro"), "{text}");
}

#[test]
fn a_statement_that_cannot_be_made_says_what_is_wrong_before_any_node_is_asked() {
    let payee = "0x00000000000000000000000000000000000000a1";
    let dir = folder("");
    for (args, expected) in [
        (vec![], "--payee <ADDRESS>"),
        (vec!["--payee", "0x12"], "expected 0x and 40 hex digits"),
        (vec!["--payee", payee, "--from", "2026-02-30"], "expected a day from 1970-01-01 to 9999-12-31 as YYYY-MM-DD"),
        (vec!["--payee", payee, "--from", "2026-11-02", "--to", "2026-11-01"], "--from 2026-11-02 is after --to 2026-11-01"),
        (vec!["--payee", payee, "--csv", "--json"], "cannot be used with"),
        (vec!["--payee", payee, "--by", "week"], "[possible values: claim, day, month]"),
        (vec!["--payee", payee, "--deployment", "none.json"], "none.json"),
        (vec!["--payee", payee, "--rpc-url", "http://x"], "expected ws:// or wss:// addresses, got http://x"),
    ] {
        let (ok, text) = rivulet(dir.path(), &[&["statement"], &args[..]].concat());
        assert!(!ok && text.starts_with("error: ") && text.contains(expected), "{text}");
    }
}

#[test]
fn help_has_examples_and_completions_are_printed() {
    let dir = folder("");
    assert!(rivulet(dir.path(), &["relay", "--help"]).1.contains("rivulet relay --config relayer.toml --check-config"));
    assert!(rivulet(dir.path(), &["statement", "--help"]).1.contains("--from 2026-11-01 --to 2026-11-30 > november.csv"));
    assert!(rivulet(dir.path(), &["completions", "bash"]).1.contains("_rivulet"));
}
