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

/// Lines of a table: each column as wide as its widest entry.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
