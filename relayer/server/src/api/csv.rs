//! Tables as RFC 4180 text: a line of names, then a line a row. The names are the JSON's.

use serde::Serialize;
use serde_json::Value;

/// A row of a table.
pub trait Row: Serialize {
    /// The columns, in order: the names of the JSON's fields, all of them.
    const HEAD: &'static [&'static str];
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    // A spreadsheet takes what begins so for a formula; names of tokens come from a file, the rest are digits and hex.
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The whole table.
pub fn write<R: Row>(rows: &[R]) -> String {
    let mut out = R::HEAD.join(",") + "\r\n";
    for row in rows {
        let value = serde_json::to_value(row).unwrap_or_default();
        let cells: Vec<_> = R::HEAD.iter().map(|name| cell(value.get(name))).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Two {
        name: &'static str,
        count: Option<u64>,
    }
    impl Row for Two {
        const HEAD: &'static [&'static str] = &["name", "count"];
    }

    #[test]
    fn cells_are_quoted_where_they_must_and_never_formulas() {
        let rows = [Two { name: "a", count: Some(1) }, Two { name: "b,\"c\"", count: None }, Two { name: "=1+1", count: Some(2) }];
        assert_eq!(write(&rows), "name,count\r\na,1\r\n\"b,\"\"c\"\"\",\r\n'=1+1,2\r\n");
    }
}
