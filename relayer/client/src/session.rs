//! Paying through a relayer from a purse.

use crate::{
    Error, Purse, Receipt, Relayer, SignedVoucher,
    relay::{BestJson, Problem},
    till::Till,
};
use rivulet_core::ids::ChannelId;
use std::sync::Arc;

/// A purse that pays through one relayer. Cheap to clone.
///
/// Its futures may be dropped at any point, by a timeout or a user who goes away: what was promised by then is on the disk, is handed over by the next call
/// for its channel, and the same purchase asked for again is paid once.
#[derive(Clone, Debug)]
pub struct Session {
    till: Till,
    relayer: Relayer,
}

/// A payment that the relayer has on its disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paid {
    /// What was handed over: to be shown to whoever is paid.
    pub voucher: SignedVoucher,
    /// The relayer's signature for it, if it was asked to sign.
    pub receipt: Option<Receipt>,
}

/// What became of a voucher that was handed over.
enum Outcome {
    Accepted(Option<Receipt>),
    /// Not, because the relayer has a higher total of ours, which is known now.
    Behind,
}

impl Session {
    /// A session.
    pub fn new(purse: impl Into<Arc<Purse>>, relayer: Relayer) -> Self {
        Self { till: Till::new(purse), relayer }
    }

    /// The purse.
    pub fn purse(&self) -> &Purse {
        self.till.purse()
    }

    /// The relayer.
    pub fn relayer(&self) -> &Relayer {
        &self.relayer
    }

    /// Pays `amount` for a purchase. When this returns, the relayer has it on its disk. Asked for again by the same name, the last purchase of a channel is
    /// not paid twice.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], or a problem that is not final: nobody knows whether it was paid, ask again with the same name. [`Error::Rejected`]: it was
    /// not; [`Error::OverLimit`], [`Error::BadTotal`] and others of [`Purse::promise`]: nothing was promised.
    pub async fn pay(&self, id: ChannelId, amount: u128, purchase: &str) -> Result<Paid, Error> {
        let _turn = self.till.turn(id).await;
        self.settle(id, Some(purchase)).await?;
        // Twice: a relayer that is ahead of us, because we lost what we knew, says how far.
        let mut last_try = false;
        loop {
            let name = purchase.to_owned();
            let voucher = self.till.keep(move |purse| purse.promise(id, amount, &name)).await?;
            match self.hand_over(voucher).await? {
                Outcome::Accepted(receipt) => return Ok(Paid { voucher, receipt }),
                Outcome::Behind if last_try => return Err(Error::Answer("a higher total of ours each time it is asked".into())),
                Outcome::Behind => last_try = true,
            }
        }
    }

    /// Hands over what is pending in all channels, after a restart or before a close.
    ///
    /// # Errors
    ///
    /// When it is still not known what became of one, or it was refused.
    pub async fn flush(&self) -> Result<(), Error> {
        for kept in self.purse().channels() {
            let _turn = self.till.turn(kept.channel.id).await;
            self.settle(kept.channel.id, None).await?;
        }
        Ok(())
    }

    /// Goes on from the best voucher of ours that the relayer has, after everything was lost but the key. True when it knew more than we did.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] when what it says is not signed by our key; when it does not answer.
    pub async fn resume(&self, id: ChannelId) -> Result<bool, Error> {
        let _turn = self.till.turn(id).await;
        let number = self.purse().get(id).ok_or(Error::NotKept(id))?.channel.number();
        match self.relayer.best(number).await? {
            Some(best) => self.take(id, &best).await,
            None => Ok(false),
        }
    }

    async fn take(&self, id: ChannelId, best: &BestJson) -> Result<bool, Error> {
        let (total, signature) = best.read().ok_or_else(|| Error::Answer("a best voucher that is none".into()))?;
        self.till.keep(move |purse| purse.resume(id, total, &signature)).await
    }

    /// Finds out what became of a promise that is pending, unless it is for this very purchase.
    async fn settle(&self, id: ChannelId, purchase: Option<&str>) -> Result<(), Error> {
        let Some(kept) = self.purse().get(id) else { return Err(Error::NotKept(id)) };
        let (Some(pending), Some(voucher)) = (&kept.pending, kept.pending_voucher()) else { return Ok(()) };
        if purchase.is_some_and(|name| !name.is_empty() && name == pending.name) {
            return Ok(());
        }
        match self.hand_over(voucher).await {
            // Refused for good is an answer too: nothing is pending any more.
            Ok(_) => Ok(()),
            Err(Error::Rejected(problem)) if purchase.is_some() && problem.is_final() => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Hands over a voucher that is kept, and keeps what became of it.
    async fn hand_over(&self, voucher: SignedVoucher) -> Result<Outcome, Error> {
        match self.relayer.pay(&voucher).await {
            Ok(receipt) => {
                self.till.keep(move |purse| purse.accepted(&voucher)).await?;
                Ok(Outcome::Accepted(receipt))
            }
            Err(Error::Rejected(problem)) if problem.is_final() => {
                self.till.keep(move |purse| purse.refused(&voucher)).await?;
                let Problem { code, best, .. } = &*problem;
                match (code.as_str(), best) {
                    // Proven by our own signature, or it is an error.
                    ("stale", Some(best)) if self.take(voucher.channel_id, best).await? => Ok(Outcome::Behind),
                    _ => Err(Error::Rejected(problem)),
                }
            }
            Err(e) => Err(e),
        }
    }
}
