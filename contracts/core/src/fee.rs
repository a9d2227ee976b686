//! What a relayer earns for carrying a row.

use crate::{
    amount::{div_rem, floor_to_grain},
    ids::{Address, Token},
};

/// Hundredths of a percent in the whole.
pub const BPS: u16 = 10_000;

/// What a payee agreed to pay for rows carried on its behalf, per book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RelayTerms {
    /// Who earns the fee, whoever submits. Zero: no terms.
    pub beneficiary: Address,
    /// Hundredths of a percent of the gain.
    pub fee_bps: u16,
    /// Added for each row, in the token's smallest unit.
    pub flat_fee: u128,
    /// A row that gains less pays no fee: so carrying every voucher between earns nothing.
    pub min_gain: u128,
    /// The terms hold while `now < until` (Unix seconds), and cannot be worsened for the beneficiary before.
    pub until: u64,
}

impl RelayTerms {
    /// True when `next` pays the beneficiary in every case at least what these terms do, for at least as long.
    pub fn is_no_worse(&self, next: &Self) -> bool {
        next.beneficiary == self.beneficiary
            && next.fee_bps >= self.fee_bps
            && next.flat_fee >= self.flat_fee
            && next.min_gain <= self.min_gain
            && next.until >= self.until
    }
}

/// `⌊a · bps / 10000⌋`, exact and without overflow for bps ≤ 10000.
pub fn share_bps(a: u128, bps: u16) -> u128 {
    let bps = bps.min(BPS);
    // a = q·10000 + r, so ⌊a·b/10000⌋ = q·b + ⌊r·b/10000⌋; q·b ≤ a since b ≤ 10000.
    let (q, r) = div_rem(a, u32::from(BPS));
    q.saturating_mul(u128::from(bps)).saturating_add(u128::from(r.saturating_mul(u32::from(bps)) / u32::from(BPS)))
}

/// The fee of a row that gains `gain`: `min(bps·gain + flat, ceiling·gain)`, each rounded down (for the payee), and to the token's grain.
/// 0 without terms, at or after `until`, and below `min_gain`. Never more than `gain`.
pub fn relay_fee(terms: &RelayTerms, ceiling_bps: u16, token: &Token, gain: u128, now: u64) -> u128 {
    if terms.beneficiary.is_zero() || now >= terms.until || gain < terms.min_gain {
        return 0;
    }
    let asked = share_bps(gain, terms.fee_bps).saturating_add(terms.flat_fee);
    floor_to_grain(token, asked.min(share_bps(gain, ceiling_bps)))
}
