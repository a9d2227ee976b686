//! Starts, kills, restarts and stops the real programs.
//!
//! Children are killed when what owns them is dropped, so a failed test or a panic leaves nothing running.

mod node;
mod process;
mod relayer;
mod stage;

pub use node::{DevNode, NodeFlags};
pub use process::{Process, built};
pub use relayer::{Daemon, RelayerFlags};
pub use stage::{Folder, Stage, bundles};
