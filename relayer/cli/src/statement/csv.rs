//! CSV: RFC 4180, for spreadsheets.

use super::{COLUMNS, Context, Value};
use rivulet_rules::statement::Line;

/// A field. What a payer wrote must not be taken for a formula: text that begins like one gets an apostrophe in front, which spreadsheets do not show.
fn field(value: &Value) -> String {
    let text = match value {
        Value::Plain(text) => text.clone(),
        Value::Foreign(text) if text.starts_with(['=', '+', '-', '@', '\'']) => format!("'{text}"),
        Value::Foreign(text) => text.clone(),
        Value::Count(count) => count.to_string(),
        Value::List(items) => items.join(" "),
    };
    if text.contains(['"', ',', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn record(fields: impl Iterator<Item = String>) -> String {
    fields.collect::<Vec<_>>().join(",") + "\r\n"
}

/// The names of the columns, and a record a line.
pub fn csv(context: &Context<'_>, lines: &[Line]) -> String {
    // An empty statement has columns too.
    let mut text = record(COLUMNS.into_iter().map(str::to_owned));
    for line in lines {
        text.push_str(&record(context.row(line).iter().map(field)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_field_is_quoted() {
        let shown = |text: &str| field(&Value::Foreign(text.into()));
        assert_eq!([shown("a"), shown("a,b"), shown("say \"a\""), shown(" a")], ["a", "\"a,b\"", "\"say \"\"a\"\"\"", "\" a\""]);
    }

    #[test]
    fn a_payers_reference_is_never_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\",\"y\")"] {
            let shown = field(&Value::Foreign(formula.into()));
            assert!(shown.starts_with('\'') || shown.starts_with("\"'"), "{shown}");
        }
        // Told apart from one that begins so by itself.
        assert_eq!(field(&Value::Foreign("'=1".into())), "''=1");
    }
}
