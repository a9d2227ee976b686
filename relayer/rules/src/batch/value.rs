//! What a row is worth.

use super::Policy;
use crate::chain::WEI_PER_PLANCK;
use rivulet_core::{
    fee::{RelayTerms, relay_fee},
    ids::{Address, Token},
};

/// What a token is worth, by the operator's word: no oracle is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenValue {
    /// Planck for one whole token.
    pub planck_per_whole: u64,
    /// Decimals of the token: units in a whole one.
    pub decimals: u8,
}

impl TokenValue {
    /// What this amount is worth, rounded down.
    pub fn planck(&self, amount: u128) -> u128 {
        let Some(whole) = 10u128.checked_pow(u32::from(self.decimals)) else { return 0 };
        let price = u128::from(self.planck_per_whole);
        // In two steps, so that nothing overflows: q·price + r·price/whole.
        let (q, r) = (amount / whole, amount % whole);
        q.saturating_mul(price).saturating_add(r.saturating_mul(price) / whole)
    }
}

/// What the rules need of a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookView {
    /// Whose it is.
    pub payee: Address,
    /// What is paid.
    pub token: Token,
    /// What carrying a row earns.
    pub terms: RelayTerms,
}

/// The fee that this row earns the relayer; 0 when somebody else is the beneficiary.
pub fn fee_earned(book: &BookView, policy: &Policy, gain: u128, now: u64) -> u128 {
    if book.terms.beneficiary != policy.beneficiary {
        return 0;
    }
    relay_fee(&book.terms, policy.fee_ceiling_bps, &book.token, gain, now)
}

/// What the row is worth to the operator.
pub(super) fn row_value_planck(book: &BookView, policy: &Policy, gain: u128, now: u64) -> u128 {
    let amount = if policy.own_payees.contains(&book.payee) { gain } else { fee_earned(book, policy, gain, now) };
    if book.token.is_zero() { amount / WEI_PER_PLANCK } else { policy.token_values.get(&book.token).map_or(0, |v| v.planck(amount)) }
}
