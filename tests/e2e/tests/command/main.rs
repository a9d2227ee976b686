//! The `rivulet` command as a person or a script has it: its output, its exit codes, and the balances that it leaves.

mod channel;
mod dev;
mod get;
mod refusals;
mod stream;
mod user;
