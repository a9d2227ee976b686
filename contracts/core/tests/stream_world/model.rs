//! A stream as its parties understand it: what is owed is added up from the seconds of running periods and of the rates in force, with nothing of core's.

use rivulet_core::{
    ids::{Address, StreamNumber, Token},
    stream::{self, NewStream, State, StreamStatus as S},
};

use super::{GRAIN, NATIVE, World};

const SCALED: u128 = 1_000_000_000;

#[derive(Clone, Debug)]
pub struct Model {
    pub number: StreamNumber,
    pub payer: Address,
    pub payee: Address,
    pub token: Token,
    pub cancellable: bool,
    pub transferable: bool,
    /// From when on it can be handed over again.
    pub stays_until: u64,
    pub start: u64,
    pub cliff: Option<(u64, u128)>,
    pub end: Option<u64>,
    pub residue: u128,
    pub committed: u128,
    pub deposit: u128,
    pub paid: u128,
    /// From when on which rate, scaled.
    pub rates: Vec<(u64, u128)>,
    /// Running from, to; the last may be open.
    pub periods: Vec<(u64, Option<u64>)>,
    pub delegate: (Address, u8, u128),
    pub cancelled: bool,
    /// What is owed in all, since it was voided.
    pub voided: Option<u128>,
    pub gone: bool,
}

impl Model {
    pub fn new(number: StreamNumber, payer: Address, new: &NewStream, now: u64) -> Self {
        let s = &new.stated;
        let start = if s.start_at == 0 { now } else { s.start_at };
        let cliff = (s.flags & 4 != 0).then_some((s.cliff_at, s.cliff_amount));
        let flow_start = cliff.map_or(start, |(at, _)| at);
        let (rate, residue) = match s.total {
            0 => (s.rate_per_second_scaled, 0),
            total => {
                let flowing = (total - s.cliff_amount) * SCALED;
                let secs = u128::from(s.end_at - flow_start);
                (flowing.checked_div(secs).unwrap_or(0), flowing.checked_rem(secs).unwrap_or(0))
            }
        };
        Self {
            number,
            payer,
            payee: new.payee,
            token: new.token,
            cancellable: s.flags & 1 != 0,
            transferable: s.flags & 2 != 0,
            stays_until: 0,
            start,
            cliff,
            end: (s.end_at != 0).then_some(s.end_at),
            residue,
            committed: new.committed,
            deposit: new.amount,
            paid: 0,
            rates: vec![(0, rate)],
            periods: vec![(0, None)],
            delegate: (Address::ZERO, 0, 0),
            cancelled: false,
            voided: None,
            gone: false,
        }
    }

    pub fn grain(&self) -> u128 {
        if self.token == NATIVE { GRAIN } else { 1 }
    }

    pub fn down(&self, amount: u128) -> u128 {
        amount / self.grain() * self.grain()
    }

    pub fn rate(&self) -> u128 {
        self.rates.last().expect("the first").1
    }

    /// Everything ever owed.
    pub fn gross(&self, t: u64) -> u128 {
        if let Some(owed) = self.voided {
            return owed * SCALED;
        }
        let flow_start = self.cliff.map_or(self.start, |(at, _)| at);
        let flow_end = self.end.unwrap_or(self.start + u64::from(u32::MAX)).min(t);
        let mut gross = 0;
        for (run, stop) in &self.periods {
            for (i, (since, rate)) in self.rates.iter().enumerate() {
                let until = self.rates.get(i + 1).map_or(u64::MAX, |next| next.0);
                let (from, to) = ((*run).max(*since).max(flow_start), stop.unwrap_or(u64::MAX).min(until).min(flow_end));
                if from < to {
                    gross += u128::from(to - from) * rate;
                }
            }
        }
        if let Some((at, amount)) = self.cliff {
            // Some running moment, the one of a pause included, is at or after the cliff.
            if self.periods.iter().any(|(from, to)| at.max(*from) <= to.unwrap_or(u64::MAX).min(t)) {
                gross += amount * SCALED;
            }
        }
        if self.is_ended(t) && !self.is_paused() {
            gross += self.residue;
        }
        gross
    }

    pub fn is_paused(&self) -> bool {
        self.periods.last().is_some_and(|(_, to)| to.is_some())
    }

    pub fn is_ended(&self, t: u64) -> bool {
        self.end.is_some_and(|end| t >= end)
    }

    pub fn is_done(&self, t: u64) -> bool {
        self.cancelled || self.voided.is_some() || self.is_ended(t)
    }

    pub fn balance(&self) -> u128 {
        self.deposit - self.paid
    }

    pub fn committed_left(&self) -> u128 {
        if self.voided.is_some() { 0 } else { self.committed.min(self.deposit).saturating_sub(self.paid) }
    }

    pub fn total(&self, t: u64) -> u128 {
        if self.cancelled {
            return self.balance();
        }
        let committed = if self.is_ended(t) { self.committed_left() } else { 0 };
        (self.gross(t) / SCALED).saturating_sub(self.paid).max(committed)
    }

    pub fn covered(&self, t: u64) -> u128 {
        self.total(t).min(self.balance())
    }

    pub fn uncovered(&self, t: u64) -> u128 {
        self.total(t) - self.covered(t)
    }

    pub fn payable(&self, t: u64) -> u128 {
        self.down(self.covered(t))
    }

    pub fn refundable(&self, t: u64) -> u128 {
        if self.cancelled { 0 } else { self.down(self.balance() - self.covered(t).max(self.committed_left())) }
    }

    /// What the payee has yet to get if it is ended now, by its own will or the other side's.
    pub fn due(&self, t: u64, by_payee: bool) -> u128 {
        self.down(self.covered(t).max(if by_payee { 0 } else { self.committed_left() }))
    }

    /// Nothing can ever be paid again.
    pub fn is_over(&self, t: u64) -> bool {
        self.is_done(t) && self.total(t) < self.grain()
    }

    /// Money does nothing for it any more.
    pub fn is_settled(&self, t: u64) -> bool {
        self.is_ended(t) && self.down(self.total(t)) <= self.balance()
    }

    /// Its payer, or its delegate with this right.
    pub fn may(&self, by: Address, right: u8) -> bool {
        by == self.payer || (by == self.delegate.0 && self.delegate.1 & right != 0)
    }

    /// May cancel or void.
    pub fn may_end(&self, by: Address, t: u64) -> bool {
        let side = by == self.payee || (self.may(by, 16) && self.cancellable);
        side && !self.gone && !self.cancelled && self.voided.is_none() && !self.is_settled(t)
    }

    pub fn status(&self, t: u64) -> S {
        match (self.uncovered(t) > 0, self.is_paused()) {
            _ if self.gone => S::Closed,
            _ if self.cancelled => S::Cancelled,
            _ if self.voided.is_some() => S::Voided,
            _ if t < self.start => S::Pending,
            (false, _) if self.is_ended(t) => S::Ended,
            (true, _) if self.is_ended(t) => S::EndedInsolvent,
            (false, true) => S::Paused,
            (true, true) => S::PausedInsolvent,
            (false, false) => S::Streaming,
            (true, false) => S::StreamingInsolvent,
        }
    }

    /// Every figure of the contract's is this one's.
    pub fn check(&self, w: &World) {
        let (b, n, t) = (w.balances(self.number), self.number, w.now());
        assert_eq!(w.status(n), self.status(t), "{self:?}");
        let Some(record) = w.record(n) else {
            assert!(self.gone, "{self:?}");
            return;
        };
        assert!(!self.gone, "{self:?}");
        assert_eq!((b.deposit, b.paid, b.committed, b.total_debt), (self.deposit, self.paid, self.committed, self.total(t)), "{self:?}");
        assert_eq!((b.covered_debt, b.uncovered_debt, b.refundable), (self.covered(t), self.uncovered(t), self.refundable(t)), "{self:?}");
        assert_eq!(stream::claimable(&w.h, n).0, self.payable(t));
        assert_eq!(stream::delegate_of(&w.h, n), self.delegate);
        assert_eq!((record.is_cancellable(), record.rate_per_second_scaled), (self.cancellable, self.rate()));
        if !self.cancelled {
            assert_eq!(record.gross_scaled(t), self.gross(t), "{self:?}");
            assert_eq!(record.is(State::PAUSED), self.is_paused());
        }
    }
}
