//! The documents say what the code does.

use rivulet_paywall::denied::CODES;

#[test]
fn the_readme_has_every_code_with_its_status_and_no_other() {
    let readme = include_str!("../README.md");
    let table: Vec<_> = readme.lines().skip_while(|l| *l != "| code | status | meaning |").skip(2).take_while(|l| l.starts_with('|')).collect();
    let expected: Vec<_> = CODES.iter().map(|(code, status, meaning)| format!("| `{code}` | {status} | {meaning} |")).collect();
    assert_eq!(table, expected);
}

#[test]
fn the_grammar_in_the_readme_is_the_codes() {
    let source = include_str!("../src/price.rs");
    let grammar = source.lines().skip_while(|l| !l.starts_with("//! rule ")).take_while(|l| *l != "//! ```");
    for line in grammar.map(|l| l.trim_start_matches("//! ").trim_end()) {
        let same = |l: &str| l.starts_with(line);
        assert!(include_str!("../README.md").lines().any(same), "{line}");
    }
}
