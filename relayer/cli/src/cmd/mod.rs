//! The commands.

pub mod completions;
pub mod dry_run;
pub mod key;
pub mod nodes;
pub mod relay;
pub mod statement;
