//! Random calls by several parties, put to a compiled contract and to a model that knows nothing of core. After each: the same answer or the same
//! refusal with the same values, the same events, the same raw storage, and everybody has what the model says, to the unit.
//!
//! any calls in any order
//! ├── channels: opens, top-ups, claims, batches, requests, ends
//! ├── streams: creations, top-ups, claims, batches, rates, pauses, refunds, ends, delegates, hand-overs
//! ├── both: terms, credit, sweeps, nonces, gifts, replays; time jumps to the second before, at and after something changes
//! └── then all leave: whatever was done, everybody gets its own and the contract owes nothing
//!
//! - `base`, `cells`, `ledger`, `money`: the model of what both contracts share, and the reading of raw storage.
//! - `parties`, `shared`, `blobs`: what steps are made of, and those that both contracts take.
//! - `run`: the chain and the model side by side. `channels`, `streams`: each contract's own model and steps.
//!
//! `RIVULET_SEQUENCES` says how many sequences; `PROPTEST_RNG_SEED` repeats a run.

mod base;
mod blobs;
mod cells;
mod channels;
mod ledger;
mod money;
mod parties;
mod run;
mod shared;
mod streams;
