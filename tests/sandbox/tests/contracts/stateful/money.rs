//! Money in the model: what everybody has, deposits, payouts or the credit that they become, relay fees.

use super::{
    base::{Addr, CEILING_BPS, EXISTENTIAL_WEI, GRAIN, MINIMUM_USDC, NATIVE, Refused, Result, Word, movable, word, word_of, words_of},
    ledger::{Book, Contract, Ledger},
};

/// What stands at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Account,
    Absent,
    // A contract, which takes native money, or does not.
    Code { takes: bool },
}

/// What somebody has outside of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    pub kind: Kind,
    /// Wei, the existential deposit included.
    pub native: u128,
    pub usdc: u128,
    /// The contract may pull its USDC.
    pub approves: bool,
}

/// Rows of one book that were claimed: of each its serial, outcome and total paid so far; what they gained, and the fee of it.
#[derive(Default)]
pub struct Rows {
    pub log: Vec<(u32, u8, u128)>,
    pub gain: u128,
    pub fee: u128,
}

/// Fees that wait for the next group, which may have the same beneficiary and token.
#[derive(Default)]
pub struct Waiting(Option<(Addr, Addr, u128)>);

impl<C: Contract> Ledger<C> {
    pub fn account(&mut self, who: Addr) -> &mut Account {
        self.accounts.entry(who).or_insert(Account { kind: Kind::Absent, native: 0, usdc: 0, approves: false })
    }

    /// Takes a deposit; what arrived.
    pub fn take(&mut self, caller: Addr, from: Addr, value: u128, token: Addr, amount: u128) -> Result<u128> {
        self.listed(token)?;
        if amount == 0 {
            return Err(Refused::ZeroAmount);
        }
        let expected = if token == NATIVE { amount } else { 0 };
        if value != expected {
            return Err(Refused::WrongValue { sent: value, expected });
        }
        let received = if token == NATIVE {
            if caller != from {
                return Err(Refused::PullFailed { token, expected: amount, received: 0 });
            }
            if movable(token, amount) != amount {
                return Err(Refused::NotMovable { amount, grain: GRAIN });
            }
            amount
        } else {
            let payer = self.account(from);
            if !payer.approves || payer.usdc < amount {
                return Err(Refused::PullFailed { token, expected: amount, received: 0 });
            }
            // What would be left below the minimum moves along.
            let moved = if payer.usdc - amount < MINIMUM_USDC { payer.usdc } else { amount };
            payer.usdc -= moved;
            moved
        };
        *self.state.owed.get_mut(&token).expect("it is listed") += received;
        Ok(received)
    }

    /// The relay fee of a row.
    pub fn fee(&self, book: &Book, gain: u128) -> u128 {
        let t = &book.terms;
        if t.beneficiary == NATIVE || self.now >= t.until || gain < t.min_gain {
            return 0;
        }
        let fee = (gain * u128::from(t.bps) / 10_000 + t.flat).min(gain * u128::from(CEILING_BPS) / 10_000);
        movable(book.token, fee)
    }

    /// Pays a group of rows: to its payee, or to whom that names.
    pub fn settle(&mut self, book: u32, rows: &Rows, to: Option<Addr>, fund_new: bool, fees: &mut Waiting) {
        let packed: Vec<u8> =
            rows.log.iter().flat_map(|(serial, outcome, total)| [&serial.to_be_bytes()[..], &[*outcome], &total.to_be_bytes()].concat()).collect();
        let data = [vec![word(rows.gain), word(rows.fee), word(96u32)], words_of(&packed)].concat();
        self.log("Claimed(uint32,uint128,uint128,bytes)", &[word(book)], data);
        let Some(of) = self.state.books.get(&book).copied() else { return };
        if rows.fee > 0 {
            match &mut fees.0 {
                Some((who, token, sum)) if (*who, *token) == (of.terms.beneficiary, of.token) => *sum += rows.fee,
                _ => {
                    self.pay_fees(fees);
                    fees.0 = Some((of.terms.beneficiary, of.token, rows.fee));
                }
            }
        }
        self.pay(of.token, of.payee, to.unwrap_or(of.payee), rows.gain - rows.fee, fund_new);
    }

    pub fn pay_fees(&mut self, fees: &mut Waiting) {
        if let Some((who, token, amount)) = fees.0.take() {
            self.pay(token, who, who, amount, false);
        }
    }

    /// Pays, or credits the owner.
    pub fn pay(&mut self, token: Addr, owner: Addr, to: Addr, amount: u128, fund_new: bool) {
        if amount == 0 {
            return;
        }
        if self.send(token, to, amount, fund_new, false) {
            *self.state.owed.get_mut(&token).expect("it is listed") -= amount;
        } else {
            self.credit(token, owner, amount);
        }
    }

    pub fn credit(&mut self, token: Addr, owner: Addr, amount: u128) {
        *self.state.credits.entry((owner, token)).or_default() += amount;
        self.log("Credited(address,address,uint128)", &[word_of(owner), word_of(token)], vec![word(amount)]);
    }

    /// Money leaves the contract, unless it cannot.
    fn send(&mut self, token: Addr, to: Addr, amount: u128, fund_new: bool, alone: bool) -> bool {
        let account = self.account(to);
        if token != NATIVE {
            let goes = account.usdc + amount >= MINIMUM_USDC;
            if goes {
                account.usdc += amount;
                // USDC suffices for an account.
                if account.kind == Kind::Absent {
                    account.kind = Kind::Account;
                }
            }
            return goes;
        }
        let goes = match account.kind {
            Kind::Absent => fund_new,
            // One that lives of its USDC has no existential deposit yet.
            Kind::Account => account.native + amount >= EXISTENTIAL_WEI,
            Kind::Code { takes } => alone && takes,
        };
        if goes {
            account.native += amount;
            if account.kind == Kind::Absent {
                // Whoever submits pays for a new account.
                account.native += EXISTENTIAL_WEI;
                account.kind = Kind::Account;
                self.funded += 1;
            }
        }
        goes
    }

    pub fn collect(&mut self, owner: Addr, token: Addr, to: Addr) -> Result<Vec<Word>> {
        self.party(to)?;
        let Some(amount) = self.state.credits.remove(&(owner, token)) else { return Err(Refused::NothingToPay) };
        if !self.send(token, to, amount, true, true) {
            return Err(Refused::PayoutFailed { to, amount });
        }
        *self.state.owed.get_mut(&token).expect("it is listed") -= amount;
        self.log("Collected(address,address,address,uint128)", &[word_of(owner), word_of(token)], vec![word_of(to), word(amount)]);
        Ok(vec![word(amount)])
    }

    pub fn sweep(&mut self, token: Addr) -> Result<Vec<Word>> {
        let (to, gift) = (self.sweep_to, self.gifts.get(&token).copied().unwrap_or(0));
        if token != NATIVE && !self.platform.contains(&token) {
            return Err(Refused::NotListed { token });
        }
        if gift == 0 {
            return Err(Refused::NothingToPay);
        }
        if !self.send(token, to, gift, true, true) {
            return Err(Refused::PayoutFailed { to, amount: gift });
        }
        self.gifts.remove(&token);
        self.log("Swept(address,address,uint128)", &[word_of(token)], vec![word_of(to), word(gift)]);
        Ok(vec![word(gift)])
    }
}
