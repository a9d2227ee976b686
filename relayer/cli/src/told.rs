//! What a command has to say: for people, or as JSON with a stable shape.

use serde_json::Value;
use std::io::{self, Write, stdout};

/// The answer of a command.
pub struct Told {
    /// For programs.
    pub json: Value,
    /// For people; without the last line's end.
    pub text: String,
}

impl Told {
    /// Both forms.
    pub fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into() }
    }

    /// Prints one of them.
    pub fn print(&self, as_json: bool) -> io::Result<()> {
        let mut out = stdout().lock();
        match as_json {
            true => writeln!(out, "{:#}", self.json),
            false => writeln!(out, "{}", self.text),
        }
    }
}

/// Lines of a table, its head first: each column as wide as its widest entry. A column with nothing under its head is left out.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let is_used = |column: &usize| rows.iter().skip(1).filter_map(|row| row.get(*column)).any(|cell| !cell.is_empty());
    let used: Vec<_> = (0..columns).filter(is_used).map(|column| (column, width(column))).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = used.iter().map(|(column, width)| format!("{:<width$}", row.get(*column).map_or("", String::as_str))).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_columns_that_say_something() {
        let rows = [["a", "none", "long name"], ["1", "", "2"], ["300", "", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a    long name\n1    2\n300");
    }
}
