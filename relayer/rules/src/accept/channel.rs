//! Is there such a channel, and is it the one that was signed for?

use super::{Offer, Rejection};
use crate::chain::{ChannelState, ChannelView};
use rivulet_core::ids::{ChannelId, ChannelNumber};

/// The channel's record.
///
/// # Errors
/// [`Rejection::UnknownChannel`], [`Rejection::ChannelClosed`].
pub fn check(view: &ChannelView, number: ChannelNumber) -> Result<ChannelState, Rejection> {
    match view {
        ChannelView::Unknown => Err(Rejection::UnknownChannel(number)),
        ChannelView::Closed => Err(Rejection::ChannelClosed(number)),
        ChannelView::Live(state) => Ok(*state),
    }
}

/// The number alone says little: after a reorg it may be another channel's. The id binds all terms.
///
/// # Errors
/// [`Rejection::WrongChannelId`].
pub fn check_id(expected: &ChannelId, offer: &Offer) -> Result<(), Rejection> {
    if *expected == offer.channel_id { Ok(()) } else { Err(Rejection::WrongChannelId { expected: *expected, given: offer.channel_id }) }
}
