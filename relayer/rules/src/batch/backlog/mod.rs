//! All that could be claimed, kept so that a decision looks only at what can be worth it.
//!
//! A decision over a million rows must not look at a million rows. Within a book a row's worth grows with its gain, so a book's rows stand in the order of
//! gain, and who looks stops at the first that cannot pay for itself. A book is looked at again when one of its rows changes, its terms do, or prices do.
//!
//! What [`Backlog::pick`] gives is only a first choice, without vouchers: prices here are the lowest that a row can have. [`super::choose`] has the last
//! word on the rows as the store has them. Rows with a deadline are not kept here: there are few, and they are looked at every time.

mod walk;

use super::{BookView, CostModel, Policy};
use rivulet_core::ids::{Number, Token};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
};
use walk::{Picked, Terms};

/// The least bytes of a row in a blob: a signature, a serial, an amount.
const LEAST_BYTES: usize = 66;

/// A gain in 12 bytes, which every amount fits, ordered as the number: a million of them are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Gain([u32; 3]);

impl Gain {
    fn new(gain: u128) -> Self {
        let gain = gain.min(rivulet_core::amount::MAX_AMOUNT);
        Self([(gain >> 64) as u32, (gain >> 32) as u32, gain as u32])
    }
    fn get(self) -> u128 {
        let [a, b, c] = self.0.map(u128::from);
        a << 64 | b << 32 | c
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    gain: Gain,
    /// Unix seconds.
    last_at: u32,
    /// It waits for its payee's next slot, and is not among those that may go.
    is_asleep: bool,
}

#[derive(Debug, Default)]
struct Book {
    view: Option<BookView>,
    rows: HashMap<u32, Row>,
    /// Rows that may go, the best first.
    awake: BTreeSet<(Reverse<Gain>, u32)>,
    /// Of all rows.
    gain: u128,
    /// Its place among the books that pay for themselves.
    ready: Option<u128>,
}

/// Everything that could be claimed from channels.
#[derive(Debug)]
pub struct Backlog {
    policy: Policy,
    books: HashMap<u32, Book>,
    /// Books to be looked at.
    changed: BTreeSet<u32>,
    /// Books whose rows pay for their payout together, by what their best row is worth.
    ready: BTreeSet<(Reverse<u128>, u32)>,
    /// Rows that wait for a slot, by its beginning (Unix seconds).
    asleep: BTreeMap<u64, Vec<Number>>,
    /// What things cost when books were last looked at.
    cost: Option<CostModel>,
    rows: usize,
}

impl Backlog {
    /// Nothing is known yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, books: HashMap::new(), changed: BTreeSet::new(), ready: BTreeSet::new(), asleep: BTreeMap::new(), cost: None, rows: 0 }
    }

    /// What is known of a book. Rows of a book of which nothing is known stay.
    pub fn set_book(&mut self, book: u32, view: BookView) {
        self.books.entry(book).or_default().view = Some(view);
        self.changed.insert(book);
    }

    /// A row could be claimed, with this gain; it was last sent, or else opened, at `last_at` (Unix seconds).
    pub fn put(&mut self, number: Number, gain: u128, last_at: u64) {
        let Number { book: in_book, serial } = number;
        let (gain, last_at) = (Gain::new(gain), u32::try_from(last_at).unwrap_or(u32::MAX));
        let book = self.books.entry(in_book).or_default();
        let old = book.rows.get(&serial).copied();
        if old.is_some_and(|row| (row.gain, row.last_at) == (gain, last_at)) {
            return;
        }
        // What sleeps sleeps on, unless it was sent meanwhile: another slot may be its next.
        let is_asleep = old.is_some_and(|row| row.is_asleep && row.last_at == last_at);
        self.remove(number);
        let book = self.books.entry(in_book).or_default();
        book.rows.insert(serial, Row { gain, is_asleep, last_at });
        book.gain = book.gain.saturating_add(gain.get());
        self.rows = self.rows.saturating_add(1);
        if !is_asleep {
            book.awake.insert((Reverse(gain), serial));
            self.changed.insert(in_book);
        }
    }

    /// Nothing can be claimed from it, as things stand.
    pub fn remove(&mut self, number: Number) {
        let Some(book) = self.books.get_mut(&number.book) else { return };
        if let Some(row) = book.rows.remove(&number.serial) {
            book.awake.remove(&(Reverse(row.gain), number.serial));
            book.gain = book.gain.saturating_sub(row.gain.get());
            self.rows = self.rows.saturating_sub(1);
            self.changed.insert(number.book);
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What all rows would pay out, by token.
    pub fn gains(&self) -> BTreeMap<Token, u128> {
        let mut gains = BTreeMap::<Token, u128>::new();
        for book in self.books.values() {
            if let Some(view) = book.view.filter(|_| !book.rows.is_empty()) {
                let sum = gains.entry(view.token).or_default();
                *sum = sum.saturating_add(book.gain);
            }
        }
        gains
    }

    /// Every row with its gain and when it was last sent, by number.
    pub fn rows(&self) -> BTreeMap<Number, (u128, u64)> {
        let of = |(book, rows): (&u32, &Book)| {
            let book = *book;
            rows.rows
                .iter()
                .map(move |(serial, row)| (Number { book, serial: *serial }, (row.gain.get(), u64::from(row.last_at))))
                .collect::<Vec<_>>()
        };
        self.books.iter().flat_map(of).collect()
    }

    /// At most so many rows that may go now, the most valuable first; whole books' worth of them, so that each pays for its payout. Of the books in
    /// `paid`, whose payout is paid for already, those that pay for themselves.
    pub fn pick(&mut self, cost: &CostModel, now: u64, most: usize, paid: &BTreeSet<u32>) -> Vec<Number> {
        self.wake(now);
        if self.cost != Some(*cost) {
            self.cost = Some(*cost);
            self.changed.extend(self.books.keys().copied());
        }
        let least_planck = cost.row_planck(LEAST_BYTES, cost.shape.serials_a_cell);
        self.look_at_changed(cost, least_planck, now);
        let terms = Terms { policy: &self.policy, cost, least_planck, now };
        let mut picked = Picked { most, numbers: Vec::new(), walks: BinaryHeap::new() };
        for (number, book) in paid.iter().filter_map(|number| Some((*number, self.books.get(number)?))) {
            picked.open(number, book.walk(terms), 0);
        }
        for (Reverse(value), number) in &self.ready {
            // The books that follow have nothing better.
            picked.take_above(*value);
            if picked.is_full() {
                break;
            }
            if let Some(book) = self.books.get(number).filter(|_| !paid.contains(number)) {
                picked.open(*number, book.walk(terms), cost.group_planck());
            }
        }
        picked.take_above(0);
        picked.numbers
    }

    /// Rows whose slot has come may go.
    fn wake(&mut self, now: u64) {
        while let Some(slot) = self.asleep.first_entry().filter(|slot| *slot.key() <= now) {
            for number in slot.remove() {
                let Some(book) = self.books.get_mut(&number.book) else { continue };
                if let Some(row) = book.rows.get_mut(&number.serial).filter(|row| row.is_asleep) {
                    row.is_asleep = false;
                    book.awake.insert((Reverse(row.gain), number.serial));
                    self.changed.insert(number.book);
                }
            }
        }
    }

    /// Finds out which of the changed books pay for themselves.
    fn look_at_changed(&mut self, cost: &CostModel, least_planck: u128, now: u64) {
        let terms = Terms { policy: &self.policy, cost, least_planck, now };
        for number in std::mem::take(&mut self.changed) {
            let Some(book) = self.books.get_mut(&number) else { continue };
            if let Some(value) = book.ready.take() {
                self.ready.remove(&(Reverse(value), number));
            }
            let mut walk = book.walk(terms);
            let (mut best, mut value, mut costs, mut is_paid) = (None, 0u128, cost.group_planck(), false);
            for row in walk.by_ref() {
                best = best.or(Some(row.value_planck));
                value = value.saturating_add(row.value_planck);
                costs = costs.saturating_add(row.cost_planck);
                is_paid = terms.policy.is_worth(value, costs);
                if is_paid {
                    break;
                }
            }
            for (serial, due_at) in walk.sleepers {
                if let Some(row) = book.rows.get_mut(&serial) {
                    row.is_asleep = true;
                    book.awake.remove(&(Reverse(row.gain), serial));
                    self.asleep.entry(due_at).or_default().push(Number { book: number, serial });
                }
            }
            if book.rows.is_empty() && book.view.is_none() {
                self.books.remove(&number);
            } else if let Some(best) = best.filter(|_| is_paid) {
                book.ready = Some(best);
                self.ready.insert((Reverse(best), number));
            }
        }
    }
}
