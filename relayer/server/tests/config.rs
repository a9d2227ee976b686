//! The two example files, and what a wrong one gets.

use rivulet_server::config::{Accept, Batch, Chain, Config, ConfigError, Http, Log};

const MINIMAL: &str = include_str!("../../config/minimal.toml");
const FULL: &str = include_str!("../../config/full.toml");

#[test]
fn the_full_example_is_the_minimal_one_and_the_defaults() {
    let minimal = Config::parse(MINIMAL).unwrap();
    assert_eq!(Config::parse(FULL).unwrap(), minimal);
    let Config { http, chain, accept, batch, log, .. } = minimal;
    assert_eq!((http, chain, accept, batch, log), (Http::default(), Chain::default(), Accept::default(), Batch::default(), Log::default()));
}

#[test]
fn the_full_example_has_every_key() {
    // Each key of the sections that have defaults, by the names that an unknown key's refusal lists.
    for section in ["http", "chain", "accept", "batch", "log"] {
        let error = Config::parse(&format!("{MINIMAL}\n[{section}]\nnonsense = 1")).unwrap_err().to_string();
        let (_, listed) = error.split_once("expected one of ").or_else(|| error.split_once("expected ")).expect("the refusal lists the keys");
        let names: Vec<_> = listed.split('`').skip(1).step_by(2).collect();
        assert!(names.len() > 1, "{error}");
        for name in names {
            assert!(
                FULL.contains(&format!("\n{name} = ")) || FULL.contains(&format!("\n# {name} = ")) || FULL.contains(&format!("[{section}.{name}]")),
                "{section}.{name} is not in full.toml"
            );
        }
    }
}

#[test]
fn unknown_keys_are_refused_by_name() {
    let error = Config::parse(&format!("{MINIMAL}\n[batch]\nmax_row = 5")).unwrap_err();
    assert!(error.to_string().contains("unknown field `max_row`"), "{error}");
}

#[test]
fn wrong_values_are_refused_by_their_full_key() {
    for (text, key) in [
        ("[batch]\nmax_rows = 0", "batch.max_rows"),
        ("[chain]\nmortality_blocks = 65", "chain.mortality_blocks"),
        ("[chain]\nrpc_urls = [\"http://x\"]", "chain.rpc_urls"),
        ("[http]\nmax_batch_items = 0", "http.max_batch_items"),
    ] {
        match Config::parse(&format!("{MINIMAL}\n{text}")) {
            Err(ConfigError::Value { key: found, .. }) => assert_eq!(found, key),
            other => panic!("expected a refusal of {key}, got {other:?}"),
        }
    }
}

#[test]
fn addresses_are_read_where_they_stand() {
    let one = "0x00000000000000000000000000000000000000a1";
    let config = Config::parse(&format!("{MINIMAL}\n[batch]\nbeneficiary = \"{one}\"\nown_payees = [\"{one}\"]")).unwrap();
    assert_eq!((config.batch.beneficiary.map(|b| b.to_string()), config.batch.own_payees.len()), (Some(one.to_owned()), 1));
    let error = Config::parse(&format!("{MINIMAL}\n[batch]\nbeneficiary = \"0x1\"")).unwrap_err().to_string();
    assert!(error.contains("expected 0x and 40 hex digits"), "{error}");
}

#[test]
fn a_secret_in_the_wrong_place_is_refused_and_not_repeated() {
    let secret = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let error = Config::parse(&MINIMAL.replace("//Alice", secret)).unwrap_err();
    assert!(error.to_string().starts_with("signer.dev_uri") && !error.to_string().contains("drive"), "{error}");
    for line in
        ["database = \"postgres://u:Tr0ub4dor@db:port/d\"", "database = \"mysql://u:Tr0ub4dor@db/d\"", "database = \"postgres://u:Tr0ub4dor@db/d"]
    {
        let error = Config::parse(&MINIMAL.replace("database = \"relayer.db\"", line)).unwrap_err().to_string();
        assert!(!error.contains("Tr0ub4dor") && !error.is_empty(), "{error}");
    }
    let good = Config::parse(&MINIMAL.replace("relayer.db", "postgres://u:Tr0ub4dor@db/d")).unwrap();
    assert!(!format!("{good:?}").contains("Tr0ub4dor"));
    let both = MINIMAL.replace("[signer]", "[signer]\nfile = \"relayer.key\"");
    assert!(Config::parse(&both).unwrap_err().to_string().contains("both"));
    assert!(!format!("{:?}", Config::parse(MINIMAL).unwrap()).contains("Alice"));
}
