//! What a contract says when it refuses: Solidity errors, by name and with their values where they are known.

use rivulet_core::{Keccak256, SoftKeccak};
use std::{collections::HashMap, fmt, sync::OnceLock};

/// Returned by a call that reverted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revert {
    /// The error's name, such as `NotDue`; `None` when it is not one of ours.
    pub name: Option<&'static str>,
    /// Its values in order, as Solidity would write them.
    pub values: Vec<(&'static str, String)>,
    /// The bytes as they came.
    pub data: Vec<u8>,
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            None if self.data.is_empty() => write!(f, "no reason given"),
            None => write!(f, "0x{}", hex::encode(&self.data)),
            Some(name) if self.values.is_empty() => write!(f, "{name}"),
            Some(name) => {
                let values: Vec<_> = self.values.iter().map(|(field, value)| format!("{field}: {value}")).collect();
                write!(f, "{name} {{ {} }}", values.join(", "))
            }
        }
    }
}

/// The Solidity name of a Rust type of core's error list.
fn solidity_type(rust: &str) -> &'static str {
    match rust {
        "Address" => "address",
        "bool" => "bool",
        "u8" => "uint8",
        "u16" => "uint16",
        "u32" => "uint32",
        "u64" => "uint64",
        "u128" => "uint128",
        _ => "bytes32",
    }
}

struct Shape {
    name: &'static str,
    /// Field names and Solidity types.
    fields: Vec<(&'static str, &'static str)>,
}

/// Turns core's one list of errors into shapes.
macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? }),* $(,)?) => {
        fn shapes() -> Vec<Shape> {
            vec![$(Shape { name: stringify!($name), fields: vec![$((stringify!($field), solidity_type(stringify!($ty)))),*] }),*]
        }
    };
}
rivulet_core::for_each_error!(shapes);

fn selector(text: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = SoftKeccak.keccak256(text.as_bytes());
    [a, b, c, d]
}

fn by_selector() -> &'static HashMap<[u8; 4], Shape> {
    static TABLE: OnceLock<HashMap<[u8; 4], Shape>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let standard = [Shape { name: "Error", fields: vec![("message", "string")] }, Shape { name: "Panic", fields: vec![("code", "uint256")] }];
        let signature = |s: &Shape| format!("{}({})", s.name, s.fields.iter().map(|(_, ty)| *ty).collect::<Vec<_>>().join(","));
        standard.into_iter().chain(shapes()).map(|shape| (selector(&signature(&shape)), shape)).collect()
    })
}

/// One value, or `None` when the word is missing.
fn value(ty: &str, word: &[u8], all: &[u8]) -> Option<String> {
    let hexed = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    Some(match ty {
        "address" => hexed(word.get(12..)?),
        "bool" => (word.get(31)? == &1).to_string(),
        "bytes32" => hexed(word),
        "string" => <alloy_sol_types::sol_data::String as alloy_sol_types::SolType>::abi_decode(all).ok()?,
        _ if word.get(..16)?.iter().any(|b| *b != 0) => hexed(word),
        _ => u128::from_be_bytes(word.get(16..)?.try_into().ok()?).to_string(),
    })
}

impl Revert {
    /// Reads what a reverted call returned.
    pub fn parse(data: &[u8]) -> Self {
        let unknown = || Self { name: None, values: Vec::new(), data: data.to_vec() };
        let Some((head, body)) = data.split_first_chunk::<4>() else { return unknown() };
        let Some(shape) = by_selector().get(head) else { return unknown() };
        let mut values = Vec::with_capacity(shape.fields.len());
        for (i, (field, ty)) in shape.fields.iter().enumerate() {
            let Some(text) = body.get(i * 32..i * 32 + 32).and_then(|word| value(ty, word, body)) else { return unknown() };
            values.push((*field, text));
        }
        Self { name: Some(shape.name), values, data: data.to_vec() }
    }

    /// True when it is this error.
    pub fn is(&self, name: &str) -> bool {
        self.name == Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::{SolError, sol};

    sol! {
        error NotDue(uint64 now, uint64 dueAt);
        error NotListed(address token);
        error WrongChannel(bytes32 expected, bytes32 actual);
        error NotRequested();
        error Error(string message);
    }

    #[test]
    fn known_errors_are_named_with_their_values() {
        let due = Revert::parse(&NotDue { now: 5, dueAt: 10 }.abi_encode());
        assert_eq!(due.to_string(), "NotDue { now: 5, due_at: 10 }");
        assert!(due.is("NotDue"));
        let token = alloy_primitives::Address::repeat_byte(0x11);
        assert_eq!(Revert::parse(&NotListed { token }.abi_encode()).to_string(), format!("NotListed {{ token: 0x{} }}", "11".repeat(20)));
        let wrong = WrongChannel { expected: [1; 32].into(), actual: [2; 32].into() };
        assert!(Revert::parse(&wrong.abi_encode()).to_string().starts_with("WrongChannel { expected: 0x0101"));
        assert_eq!(Revert::parse(&NotRequested {}.abi_encode()).to_string(), "NotRequested");
        assert_eq!(Revert::parse(&Error { message: "no".into() }.abi_encode()).to_string(), "Error { message: no }");
    }

    #[test]
    fn unknown_and_cut_errors_are_shown_as_they_came() {
        assert_eq!(Revert::parse(&[]).to_string(), "no reason given");
        assert_eq!(Revert::parse(&[1, 2, 3, 4, 5]).to_string(), "0x0102030405");
        let mut cut = NotDue { now: 5, dueAt: 10 }.abi_encode();
        cut.truncate(40);
        assert_eq!(Revert::parse(&cut).name, None);
    }

    #[test]
    fn no_two_errors_share_a_selector() {
        assert_eq!(by_selector().len(), shapes().len() + 2);
    }
}
