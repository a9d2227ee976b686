//! A purse: a payer's channels with their totals, kept so that neither a crash nor a lost answer loses or doubles a payment.
//!
//! ```text
//!            promise (saved, then signed away)            accepted
//!  accepted ────────────────────────────────▶ pending ───────────────▶ accepted, grown by the price
//!     ▲                                          │ refused
//!     └──────────────────────────────────────────┘ the next promise begins where this one did
//! ```
//!
//! A voucher is written down before it leaves. As long as it is not known whether a payment's was accepted, no other is signed for its channel: the same one is
//! sent again, which is harmless. A purchase has a name: asked for twice, it is paid once. Purchases from paywalls go on beside each other (`buying`): one of
//! which nothing was heard counts as promised.

#[cfg(feature = "http")]
mod buying;
mod kept;
mod record;
mod ticket;
pub(crate) mod units;

#[cfg(feature = "http")]
pub(crate) use buying::Told;
pub use kept::{Kept, Purchase};
pub use ticket::Ticket;

use crate::{Channel, Error, Keep, Limits, SignedVoucher, VoucherSigner, limits::Spent};
use rivulet_core::{
    ids::{ChannelId, Token},
    signature::CompactSignature,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

#[derive(Debug, Default)]
struct State {
    channels: BTreeMap<ChannelId, Kept>,
    limits: BTreeMap<(String, Token), Limits>,
}

/// A payer's channels. Every change is kept before it is told. Needs no network and no clock but the system's.
#[derive(Debug)]
pub struct Purse {
    signer: VoucherSigner,
    keep: Box<dyn Keep>,
    state: Mutex<State>,
    now: fn() -> u64,
}

fn system_now() -> u64 {
    // A clock before 1970 is a clock that was never set.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What counts as a period where no limit names one.
const DAY_SECS: u64 = 86_400;

impl Purse {
    /// Reads what was kept. Every kept voucher must be this signer's.
    ///
    /// # Errors
    ///
    /// When it cannot be read; [`Error::BadRecord`] when a record was damaged or is of another key, chain or contract.
    pub fn open(keep: impl Keep, signer: VoucherSigner) -> Result<Self, Error> {
        let mut state = State::default();
        for (name, bytes) in keep.load()? {
            if let Some(kept) = record::read_channel(&name, &bytes, &signer)? {
                state.channels.insert(kept.channel.id, kept);
            } else if let Some((site, limits)) = record::read_site(&name, &bytes)? {
                state.limits.insert(site, limits);
            }
        }
        Ok(Self { signer, keep: Box::new(keep), state: Mutex::new(state), now: system_now })
    }

    /// With another clock (Unix seconds): devices have their own.
    pub fn with_clock(self, now: fn() -> u64) -> Self {
        Self { now, ..self }
    }

    /// What signs.
    pub fn signer(&self) -> &VoucherSigner {
        &self.signer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Memory is changed last, in one step: a panic before leaves what was true.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its channels, those that have ended included.
    pub fn channels(&self) -> Vec<Kept> {
        self.state().channels.values().cloned().collect()
    }

    /// A channel.
    pub fn get(&self, id: ChannelId) -> Option<Kept> {
        self.state().channels.get(&id).cloned()
    }

    /// What may be spent at a site in a token.
    pub fn limits(&self, site: &str, token: Token) -> Limits {
        self.state().limits.get(&(site.to_owned(), token)).copied().unwrap_or_default()
    }

    /// Sets what may be spent at a site in a token. What was spent before counts.
    ///
    /// # Errors
    ///
    /// When it cannot be kept. So all changes.
    pub fn set_limits(&self, site: &str, token: Token, limits: Limits) -> Result<(), Error> {
        let mut state = self.state();
        self.keep.save(&record::site_name(site, &token), &record::write_site(site, &token, &limits))?;
        state.limits.insert((site.to_owned(), token), limits);
        Ok(())
    }

    /// Calls the site that a channel pays something else. What was spent from it counts there from now on.
    ///
    /// # Errors
    ///
    /// [`Error::NotKept`] when the channel is not here.
    pub fn set_site(&self, id: ChannelId, site: &str) -> Result<(), Error> {
        self.change(id, |_, kept| {
            kept.site = site.into();
            Ok(())
        })
    }

    /// What was spent at a site in a token: in all, and in this period. Promises count when they are signed.
    pub fn spent(&self, site: &str, token: Token) -> (u128, u128) {
        spent(&self.state(), site, token, (self.now)())
    }

    /// Changes a channel: on a copy, kept first, then told.
    fn change<T>(&self, id: ChannelId, change: impl FnOnce(&State, &mut Kept) -> Result<T, Error>) -> Result<T, Error> {
        let mut state = self.state();
        let before = state.channels.get(&id).ok_or(Error::NotKept(id))?;
        let mut after = before.clone();
        let told = change(&state, &mut after)?;
        if after != *before {
            self.keep.save(&record::channel_name(&after.channel), &record::write_channel(&after))?;
            state.channels.insert(id, after);
        }
        Ok(told)
    }

    /// Takes a channel in, to pay a site. One that is there already gets the deposit given here if it is higher.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] when another key signs for it.
    pub fn add(&self, channel: &Channel, site: &str) -> Result<(), Error> {
        let (expected, given) = (self.signer.key().address(), channel.terms.voucher_signer);
        if given != expected {
            return Err(Error::NotOurs { expected, given: Some(given) });
        }
        if self.get(channel.id).is_some() {
            return self.set_deposit(channel.id, channel.deposit);
        }
        let kept = Kept {
            channel: *channel,
            site: site.into(),
            accepted: channel.promised,
            ended: false,
            last: None,
            pending: None,
            best: None,
            credit: 0,
            aside: 0,
            tickets: Vec::new(),
            spent: Spent::default(),
        };
        let mut state = self.state();
        self.keep.save(&record::channel_name(channel), &record::write_channel(&kept))?;
        state.channels.insert(channel.id, kept);
        Ok(())
    }

    /// After a top-up: the deposit as the chain has it, once that is final.
    ///
    /// # Errors
    ///
    /// [`Error::NotKept`] when the channel is not here. So all of these.
    pub fn set_deposit(&self, id: ChannelId, deposit: u128) -> Result<(), Error> {
        self.change(id, |_, kept| {
            kept.channel.deposit = kept.channel.deposit.max(deposit);
            Ok(())
        })
    }

    /// What the chain covers new vouchers up to: less than the deposit once a refund is asked for, all of it again when that is taken back or has lapsed, and
    /// what is left of it when the refund came. Never less than what is promised already.
    ///
    /// # Errors
    ///
    /// As [`Purse::set_deposit`].
    pub fn set_cover(&self, id: ChannelId, cover: u128) -> Result<(), Error> {
        self.change(id, |_, kept| {
            kept.channel.deposit = cover.max(kept.channel.promised);
            Ok(())
        })
    }

    /// The channel has ended: nothing is promised any more. What it spent still counts at its site.
    ///
    /// # Errors
    ///
    /// As [`Purse::set_deposit`].
    pub fn end(&self, id: ChannelId) -> Result<(), Error> {
        self.change(id, |_, kept| {
            kept.ended = true;
            Ok(())
        })
    }

    /// Promises `amount` more, for a purchase. When this returns, the voucher is kept and may leave; say then what became of it by [`Purse::accepted`] or
    /// [`Purse::refused`]. A purchase that is pending, or was the last one accepted, gets the voucher it had: nothing more is promised. One without a name is
    /// always a new one.
    ///
    /// # Errors
    ///
    /// [`Error::Unsettled`] while another promise of the channel is pending: hand its voucher over again. [`Error::OverLimit`], [`Error::BadTotal`] when it is
    /// too much, [`Error::OtherPrice`] when this purchase had another price, [`Error::Ended`].
    pub fn promise(&self, id: ChannelId, amount: u128, purchase: &str) -> Result<SignedVoucher, Error> {
        self.change(id, |state, kept| {
            let is_it = |known: &&Purchase| known.name == purchase && !purchase.is_empty();
            if let Some(known) = kept.pending.as_ref().filter(is_it).or(kept.last.as_ref().filter(is_it)) {
                return match known.amount == amount {
                    true => Ok(kept.voucher(known)),
                    false => Err(Error::OtherPrice { purchase: purchase.into(), before: known.amount, now: amount }),
                };
            }
            self.grow(state, kept, amount, purchase.into())
        })
    }

    /// Signs a total that is so much higher, within cover and limits.
    fn grow(&self, state: &State, kept: &mut Kept, amount: u128, name: String) -> Result<SignedVoucher, Error> {
        let now = (self.now)();
        if let Some(pending) = &kept.pending {
            return Err(Error::Unsettled { purchase: pending.name.clone(), voucher: Box::new(kept.voucher(pending)) });
        }
        if kept.ended {
            return Err(Error::Ended(kept.channel.number()));
        }
        let channel = &kept.channel;
        let total = kept.accepted.saturating_add(amount);
        if total > channel.deposit {
            return Err(Error::BadTotal { total, promised: kept.accepted, deposit: channel.deposit });
        }
        // A refused promise may be claimed all the same, so it was counted; only what goes beyond it is new.
        let growth = total.saturating_sub(channel.promised);
        let limits = state.limits.get(&(kept.site.clone(), channel.terms.token)).copied().unwrap_or_default();
        let (spent, in_period) = spent(state, &kept.site, channel.terms.token, now);
        limits.allow(&kept.site, growth, spent, in_period)?;
        let voucher = self.signer.sign(channel.number(), channel.id, total);
        let promised = Purchase { name, amount, cumulative_amount: total, signature: voucher.signature };
        let secs = limits.per_period.map_or(DAY_SECS, |period| period.secs);
        kept.spent = Spent { at: now.max(kept.spent.at), amount: kept.spent.within(now, secs).saturating_add(growth) };
        kept.raise(&promised);
        kept.pending = Some(promised);
        Ok(voucher)
    }

    /// The voucher was accepted: durably, by whom it concerns.
    ///
    /// # Errors
    ///
    /// As [`Purse::set_deposit`].
    pub fn accepted(&self, voucher: &SignedVoucher) -> Result<(), Error> {
        self.change(voucher.channel_id, |_, kept| {
            kept.accept(voucher.cumulative_amount);
            Ok(())
        })
    }

    /// The voucher was refused, for good: the next promise begins where it did. It is out of our hands all the same, so it still counts as spent until a
    /// promise as high is accepted.
    ///
    /// # Errors
    ///
    /// As [`Purse::set_deposit`].
    pub fn refused(&self, voucher: &SignedVoucher) -> Result<(), Error> {
        self.change(voucher.channel_id, |_, kept| {
            kept.refuse(|pending| pending.cumulative_amount == voucher.cumulative_amount);
            Ok(())
        })
    }

    /// Goes on from a total that somebody else kept. Only our own signature counts, so that nobody can talk us into a higher total. True when it was higher
    /// than what was known.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] when it was not signed by this key for this channel.
    pub fn resume(&self, id: ChannelId, cumulative_amount: u128, signature: &CompactSignature) -> Result<bool, Error> {
        self.change(id, |_, kept| {
            let is_news = cumulative_amount > kept.accepted;
            if cumulative_amount > kept.channel.promised {
                // What that was promised for is not known here.
                kept.aside = 0;
            }
            self.take(kept, cumulative_amount, signature)?;
            Ok(is_news)
        })
    }

    /// Takes in a total that is said to be ours.
    fn take(&self, kept: &mut Kept, cumulative_amount: u128, signature: &CompactSignature) -> Result<(), Error> {
        self.signer.check(&kept.channel, cumulative_amount, signature)?;
        if cumulative_amount > kept.channel.deposit {
            return Err(Error::BadTotal { total: cumulative_amount, promised: kept.accepted, deposit: kept.channel.deposit });
        }
        kept.accepted = kept.accepted.max(cumulative_amount);
        kept.raise(&Purchase { name: String::new(), amount: 0, cumulative_amount, signature: *signature });
        Ok(())
    }
}

fn spent(state: &State, site: &str, token: Token, now: u64) -> (u128, u128) {
    let secs = state.limits.get(&(site.to_owned(), token)).and_then(|l| l.per_period).map_or(DAY_SECS, |p| p.secs);
    let of_site = state.channels.values().filter(|k| k.site == site && k.channel.terms.token == token);
    of_site.fold((0, 0), |(all, period): (u128, u128), k| (all.saturating_add(k.channel.promised), period.saturating_add(k.spent.within(now, secs))))
}

#[cfg(test)]
mod tests;
