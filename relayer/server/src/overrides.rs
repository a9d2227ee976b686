//! Environment variables in the place of keys of the file: `RIVULET__SECTION__KEY`, and `RIVULET__KEY` for those of no section.
//!
//! The value is written as in the file: `RIVULET__BATCH__MAX_ROWS=200`, `RIVULET__HTTP__TRUSTED_PROXIES=["10.0.0.0/8"]`. What is not TOML is taken as text,
//! so text needs no quotes unless it looks like a number: `RIVULET__LOG__FILTER=debug`, `RIVULET__ACCEPT__MIN_FIRST_UNITS__USDC="1000"` with its quotes.

use crate::config::ConfigError;
use toml::{Table, Value};

/// How such variables begin.
pub const PREFIX: &str = "RIVULET__";

fn value_of(text: &str) -> Value {
    let read = toml::from_str::<Table>(&format!("value = {text}")).ok().filter(|table| table.len() == 1);
    read.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts them in their places. False: there were none.
///
/// # Errors
/// [`ConfigError::Value`] when one names no key, or a section. Whether there is such a key is for who reads the table to say.
pub fn apply(table: &mut Table, variables: impl IntoIterator<Item = (String, String)>) -> Result<bool, ConfigError> {
    let mut some = false;
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        // Its value is not repeated: it may be a secret.
        let wrong = |given: &str| ConfigError::Value { key: name.clone(), expected: "RIVULET__SECTION__KEY".to_owned(), given: given.to_owned() };
        let path = path.to_ascii_lowercase();
        let mut parts: Vec<_> = path.split("__").collect();
        let key = parts.pop().filter(|key| !key.is_empty() && parts.iter().all(|p| !p.is_empty())).ok_or_else(|| wrong("an empty name"))?;
        let mut at = &mut *table;
        for part in parts {
            let section = at.entry(part).or_insert_with(|| Value::Table(Table::new()));
            at = section.as_table_mut().ok_or_else(|| wrong("a key where a section should be"))?;
        }
        at.insert(key.to_owned(), value_of(&text));
        some = true;
    }
    Ok(some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<String, ConfigError> {
        let mut table: Table = toml::from_str("database = \"a\"\n[batch]\nmax_rows = 5").unwrap();
        apply(&mut table, variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))?;
        Ok(table.to_string())
    }

    #[test]
    fn variables_replace_and_add_keys_of_any_type() {
        let text = with(&[
            ("RIVULET__BATCH__MAX_ROWS", "9"),
            ("RIVULET__DATABASE", "/var/lib/x.db"),
            ("RIVULET__CHAIN__RPC_URLS", "[\"ws://a\", \"ws://b\"]"),
            ("RIVULET__ACCEPT__MIN_FIRST_UNITS__USDC", "\"1000\""),
            ("RIVULET__BATCH__FUND_NEW", "true"),
            ("RIVULET_LISTEN", "other"),
        ])
        .unwrap();
        for expected in ["max_rows = 9", "database = \"/var/lib/x.db\"", "rpc_urls = [\"ws://a\", \"ws://b\"]", "usdc = \"1000\"", "fund_new = true"]
        {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("other"));
    }

    #[test]
    fn a_text_cannot_smuggle_in_other_keys() {
        let text = with(&[("RIVULET__LOG__FILTER", "1\nformat = \"json\"")]).unwrap();
        let table: Table = toml::from_str(&text).unwrap();
        assert_eq!(table["log"].as_table().unwrap().len(), 1, "{text}");
    }

    #[test]
    fn names_that_lead_nowhere_are_refused_without_their_value() {
        for name in ["RIVULET__", "RIVULET__BATCH__", "RIVULET____X", "RIVULET__DATABASE__X"] {
            let error = with(&[(name, "secret")]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("secret"), "{error}");
        }
    }
}
