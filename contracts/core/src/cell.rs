//! Records of one width that share a cell: a batch pays for a cold cell, not for the bytes in it.

use core::marker::PhantomData;

use crate::{
    host::{Host, Key},
    ids::Number,
};

/// The most bytes that a storage value can have.
pub const MAX_CELL_BYTES: usize = 416;

/// A record that shares its cell with its neighbours in the book.
pub trait Slot: Sized {
    /// Bytes of a record. With a byte more each, [`Self::PER_CELL`] of them fit [`MAX_CELL_BYTES`].
    const BYTES: usize;
    /// How many records share a cell.
    const PER_CELL: u32;
    /// The cell of a book's serials `PER_CELL · index …`.
    fn key(book: u32, index: u32) -> Key;
    /// From its bytes.
    fn read(bytes: &[u8]) -> Self;
    /// Into as many bytes as it has.
    fn write(&self, bytes: &mut [u8]);
}

/// A cell while a call works on it: the slots of the records that are there, in any order, each after its serial's place in the cell. A new record grows
/// it by one slot at the cost of who makes it, a record's end shrinks it by one; no other change alters its length.
#[derive(Debug)]
pub struct Cell<S> {
    book: u32,
    index: u32,
    bytes: [u8; MAX_CELL_BYTES],
    len: usize,
    changed: bool,
    slots: PhantomData<S>,
}

impl<S: Slot> Cell<S> {
    const SLOT_BYTES: usize = {
        assert!((S::BYTES + 1) * S::PER_CELL as usize <= MAX_CELL_BYTES);
        S::BYTES + 1
    };

    /// Reads the cell of this number.
    pub fn load<H: Host>(h: &H, number: Number) -> Self {
        let index = number.serial / S::PER_CELL;
        let mut bytes = [0; MAX_CELL_BYTES];
        let len = h.read(&S::key(number.book, index), &mut bytes);
        Self { book: number.book, index, bytes, len, changed: false, slots: PhantomData }
    }

    /// True when a number belongs here.
    pub fn is_of(&self, number: Number) -> bool {
        self.book == number.book && self.index == number.serial / S::PER_CELL
    }

    /// What a serial's slot begins with.
    fn mark(serial: u32) -> u8 {
        (serial % S::PER_CELL).to_be_bytes()[3]
    }

    /// Where the slot of a serial begins.
    fn slot(&self, serial: u32) -> Option<usize> {
        (0..self.len).step_by(Self::SLOT_BYTES).find(|at| self.bytes.get(*at) == Some(&Self::mark(serial)))
    }

    /// The record, if there is one.
    pub fn get(&self, serial: u32) -> Option<S> {
        let at = self.slot(serial)?;
        self.bytes.get(at.saturating_add(1)..at.saturating_add(Self::SLOT_BYTES)).map(S::read)
    }

    /// Writes the record, in a new slot if it has none.
    pub fn put(&mut self, serial: u32, record: &S) {
        let at = self.slot(serial).unwrap_or(self.len);
        let end = at.saturating_add(Self::SLOT_BYTES);
        // As many serials belong here as there is room for.
        if let Some((mark, bytes)) = self.bytes.get_mut(at..end).and_then(<[u8]>::split_first_mut) {
            *mark = Self::mark(serial);
            record.write(bytes);
            self.len = self.len.max(end);
            self.changed = true;
        }
    }

    /// Takes the record out; the last slot moves into its place.
    pub fn remove(&mut self, serial: u32) {
        if let (Some(at), Some(last)) = (self.slot(serial), self.len.checked_sub(Self::SLOT_BYTES)) {
            self.bytes.copy_within(last..self.len, at);
            self.len = last;
            self.changed = true;
        }
    }

    /// Writes what has changed; an empty cell is deleted.
    #[inline(never)]
    pub fn store<H: Host>(&mut self, h: &mut H) {
        if core::mem::take(&mut self.changed) {
            let key = S::key(self.book, self.index);
            match self.bytes.get(..self.len) {
                Some(slots) if !slots.is_empty() => h.write(&key, slots),
                _ => h.clear(&key),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryHost;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Three([u8; 137]);

    impl Slot for Three {
        const BYTES: usize = 137;
        const PER_CELL: u32 = 3;
        fn key(book: u32, index: u32) -> Key {
            Key::Streams(book, index)
        }
        fn read(bytes: &[u8]) -> Self {
            Self(bytes.try_into().expect("all of it"))
        }
        fn write(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0);
        }
    }

    proptest! {
        #[test]
        fn cells_hold_what_was_put_and_are_gone_when_empty(steps in prop::collection::vec((0u32..3, 0u32..11, any::<bool>(), any::<u8>()), 0..80)) {
            let mut h = MemoryHost::default();
            let mut model = BTreeMap::new();
            for (book, serial, put, byte) in steps {
                let number = Number { book, serial };
                let mut cell = Cell::<Three>::load(&h, number);
                let elsewhere = [Number { serial: serial + 3, ..number }, Number { book: 9, ..number }];
                prop_assert!(cell.is_of(number) && !elsewhere.iter().any(|n| cell.is_of(*n)));
                prop_assert_eq!(cell.get(serial), model.get(&(book, serial)).copied());
                if put {
                    cell.put(serial, &Three([byte; 137]));
                    model.insert((book, serial), Three([byte; 137]));
                } else {
                    cell.remove(serial);
                    model.remove(&(book, serial));
                }
                cell.store(&mut h);
                prop_assert_eq!(h.cells.values().map(Vec::len).sum::<usize>(), model.len() * 138, "each record takes one slot");
                prop_assert!(h.cells.values().all(|v| !v.is_empty()));
            }
            for (book, serial) in (0..3).flat_map(|b| (0..11).map(move |s| (b, s))) {
                prop_assert_eq!(Cell::load(&h, Number { book, serial }).get(serial), model.get(&(book, serial)).copied());
            }
        }
    }
}
