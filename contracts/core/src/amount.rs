//! Amounts: `u128` in the token's smallest unit. Native amounts have 18 decimals here and 10 on the chain, so only multiples of 1e8 can move.

use crate::ids::Token;

/// The smallest native amount that the chain can move, in wei.
pub const NATIVE_GRAIN: u128 = 100_000_000;

/// The largest deposit, credit or total: 2^96 − 1 (7.9e10 DOT). Amounts are stored in 12 bytes.
pub const MAX_AMOUNT: u128 = (1 << 96) - 1;

/// The smallest amount of this token that can move.
pub fn grain(token: &Token) -> u128 {
    if token.is_zero() { NATIVE_GRAIN } else { 1 }
}

/// Rounds down to what can move. The rest stays owed where it was.
pub fn floor_to_grain(token: &Token, amount: u128) -> u128 {
    if token.is_zero() { amount.saturating_sub(amount % NATIVE_GRAIN) } else { amount }
}
