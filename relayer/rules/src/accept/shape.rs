//! Is it a voucher at all?

use super::Rejection;
use crate::text;
use rivulet_core::{
    ids::{ChannelId, ChannelNumber},
    signature::CompactSignature,
};

/// A voucher as it came, well-formed but not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Where the channel is said to be.
    pub number: ChannelNumber,
    /// The id that is said to be signed.
    pub channel_id: ChannelId,
    /// The total.
    pub cumulative_amount: u128,
    /// The signature, low s.
    pub signature: CompactSignature,
}

/// Reads the texts of a voucher.
///
/// # Errors
/// [`Rejection::Malformed`] names the first field that is not in its form.
pub fn read(number: ChannelNumber, channel_id: &str, cumulative_amount: &str, signature: &str) -> Result<Offer, Rejection> {
    if number.book == 0 {
        return Err(Rejection::Malformed { field: "book", expected: "a book number, from 1 on", given: "0".to_owned() });
    }
    let channel_id = text::channel_id("channel_id", channel_id)?;
    let total = text::amount("cumulative_amount", cumulative_amount)?;
    if total == 0 {
        return Err(Rejection::Malformed { field: "cumulative_amount", expected: "more than 0", given: "0".to_owned() });
    }
    Ok(Offer { number, channel_id, cumulative_amount: total, signature: text::signature("signature", signature)? })
}
