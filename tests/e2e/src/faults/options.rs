//! What can be asked for.

use super::database::Kind;
use clap::Parser;

/// Breaks things under load, and counts what was lost.
///
/// A dev node, a relayer, payers that post vouchers, top up and close channels without a pause. Relayer, node and Postgres are killed at random moments,
/// relayer and Postgres also with everything that they had not synced taken away; meanwhile answers get lost, the node is slow or answers twice, dry runs fail, blocks that are
/// not final are reorganized, the disk is full, the clock jumps, the signing key runs dry or is used by somebody else. At the end all is healed, and every
/// acknowledged voucher must have been paid, once. Ends with success only if nothing was lost.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "faults",
    version,
    after_help = "Examples:
  faults                       200 kills, some ten minutes
  faults --kills 40            a short run, as in scripts/test
  faults --database postgres   on a Postgres of its own, which is killed too
  faults --minutes 480         a night of it, however many kills that are
  faults --seed 7 --json       the same choices again; the counts for a program

Needs rivulet-node, rivulet and librivulet_power_cut.so built beside it: scripts/faults does that."
)]
pub struct Options {
    /// Go on until there were so many kills.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub kills: u64,

    /// And for at least so many minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    pub minutes: u64,

    /// What the relayer stores in.
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    pub database: Kind,

    /// Begin of all choices. When things happen differs from run to run all the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Payers; each has three channels.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=500))]
    pub payers: u64,

    /// Write the counts as JSON to stdout, progress to stderr.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }
}
