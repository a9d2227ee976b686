//! What people see while it happens.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Without a terminal, a running count is shown this often.
const QUIET: Duration = Duration::from_secs(5);

/// Where it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// For people.
    Stdout,
    /// For people, while stdout is for a program.
    Stderr,
    /// For nobody: tests.
    Nowhere,
}

/// Writes the story. On a terminal with colours and with counters that change in place; elsewhere line by line.
pub struct Screen {
    terminal: bool,
    to: To,
    step: Mutex<Step>,
}

struct Step {
    begun: Instant,
    shown: Instant,
    /// A counter stands on the last line.
    open: bool,
}

impl Screen {
    /// With colours if it is a terminal that has them and nobody asked for none.
    pub fn new(to: To) -> Self {
        let terminal = match to {
            To::Stdout => std::io::stdout().is_terminal(),
            To::Stderr => std::io::stderr().is_terminal(),
            To::Nowhere => false,
        };
        let now = Instant::now();
        let terminal = terminal && std::env::var_os("NO_COLOR").is_none() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
        Self { terminal, to, step: Mutex::new(Step { begun: now, shown: now, open: false }) }
    }

    fn write(&self, text: &str) {
        // Nobody may be reading any more; the story goes on.
        let _ = match self.to {
            To::Stdout => {
                let mut out = std::io::stdout();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
            To::Stderr => std::io::stderr().write_all(text.as_bytes()),
            To::Nowhere => Ok(()),
        };
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.terminal { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A part of the story begins.
    pub fn begin(&self, text: &str) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        *step = Step { begun: now, shown: now, open: false };
        self.write(&format!("{}\n", self.paint("1", text)));
    }

    /// How far it is.
    pub fn count(&self, text: &str) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if self.terminal {
            // Cut to the window, or a long line would not be replaced by the next.
            let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(100usize).saturating_sub(4);
            let cut: String = text.chars().take(columns).collect();
            self.write(&format!("\r\x1b[K  {}", self.paint("36", &cut)));
            step.open = true;
        } else if step.shown.elapsed() >= QUIET {
            step.shown = Instant::now();
            self.write(&format!("  ... {text}\n"));
        }
    }

    /// Something is done.
    pub fn done(&self, text: &str) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let clear = if step.open { "\r\x1b[K" } else { "" };
        step.open = false;
        let time = self.paint("2", &format!("{:.1} s", step.begun.elapsed().as_secs_f32()));
        self.write(&format!("{clear}  {text}  {time}\n"));
    }

    /// Text as it is.
    pub fn print(&self, text: &str) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let clear = if step.open { "\r\x1b[K" } else { "" };
        step.open = false;
        self.write(&format!("{clear}{text}\n"));
    }

    /// The last word: good or bad.
    pub fn verdict(&self, good: bool, text: &str) {
        self.print(&self.paint(if good { "1;32" } else { "1;31" }, text));
    }
}

/// A whole number with separators: 10,000.
pub fn grouped(n: u128) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number of smallest units as a decimal, cut to `shown` places.
pub fn decimal(units: u128, decimals: u32, shown: usize) -> String {
    let whole = 10u128.pow(decimals);
    let fraction = format!("{:0width$}", units % whole, width = decimals as usize);
    let fraction = fraction.get(..shown.min(fraction.len())).unwrap_or_default();
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}", grouped(units / whole))
}

/// Planck as DOT, to the last planck.
pub fn dot(planck: u128) -> String {
    decimal(planck, 10, 10)
}

/// Units as USDC, to the last unit.
pub fn usdc(units: u128) -> String {
    decimal(units, 6, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(dot(12_345_000_000_001), "1,234.5000000001");
        assert_eq!(usdc(5), "0.000005");
        assert_eq!(decimal(29_999, 4, 2), "2.99");
        assert_eq!(decimal(29_999, 4, 0), "2");
    }
}
