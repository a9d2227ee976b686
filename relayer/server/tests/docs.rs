//! What is written for operators is what the code does.
//! ├── METRICS.md and API.md are written from the code's tables
//! ├── the dashboard and the alert rules name only metrics that there are
//! ├── every route of the router is documented, and every documented one is in the router; every code has its line
//! └── the unit and the Containerfile name files, commands and variables that there are

use rivulet_rules::accept::Rejection;
use rivulet_server::{
    api::{
        openapi::{self, ROUTES},
        problem::{OTHER_CODES, status_of_code},
    },
    metrics::{self, DESCRIBED},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn relayer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(relayer().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Compares a file with what it should be, or writes it.
fn is_current(path: &str, expected: &str) {
    if std::env::var_os("RIVULET_WRITE").is_some() {
        fs::write(relayer().join(path), expected).unwrap();
    }
    assert!(read(path) == expected, "{path} is not what the code says: RIVULET_WRITE=1 cargo test -p rivulet-server --test docs");
}

#[test]
fn metrics_md_is_written_from_the_code() {
    is_current("docs/METRICS.md", &metrics::markdown());
}

#[test]
fn api_md_is_written_from_the_openapi_document() {
    is_current("docs/API.md", &openapi::markdown());
}

/// Every word in a text that begins like a metric.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("rivulet_")).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_and_the_alert_rules_name_only_metrics_that_there_are() {
    let mut known = BTreeSet::new();
    for metric in DESCRIBED {
        match metric.kind {
            "histogram" => known.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", metric.name))),
            _ => _ = known.insert(metric.name.to_owned()),
        }
    }
    let documented = metrics_in(&read("docs/METRICS.md"));
    for file in ["operate/dashboard.json", "operate/alerts.yml"] {
        let named = metrics_in(&read(file));
        assert!(!named.is_empty());
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
    assert!(DESCRIBED.iter().all(|m| documented.contains(m.name)));
    serde_json::from_str::<serde_json::Value>(&read("operate/dashboard.json")).unwrap();
    // What may wake somebody at night says what to do.
    let alerts = read("operate/alerts.yml");
    assert_eq!(alerts.matches("- alert: ").count(), alerts.matches("what_to_do: ").count());
}

#[test]
fn names_say_what_kind_they_are() {
    for metric in DESCRIBED {
        assert_eq!(metric.name.ends_with("_total"), metric.kind == "counter", "{}", metric.name);
        assert!(metric.name.starts_with("rivulet_") && metric.help.ends_with('.'), "{}", metric.name);
    }
}

#[test]
fn the_documented_routes_are_those_of_the_router() {
    let sources = read("server/src/api/mod.rs") + &read("server/src/api/admin.rs") + &read("server/src/api/pages.rs");
    let routed: BTreeSet<_> = sources.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let documented: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
    assert_eq!(routed, documented);
    let ids: BTreeSet<_> = ROUTES.iter().map(|route| route.id).collect();
    assert_eq!(ids.len(), ROUTES.len());
}

#[test]
fn every_code_has_a_status_and_a_line() {
    let documented: BTreeSet<_> = openapi::codes().into_iter().map(|(status, code, _)| (status, code)).collect();
    let all = Rejection::CODES.into_iter().chain(OTHER_CODES.into_iter().map(|(_, code)| code));
    let expected: BTreeSet<_> = all.map(|code| (status_of_code(code).unwrap_or_else(|| panic!("{code} has no status")), code)).collect();
    assert_eq!(documented, expected);
}

/// The values of `NAME=value` that are variables of the relayer's.
fn variables_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("RIVULET_")).collect()
}

#[test]
fn the_unit_and_the_containerfile_name_what_there_is() {
    let (unit, container, command) = (read("operate/rivulet.service"), read("operate/Containerfile"), read("cli/src/cmd/relay.rs"));
    for (file, text) in [("rivulet.service", &unit), ("Containerfile", &container)] {
        for variable in variables_in(text) {
            assert!(command.contains(&format!("env = \"{variable}\"")), "{file}: {variable} is no variable of `rivulet relay`");
        }
    }
    // What is copied from the tree, and what the comments say to install.
    let root = relayer().parent().unwrap().to_owned();
    let copied = container.lines().filter_map(|l| l.strip_prefix("COPY ")).filter(|l| !l.starts_with("--from")).map(|l| l.split(' ').next().unwrap());
    let said = unit.split_whitespace().chain(container.split_whitespace()).filter(|w| w.starts_with("relayer/"));
    for path in copied.chain(said) {
        assert!(root.join(path).exists(), "{path} is not in the tree");
    }
    assert!(read("cli/Cargo.toml").contains("name = \"rivulet\""));
    for line in ["ExecStartPre=/usr/local/bin/rivulet relay check-config", "ExecStart=/usr/local/bin/rivulet relay\n", "kill -HUP"] {
        assert!(unit.contains(line), "{line}");
    }
    assert!(container.contains("ENTRYPOINT [\"/usr/local/bin/rivulet\"]") && container.contains("CMD [\"relay\"]"));
}
