//! Amounts in JSON are strings: they do not fit into a JavaScript number.

use rivulet_rules::text;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer>(value: &u128, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&value.to_string())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u128, D::Error> {
    text::amount("amount", &String::deserialize(d)?).map_err(D::Error::custom)
}
