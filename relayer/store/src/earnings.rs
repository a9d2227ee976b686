//! What payees have earned, from what is stored of their channels.

use crate::{Earnings, StoredChannel};
use rivulet_core::ids::Token;
use rivulet_rules::batch;
use std::collections::BTreeMap;

/// Sums by token, native first.
pub fn by_token<'a>(channels: impl IntoIterator<Item = &'a StoredChannel>) -> Vec<Earnings> {
    let mut by_token = BTreeMap::<Token, Earnings>::new();
    for StoredChannel { state, is_closed, best, set_aside, .. } in channels {
        let token = state.terms.token;
        let zero = Earnings { token, channels: 0, accepted: 0, claimed: 0, pending: 0, lost: 0 };
        let sum = by_token.entry(token).or_insert(zero);
        let accepted = best.map_or(0, |b| b.cumulative_amount);
        let (pending, lost) = if *is_closed {
            (0, accepted.saturating_sub(state.claimed))
        } else if set_aside.is_some() {
            (0, batch::gain(state, accepted))
        } else {
            (batch::gain(state, accepted), 0)
        };
        sum.channels = sum.channels.saturating_add(1);
        sum.accepted = sum.accepted.saturating_add(accepted);
        sum.claimed = sum.claimed.saturating_add(state.claimed);
        sum.pending = sum.pending.saturating_add(pending);
        sum.lost = sum.lost.saturating_add(lost);
    }
    by_token.into_values().collect()
}
