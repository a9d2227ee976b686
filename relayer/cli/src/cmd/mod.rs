//! The commands.

pub mod completions;
pub mod relay;
pub mod statement;
