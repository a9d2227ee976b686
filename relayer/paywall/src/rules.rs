//! The price list: which path costs what.

use crate::{
    path::{PathError, Pattern, folded},
    price::{Coin, Price, PriceError},
};
use std::borrow::Cow;

/// A rule cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleError {
    /// Not a pattern and a price.
    #[error("price: expected PATTERN=PRICE, such as '/articles/*=0.10usdc' or '/articles/free/*=free', got {0}")]
    Shape(String),
    /// The pattern.
    #[error("price {rule}: {source}")]
    Pattern {
        /// The rule.
        rule: String,
        /// What is wrong.
        source: PathError,
    },
    /// The price.
    #[error("price {rule}: {source}")]
    Price {
        /// The rule.
        rule: String,
        /// What is wrong.
        source: PriceError,
    },
    /// Two rules of one pattern that exclude each other.
    #[error("price {0}: expected one price of a token for a pattern, and none beside `free`")]
    Twice(String),
}

/// One pattern, and what it costs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Which paths.
    pub pattern: Pattern,
    /// One price a token, any of which will do; empty: free.
    pub prices: Vec<Price>,
}

/// All of them, in order: the first that matches holds. A path without a rule is free.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    all: Vec<Rule>,
    is_case_insensitive: bool,
}

impl Rules {
    /// Reads `PATTERN=PRICE` each. The same pattern again, in another token, is another way to pay. `is_case_insensitive`: `/A` and `/a` are one.
    ///
    /// # Errors
    ///
    /// Names the rule.
    pub fn parse<S: AsRef<str>>(rules: &[S], coins: &[Coin], is_case_insensitive: bool) -> Result<Self, RuleError> {
        let mut all: Vec<Rule> = Vec::new();
        for text in rules.iter().map(AsRef::as_ref) {
            let (pattern, price) = text.rsplit_once('=').ok_or_else(|| RuleError::Shape(text.to_owned()))?;
            let pattern = Pattern::parse(pattern).map_err(|source| RuleError::Pattern { rule: text.to_owned(), source })?;
            let pattern = if is_case_insensitive { pattern.folded() } else { pattern };
            let price = match price {
                "free" => None,
                price => Some(Price::parse(price, coins).map_err(|source| RuleError::Price { rule: text.to_owned(), source })?),
            };
            match (all.iter_mut().find(|r| r.pattern.is_same(&pattern)), price) {
                (None, price) => all.push(Rule { pattern, prices: price.into_iter().collect() }),
                (Some(known), Some(price)) if !known.prices.is_empty() && known.prices.iter().all(|p| p.coin != price.coin) => {
                    known.prices.push(price)
                }
                _ => return Err(RuleError::Twice(text.to_owned())),
            }
        }
        Ok(Self { all, is_case_insensitive })
    }

    /// What a decoded path costs: one price a token; empty: nothing.
    pub fn prices(&self, path: &[u8]) -> &[Price] {
        let path = if self.is_case_insensitive { Cow::Owned(folded(path)) } else { Cow::Borrowed(path) };
        self.all.iter().find(|rule| rule.pattern.matches(&path)).map_or(&[], |rule| &rule.prices)
    }

    /// In order.
    pub fn list(&self) -> &[Rule] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::tests::some_coins;

    fn rules(texts: &[&str]) -> Result<Rules, RuleError> {
        Rules::parse(texts, &some_coins(), false)
    }

    #[test]
    fn the_first_rule_that_matches_holds() {
        let rules = rules(&["/articles/free/*=free", "/articles/*=0.10usdc", "/articles/*=0.02native", "/*=1usdc"]).unwrap();
        let prices = |path: &str| rules.prices(path.as_bytes()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(prices("/articles/free/1"), Vec::<String>::new());
        assert_eq!(prices("/articles/1"), ["0.1usdc", "0.02native"]);
        assert_eq!(prices("/other"), ["1usdc"]);
    }

    #[test]
    fn letters_make_no_difference_where_the_web_server_makes_none() {
        let texts = ["/Articles/Free/*=free", "/articles/*=0.10usdc"];
        let rules = Rules::parse(&texts, &some_coins(), true).unwrap();
        assert!(rules.prices(b"/ARTICLES/free/1").is_empty() && !rules.prices(b"/ARTICLES/1").is_empty());
        assert_eq!(rules.list()[0].pattern.text(), "/Articles/Free/*");
        assert!(self::rules(&texts).unwrap().prices(b"/ARTICLES/1").is_empty());
        assert!(Rules::parse(&["/a=1usdc", "/A=2usdc"], &some_coins(), true).is_err());
    }

    #[test]
    fn a_path_without_a_rule_is_free() {
        assert!(rules(&["/a/*=1usdc"]).unwrap().prices(b"/b").is_empty());
    }

    #[test]
    fn a_bad_rule_is_named() {
        for bad in ["/a", "a=1usdc", "/a=1", "/a%20b=1usdc", "/../a=1usdc"] {
            assert!(rules(&[bad]).unwrap_err().to_string().contains(bad), "{bad}");
        }
        assert!(rules(&["/a=1usdc", "/a=2usdc"]).is_err() && rules(&["/a=free", "/a=2usdc"]).is_err() && rules(&["/a=2usdc", "/a=free"]).is_err());
    }
}
