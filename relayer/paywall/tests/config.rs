//! The configuration files that people copy.

use rivulet_core::ids::Address;
use rivulet_paywall::config::Config;

const MINIMAL: &str = include_str!("../config/minimal.toml");

#[test]
fn the_full_example_is_the_minimal_one_with_every_default() {
    let full = include_str!("../config/full.toml");
    assert_eq!(Config::parse(full).unwrap(), Config::parse(MINIMAL).unwrap());
    // Every key of the types stands in it, as a value or as a comment.
    for key in ["metrics_listen", "relayer_public", "trust_forwarded", "rpc_urls", "keep_days", "filter"] {
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
fn what_cannot_be_is_refused_by_name() {
    for (from, to, expected) in [
        ("relayer =", "relayr =", "unknown field `relayr`"),
        ("http://127.0.0.1:3000", "https://127.0.0.1:3000", "upstream: expected an http:// URL"),
        ("http://127.0.0.1:3000", "127.0.0.1:3000", "upstream: expected an http:// URL"),
        ("http://127.0.0.1:8787", "ws://x", "relayer: expected an http:// URL"),
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
