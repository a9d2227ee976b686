//! What payees have earned, from what is stored of their channels.

use crate::{DayEarnings, Earnings, StoredChannel};
use rivulet_core::ids::Token;
use rivulet_rules::{batch, chain::ContractKind};
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

/// A payee's days, put together from what was accepted and what was claimed.
#[derive(Default)]
pub struct Days(BTreeMap<(u64, ContractKind, Token), DayEarnings>);

impl Days {
    fn day(&mut self, day: u64, contract: ContractKind, token: Token) -> &mut DayEarnings {
        let zero = DayEarnings { day, contract, token, accepted: 0, vouchers: 0, claimed: 0, fees: 0, rows: 0 };
        self.0.entry((day, contract, token)).or_insert(zero)
    }

    /// All that was accepted of a token on a day.
    pub fn accepted(&mut self, day: u64, token: Token, accepted: u128, vouchers: u64) {
        let day = self.day(day, ContractKind::Channels, token);
        (day.accepted, day.vouchers) = (accepted, vouchers);
    }

    /// Gain, fee and rows of one book on a day.
    pub fn claimed(&mut self, day: u64, contract: ContractKind, token: Token, (gain, fee, rows): (u128, u128, u64)) {
        let day = self.day(day, contract, token);
        day.claimed = day.claimed.saturating_add(gain);
        day.fees = day.fees.saturating_add(fee);
        day.rows = day.rows.saturating_add(rows);
    }
}

impl From<Days> for Vec<DayEarnings> {
    /// Oldest first.
    fn from(days: Days) -> Self {
        days.0.into_values().collect()
    }
}
