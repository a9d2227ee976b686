//! Going through rows from the best on, of one book and of all.

use super::{Book, Gain, LEAST_BYTES, Row};
use crate::batch::{CostModel, Policy, value::row_value_planck};
use rivulet_core::ids::Number;
use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, btree_set},
};

/// A row that may go, and what it is worth.
#[derive(Clone, Copy)]
pub struct Good {
    pub value_planck: u128,
    pub cost_planck: u128,
    pub serial: u32,
}

/// What deciding on a book needs.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    pub policy: &'a Policy,
    pub cost: &'a CostModel,
    /// The least that any row costs.
    pub least_planck: u128,
    pub now: u64,
}

/// A book's rows that pay for themselves, the best first.
pub struct Walk<'a> {
    book: &'a Book,
    terms: Terms<'a>,
    left: btree_set::Iter<'a, (Reverse<Gain>, u32)>,
    /// Rows met whose slot has not come, and when it does.
    pub sleepers: Vec<(u32, u64)>,
}

impl Book {
    pub fn walk<'a>(&'a self, terms: Terms<'a>) -> Walk<'a> {
        Walk { book: self, terms, left: self.awake.iter(), sleepers: Vec::new() }
    }

    /// What this gain is worth; `None`: less than any row costs.
    fn worth(&self, gain: Gain, terms: &Terms<'_>) -> Option<u128> {
        let value = row_value_planck(self.view.as_ref()?, terms.policy, gain.get(), terms.now);
        terms.policy.is_worth(value, terms.least_planck).then_some(value)
    }

    fn due_at(&self, row: &Row, policy: &Policy) -> u64 {
        self.view.as_ref().map_or(0, |view| policy.schedule.due_at(&view.payee, u64::from(row.last_at)))
    }

    /// How many rows of this one's cell may go, itself included.
    fn sharing(&self, serial: u32, terms: &Terms<'_>) -> u32 {
        let size = terms.cost.shape.serials_a_cell.max(1);
        let first = serial - serial % size;
        let may_go = |row: &&Row| self.worth(row.gain, terms).is_some() && self.due_at(row, terms.policy) <= terms.now;
        (first..first.saturating_add(size)).filter_map(|n| self.rows.get(&n)).filter(may_go).count() as u32
    }
}

impl Iterator for Walk<'_> {
    type Item = Good;

    fn next(&mut self) -> Option<Good> {
        loop {
            let (Reverse(gain), serial) = self.left.next().copied()?;
            // All that follow gain less.
            let value_planck = self.book.worth(gain, &self.terms)?;
            let due_at = self.book.rows.get(&serial).map_or(0, |row| self.book.due_at(row, self.terms.policy));
            if self.terms.now < due_at {
                self.sleepers.push((serial, due_at));
                continue;
            }
            let cost_planck = self.terms.cost.row_planck(LEAST_BYTES, self.book.sharing(serial, &self.terms));
            if self.terms.policy.is_worth(value_planck, cost_planck) {
                return Some(Good { value_planck, cost_planck, serial });
            }
        }
    }
}

/// A walk with the row that it stands at.
pub struct At<'a> {
    good: Good,
    book: u32,
    walk: Walk<'a>,
}

impl PartialEq for At<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for At<'_> {}
impl PartialOrd for At<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for At<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |at: &Self| (at.good.value_planck, Reverse((at.book, at.good.serial)));
        key(self).cmp(&key(other))
    }
}

/// The rows picked, and the books whose next rows may follow.
pub struct Picked<'a> {
    pub most: usize,
    pub numbers: Vec<Number>,
    pub walks: BinaryHeap<At<'a>>,
}

impl<'a> Picked<'a> {
    pub fn is_full(&self) -> bool {
        self.numbers.len() >= self.most
    }

    /// Takes a book's best rows until they pay for `payout_planck`; the others wait for their turn.
    pub fn open(&mut self, book: u32, mut walk: Walk<'a>, payout_planck: u128) {
        let (mut value, mut costs) = (0u128, payout_planck);
        while !walk.terms.policy.is_worth(value, costs) {
            let Some(row) = walk.next() else { break };
            value = value.saturating_add(row.value_planck);
            costs = costs.saturating_add(row.cost_planck);
            self.numbers.push(Number { book, serial: row.serial });
        }
        if let Some(good) = walk.next() {
            self.walks.push(At { good, book, walk });
        }
    }

    /// Takes what is worth at least this much, while there is room.
    pub fn take_above(&mut self, value_planck: u128) {
        while !self.is_full() && self.walks.peek().is_some_and(|at| at.good.value_planck >= value_planck) {
            let Some(At { good, book, mut walk }) = self.walks.pop() else { return };
            self.numbers.push(Number { book, serial: good.serial });
            if let Some(good) = walk.next() {
                self.walks.push(At { good, book, walk });
            }
        }
    }
}
