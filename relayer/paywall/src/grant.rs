//! The rule of the paywall: what may be served for what was accepted. Numbers in, decision out; nothing here waits or writes.
//!
//! An [`Account`] is what the paywall knows of one channel's money. Four statements hold after every call, in any order, whatever is asked
//! (`tests/grant.rs` tries):
//!
//! 1. Nobody is served more than was accepted: `charged − returned ≤ accepted`.
//! 2. A purchase is charged once: asked for again it costs nothing, until its money was given back.
//! 3. A purchase never costs more than its payer signed for: `charged ≤ budget`.
//! 4. What is given back was charged before: no refund makes a total negative, and no two refunds return the same money.

/// What is known here of one channel's money, all in the token's smallest unit. Totals only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// The highest total that the relayer has accepted.
    pub accepted: u128,
    /// What was charged. It begins with what had been accepted before the paywall first saw the channel: that was for something else.
    pub charged: u128,
    /// What was given back of it.
    pub returned: u128,
}

/// One purchase: what its payer signed for, and what it has cost so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Purchase {
    /// The most that may be charged.
    pub budget: u128,
    /// What was charged and not given back.
    pub charged: u128,
}

/// Why a purchase is not granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The payer did not agree to so much.
    #[error("the purchase is signed for {budget}, the price is {price}")]
    Budget {
        /// What was signed for.
        budget: u128,
        /// What it would have cost in all.
        price: u128,
    },
    /// The channel's accepted total does not cover it.
    #[error("{available} are left in the channel, {due} are due: the total must grow by {}", due.saturating_sub(*available))]
    NotEnough {
        /// What is left.
        available: u128,
        /// What is due.
        due: u128,
    },
    /// More is to be given back than was charged.
    #[error("{charged} were charged, {asked} cannot be given back")]
    NotCharged {
        /// What was charged and not given back.
        charged: u128,
        /// What was asked for.
        asked: u128,
    },
}

impl Account {
    /// A channel seen for the first time. What had been accepted until then is not credit here.
    pub fn open(accepted: u128) -> Self {
        Self { accepted, charged: accepted, returned: 0 }
    }

    /// What can still be spent.
    pub fn available(&self) -> u128 {
        self.accepted.saturating_add(self.returned).saturating_sub(self.charged)
    }

    /// The relayer has accepted a total. A lower one than before changes nothing.
    pub fn accept(&mut self, total: u128) {
        self.accepted = self.accepted.max(total);
    }

    /// Makes sure that the purchase has cost `price` in all; returns what was charged for it now: 0 when it had been paid.
    ///
    /// # Errors
    ///
    /// [`Refused::Budget`], [`Refused::NotEnough`]; then nothing has changed.
    pub fn charge_up_to(&mut self, purchase: &mut Purchase, price: u128) -> Result<u128, Refused> {
        self.charge(purchase, price.saturating_sub(purchase.charged))
    }

    /// Charges `due` more for the purchase.
    ///
    /// # Errors
    ///
    /// [`Refused::Budget`], [`Refused::NotEnough`]; then nothing has changed.
    pub fn charge(&mut self, purchase: &mut Purchase, due: u128) -> Result<u128, Refused> {
        if due == 0 {
            return Ok(0);
        }
        let price = purchase.charged.saturating_add(due);
        if price > purchase.budget {
            return Err(Refused::Budget { budget: purchase.budget, price });
        }
        let available = self.available();
        if due > available {
            return Err(Refused::NotEnough { available, due });
        }
        purchase.charged = price;
        self.charged = self.charged.saturating_add(due);
        Ok(due)
    }

    /// Gives back a part of what the purchase cost: from now on it is credit of the channel.
    ///
    /// # Errors
    ///
    /// [`Refused::NotCharged`]; then nothing has changed.
    pub fn give_back(&mut self, purchase: &mut Purchase, amount: u128) -> Result<(), Refused> {
        let rest = purchase.charged.checked_sub(amount).ok_or(Refused::NotCharged { charged: purchase.charged, asked: amount })?;
        purchase.charged = rest;
        self.returned = self.returned.saturating_add(amount);
        Ok(())
    }
}
