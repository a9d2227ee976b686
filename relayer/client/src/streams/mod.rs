//! Streams: what a payer creates and changes, what a payee takes and hands over, and what anybody may ask.
//!
//! Amounts are in the token's smallest unit (native: wei; what moves is a multiple of 1e8), rates are amounts per second × 1e9, times are Unix seconds.

mod create;
mod payee;
mod payer;

pub use create::{CreateStream, Stream, rate_per_second_scaled};
pub use payer::REFUNDABLE;
