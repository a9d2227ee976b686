//! Channels: money one payer locks for one payee, paid out against signed, ever-growing totals.
//!
//! A record lives while its channel does. `claimed` never falls and never passes `deposit`; a request to close or for a refund starts a timer of its
//! own that nothing shortens; vouchers count until the money behind them has left.
//!
//! - `record`: a channel's fields, and how four of them share a cell
//! - `open`: opening and topping up
//! - `claim`: one voucher, or many
//! - `end`: requests, and what executes them
//! - `view`: what can be read

mod claim;
mod end;
mod open;
mod record;
mod view;

pub use claim::{claim, claim_batch};
pub use end::{close, close_for, finish, request_close, request_refund, request_refund_for};
pub use open::{Opening, open, open_for, open_many, open_with_permit, top_up};
pub use record::{CHANNELS_A_CELL, Channel, find};
pub use view::{ChannelStatus, MAX_LISTED, claimable, cover, id, list, status};
