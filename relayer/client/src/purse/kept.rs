//! What a purse keeps of a channel.

use super::Ticket;
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

impl Purchase {
    /// From a paywall, and not paid to a relayer for whatever.
    pub(super) fn is_bought(&self) -> bool {
        Ticket::read(&self.name, |_| 0).is_some()
    }
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
    /// What was promised for purchases at the payee's paywall and is, as far as is known, not spent: the next ones are paid from it.
    pub credit: u128,
    /// What was promised beside purchases: tips. The paywall would charge it, and must not.
    pub aside: u128,
    /// Purchases whose answers have not wholly come, oldest first.
    pub tickets: Vec<Ticket>,
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

    /// A total was accepted, and with it what is pending: that itself, or a purchase below it.
    pub(super) fn accept(&mut self, total: u128) {
        if let Some(pending) = self.pending.take_if(|p| p.cumulative_amount == total || (p.cumulative_amount < total && p.is_bought())) {
            self.accepted = self.accepted.max(pending.cumulative_amount);
            if !pending.is_bought() {
                self.aside = self.aside.saturating_add(pending.amount);
            }
            self.last = Some(pending);
        }
    }

    /// What is pending was refused: the next promise begins where it did. What its purchase took from the credit comes back.
    pub(super) fn refuse(&mut self, is_it: impl FnOnce(&Purchase) -> bool) {
        let Some(pending) = self.pending.take_if(|pending| is_it(pending)) else { return };
        if let Some(at) = self.tickets.iter().position(|ticket| ticket.name() == pending.name) {
            self.credit = self.credit.saturating_add(self.tickets.remove(at).reserved().saturating_sub(pending.amount));
        }
    }

    /// Takes a signed total in, as the highest if it is.
    pub(super) fn raise(&mut self, purchase: &Purchase) {
        if purchase.cumulative_amount >= self.channel.promised {
            self.channel.promised = purchase.cumulative_amount;
            self.best = Some(purchase.clone());
        }
    }
}
