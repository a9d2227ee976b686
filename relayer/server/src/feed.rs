//! What happens to payees, as it happens: kept in memory for those that lose their connection for a moment, and no longer than that. The store has the
//! whole truth; whoever missed more is told to read it.

use rivulet_core::ids::{Address, ChannelNumber, Token};
use rivulet_rules::chain::{ClaimedRow, ContractKind};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast;

/// Events kept, of all payees together.
const KEPT: usize = 16_384;

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// A voucher raised a channel's total, and is on disk.
    Accepted {
        /// Which channel.
        number: ChannelNumber,
        /// The new total.
        cumulative_amount: u128,
        /// What it grew by.
        growth: u128,
        /// When (Unix milliseconds).
        accepted_ms: u64,
    },
    /// A finalized block paid out from a book, whoever claimed.
    Claimed {
        /// From which contract.
        contract: ContractKind,
        /// From which book.
        book: u32,
        /// In which block.
        block_number: u64,
        /// The block's time (Unix seconds).
        at: u64,
        /// Paid out in all, relay fee included.
        gain: u128,
        /// Of it, the relay fee.
        fee: u128,
        /// Each row.
        rows: Vec<ClaimedRow>,
    },
}

/// An event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its place in this process's sequence.
    pub sequence: u64,
    /// Who is paid.
    pub payee: Address,
    /// In what.
    pub token: Token,
    /// What happened.
    pub happening: Happening,
}

/// What a listener hears.
#[derive(Clone, Debug)]
pub enum Heard {
    /// An event, of any payee.
    Event(Arc<Event>),
    /// Something was missed: what happened must be read from the store.
    Gap,
}

#[derive(Debug, Default)]
struct Kept {
    next: u64,
    events: VecDeque<Arc<Event>>,
}

/// The events, and who waits for them.
#[derive(Debug)]
pub struct Feed {
    /// Tells one process's sequence from another's.
    run: u64,
    kept: Mutex<Kept>,
    live: Mutex<Option<broadcast::Sender<Heard>>>,
}

/// A place in the feed that a listener goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which process's sequence.
    pub run: u64,
    /// The last event seen.
    pub sequence: u64,
}

/// A listener's beginning.
#[derive(Debug)]
pub struct Subscription {
    /// What came after its place.
    pub missed: Vec<Arc<Event>>,
    /// False: its place is no longer known; what happened since must be read from the store.
    pub is_whole: bool,
    /// What comes from now on.
    pub live: broadcast::Receiver<Heard>,
}

impl Feed {
    /// Empty. `run` is another number at each start.
    pub fn new(run: u64) -> Self {
        Self { run, kept: Mutex::default(), live: Mutex::new(Some(broadcast::channel(KEPT).0)) }
    }

    /// Which process's sequence this is.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// These happened, in this order.
    pub fn publish(&self, events: impl IntoIterator<Item = (Address, Token, Happening)>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        for (payee, token, happening) in events {
            let event = Arc::new(Event { sequence: kept.next, payee, token, happening });
            kept.next = kept.next.saturating_add(1);
            if kept.events.len() >= KEPT {
                kept.events.pop_front();
            }
            kept.events.push_back(Arc::clone(&event));
            if let Some(live) = live.as_ref() {
                // An error means that nobody listens.
                let _ = live.send(Heard::Event(event));
            }
        }
    }

    /// Something happened that this process has not seen: every listener is told, and who comes back is too.
    pub fn gap(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        kept.events.clear();
        // The place of what was missed: whoever has seen less than that has not seen everything.
        kept.next = kept.next.saturating_add(1);
        if let Some(live) = live.as_ref() {
            let _ = live.send(Heard::Gap);
        }
    }

    /// Listens for a payee's events, from a place on if one is given. `None`: the feed is closed, or so many listen already.
    pub fn subscribe(&self, payee: Address, after: Option<Place>, max: usize) -> Option<Subscription> {
        // Both locks, as in `publish`: nothing falls between what is kept and what is live.
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = live.as_ref().filter(|live| live.receiver_count() < max)?.subscribe();
        let Some(after) = after else { return Some(Subscription { missed: Vec::new(), is_whole: true, live }) };
        let oldest = kept.events.front().map_or(kept.next, |e| e.sequence);
        let is_whole = after.run == self.run && after.sequence < kept.next && after.sequence.saturating_add(1) >= oldest;
        let is_missed = |e: &&Arc<Event>| is_whole && e.payee == payee && e.sequence > after.sequence;
        Some(Subscription { missed: kept.events.iter().filter(is_missed).cloned().collect(), is_whole, live })
    }

    /// Ends every feed: the relayer stops.
    pub fn close(&self) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Address = Address([1; 20]);
    const OTHER: Address = Address([2; 20]);

    fn accepted(n: u128) -> Happening {
        Happening::Accepted { number: ChannelNumber { book: 1, serial: 0 }, cumulative_amount: n, growth: 1, accepted_ms: 0 }
    }

    fn totals(events: &[Arc<Event>]) -> Vec<u128> {
        let total = |e: &Arc<Event>| match e.happening {
            Happening::Accepted { cumulative_amount, .. } => cumulative_amount,
            Happening::Claimed { .. } => 0,
        };
        events.iter().map(total).collect()
    }

    #[test]
    fn who_comes_back_gets_what_it_missed_and_only_its_own() {
        let feed = Feed::new(7);
        feed.publish((0..10).map(|n| (if n % 2 == 0 { ME } else { OTHER }, Address::ZERO, accepted(n))));
        let again = feed.subscribe(ME, Some(Place { run: 7, sequence: 4 }), 9).unwrap();
        assert_eq!((again.is_whole, totals(&again.missed)), (true, vec![6, 8]));
        assert!(feed.subscribe(ME, None, 9).unwrap().missed.is_empty());
    }

    #[test]
    fn a_place_of_another_run_or_too_long_ago_is_not_whole() {
        let feed = Feed::new(7);
        feed.publish((0..KEPT as u128 + 10).map(|n| (ME, Address::ZERO, accepted(n))));
        for (run, sequence, is_whole) in [(6, 100, false), (7, 3, false), (7, 9, true), (7, KEPT as u64 + 9, true), (7, KEPT as u64 + 10, false)] {
            assert_eq!(feed.subscribe(ME, Some(Place { run, sequence }), 9).unwrap().is_whole, is_whole, "{run} {sequence}");
        }
    }

    #[test]
    fn after_a_gap_everybody_is_told_and_what_comes_then_is_whole_again() {
        let feed = Feed::new(7);
        feed.publish([(ME, Address::ZERO, accepted(0))]);
        let mut listening = feed.subscribe(ME, None, 9).unwrap();
        feed.gap();
        assert!(matches!(listening.live.try_recv(), Ok(Heard::Gap)));
        let back = |sequence| feed.subscribe(ME, Some(Place { run: 7, sequence }), 9).unwrap();
        assert!(!back(0).is_whole);
        feed.publish([(ME, Address::ZERO, accepted(1)), (ME, Address::ZERO, accepted(2))]);
        assert!(!back(0).is_whole);
        assert_eq!((back(2).is_whole, totals(&back(2).missed)), (true, vec![2]));
    }

    #[test]
    fn listeners_are_bounded_and_end_when_the_feed_is_closed() {
        let feed = Feed::new(7);
        let mut first = feed.subscribe(ME, None, 1).unwrap();
        assert!(feed.subscribe(ME, None, 1).is_none());
        feed.publish([(ME, Address::ZERO, accepted(5))]);
        feed.close();
        assert!(matches!(first.live.try_recv(), Ok(Heard::Event(event)) if event.sequence == 0));
        assert!(matches!(first.live.try_recv(), Err(broadcast::error::TryRecvError::Closed)));
        assert!(feed.subscribe(ME, None, 9).is_none());
    }
}
