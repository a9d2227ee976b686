//! Which channels have changed in the store: what a claim decision has to look at again.
//!
//! Noted by what commits, after the commit and before its caller is told: neither a caller that is gone nor a row read too early is ever missed. Only
//! what this process wrote is noted; what other relayers wrote on a shared database is not.

use rivulet_core::ids::ChannelNumber;
use std::sync::{Mutex, PoisonError};

/// More than so many are not remembered one by one: then everything is read again.
const MOST: usize = 1 << 20;

/// What has changed since it was last asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// Channels, each once, by number. Their voucher, record, intent or place aside may be another.
    pub channels: Vec<ChannelNumber>,
    /// Books of channels with other terms.
    pub books: Vec<u32>,
    /// More than could be remembered, or nothing is known yet: anything may have changed.
    pub is_all: bool,
}

/// Gathers what has changed.
#[derive(Debug)]
pub struct Changes(Mutex<Changed>);

impl Default for Changes {
    /// Nothing has been read yet.
    fn default() -> Self {
        Self(Mutex::new(Changed { is_all: true, ..Changed::default() }))
    }
}

impl Changes {
    fn with<T>(&self, f: impl FnOnce(&mut Changed) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// These channels have changed.
    pub fn mark(&self, numbers: impl IntoIterator<Item = ChannelNumber>) {
        self.with(|changed| {
            if changed.is_all {
                return;
            }
            changed.channels.extend(numbers);
            if changed.channels.len() > MOST {
                changed.channels.sort_unstable();
                changed.channels.dedup();
                if changed.channels.len() > MOST / 2 {
                    *changed = Changed { is_all: true, ..Changed::default() };
                }
            }
        });
    }

    /// These books have other terms.
    pub fn mark_books(&self, books: impl IntoIterator<Item = u32>) {
        self.with(|changed| changed.books.extend(books));
    }

    /// Anything may have changed.
    pub fn mark_all(&self) {
        self.with(|changed| *changed = Changed { is_all: true, ..Changed::default() });
    }

    /// What has changed since this was last asked.
    pub fn take(&self) -> Changed {
        let mut changed = self.with(std::mem::take);
        changed.channels.sort_unstable();
        changed.channels.dedup();
        changed.books.sort_unstable();
        changed.books.dedup();
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::Number;

    fn numbers(serials: impl IntoIterator<Item = u32>) -> Vec<ChannelNumber> {
        serials.into_iter().map(|serial| Number { book: 1, serial }).collect()
    }

    #[test]
    fn each_is_named_once_and_only_once() {
        let changes = Changes::default();
        assert!(changes.take().is_all, "nothing was read yet");
        changes.mark(numbers([3, 1, 3]));
        changes.mark_books([2, 2]);
        assert_eq!(changes.take(), Changed { channels: numbers([1, 3]), books: vec![2], is_all: false });
        assert_eq!(changes.take(), Changed::default());
    }

    #[test]
    fn what_nobody_asks_for_does_not_grow_for_ever() {
        let changes = Changes::default();
        changes.take();
        for _ in 0..3 {
            changes.mark(numbers(0..MOST as u32 / 2));
        }
        assert_eq!(changes.take().channels.len(), MOST / 2);
        changes.mark(numbers(0..MOST as u32 + 1));
        assert_eq!(changes.take(), Changed { is_all: true, ..Changed::default() });
    }
}
