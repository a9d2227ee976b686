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
    rivulet_with(dir, args, &[])
}

fn command(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rivulet"));
    command.args(args).current_dir(dir).env_remove("RIVULET_CONFIG").envs(variables.iter().copied());
    command
}

fn rivulet_with(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let Output { status, stdout, stderr } = command(dir, args, variables).output().unwrap();
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
        assert_eq!(rivulet(dir.path(), &["relay", "check-config"]), (ok, text.clone()));
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
    for (config, args, code, expected) in [
        (minimal, vec!["relay", "--config", "none.toml"], 2, "cannot read the configuration none.toml"),
        ("nonsense = 1", vec!["relay", "--check-config"], 2, "unknown field `nonsense`"),
        (minimal, vec!["relay", "--check-config", "--deployment", "none.json"], 2, "none.json"),
        (minimal, vec!["relay", "--check-config", "--signer-file", "none.key"], 5, "cannot read the key file none.key"),
        (minimal, vec!["relay", "--check-config", "--rpc-url", "http://x"], 2, "chain.rpc_urls: expected ws:// or wss:// addresses, got http://x"),
        (minimal, vec!["paywall", "--upstream", "http://127.0.0.1:1"], 2, "--payee is missing"),
    ] {
        let dir = folder(config);
        let Output { status, stderr, .. } = command(dir.path(), &args, &[]).output().unwrap();
        let text = String::from_utf8_lossy(&stderr);
        assert!(status.code() == Some(code) && text.starts_with("error: ") && text.contains(expected), "{text}");
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
        (vec![], "no key: make one"),
        (vec!["--payee", "0x12"], "0x and 40 hex digits of an address"),
        (vec!["--payee", payee, "--from", "2026-02-30"], "expected a day from 1970-01-01 to 9999-12-31 as YYYY-MM-DD"),
        (vec!["--payee", payee, "--from", "2026-11-02", "--to", "2026-11-01"], "--from 2026-11-02 is after --to 2026-11-01"),
        (vec!["--payee", payee, "--csv", "--json"], "cannot be used with"),
        (vec!["--payee", payee, "--by", "week"], "[possible values: claim, day, month]"),
        (vec!["--payee", payee, "--deployment", "none.json"], "none.json"),
        (vec!["--payee", payee, "--rpc-url", "http://x"], "expected ws:// or wss:// addresses, got http://x"),
    ] {
        for command in [&["statement"][..], &["earn", "statement"]] {
            let (ok, text) = rivulet_at_home(dir.path(), &[command, &args[..]].concat(), "");
            let how = if args.contains(&"--json") { "{\"because\"" } else { "error: " };
            assert!(!ok && text.starts_with(how) && text.contains(expected), "{text}");
        }
    }
}

const PAYWALL: [&str; 7] =
    ["paywall", "--upstream", "http://127.0.0.1:3000", "--payee", "0x00000000000000000000000000000000000000a1", "--relayer", "http://127.0.0.1:8787"];

#[test]
fn a_paywall_says_what_it_would_do_and_what_is_wrong() {
    let dir = folder("");
    let check = |more: &[&str]| rivulet(dir.path(), &[&PAYWALL[..], &["check-config"], more].concat());
    let (ok, text) = check(&["--price", "/articles/free/*=free", "--price", "/articles/*=0.10native"]);
    assert!(ok && text.contains("/articles/free/* free") && text.contains("/articles/* 0.1native"), "{text}");
    for (price, expected) in [
        ("/articles/*=5", "expected an amount with its token"),
        ("/articles/*=5euro", "one of the tokens native"),
        ("articles=5native", "without anything before the first /"),
        ("/articles/*", "expected PATTERN=PRICE"),
        ("/a=1native/fortnight", "a unit: B kB"),
    ] {
        let (ok, text) = check(&["--price", price]);
        assert!(!ok && text.starts_with("error: ") && text.contains(expected), "{text}");
    }
    let (ok, text) = check(&[]);
    assert!(!ok && text.contains("prices: expected at least one"), "{text}");
    let price = ["--price", "/articles/*=0.10native"];
    let (ok, text) = check(&[&price[..], &["--cors-origin", "https://app.example", "--cors-origin", "http://127.0.0.1:5173"]].concat());
    assert!(ok && text.contains("plain HTTP") && text.contains("pages of  https://app.example, http://127.0.0.1:5173 may buy and read"), "{text}");
    for (more, expected) in [
        (vec!["--cors-origin", "https://app.example/"], "expected an origin as browsers send it"),
        (vec!["--tls-key-file", "x"], "tls_certificate_file: expected the certificate of tls_key_file"),
        (vec!["--tls-key-file", "none.pem", "--tls-certificate-file", "none.pem"], "cannot read none.pem"),
        (vec!["--upstream-ca-file", "x"], "upstream_ca_file: expected an https:// URL that it is for"),
    ] {
        let (ok, text) = check(&[&price[..], &more].concat());
        assert!(!ok && text.contains(expected), "{text}");
    }
    // What only a start finds out.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    for (more, expected) in [(["--listen", &at], "Is another program there?"), (["--database", "none/paywall.db"], "none/paywall.db")] {
        let (ok, text) = rivulet(dir.path(), &[&PAYWALL[..], &price, &more].concat());
        assert!(!ok && text.contains(expected), "{text}");
    }
    for (payee, expected) in [(alice, "--payee by its account needs --rpc-url"), ("5Grw", "expected an account as wallets show it")] {
        let args = PAYWALL.map(|arg| if arg.starts_with("0x") { payee } else { arg });
        let (ok, text) = rivulet(dir.path(), &[&args[..], &price].concat());
        assert!(!ok && text.contains(expected), "{text}");
    }
    let (ok, text) = rivulet(dir.path(), &["paywall", "check-config", "--price", "/a=1native"]);
    assert!(!ok && text.contains("--upstream is missing"), "{text}");
    // The start made one, before it found the port taken.
    let (ok, text) = rivulet(dir.path(), &["paywall", "purchases", "--database", "paywall.db"]);
    assert!(ok && text == "no purchases yet\n", "{text}");
    let nonce = format!("0x{}", "5c".repeat(32));
    let (ok, text) = rivulet(dir.path(), &["paywall", "refund", "--database", "paywall.db", "--channel", "1/0", "--purchase", &nonce]);
    assert!(!ok && text.contains("no such purchase of channel 1/0: `rivulet paywall purchases --channel 1/0` lists them"), "{text}");
    let (ok, text) = rivulet(dir.path(), &["paywall", "purchases", "--database", "none.db"]);
    assert!(!ok && text.contains("none.db: no such file"), "{text}");
    // A database of something else is left as it is.
    std::fs::write(dir.path().join("other.db"), "").unwrap();
    let (ok, text) = rivulet(dir.path(), &["paywall", "purchases", "--database", "other.db"]);
    assert!(!ok && text.contains("cannot use the database"), "{text}");
}

#[test]
fn both_paywall_examples_pass_check_config() {
    for example in [include_str!("../../paywall/config/minimal.toml"), include_str!("../../paywall/config/full.toml")] {
        let dir = folder("");
        std::fs::write(dir.path().join("paywall.toml"), example.replace("usdc", "native")).unwrap();
        let (ok, text) = rivulet(dir.path(), &["paywall", "check-config", "--config", "paywall.toml"]);
        assert!(ok && text.contains("The configuration is good"), "{text}");
    }
}

#[test]
fn help_has_examples_and_completions_are_printed() {
    let dir = folder("");
    assert!(rivulet(dir.path(), &["relay", "--help"]).1.contains("rivulet relay check-config --config relayer.toml"));
    assert!(rivulet(dir.path(), &["statement", "--help"]).1.contains("--from 2026-11-01 --to 2026-11-30 > november.csv"));
    assert!(rivulet(dir.path(), &["completions", "bash"]).1.contains("_rivulet"));
}

#[test]
fn variables_go_before_the_file_and_flags_before_them() {
    let dir = folder(include_str!("../../config/minimal.toml"));
    let variables = [("RIVULET__DATABASE", "by-key.db"), ("RIVULET__HTTP__LISTEN", "127.0.0.1:7001"), ("RIVULET_LISTEN", "127.0.0.1:7002")];
    let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config"], &variables);
    assert!(ok && text.contains("by-key.db") && text.contains("127.0.0.1:7002"), "{text}");
    assert!(text.contains("variables RIVULET_LISTEN, RIVULET__DATABASE, RIVULET__HTTP__LISTEN: they go before the file"), "{text}");
    let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config", "--listen", "127.0.0.1:7003"], &variables);
    assert!(ok && text.contains("127.0.0.1:7003"), "{text}");
    let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config"], &[("RIVULET__BATCH__MAX_ROW", "5")]);
    assert!(!ok && text.contains("unknown field `max_row`"), "{text}");
}

const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const HEX: &str = "0x4242424242424242424242424242424242424242424242424242424242424242";
const TOKEN: &str = "correct horse battery staple";

/// Every secret by variable, as the configuration names them.
const SECRETS: [(&str, &str); 6] = [
    ("RIVULET__SIGNER", "{ env = \"SIGNER_KEY\" }"),
    ("RIVULET__ACKNOWLEDGE__KEY_ENV", "ACKNOWLEDGE_KEY"),
    ("RIVULET__ADMIN__TOKEN_ENV", "ADMIN_TOKEN"),
    ("SIGNER_KEY", PHRASE),
    ("ACKNOWLEDGE_KEY", HEX),
    ("ADMIN_TOKEN", TOKEN),
];

fn says_no_secret(text: &str) {
    for secret in [PHRASE, &HEX[2..], TOKEN] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn secrets_come_from_variables_or_files_and_are_never_said() {
    let dir = folder(include_str!("../../config/minimal.toml"));
    let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config"], &SECRETS);
    assert!(ok && text.contains("acknowledgements as 0x") && text.contains("/v1/admin, by token"), "{text}");
    says_no_secret(&text);
    // The daemon itself, with everything logged, up to the node that is not there.
    let mut loud = SECRETS.to_vec();
    loud.extend([("RIVULET__LOG__FILTER", "trace"), ("RIVULET_RPC_URL", "ws://127.0.0.1:1")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rivulet"));
    let child = command.args(["relay"]).current_dir(dir.path()).envs(loud).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    child.kill().unwrap();
    let Output { stdout, stderr, .. } = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(text.contains("cannot use this node"), "{text}");
    assert_eq!(text.matches("WARN").count(), 1, "said once, though tried often: {text}");
    says_no_secret(&text);
    // What is wrong with one is said without it.
    for (name, wrong) in
        [("SIGNER_KEY", "no phrase at all but secret"), ("ACKNOWLEDGE_KEY", "0xsecret"), ("ADMIN_TOKEN", "secret"), ("ADMIN_TOKEN", " ")]
    {
        let variables: Vec<_> = SECRETS.iter().map(|(n, v)| if *n == name { (*n, wrong) } else { (*n, *v) }).collect();
        let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config"], &variables);
        assert!(!ok && text.contains(name) && text.contains("expected") && (wrong == " " || !text.contains(wrong)), "{text}");
        says_no_secret(&text);
    }
}

#[test]
fn several_keys_are_named_with_their_accounts_and_none_may_be_there_twice() {
    let dir = folder(include_str!("../../config/minimal.toml"));
    for (name, key) in [("a.key", HEX), ("b.key", PHRASE), ("c.key", HEX)] {
        std::fs::write(dir.path().join(name), key).unwrap();
    }
    let (ok, text) = rivulet(dir.path(), &["relay", "check-config", "--signer-file", "a.key,b.key"]);
    assert!(ok && text.matches("signed and paid for by account 0x").count() == 2, "{text}");
    says_no_secret(&text);
    let (ok, text) = rivulet(dir.path(), &["relay", "check-config", "--signer-file", "a.key", "--signer-file", "c.key"]);
    assert!(!ok && text.contains("the key file c.key holds the same key as another one"), "{text}");
    let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config"], &[("RIVULET__SIGNER", "{ dev_uris = [\"//Alice\", \"//Bob\"] }")]);
    assert!(ok && text.matches("by account 0x").count() == 2, "{text}");
}

#[test]
fn a_key_for_acknowledgements_is_made_once_and_only_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(include_str!("../../config/minimal.toml"));
    let (ok, address) = rivulet(dir.path(), &["key", "--out", "acknowledge.key"]);
    assert!(ok && address.trim().len() == 42, "{address}");
    let path = dir.path().join("acknowledge.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (ok, text) = rivulet(dir.path(), &["key", "--out", "acknowledge.key"]);
    assert!(!ok && text.contains("cannot create acknowledge.key"), "{text}");
    let (ok, text) = rivulet_with(dir.path(), &["relay", "check-config"], &[("RIVULET__ACKNOWLEDGE__KEY_FILE", "acknowledge.key")]);
    assert!(ok && text.contains(address.trim()) && !text.contains(std::fs::read_to_string(path).unwrap().trim()), "{text}");
}

#[test]
fn a_cause_is_said_once() {
    let dir = folder(include_str!("../../config/minimal.toml"));
    std::fs::write(dir.path().join("deployments/dev.json"), "{").unwrap();
    for args in
        [&["relay", "check-config"][..], &["relay", "check-config", "--config", "none.toml"], &["relay", "check-config", "--signer-file", "none"]]
    {
        let (ok, text) = rivulet(dir.path(), args);
        let lines: Vec<_> = text.lines().map(|l| l.trim_start_matches("  because: ").trim_start_matches("error: ")).collect();
        assert!(!ok && lines.windows(2).all(|w| !w[0].contains(w[1])), "{text}");
    }
}

fn rivulet_at_home(dir: &Path, args: &[&str], secret: &str) -> (bool, String) {
    let home = dir.join("home").display().to_string();
    rivulet_with(dir, args, &[("RIVULET_HOME", &home), ("RIVULET_PASSPHRASE", TOKEN), ("RIVULET_SECRET", secret)])
}

#[test]
fn keys_are_imported_shown_and_listed_and_never_said() {
    let dir = folder("");
    let (ok, text) = rivulet_at_home(dir.path(), &["key", "import", "reader"], PHRASE);
    assert!(ok && text.contains("5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"), "{text}");
    says_no_secret(&text);
    let (ok, again) = rivulet_at_home(dir.path(), &["key", "import", "reader"], PHRASE);
    assert!(!ok && again.contains("a key is never written over"), "{again}");
    let file = dir.path().join("home/keys/reader.json");
    says_no_secret(&std::fs::read_to_string(&file).unwrap());
    let (ok, copied) = rivulet_at_home(dir.path(), &["key", "import", "copy", "--wallet-file", file.to_str().unwrap()], "");
    assert!(ok && copied.contains("5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"), "{copied}");
    let (ok, list) = rivulet_at_home(dir.path(), &["key", "list"], "");
    assert!(ok && list.contains("copy") && list.contains("reader"), "{list}");
    assert!(rivulet_at_home(dir.path(), &["key", "show", "//Alice"], "").1.contains("0x9621dde636de098b43efb0fa9b61facfe328f99d"));
    for (args, expected) in [
        (vec!["key", "show", "nobody"], "rivulet key list"),
        (vec!["key", "new", "../x"], "lower-case letters, digits and hyphens"),
        (vec!["key", "new"], "<NAME>"),
        (vec!["key"], "Examples:"),
    ] {
        let (ok, text) = rivulet_at_home(dir.path(), &args, "");
        assert!(!ok && text.contains(expected), "{text}");
    }
    let (ok, text) = rivulet_with(dir.path(), &["key", "new", "other"], &[("RIVULET_HOME", "home"), ("RIVULET_PASSPHRASE", "short")]);
    assert!(!ok && text.contains("at least 8 characters") && !text.contains("short"), "{text}");
}

#[test]
fn an_error_is_json_where_it_was_asked_for_whoever_finds_it() {
    let dir = folder("");
    for (args, expected) in [
        (&["channel", "pay", "3/0", "5", "--json"][..], "a number alone could be anything"),
        (&["channel", "pay", "--json"], "required arguments were not provided: <CHANNEL>"),
        (&["stream", "delegate", "1/0", "--to", "//Dave", "--json"], "--rights <RIGHTS>"),
        (
            &["stream", "create", "--payee", "//Dave", "--rate", "1dot/hour", "--deposit", "1dot", "--start", "soon", "--json"],
            "or so much later or earlier",
        ),
        (&["channel", "refund", "3/0", "5dot", "--cancel", "--json"], "cannot be used with"),
        (&["earn", "statement", "--from", "2026-11-02", "--to", "2026-11-01", "--json"], "--from 2026-11-02 is after --to 2026-11-01"),
    ] {
        let (ok, text) = rivulet(dir.path(), args);
        let error: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert!(!ok && error["error"] == "usage" && error["exit_code"] == 2, "{text}");
        assert!(error["message"].as_str().unwrap().contains(expected) && text.lines().count() == 1, "{text}");
    }
    // Help is help.
    assert!(rivulet(dir.path(), &["stream", "show", "--help", "--json"]).1.contains("Examples:"));
}

#[test]
fn a_manual_page_for_each_command_is_written() {
    let dir = folder("");
    let (ok, text) = rivulet(dir.path(), &["man", "--out", "man1"]);
    assert!(ok, "{text}");
    for page in ["rivulet.1", "rivulet-channel-pay.1", "rivulet-stream-hand-over.1", "rivulet-earn-statement.1", "rivulet-relay.1"] {
        assert!(std::fs::read_to_string(dir.path().join("man1").join(page)).unwrap().contains(".SH"), "{page}");
    }
    assert!(rivulet(dir.path(), &["man"]).1.contains(".TH rivulet"));
}

#[test]
fn the_readme_has_every_exit_code_and_every_command() {
    let readme = include_str!("../README.md");
    let dir = folder("");
    let help = rivulet(dir.path(), &["--help"]).1;
    for code in 0..=9 {
        assert!(readme.contains(&format!("\n| {code} |")) && help.contains(&format!("\n  {code}  ")), "{code}");
    }
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    for command in commands.lines().filter_map(|line| line.split_whitespace().next()).filter(|c| *c != "help") {
        assert!(readme.contains(&format!("`{command}")), "{command}");
    }
}
