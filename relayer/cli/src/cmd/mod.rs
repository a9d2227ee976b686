//! The commands.

pub mod completions;
pub mod dry_run;
pub mod key;
pub mod paywall;
pub mod relay;
pub mod statement;
mod stop;

use stop::stop_on_signal;
