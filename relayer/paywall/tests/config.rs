//! The configuration files that people copy.

use rivulet_core::ids::Address;
use rivulet_paywall::config::Config;

const MINIMAL: &str = include_str!("../config/minimal.toml");

#[test]
fn the_full_example_is_the_minimal_one_with_every_default() {
    let full = include_str!("../config/full.toml");
    assert_eq!(Config::parse(full).unwrap(), Config::parse(MINIMAL).unwrap());
    // Every key of the types stands in it, as a value or as a comment.
    for key in [
        "metrics_listen",
        "relayer_public",
        "relayer_ca_file",
        "upstream_ca_file",
        "tls_certificate_file",
        "tls_key_file",
        "cors_origins",
        "case_insensitive_paths",
        "trust_forwarded",
        "rpc_urls",
        "keep_days",
        "filter",
    ] {
        assert!(full.lines().any(|l| l.trim_start_matches("# ").starts_with(&format!("{key} ="))), "{key}");
    }
}

#[test]
fn flags_alone_are_the_minimal_file() {
    let mut payee = [0; 20];
    payee[19] = 0xa1;
    let flags = Config::new("http://127.0.0.1:3000", Address(payee), "http://127.0.0.1:8787", vec!["/articles/*=0.10usdc".into()]);
    assert_eq!(flags, Config::parse(MINIMAL).unwrap());
}

#[test]
fn tls_is_spoken_on_all_sides() {
    let text = MINIMAL.replace("http://", "https://")
        + "upstream_ca_file = \"a\"\nrelayer_ca_file = \"b\"\ntls_certificate_file = \"c\"\ntls_key_file = \"d\"";
    assert!(Config::parse(&text).is_ok());
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (from, to, expected) in [
        ("relayer =", "relayr =", "unknown field `relayr`"),
        ("http://127.0.0.1:3000", "ftp://127.0.0.1:3000", "upstream: expected an http:// or https:// URL"),
        ("http://127.0.0.1:3000", "127.0.0.1:3000", "upstream: expected an http:// or https:// URL"),
        ("http://127.0.0.1:8787", "ws://x", "relayer: expected an http:// or https:// URL"),
        ("relayer =", "relayer_public = \"x\"\nrelayer =", "relayer_public: expected an http:// or https:// URL"),
        ("relayer =", "upstream_ca_file = \"x\"\nrelayer =", "upstream_ca_file: expected an https:// URL that it is for, got http://127.0.0.1:3000"),
        ("relayer =", "relayer_ca_file = \"x\"\nrelayer =", "relayer_ca_file: expected an https:// URL that it is for, got http://127.0.0.1:8787"),
        ("relayer =", "tls_key_file = \"x\"\nrelayer =", "tls_certificate_file: expected the certificate of tls_key_file"),
        ("relayer =", "tls_certificate_file = \"x\"\nrelayer =", "tls_key_file: expected the key of tls_certificate_file"),
        ("relayer =", "cors_origins = [\"app.example\"]\nrelayer =", "expected an origin as browsers send it, such as https://app.example"),
        ("[\"/articles/*=0.10usdc\"]", "[]", "prices: expected at least one"),
        ("0x00000000000000000000000000000000000000a1", "0x12", "40 hex digits"),
        ("0x00000000000000000000000000000000000000a1", "0x0000000000000000000000000000000000000000", "payee: expected an address that is not zero"),
    ] {
        let error = Config::parse(&MINIMAL.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
    for (section, expected) in [
        ("[grant]\nwindow_secs = 0", "grant.window_secs: expected 10 to 86400"),
        ("[grant]\nmost_requests = 0", "grant.most_requests: expected at least 1"),
        ("[limits]\nmax_head_bytes = 1", "limits.max_head_bytes: expected at least 8192"),
        ("[limits]\nmax_heads = 1", "unknown field `max_heads`"),
    ] {
        let error = Config::parse(&format!("{MINIMAL}\n{section}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{section}: {error}");
    }
}
