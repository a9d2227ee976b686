//! The two example files, and what a wrong one gets.

use rivulet_server::config::{Accept, Acknowledge, Admin, Batch, Chain, Config, ConfigError, Http, Log, Pages};

const MINIMAL: &str = include_str!("../../config/minimal.toml");
const FULL: &str = include_str!("../../config/full.toml");

#[test]
fn the_full_example_is_the_minimal_one_and_the_defaults() {
    let minimal = Config::parse(MINIMAL).unwrap();
    assert_eq!(Config::parse(FULL).unwrap(), minimal);
    let Config { http, chain, accept, batch, acknowledge, admin, pages, log, .. } = minimal;
    assert_eq!((http, chain, accept, batch), (Http::default(), Chain::default(), Accept::default(), Batch::default()));
    assert_eq!((acknowledge, admin, pages, log), (Acknowledge::default(), Admin::default(), Pages::default(), Log::default()));
}

#[test]
fn the_full_example_has_every_key() {
    // Each key of the sections that have defaults, by the names that an unknown key's refusal lists.
    for section in ["http", "chain", "accept", "batch", "acknowledge", "admin", "pages", "log"] {
        let error = Config::parse(&format!("{MINIMAL}\n[{section}]\nnonsense = 1")).unwrap_err().to_string();
        let (_, listed) = error.split_once("expected one of ").or_else(|| error.split_once("expected ")).expect("the refusal lists the keys");
        let names: Vec<_> = listed.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{error}");
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
        ("[chain]\nrpc_urls = [\"ws://x\", \"ws://x\"]", "chain.rpc_urls"),
        ("[http]\nheader_timeout_ms = 5", "http.header_timeout_ms"),
        ("[http]\noperator_listen = \"127.0.0.1:8787\"", "http.operator_listen"),
        ("[chain]\nmax_lag_blocks = 0", "chain.max_lag_blocks"),
        ("[http]\nmax_batch_items = 0", "http.max_batch_items"),
        ("[http]\naddress_per_sec = 5\naddress_burst = 1999", "http.address_burst"),
        ("[http]\ntls_key_file = \"x\"", "http.tls_certificate_file"),
        ("[accept]\npayer_per_sec = 5\npayer_burst = 0", "accept.payer_burst"),
        ("[pages]\neth_rpc_url = \"ws://127.0.0.1:8545\"", "pages.eth_rpc_url"),
        ("[pages]\neth_rpc_url = \"https://user:word@rpc.example\"", "pages.eth_rpc_url"),
        ("[pages]\neth_rpc_url = \"https://rpc.example; script-src *\"", "pages.eth_rpc_url"),
        ("[pages]\neth_rpc_url = \"https://rpc.example,b\"", "pages.eth_rpc_url"),
        ("[pages]\neth_rpc_url = \"http://[::1]:8545\"", "pages.eth_rpc_url"),
        ("[admin]\ntoken_file = \"x\"\ntoken_env = \"X\"", "admin"),
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
    for url in ["https://u:Tr0ub4dor@rpc.example", "https://Tr0ub4dor@rpc.example/", "https://u:Tr0ub4dor@[::1]"] {
        let error = Config::parse(&format!("{MINIMAL}\n[pages]\neth_rpc_url = \"{url}\"")).unwrap_err().to_string();
        assert!(error.starts_with("pages.eth_rpc_url") && error.contains("user or password") && !error.contains("Tr0ub4dor"), "{error}");
    }
    let good = Config::parse(&MINIMAL.replace("relayer.db", "postgres://u:Tr0ub4dor@db/d")).unwrap();
    assert!(!format!("{good:?}").contains("Tr0ub4dor"));
    let both = MINIMAL.replace("[signer]", "[signer]\nfile = \"relayer.key\"");
    assert!(Config::parse(&both).unwrap_err().to_string().contains("more than one"));
    let error = Config::parse(&format!("{MINIMAL}\n[admin]\ntoken_env = \"{secret}\"")).unwrap_err();
    assert!(error.to_string().starts_with("admin.token_env") && !error.to_string().contains("drive"), "{error}");
    assert!(!format!("{:?}", Config::parse(MINIMAL).unwrap()).contains("Alice"));
}

#[test]
fn several_keys_are_listed_in_one_way_and_each_once() {
    let with = |signer: &str| Config::parse(&format!("deployment = \"x\"\ndatabase = \"x\"\n[signer]\n{signer}"));
    for (signer, keys) in [("file = \"a\"", 1), ("files = [\"a\", \"b\", \"c\"]", 3), ("envs = [\"A\", \"B\"]", 2), ("dev_uris = [\"//A\"]", 1)] {
        assert_eq!(with(signer).unwrap().signer.sources().len(), keys, "{signer}");
    }
    for (signer, expected) in [
        ("", "signer: expected one of file, env, dev_uri, files, envs and dev_uris, got none"),
        ("files = []", "got none"),
        ("file = \"a\"\nfiles = [\"b\"]", "got more than one"),
        ("files = [\"a\", \"b\", \"a\"]", "signer: expected each key once"),
        ("dev_uris = [\"//A\", \"secret\"]", "signer.dev_uris: expected a development key"),
        ("envs = [\"A\", \"secret words\"]", "signer.envs: expected the name of an environment variable"),
        ("fils = [\"a\"]", "unknown field `fils`"),
    ] {
        let error = with(signer).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
    }
    let variables = [("RIVULET__SIGNER", "{ files = [\"a\", \"b\"] }")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(Config::parse_with(MINIMAL, variables).unwrap().signer.files.len(), 2);
}

#[test]
fn every_key_can_be_replaced_by_a_variable_and_an_unknown_one_is_refused() {
    let with = |name: &str, value: &str| Config::parse_with(MINIMAL, [(name.to_owned(), value.to_owned())]);
    assert_eq!(with("RIVULET__BATCH__MAX_ROWS", "7").unwrap().batch.max_rows, 7);
    assert_eq!(with("RIVULET__DATABASE", "other.db").unwrap().database.to_string(), "other.db");
    assert_eq!(with("RIVULET__DATABASE", "postgres://u:p@db/d").unwrap().database.to_string(), "postgres://u@db/d");
    assert_eq!(with("RIVULET__HTTP__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]").unwrap().http.trusted_proxies.len(), 1);
    assert_eq!(with("PATH", "x").unwrap(), Config::parse(MINIMAL).unwrap());
    for (name, value, expected) in [
        ("RIVULET__BATCH__MAX_ROW", "7", "unknown field `max_row`"),
        ("RIVULET__BATCH__MAX_ROWS", "many", "max_rows"),
        ("RIVULET__BATCH__MAX_ROWS", "0", "batch.max_rows"),
    ] {
        let error = with(name, value).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_address_with_a_password_is_not_repeated_wherever_it_stands() {
    let address = "postgres://u:Tr0ub4dor@db/d";
    let refused = |toml: &str, name: &str, value: &str| {
        let error = Config::parse_with(toml, [(name.to_owned(), value.to_owned())]).unwrap_err().to_string();
        assert!(!error.contains("Tr0ub4dor") && error.len() > 10, "{error}");
        error
    };
    for (name, value) in [
        ("RIVULET__DATABASE", "postgres://u:Tr0ub4dor@db:port/d"),
        ("RIVULET__DATABASE__URL", address),
        ("RIVULET__HTTP", address),
        ("RIVULET__HTTP__LISTEN", address),
        ("RIVULET__HTTP__TRUSTED_PROXIES", address),
        ("RIVULET__BATCH__MAX_ROWS", address),
        ("RIVULET__DATABASE_URL", address),
    ] {
        refused(MINIMAL, name, value);
    }
    for line in [format!("database = {address}"), format!("database_url = \"{address}\""), format!("database = [\"{address}\"]")] {
        let toml = MINIMAL.replace("database = \"relayer.db\"", &line);
        // With a variable or without, the file is read in other ways.
        assert!(refused(&toml, "RIVULET__BATCH__MAX_ROWS", "5").len() > 10);
        assert!(refused(&toml, "PATH", "x").starts_with("line 3: "));
    }
}
