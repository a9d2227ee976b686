//! What stands behind the question mark.

use super::problem::Problem;
use axum::{extract::Query, http::Uri};
use std::collections::BTreeMap;

/// The parameters of a query. Those that a route does not know are refused, like unknown fields.
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads those that are `known`.
    ///
    /// # Errors
    /// `malformed` when there is another one, or one twice.
    pub fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let expected = || if known.is_empty() { "none".to_owned() } else { format!("only {}", known.join(", ")) };
        let malformed = |given: &str| Problem::malformed("query", &expected(), given);
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| malformed(uri.query().unwrap_or_default()))?;
        let mut found = BTreeMap::new();
        for (key, value) in pairs {
            if !known.contains(&key.as_str()) || found.insert(key.clone(), value).is_some() {
                return Err(malformed(&key));
            }
        }
        Ok(Self(found))
    }

    /// One of them.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// One that is `true` or `false`; not there: false.
    pub fn flag(&self, key: &'static str) -> Result<bool, Problem> {
        self.one_of(key, &[("false", false), ("true", true)])
    }

    /// One that is one of these; not there: the first.
    pub fn one_of<T: Copy>(&self, key: &'static str, values: &[(&str, T)]) -> Result<T, Problem> {
        let names = || values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let found = match self.get(key) {
            None => values.first(),
            Some(given) => values.iter().find(|(name, _)| *name == given),
        };
        found.map(|(_, value)| *value).ok_or_else(|| Problem::malformed(key, &format!("one of {}", names()), self.get(key).unwrap_or_default()))
    }

    /// A number from 1 on; not there: `default`; never more than `most`.
    pub fn limit(&self, key: &'static str, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(given) = self.get(key) else { return Ok(default) };
        let number = given.parse().ok().filter(|n| (1..=most).contains(n));
        number.ok_or_else(|| Problem::malformed(key, &format!("an integer from 1 to {most}"), given))
    }
}
