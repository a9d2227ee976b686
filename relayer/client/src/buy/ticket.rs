//! New tickets, and what is signed for them.

use super::{Price, Priced, Purchase};
use crate::{Error, Ticket};
use rivulet_core::ids::ChannelId;

/// The answer may take a moment to be written down.
const MARGIN_SECS: u64 = 5;
/// No site keeps a purchase for longer.
const MOST_SECS: u64 = 3_600;

fn end(priced: &Priced, price: &Price) -> u64 {
    let secs = price.window_secs.min(MOST_SECS).saturating_sub(MARGIN_SECS).max(1);
    priced.now(price).saturating_add(secs)
}

impl Ticket {
    /// For this request, good as long as the paywall allows from now on (its clock).
    pub(super) fn new(priced: &Priced, price: &Price, amount: u128) -> Result<Self, Error> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|_| Error::BadKey("the system gave no randomness"))?;
        Ok(Self { request: priced.text.clone(), amount, cost: 0, nonce, valid_until: end(priced, price) })
    }

    /// The same, for so much more.
    pub(super) fn raised(&self, priced: &Priced, price: &Price, more: u128) -> Self {
        Self { amount: self.amount.saturating_add(more), valid_until: end(priced, price), ..self.clone() }
    }

    /// What is signed.
    pub(super) fn purchase(&self, channel_id: ChannelId) -> Purchase {
        Purchase { channel_id, amount: self.amount, request: self.request.clone(), nonce: self.nonce, valid_until: self.valid_until }
    }
}
