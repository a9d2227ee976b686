//! Starts, kills, restarts and stops the real programs.
//!
//! Children are killed when what owns them is dropped, so a failed test or a panic leaves nothing running.

mod node;
mod paywall;
mod power;
mod process;
mod relayer;
mod stage;
mod web;

pub use node::{DevCalls, DevNode, NodeFlags};
pub use paywall::{PaywallFlags, Wall};
pub use power::Power;
pub use process::{Process, built};
pub use relayer::{Daemon, RelayerFlags, free_port};
pub use stage::{Folder, Stage, bundles};
pub use web::{Nginx, TlsFiles};
