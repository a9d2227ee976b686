//! The compiled bundles on the real pallet. One binary, so that the SDK is linked once.

mod support;

mod batch;
mod both_abis;
mod bundles;
mod credit;
mod deployment;
mod large;
mod life;
mod payees;
mod refusals;
mod signed;
mod stateful;
mod streams;
mod tokens;
mod vectors;
