//! The raw storage, read byte by byte: what both contracts store, and the cells that only one of them has.

use super::{
    base::{Addr, Number},
    ledger::{Book, Contract, Terms},
};
use std::collections::{BTreeMap, BTreeSet};

/// All that a contract stores, credits of zero left out. `R` is a channel or a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored<R> {
    pub books: BTreeMap<u32, Book>,
    pub records: BTreeMap<Number, R>,
    pub credits: BTreeMap<(Addr, Addr), u128>,
    pub nonces: BTreeSet<(Addr, u64)>,
    /// By token.
    pub owed: BTreeMap<Addr, u128>,
}

/// Bytes that are read from the front.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or("a cell is too short")?;
        self.0 = rest;
        Ok(*head)
    }
    pub fn int(&mut self, bytes: usize) -> Result<u128, String> {
        (0..bytes).try_fold(0, |sum, _| Ok(sum << 8 | u128::from(self.take::<1>()?[0])))
    }
    pub fn addr(&mut self) -> Result<Addr, String> {
        self.take().map(Addr)
    }
    pub fn end(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{} bytes too many in a cell", self.0.len())) }
    }
}

/// A cell that is no common one: the tag of its key, the rest of its key, its value.
pub type Cell<'a> = (u8, Bytes<'a>, Bytes<'a>);

/// From the raw cells; anything that should not be there is an error.
pub fn parse<C: Contract>(cells: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Stored<C::Record>, String> {
    let mut state =
        Stored { books: BTreeMap::new(), records: BTreeMap::new(), credits: BTreeMap::new(), nonces: BTreeSet::new(), owed: BTreeMap::new() };
    let (mut counted, mut pairs, mut own) = (0, BTreeMap::new(), Vec::new());
    for (key, value) in cells.iter().filter(|(key, _)| **key != [0; 4]) {
        let (mut k, mut v) = (Bytes(key), Bytes(value));
        match k.take::<1>()?[0] {
            0 => {
                v.take::<30>()?;
                counted = v.int(4)? as usize;
                v.int(4)?;
            }
            1 => {
                let (token, _seed) = (k.addr()?, v.int(12)?);
                state.owed.insert(token, v.int(12)?);
            }
            2 => {
                k.int(4)?;
                v.addr()?;
            }
            3 => {
                pairs.insert((k.addr()?, k.addr()?), v.int(4)? as u32);
            }
            4 => {
                let (payee, token, next_serial, ceiling_bps) = (v.addr()?, v.addr()?, v.int(4)? as u32, v.int(2)? as u16);
                let (beneficiary, bps) = (v.addr()?, v.int(2)? as u16);
                let terms = Terms { beneficiary, bps, flat: v.int(12)?, min_gain: v.int(12)?, until: v.int(8)? as u64 };
                state.books.insert(k.int(4)? as u32, Book { payee, token, next_serial, ceiling_bps, terms });
            }
            6 => {
                let (owner, token, credit) = (k.addr()?, k.addr()?, v.int(12)?);
                if credit > 0 {
                    state.credits.insert((owner, token), credit);
                }
            }
            8 => {
                let (signer, high) = (k.addr()?, k.int(8)? as u64);
                let used = v.take::<32>()?;
                let bits = (0..256u64).filter(|bit| used[*bit as usize / 8] & 1 << (bit % 8) != 0);
                state.nonces.extend(bits.map(|bit| (signer, high << 8 | bit)));
            }
            tag => {
                own.push((tag, k, v));
                continue;
            }
        }
        k.end()?;
        v.end()?;
    }
    let of_books: BTreeMap<_, _> = state.books.iter().map(|(n, b)| ((b.payee, b.token), *n)).collect();
    if counted != state.books.len() || of_books != pairs {
        return Err(format!("{counted} books are counted, and these are listed by pair: {pairs:?}, of these: {of_books:?}"));
    }
    state.records = C::read(own)?;
    Ok(state)
}
