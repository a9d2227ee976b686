//! A stream in the model: what it owes is integrated over the periods of its rates, each time anew. The contract keeps a snapshot instead; what that has to
//! be is computed from the periods.

use super::super::base::{Addr, Id, NATIVE, Number, movable};
use super::super::cells::Cell;
use std::collections::BTreeMap;

/// Rates and debts are kept × 1e9.
pub const SCALE: u128 = 1_000_000_000;
/// The longest flow.
pub const MAX_SECS: u64 = 0xffff_ffff;
pub const DAY_SECS: u64 = 86_400;

/// Bits of flags.
pub const CANCELLABLE: u8 = 1;
pub const TRANSFERABLE: u8 = 2;
pub const CLIFF: u8 = 4;

/// From when on which rate counts, if it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    pub from: u64,
    pub rate: u128,
    pub runs: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    GoesOn,
    Cancelled,
    /// All that it ever owed, paid or not.
    Voided(u128),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    pub payer: Addr,
    pub start_at: u64,
    pub cliff: Option<(u64, u128)>,
    /// 0: open-ended.
    pub end_at: u64,
    pub flags: u8,
    /// What was stated to be owed at the end, until something makes it another sum; 0: nothing was.
    pub total: u128,
    /// What the total is more than rate × time, scaled.
    pub residue: u128,
    pub deposit: u128,
    pub paid: u128,
    pub committed: u128,
    pub memo: Id,
    pub id: Id,
    pub delegate: Addr,
    pub rights: u8,
    pub cap: u128,
    /// When it was last handed over; 0: never.
    pub handed_over_at: u64,
    /// By time. The first is from 0 on: a start may be past.
    pub periods: Vec<Period>,
    pub fate: Fate,
}

/// A stream as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raw {
    payer: Addr,
    rate: u128,
    flow_start: u64,
    flow_end: u64,
    deposit: u128,
    paid: u128,
    committed: u128,
    snapshot: u128,
    snapshot_at: u64,
    cliff_amount: u128,
    residue: u128,
    flags: u8,
    state: u8,
    start_at: u64,
    delegate: Addr,
    rights: u8,
    cap: u128,
    handed_over_at: u64,
    id: Id,
    memo: Id,
}

impl Stream {
    pub fn balance(&self) -> u128 {
        self.deposit - self.paid
    }

    pub fn flow_start(&self) -> u64 {
        self.cliff.map_or(self.start_at, |(at, _)| at)
    }

    pub fn flow_end(&self) -> u64 {
        if self.end_at == 0 { self.start_at + MAX_SECS } else { self.end_at }
    }

    pub fn last(&self) -> Period {
        *self.periods.last().expect("there is a first")
    }

    pub fn is_paused(&self) -> bool {
        !self.last().runs
    }

    /// From now on there is another rate, or a pause, or none.
    pub fn turn(&mut self, now: u64, rate: u128, runs: bool) {
        self.periods.push(Period { from: now, rate, runs });
    }

    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// When something of it ran at a moment at or after this time, up to `now`: both ends of a period belong to it, so that what comes at the very second
    /// of a pause came before it.
    fn ran(&self, periods: &[Period], since: u64, now: u64) -> bool {
        let ends = periods.iter().skip(1).map(|next| next.from).chain([u64::MAX]);
        periods.iter().zip(ends).any(|(period, end)| period.runs && end.min(now) >= since)
    }

    /// What these periods made, scaled.
    fn made(&self, periods: &[Period], now: u64) -> u128 {
        let ends = periods.iter().skip(1).map(|next| next.from).chain([u64::MAX]);
        let flow = periods.iter().zip(ends).filter(|(period, _)| period.runs).map(|(period, end)| {
            let (from, to) = (period.from.max(self.flow_start()), end.min(now).min(self.flow_end()));
            period.rate * u128::from(to.saturating_sub(from))
        });
        let cliff = self.cliff.filter(|(at, _)| self.ran(periods, *at, now)).map_or(0, |(_, amount)| amount * SCALE);
        flow.sum::<u128>() + cliff
    }

    /// All that it ever owed, paid or not, scaled.
    pub fn gross(&self, now: u64) -> u128 {
        if let Fate::Voided(units) = self.fate {
            return units * SCALE;
        }
        let last = if self.ended(now) && !self.is_paused() { self.residue } else { 0 };
        self.made(&self.periods, now) + last
    }

    pub fn ended(&self, now: u64) -> bool {
        self.end_at != 0 && now >= self.end_at
    }

    /// Nothing more will accrue.
    pub fn done(&self, now: u64) -> bool {
        self.fate != Fate::GoesOn || self.ended(now)
    }

    pub fn committed_left(&self) -> u128 {
        if matches!(self.fate, Fate::Voided(_)) { 0 } else { self.committed.min(self.deposit).saturating_sub(self.paid) }
    }

    pub fn debt(&self, now: u64) -> u128 {
        if self.fate == Fate::Cancelled {
            return self.balance();
        }
        let debt = (self.gross(now) / SCALE).saturating_sub(self.paid);
        if self.ended(now) { debt.max(self.committed_left()) } else { debt }
    }

    pub fn covered(&self, now: u64) -> u128 {
        self.debt(now).min(self.balance())
    }

    pub fn uncovered(&self, now: u64) -> u128 {
        self.debt(now) - self.covered(now)
    }

    /// What the payee has yet to get if it is ended early.
    pub fn due(&self, token: Addr, now: u64, by_payee: bool) -> u128 {
        movable(token, self.covered(now).max(if by_payee { 0 } else { self.committed_left() }))
    }

    pub fn refundable(&self, token: Addr, now: u64) -> u128 {
        match self.fate {
            Fate::Cancelled => 0,
            _ => movable(token, self.balance() - self.covered(now).max(self.committed_left())),
        }
    }

    /// At its end with all of it covered.
    pub fn settled(&self, token: Addr, now: u64) -> bool {
        self.ended(now) && movable(token, self.debt(now)) <= self.balance()
    }

    /// Nothing more can ever be paid.
    pub fn over(&self, token: Addr, now: u64) -> bool {
        self.done(now) && movable(token, self.debt(now)) == 0
    }

    pub fn status(&self, now: u64) -> u8 {
        let short = u8::from(self.uncovered(now) > 0);
        match self.fate {
            Fate::Cancelled => 8,
            Fate::Voided(_) => 9,
            Fate::GoesOn if now < self.start_at => 1,
            Fate::GoesOn if self.ended(now) => 6 + short,
            Fate::GoesOn if self.is_paused() => 4 + short,
            Fate::GoesOn => 2 + short,
        }
    }

    fn snapshot_at(&self) -> u64 {
        self.last().from.max(self.start_at)
    }

    /// The first second at which some debt is not covered, looked for second by second, in halves; 0: never. What was not covered when something last
    /// changed depletes then.
    pub fn depletes_at(&self) -> u64 {
        if self.fate != Fate::GoesOn {
            return 0;
        }
        let short = |at| self.gross(at) / SCALE > self.deposit;
        let (mut covered, mut not) = (self.snapshot_at(), self.flow_end().max(self.snapshot_at()));
        if short(covered) {
            return covered;
        }
        if !short(not) {
            return 0;
        }
        while not - covered > 1 {
            let middle = covered + (not - covered) / 2;
            *(if short(middle) { &mut not } else { &mut covered }) = middle;
        }
        not
    }

    /// As it has to be stored: the snapshot holds what all periods but the present one made.
    pub fn raw(&self) -> Raw {
        let before = &self.periods[..self.periods.len() - 1];
        let at = self.last().from;
        let snapshot = if let Fate::Voided(units) = self.fate { units * SCALE } else { self.made(before, at) };
        let state = [
            (1, self.is_paused()),
            (2, self.fate == Fate::Cancelled),
            (4, matches!(self.fate, Fate::Voided(_))),
            (8, self.ran(before, self.flow_start(), at)),
            (16, self.end_at == 0),
        ];
        Raw {
            payer: self.payer,
            rate: self.last().rate,
            flow_start: self.flow_start(),
            flow_end: self.flow_end(),
            deposit: self.deposit,
            paid: self.paid,
            committed: self.committed,
            snapshot,
            snapshot_at: self.snapshot_at(),
            cliff_amount: self.cliff.map_or(0, |(_, amount)| amount),
            residue: self.residue,
            flags: self.flags,
            state: state.iter().filter(|(_, set)| *set).map(|(bit, _)| bit).sum(),
            start_at: self.start_at,
            delegate: self.delegate,
            rights: self.rights,
            cap: self.cap,
            handed_over_at: self.handed_over_at,
            id: self.id,
            memo: self.memo,
        }
    }
}

/// All streams, from the cells that three of them share and the one that each has.
pub fn read(cells: Vec<Cell<'_>>) -> Result<BTreeMap<Number, Raw>, String> {
    let (mut streams, mut details) = (BTreeMap::new(), BTreeMap::new());
    for (tag, mut k, mut v) in cells {
        let (book, place) = (k.int(4)? as u32, k.int(4)? as u32);
        k.end()?;
        let bytes = v.0.len();
        match tag {
            5 if bytes > 0 && bytes.is_multiple_of(118) && bytes <= 3 * 118 => {
                while !v.0.is_empty() {
                    let low = v.int(1)? as u32;
                    let raw = Raw {
                        payer: v.addr()?,
                        rate: v.int(12)?,
                        flow_start: v.int(5)? as u64,
                        flow_end: v.int(5)? as u64,
                        deposit: v.int(12)?,
                        paid: v.int(12)?,
                        committed: v.int(12)?,
                        snapshot: v.int(16)?,
                        snapshot_at: v.int(5)? as u64,
                        cliff_amount: v.int(12)?,
                        residue: v.int(4)?,
                        flags: v.int(1)? as u8,
                        state: v.int(1)? as u8,
                        start_at: 0,
                        delegate: NATIVE,
                        rights: 0,
                        cap: 0,
                        handed_over_at: 0,
                        id: Id::default(),
                        memo: Id::default(),
                    };
                    if low > 2 || streams.insert((book, 3 * place + low), raw).is_some() {
                        return Err(format!("slot {low} in a cell of book {book} twice, or of no stream"));
                    }
                }
            }
            9 => {
                details.insert(
                    (book, place),
                    (v.int(5)? as u64, v.addr()?, v.int(1)? as u8, v.int(12)?, v.int(5)? as u64, Id(v.take()?), Id(v.take()?)),
                );
                v.end()?;
            }
            _ => return Err(format!("a cell with the tag {tag} has {bytes} bytes")),
        }
    }
    for (number, raw) in &mut streams {
        let of = details.remove(number).ok_or_else(|| format!("{number:?} has no details"))?;
        (raw.start_at, raw.delegate, raw.rights, raw.cap, raw.handed_over_at, raw.id, raw.memo) = of;
    }
    if details.is_empty() { Ok(streams) } else { Err(format!("details of no stream: {:?}", details.keys())) }
}
