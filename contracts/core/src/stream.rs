//! Streams: money that flows by the second.
//!
//! A stream owes its payee `rate_per_second_scaled` for every second of its flow, a cliff's amount at the cliff, and never forgets what it could not pay:
//! debt grows on when the deposit has run out, and a top-up pays it. Payee and token are its book's.
//!
//! - [`schedule`]: what flows, when; what create accepts and refuses.
//! - [`accrual`]: what is owed at a time. All of the arithmetic, with its bounds and roundings.
//! - [`record`]: the cells.
//! - `create`: one, many, another's by its signature. `fund`: top up, refund. `control`: pause, resume, adjust the rate, renounce. `delegate`: who may do so
//!   for the payer. `end`: cancel, void. `hand_over`. [`mod@claim`]: claim, claim batch.
//! - [`view`]: status, debts, depletion time, listing.
//!
//! **What a payer gave up.** Before its end, a payer that gave up cancelling can neither cancel, void, pause, cut the rate, nor take money out.

pub mod accrual;
pub mod claim;
mod control;
mod create;
mod delegate;
mod end;
mod fund;
mod hand_over;
pub mod record;
pub mod schedule;
pub mod view;

pub use claim::{claim, claim_batch};
pub use control::{adjust_rate, pause, renounce, resume};
pub use create::{NewStream, NewStreams, create, create_for, create_many};
pub use delegate::set_delegate;
pub use end::{cancel, void};
pub use fund::{refund, top_up};
pub use hand_over::{HAND_OVER_PAUSE_SECS, hand_over};
pub use record::{Details, Rights, State, Stream, find};
pub use schedule::{Cliff, Flags, Schedule, ScheduleError};
pub use view::{Balances, StreamStatus, StreamView, balances, claimable, delegate_of, list, stream};
