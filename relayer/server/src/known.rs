//! A million channels in little memory: what is the same for a whole book is kept once, the rest without gaps, by serial.
//!
//! What is rare (a requested close or refund, a value too large for its place) is kept whole, aside.

use rivulet_core::{
    amount::MAX_AMOUNT,
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Token},
};
use rivulet_rules::{
    accept::Snapshot,
    chain::{ChannelState, ChannelView},
};
use std::collections::{BTreeMap, HashMap};

/// Serials that lie together: the first of them makes room for all.
const A_PAGE: u32 = 32;

/// An amount in 12 bytes.
#[derive(Clone, Copy, Default)]
struct Amount([u32; 3]);

impl Amount {
    fn new(amount: u128) -> Option<Self> {
        (amount <= MAX_AMOUNT).then_some(Self([(amount >> 64) as u32, (amount >> 32) as u32, amount as u32]))
    }
    fn get(self) -> u128 {
        let [a, b, c] = self.0.map(u128::from);
        a << 64 | b << 32 | c
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Nothing is known.
    #[default]
    Free,
    Live,
    Closed,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    channel_id: [u8; 32],
    payer: Address,
    voucher_signer: Address,
    deposit: Amount,
    claimed: Amount,
    /// 0: no voucher.
    best_total: Amount,
    challenge_period_secs: u32,
    opened_at: u32,
    kind: Kind,
}

impl Slot {
    /// `None`: it does not fit.
    fn new(snapshot: &Snapshot) -> Option<Self> {
        let slot = Self { channel_id: snapshot.channel_id.0, best_total: Amount::new(snapshot.best_total.unwrap_or(0))?, ..Self::default() };
        match snapshot.view {
            ChannelView::Unknown => None,
            ChannelView::Closed => Some(Self { kind: Kind::Closed, ..slot }),
            ChannelView::Live(ChannelState { terms, deposit, claimed, .. }) => Some(Self {
                payer: terms.payer,
                voucher_signer: terms.voucher_signer,
                deposit: Amount::new(deposit)?,
                claimed: Amount::new(claimed)?,
                challenge_period_secs: terms.challenge_period_secs,
                opened_at: u32::try_from(terms.opened_at).ok()?,
                kind: Kind::Live,
                ..slot
            }),
        }
    }

    fn snapshot(&self, number: ChannelNumber, payee_and_token: Option<(Address, Token)>) -> Option<Snapshot> {
        let (payee, token) = payee_and_token.unwrap_or_default();
        let view = match self.kind {
            Kind::Free => return None,
            Kind::Closed => ChannelView::Closed,
            Kind::Live => ChannelView::Live(ChannelState {
                terms: ChannelTerms {
                    number,
                    payer: self.payer,
                    payee,
                    voucher_signer: self.voucher_signer,
                    token,
                    challenge_period_secs: self.challenge_period_secs,
                    opened_at: u64::from(self.opened_at),
                },
                deposit: self.deposit.get(),
                claimed: self.claimed.get(),
                close_due_at: None,
                refund_requested: 0,
                refund_due_at: None,
            }),
        };
        let best_total = Some(self.best_total.get()).filter(|total| *total > 0);
        Some(Snapshot { view, channel_id: ChannelId(self.channel_id), best_total, is_final: true })
    }
}

#[derive(Default)]
struct Book {
    /// Of the first that was live.
    payee_and_token: Option<(Address, Token)>,
    pages: BTreeMap<u32, Box<[Slot; A_PAGE as usize]>>,
}

/// Snapshots by number.
#[derive(Default)]
pub struct Known {
    books: HashMap<u32, Book>,
    whole: HashMap<ChannelNumber, Snapshot>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("books", &self.books.len()).finish_non_exhaustive()
    }
}

fn place(number: ChannelNumber) -> (u32, usize) {
    (number.serial / A_PAGE, (number.serial % A_PAGE) as usize)
}

impl Known {
    /// What is known of a channel.
    pub fn get(&self, number: ChannelNumber) -> Option<Snapshot> {
        let (page, at) = place(number);
        let slot = self.books.get(&number.book).and_then(|book| Some((book, book.pages.get(&page)?.get(at)?)));
        slot.and_then(|(book, slot)| slot.snapshot(number, book.payee_and_token)).or_else(|| self.whole.get(&number).copied())
    }

    /// This is known of it now.
    pub fn put(&mut self, number: ChannelNumber, snapshot: Snapshot) {
        self.remove(number);
        let Some(slot) = Slot::new(&snapshot) else {
            self.whole.insert(number, snapshot);
            return;
        };
        let (page, at) = place(number);
        let book = self.books.entry(number.book).or_default();
        if let ChannelView::Live(state) = snapshot.view {
            book.payee_and_token.get_or_insert((state.terms.payee, state.terms.token));
        }
        // Whatever is not exactly as it went in has no place here.
        if slot.snapshot(number, book.payee_and_token) != Some(snapshot) {
            self.whole.insert(number, snapshot);
            return;
        }
        if let Some(free) = book.pages.entry(page).or_insert_with(|| Box::new([Slot::default(); A_PAGE as usize])).get_mut(at) {
            *free = slot;
        }
    }

    /// Its best total is at least this.
    pub fn raise(&mut self, number: ChannelNumber, total: u128) {
        if let Some(snapshot) = self.whole.get_mut(&number) {
            snapshot.best_total = snapshot.best_total.max(Some(total));
            return;
        }
        let (page, at) = place(number);
        let slot = self.books.get_mut(&number.book).and_then(|book| book.pages.get_mut(&page)?.get_mut(at));
        if let Some(slot) = slot.filter(|slot| slot.kind != Kind::Free)
            && let Some(best) = Amount::new(total.max(slot.best_total.get()))
        {
            slot.best_total = best;
        }
    }

    /// Nothing is known of it any more.
    pub fn remove(&mut self, number: ChannelNumber) {
        let (page, at) = place(number);
        if let Some(slot) = self.books.get_mut(&number.book).and_then(|book| book.pages.get_mut(&page)?.get_mut(at)) {
            *slot = Slot::default();
        }
        self.whole.remove(&number);
    }

    /// Nothing is known of any.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::Number;
    use rivulet_rules::testing::{Key, channel_of, payee, snapshot};

    fn live(number: ChannelNumber, of: u8) -> Snapshot {
        snapshot(channel_of(number, &Key::of(1), 1_000, payee(of), Address::ZERO))
    }

    /// Every kind of snapshot that there is, under this number.
    fn kinds(number: ChannelNumber) -> Vec<Snapshot> {
        let plain = live(number, 1);
        let with = |change: &dyn Fn(&mut ChannelState)| {
            let mut changed = plain;
            if let ChannelView::Live(state) = &mut changed.view {
                change(state);
            }
            changed
        };
        vec![
            plain,
            Snapshot { best_total: Some(7), ..plain },
            Snapshot { best_total: Some(MAX_AMOUNT), ..plain },
            Snapshot { view: ChannelView::Closed, best_total: Some(5), ..plain },
            Snapshot { view: ChannelView::Unknown, ..plain },
            Snapshot { is_final: false, ..plain },
            live(number, 2),
            with(&|s| s.close_due_at = Some(9)),
            with(&|s| (s.refund_requested, s.refund_due_at) = (3, Some(4))),
            with(&|s| s.terms.opened_at = u64::MAX),
            with(&|s| s.deposit = u128::MAX),
            with(&|s| s.claimed = 999),
        ]
    }

    #[test]
    fn what_goes_in_comes_out_whatever_was_there_before() {
        let (mut known, number, other) = (Known::default(), Number { book: 3, serial: 40 }, Number { book: 3, serial: 41 });
        known.put(other, live(other, 1));
        for before in kinds(number) {
            for now in kinds(number) {
                known.put(number, before);
                known.put(number, now);
                assert_eq!(known.get(number), Some(now));
            }
        }
        known.remove(number);
        assert_eq!((known.get(number), known.get(other)), (None, Some(live(other, 1))));
        known.clear();
        assert_eq!(known.get(other), None);
    }

    #[test]
    fn totals_only_rise_and_only_of_what_is_known() {
        let (mut known, number) = (Known::default(), Number { book: 1, serial: 5 });
        known.raise(number, 3);
        assert_eq!(known.get(number), None);
        for before in kinds(number) {
            known.put(number, before);
            known.raise(number, 6);
            assert_eq!(known.get(number), Some(Snapshot { best_total: before.best_total.max(Some(6)), ..before }));
        }
    }

    #[test]
    fn a_channel_takes_120_bytes() {
        assert_eq!(size_of::<Slot>(), 120);
    }
}
