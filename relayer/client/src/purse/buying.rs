//! A channel that pays a paywall: what was promised for purchases is credit until it is spent, and what was promised beside them is not.
//!
//! ```text
//!  signed = spent at the paywall + credit + spoken for by purchases under way + aside (tips)
//! ```
//!
//! The paywall counts every accepted total as its own to charge, tips too: that it does not is seen to here, by never asking for more than the credit without a new promise.

use super::{Kept, Purse, State, Ticket};
use crate::{Error, SignedVoucher};
use rivulet_core::{ids::ChannelId, signature::CompactSignature};

/// So many a channel.
const MOST_TICKETS: usize = 32;

/// What a paywall says of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The highest total that it accepted.
    pub accepted: u128,
    /// Our own signature of it.
    pub signature: Option<CompactSignature>,
    /// What of it can still be spent there.
    pub available: u128,
}

/// Makes room for one more: those whose time is over go first, then the oldest.
fn make_room(tickets: &mut Vec<Ticket>, now: u64) {
    tickets.retain(|ticket| ticket.is_good_at(now));
    tickets.drain(..(tickets.len() + 1).saturating_sub(MOST_TICKETS));
}

impl Purse {
    /// Promises what a purchase takes beyond the credit, and keeps it with its ticket until it is [finished](Purse::finish). Returns how much that was. One before it of which
    /// nothing is known stays promised: it may be asked for again, and then its money is there. `now` is the paywall's clock; where it runs ahead of ours, ours counts, so that
    /// no site can end another's purchases.
    ///
    /// # Errors
    ///
    /// As [`Purse::promise`].
    pub(crate) fn order(&self, id: ChannelId, ticket: &Ticket, now: u64) -> Result<(SignedVoucher, u128), Error> {
        let ours = (self.now)();
        self.change(id, |state, kept| {
            let signed = self.sign_for(state, kept, ticket, ticket.amount)?;
            make_room(&mut kept.tickets, now.min(ours));
            kept.tickets.push(ticket.clone());
            Ok(signed)
        })
    }

    /// Promises what so much more of a purchase takes, which goes on. `ticket` has it already.
    ///
    /// # Errors
    ///
    /// As [`Purse::promise`].
    pub(crate) fn raise(&self, id: ChannelId, ticket: &Ticket, more: u128) -> Result<(SignedVoucher, u128), Error> {
        self.change(id, |state, kept| {
            let signed = self.sign_for(state, kept, ticket, more)?;
            match kept.tickets.iter_mut().find(|one| one.nonce == ticket.nonce) {
                Some(one) => *one = Ticket { cost: one.cost, ..ticket.clone() },
                None => kept.tickets.push(ticket.clone()),
            }
            Ok(signed)
        })
    }

    fn sign_for(&self, state: &State, kept: &mut Kept, ticket: &Ticket, amount: u128) -> Result<(SignedVoucher, u128), Error> {
        kept.presume();
        let missing = amount.saturating_sub(kept.credit);
        let voucher = match missing {
            0 if kept.ended => return Err(Error::Ended(kept.channel.number())),
            0 => self.signer.sign(kept.channel.number(), kept.channel.id, kept.accepted),
            _ => self.grow(state, kept, missing, ticket.name())?,
        };
        kept.credit = kept.credit.saturating_add(missing).saturating_sub(amount);
        Ok((voucher, missing))
    }

    /// The voucher to ask for a purchase again with.
    pub(crate) fn voucher_for(&self, id: ChannelId, ticket: &Ticket) -> Result<SignedVoucher, Error> {
        let kept = self.get(id).ok_or(Error::NotKept(id))?;
        let name = ticket.name();
        let pending = kept.pending.as_ref().filter(|pending| pending.name == name).map(|pending| kept.voucher(pending));
        Ok(pending.unwrap_or_else(|| self.signer.sign(kept.channel.number(), id, kept.accepted)))
    }

    /// The paywall has taken it. `cost`: all that it has cost so far; none: it was not served, and costs nothing.
    pub(crate) fn granted(&self, voucher: &SignedVoucher, ticket: &Ticket, cost: Option<u128>) -> Result<(), Error> {
        self.change(voucher.channel_id, |_, kept| {
            kept.accept(voucher.cumulative_amount);
            match (cost, kept.tickets.iter_mut().find(|one| one.nonce == ticket.nonce)) {
                (Some(cost), Some(one)) => one.cost = one.cost.max(cost),
                (Some(_), None) => {}
                (None, _) => kept.tickets.retain(|one| one.nonce != ticket.nonce),
            }
            Ok(())
        })
    }

    /// The paywall has not taken it: it is no more, and what was promised for it is credit where it stays promised. `was_taken`: our own signature proves that the voucher was
    /// accepted all the same. Returns the total that the next promise adds to.
    pub(crate) fn denied(&self, voucher: &SignedVoucher, ticket: &Ticket, was_taken: bool) -> Result<u128, Error> {
        self.change(voucher.channel_id, |_, kept| {
            if was_taken {
                kept.accept(voucher.cumulative_amount);
            }
            let name = ticket.name();
            kept.refuse(|pending| pending.name == name);
            if let Some(at) = kept.tickets.iter().position(|one| one.nonce == ticket.nonce) {
                kept.credit = kept.credit.saturating_add(kept.tickets.remove(at).reserved());
            }
            Ok(kept.accepted)
        })
    }

    /// Takes over what a paywall says is left, as far as our own signature proves its total. What was signed beyond that total will be accepted with the next voucher; what
    /// purchases under way may cost is spoken for; what was promised beside purchases stays aside.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] when the total is higher than what is known, and not signed by us.
    pub(crate) fn learn(&self, id: ChannelId, told: &Told) -> Result<(), Error> {
        let Told { accepted, signature, available } = *told;
        self.change(id, |_, kept| {
            // Promised by another program with our key, for what is not known.
            let is_news = accepted > kept.channel.promised;
            if accepted > kept.accepted {
                let signature = signature.ok_or(Error::NotOurs { expected: self.signer.key().address(), given: None })?;
                kept.accept(accepted);
                self.take(kept, accepted, &signature)?;
            }
            let signed = kept.pending.as_ref().filter(|pending| pending.is_bought()).map_or(kept.accepted, |pending| pending.cumulative_amount);
            let reserved = kept.tickets.iter().fold(0_u128, |sum, ticket| sum.saturating_add(ticket.reserved()));
            let left = available.saturating_add(signed.saturating_sub(accepted)).min(signed);
            // Not by what is spoken for: of that, something may have been charged already, and what is taken from the tips here never comes back to them.
            kept.aside = if is_news { 0 } else { kept.aside.min(left) };
            kept.credit = left.saturating_sub(kept.aside).saturating_sub(reserved);
            Ok(())
        })
    }

    /// All of its answer is here, or nobody wants the rest. What is known to be left of what it was signed for is credit.
    pub(crate) fn finish(&self, id: ChannelId, ticket: &Ticket, cost: u128) -> Result<(), Error> {
        self.change(id, |_, kept| {
            if let Some(at) = kept.tickets.iter().position(|one| one.nonce == ticket.nonce) {
                let one = kept.tickets.remove(at);
                kept.credit = kept.credit.saturating_add(one.amount.saturating_sub(cost.max(one.cost)));
            }
            Ok(())
        })
    }
}

impl Kept {
    /// A purchase of which nothing is known counts as accepted: if it was, the next promise must lie above it; if it was not, that one brings it along.
    fn presume(&mut self) {
        if let Some(pending) = self.pending.as_ref().filter(|pending| pending.is_bought()) {
            self.accept(pending.cumulative_amount);
        }
    }
}
