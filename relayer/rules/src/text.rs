//! Hex and decimal, as people and JSON write them. Every refusal names the field, what was expected and what was given.

use crate::accept::Rejection;
use rivulet_core::{
    amount::MAX_AMOUNT,
    ids::{Address, ChannelId},
    signature::CompactSignature,
};

/// How much of a refused text is repeated to its sender.
const SHOWN_CHARS: usize = 80;

/// A text cut to what is worth repeating.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}… ({} bytes)", text.get(..at).unwrap_or_default(), text.len()),
        None => text.to_owned(),
    }
}

/// `0x` and lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(2));
    out.push_str("0x");
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().for_each(|b| out.extend([digit(b >> 4), digit(b & 15)]));
    out
}

fn nibble(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

/// Exactly `N` bytes from `0x…`; `None` for anything else.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let mut out = [0u8; N];
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(out)
}

fn malformed(field: &'static str, expected: &'static str, given: &str) -> Rejection {
    Rejection::Malformed { field, expected, given: shown(given) }
}

/// A 32-byte channel id.
///
/// # Errors
/// [`Rejection::Malformed`] when the text is not `0x` and 64 hex digits.
pub fn channel_id(field: &'static str, text: &str) -> Result<ChannelId, Rejection> {
    bytes(text).map(ChannelId).ok_or_else(|| malformed(field, "0x and 64 hex digits", text))
}

/// A 20-byte address, in any letter case.
///
/// # Errors
/// [`Rejection::Malformed`] when the text is not `0x` and 40 hex digits.
pub fn address(field: &'static str, text: &str) -> Result<Address, Rejection> {
    bytes(text).map(Address).ok_or_else(|| malformed(field, "0x and 40 hex digits", text))
}

/// An amount in the token's smallest unit: decimal digits, no sign, no leading zero, at most 2^96 − 1.
///
/// # Errors
/// [`Rejection::Malformed`] for anything else.
pub fn amount(field: &'static str, text: &str) -> Result<u128, Rejection> {
    let digits = !text.is_empty() && text.len() <= 29 && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    canonical
        .then(|| text.parse::<u128>().ok())
        .flatten()
        .filter(|v| *v <= MAX_AMOUNT)
        .ok_or_else(|| malformed(field, "a decimal string without leading zeros, at most 2^96 − 1", text))
}

/// An amount in whole tokens, exactly: no digit is cut, trailing zeros are.
///
/// ```
/// use rivulet_rules::text::whole;
/// assert_eq!([whole(1_500_000, 6), whole(7, 6), whole(2_000_000, 6), whole(5, 0)], ["1.5", "0.000007", "2", "5"]);
/// ```
pub fn whole(units: u128, decimals: u8) -> String {
    let (digits, places) = (units.to_string(), usize::from(decimals));
    let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
    // Digits are one byte each, and there are more of them than places.
    let (whole, fraction) = padded.split_at(padded.len().saturating_sub(places));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// A signature of 64 bytes (`r ‖ yParityAndS`) or 65 (`r ‖ s ‖ v`), low s.
///
/// # Errors
/// [`Rejection::Malformed`] for another length, a high or zero s, a zero r or an unknown v.
pub fn signature(field: &'static str, text: &str) -> Result<CompactSignature, Rejection> {
    const LENGTH: &str = "0x and 128 hex digits (r, yParityAndS) or 130 (r, s, v)";
    const LOW_S: &str = "a signature with r and s not zero, s in the lower half of the order, v in 0, 1, 27, 28";
    match text.len() {
        130 => {
            let compact = bytes(text).map(CompactSignature).ok_or_else(|| malformed(field, LENGTH, text))?;
            compact.split().map(|_| compact).ok_or_else(|| malformed(field, LOW_S, text))
        }
        132 => {
            let long = bytes(text).ok_or_else(|| malformed(field, LENGTH, text))?;
            CompactSignature::from_65(&long).ok_or_else(|| malformed(field, LOW_S, text))
        }
        _ => Err(malformed(field, LENGTH, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hex_reads_back_what_it_wrote(b in any::<[u8; 20]>()) {
            prop_assert_eq!(bytes::<20>(&hex(&b)), Some(b));
        }

        #[test]
        fn amounts_read_back_what_was_written(v in 0..=MAX_AMOUNT) {
            prop_assert_eq!(amount("a", &v.to_string()), Ok(v));
        }

        #[test]
        fn no_text_makes_the_readers_panic(t in "\\PC*") {
            let _ = (channel_id("f", &t), address("f", &t), amount("f", &t), signature("f", &t), shown(&t));
        }
    }

    #[test]
    fn amounts_have_one_form_only() {
        for bad in ["", "01", "+1", "-1", "1.0", "1e3", " 1", "0x1", "79228162514264337593543950336", "99999999999999999999999999999999999999"] {
            assert_eq!(amount("a", bad).map_err(|e| e.code()), Err("malformed"), "{bad}");
        }
        assert_eq!(amount("a", "79228162514264337593543950335"), Ok(MAX_AMOUNT));
    }

    #[test]
    fn a_high_s_is_refused_in_both_forms() {
        let mut long = [1u8; 65];
        long[64] = 27;
        long[32] = 0x7f;
        assert!(signature("s", &hex(&long)).is_ok());
        long[32..64].fill(0x7f);
        long[33..64].fill(0xff);
        assert!(signature("s", &hex(&long)).is_err());
        assert!(signature("s", &hex(&long[..64])).is_err());
        assert!(signature("s", &hex(&long[..63])).is_err());
    }
}
