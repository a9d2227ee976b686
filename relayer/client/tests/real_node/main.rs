//! The chain and client crates against the dev node and the compiled contracts. Each test has a node of its own.

mod channels;
mod many;
mod node;
mod payer;
mod streams;
