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
    if token.is_zero() { amount.saturating_sub(u128::from(div_rem(amount, GRAIN_32).1)) } else { amount }
}

const GRAIN_32: u32 = NATIVE_GRAIN as u32;

/// `(a / by, a % by)`, and zeros when `by` is zero. By digits of 32 bits: a contract's general division of u128 takes a kilobyte.
#[inline(never)]
pub fn div_rem(a: u128, by: u32) -> (u128, u32) {
    let wide = u64::from(by);
    let divide = |a: u64| (a.checked_div(wide).unwrap_or(0), a.checked_rem(wide).unwrap_or(0));
    if let Ok(a) = u64::try_from(a) {
        let (q, r) = divide(a);
        return (u128::from(q), r as u32);
    }
    let (mut digits, mut q, mut r) = (a, 0u128, 0u64);
    for _ in 0..4 {
        digits = digits.rotate_left(32);
        let (digit, rest) = divide(r << 32 | u64::from(digits as u32));
        q = q << 32 | u128::from(digit);
        r = rest;
    }
    (q, r as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn division_by_digits_is_division(a in any::<u128>(), shift in 0u32..128, by in 1u32..) {
            let a = a >> shift;
            prop_assert_eq!(div_rem(a, by), (a / u128::from(by), (a % u128::from(by)) as u32));
            prop_assert_eq!(div_rem(a, 0), (0, 0));
        }
    }
}
