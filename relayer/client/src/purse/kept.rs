//! What a purse keeps of a channel.

use crate::{Channel, SignedVoucher, limits::Spent};
use rivulet_core::signature::CompactSignature;

/// A promise for one purchase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Purchase {
    /// What the caller calls it.
    pub name: String,
    /// Its price, in the token's smallest unit.
    pub amount: u128,
    /// The channel's total with it.
    pub cumulative_amount: u128,
    /// Of that total.
    pub signature: CompactSignature,
}

/// A channel in a purse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its terms and deposit. `promised` is the highest total that was ever signed: what can be lost.
    pub channel: Channel,
    /// Whom it pays, in the user's words: limits are by site.
    pub site: String,
    /// The highest total known to be accepted: the next promise adds to it.
    pub accepted: u128,
    /// It has ended: it is kept for what was spent at its site.
    pub ended: bool,
    /// The last purchase that was accepted.
    pub last: Option<Purchase>,
    /// Signed, and not known to be accepted or refused.
    pub pending: Option<Purchase>,
    /// The highest total signed, whatever became of it: what the payee can claim. None for one that was resumed from the chain alone.
    pub best: Option<Purchase>,
    pub(super) spent: Spent,
}

impl Kept {
    pub(crate) fn voucher(&self, purchase: &Purchase) -> SignedVoucher {
        let Purchase { cumulative_amount, signature, .. } = purchase;
        SignedVoucher { number: self.channel.number(), channel_id: self.channel.id, cumulative_amount: *cumulative_amount, signature: *signature }
    }

    /// The voucher with the highest total, for a payee that claims by itself.
    pub fn best_voucher(&self) -> Option<SignedVoucher> {
        self.best.as_ref().map(|best| self.voucher(best))
    }

    /// The voucher of which nothing is known.
    pub fn pending_voucher(&self) -> Option<SignedVoucher> {
        self.pending.as_ref().map(|pending| self.voucher(pending))
    }

    /// What can still be paid.
    pub fn left(&self) -> u128 {
        self.channel.deposit.saturating_sub(self.accepted)
    }

    /// Takes a signed total in, as the highest if it is.
    pub(super) fn raise(&mut self, purchase: &Purchase) {
        if purchase.cumulative_amount >= self.channel.promised {
            self.channel.promised = purchase.cumulative_amount;
            self.best = Some(purchase.clone());
        }
    }
}
