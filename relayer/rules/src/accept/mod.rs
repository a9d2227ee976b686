//! From an offered voucher to one that may be stored: every check, in order, one file each.
//!
//! | check | file | codes |
//! |---|---|---|
//! | shape | [`shape`] | `malformed` |
//! | the channel exists and is the one that was signed for | [`channel`] | `unknown_channel`, `channel_closed`, `wrong_channel_id` |
//! | this relayer works for the payee | [`payee`] | `payee_not_served` |
//! | signed by the voucher signer or the payer | [`signature`] | `bad_signature`, `wrong_signer` |
//! | growth | [`growth`], decided by the store | `stale` |
//! | the payer has not asked to close | [`open`] | `channel_closing` |
//! | cover | [`cover`] | `not_covered` |
//! | not too much on a channel that is not final | [`finality`] | `not_final` |
//! | the first total pays for its row | [`first`] | `first_total_too_small` |
//!
//! The signature is checked before anything is said about amounts: who cannot sign learns nothing. What the store has already is answered as it was
//! the first time even when the channel has begun to close since, so a client that lost an answer can ask again.

pub mod channel;
pub mod cover;
pub mod finality;
pub mod first;
pub mod growth;
pub mod open;
pub mod payee;
mod rejection;
pub mod shape;
pub mod signature;
mod verified;

pub use rejection::{Best, Rejection};
pub use shape::Offer;
pub use verified::Verified;

use crate::chain::{ChannelState, ChannelView};
use rivulet_core::ids::{Address, ChannelId, Token};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a channel when a voucher for it comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// What the chain says, at the last finalized block that changed it.
    pub view: ChannelView,
    /// The id that vouchers must sign; meaningless unless the channel is live.
    pub channel_id: ChannelId,
    /// The highest total in the store, as far as known: a lower bound. The store has the last word.
    pub best_total: Option<u128>,
    /// False: seen in a block that a reorg may still undo.
    pub is_final: bool,
}

/// What this relayer takes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Payees it works for; empty: all.
    pub payees: BTreeSet<Address>,
    /// The least gain of a channel's first voucher, by token. A token that is not listed is taken from 1 unit on.
    pub min_first_gain: BTreeMap<Token, u128>,
    /// The highest total taken of a channel that is not final yet, by token. A token that is not listed: nothing.
    pub unfinalized_max: BTreeMap<Token, u128>,
}

/// The channel's record, if the voucher is for it.
fn live(snapshot: &Snapshot, offer: &Offer) -> Result<ChannelState, Rejection> {
    let state = channel::check(&snapshot.view, offer.number)?;
    channel::check_id(&snapshot.channel_id, offer)?;
    Ok(state)
}

/// Runs every check. `separator` is the channels contract's EIP-712 domain, `now` the time of the last finalized block (Unix seconds).
///
/// # Errors
/// The first check that fails.
pub fn verify(offer: &Offer, snapshot: &Snapshot, policy: &Policy, separator: &[u8; 32], now: u64) -> Result<Verified, Rejection> {
    let state = live(snapshot, offer)?;
    payee::check(&state.terms.payee, policy)?;
    signature::check(offer, &state.terms, separator)?;
    let verified = Verified::new(offer, &state.terms);
    if snapshot.best_total.is_some_and(|best| offer.cumulative_amount <= best) {
        return Ok(verified);
    }
    open::check(&state)?;
    cover::check(&state, offer.cumulative_amount, now)?;
    finality::check(&state, snapshot.is_final, offer.cumulative_amount, policy)?;
    first::check(&state, snapshot.best_total, offer.cumulative_amount, policy)?;
    Ok(verified)
}
