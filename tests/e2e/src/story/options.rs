//! What can be asked of the story.

use clap::Parser;

/// Plays Rivulet's story on a dev chain: creators, payers, vouchers, streams, a relayer. Ends with a table, and with success only if every unit of
/// money is accounted for by finalized account balances.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "story",
    version,
    after_help = "Examples:
  story                                      5 creators, 50 payers, 10,000 vouchers, 5 streams
  story --payers 200 --vouchers 100000       more of it
  story --keep                               leaves node and relayer running, and says where and how to stop them
  story --json > result.json                 the result for a program; the story itself goes to stderr

Needs rivulet-node and rivulet built beside it: scripts/demo does that."
)]
pub struct Options {
    /// Creators: they are paid.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub creators: u64,

    /// Payers. Each has channels with up to three creators, in DOT and in USDC.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    pub payers: u64,

    /// Payments: vouchers sent to the relayer.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    pub vouchers: u64,

    /// Per-second streams.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub streams: u64,

    /// What a DOT costs, in dollars. Prices are in dollars: an article is $0.10, a song $0.50.
    #[arg(long, value_name = "USD", default_value = "4", value_parser = dollars)]
    pub dot_usd: MicroUsd,

    /// Leave node and relayer running at the end.
    #[arg(long)]
    pub keep: bool,

    /// Write the result as JSON to stdout.
    #[arg(long)]
    pub json: bool,

    /// Port of the node; 0: any free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub node_port: u16,

    /// Port of the relayer; 0: any free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub relayer_port: u16,

    /// Time between blocks.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub block_time_ms: u64,

    /// How many blocks finality is behind: those can be reorganized. For tests.
    #[arg(long, value_name = "BLOCKS", default_value_t = 0, hide = true)]
    pub finality_lag: u32,
}

/// Dollars, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MicroUsd(pub u64);

/// One dollar.
pub const DOLLAR: u64 = 1_000_000;

fn dollars(text: &str) -> Result<MicroUsd, String> {
    let bad = || format!("expected a price in dollars from 0.01 to 10000, such as 4 or 3.75, given {text:?}");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 5 || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return Err(bad());
    }
    let micro = format!("{whole}{fraction:0<6}").parse().map_err(|_| bad())?;
    if (DOLLAR / 100..=10_000 * DOLLAR).contains(&micro) { Ok(MicroUsd(micro)) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn prices_are_read_exactly() {
        assert_eq!(dollars("4"), Ok(MicroUsd(4_000_000)));
        assert_eq!(dollars("3.75"), Ok(MicroUsd(3_750_000)));
        assert_eq!(dollars("0.000001").map_err(drop), Err(()));
        for bad in ["", "four", "-4", "4e3", "1.2345678", "0", "10001"] {
            assert!(dollars(bad).unwrap_err().contains("expected a price"), "{bad}");
        }
    }
}
