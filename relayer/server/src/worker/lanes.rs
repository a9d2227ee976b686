//! The signing keys: each is a lane of its own nonces. A lane that cannot be used is set aside with its reason, and the others go on.
//!
//! ```text
//!            cannot pay for a batch                     has more money, or a while is over
//!   Open ───────────────────────────▶ Underfunded ──────────────────────────────────────────▶ Open
//!    │       its nonce was used by another program      a while is over; each time in a row twice as long
//!    └──────────────────────────────▶ Contested ────────────────────────────────────────────▶ Open
//! ```
//!
//! Nothing of it is stored: which lane sent what is in the intents, and what is wrong with a lane is found again by the first transaction after a start.

use rivulet_rules::{chain::Account, text};
use rivulet_store::Intent;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A lane that could not pay is tried again after this, though nothing changed: batches and fees differ.
const POOR: Duration = Duration::from_secs(300);
/// One that could pay if it had nothing under way is tried again after this: blocks are about so far apart.
const SHORT: Duration = Duration::from_secs(6);
/// A lane whose nonce was taken is left for this long the first time; a second clash in a row doubles it, up to [`CONTESTED_MAX`].
const CONTESTED: Duration = Duration::from_secs(30);
const CONTESTED_MAX: Duration = Duration::from_secs(1_800);

/// How a lane stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LaneState {
    /// It takes batches.
    #[default]
    Open,
    /// It could not pay for one.
    Underfunded {
        /// What it has to have, in planck.
        needs_planck: u128,
        /// When it is tried again all the same.
        until: Instant,
    },
    /// Another program uses its key.
    Contested {
        /// When it is tried again.
        until: Instant,
    },
}

impl LaneState {
    /// Every word of [`LaneState::word`].
    pub const WORDS: [&str; 3] = ["open", "underfunded", "contested"];

    /// In a word, for metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Underfunded { .. } => "underfunded",
            Self::Contested { .. } => "contested",
        }
    }
}

#[derive(Default)]
struct Note {
    state: LaneState,
    /// Clashes since a transaction of ours was last final.
    clashes: u32,
}

/// The lanes, best first.
pub struct Lanes {
    accounts: Vec<Account>,
    max_in_flight: usize,
    notes: Mutex<BTreeMap<Account, Note>>,
}

impl Lanes {
    /// A lane for each account; so many transactions of each may be under way.
    pub fn new(accounts: Vec<Account>, max_in_flight: usize) -> Self {
        Self { accounts, max_in_flight, notes: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, BTreeMap<Account, Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The accounts, best first.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// True when this key is one of them; with several relayers on one store, others have keys of their own.
    pub fn has(&self, account: &Account) -> bool {
        self.accounts.contains(account)
    }

    /// How many transactions may be under way in all.
    pub fn capacity(&self) -> usize {
        self.accounts.len().saturating_mul(self.max_in_flight)
    }

    /// How a lane stands.
    pub fn state(&self, account: &Account, now: Instant) -> LaneState {
        let mut notes = self.notes();
        let Some(note) = notes.get_mut(account) else { return LaneState::Open };
        if let LaneState::Underfunded { until, .. } | LaneState::Contested { until } = note.state
            && until <= now
        {
            note.state = LaneState::Open;
        }
        note.state
    }

    /// The lane for the next batch: of those with room the one with the least under way. A contested one only when every other cannot pay: it may get
    /// through, and nothing else will.
    pub fn choose(&self, open: &[Intent], now: Instant) -> Option<Account> {
        let in_flight = |account: &Account| open.iter().filter(|i| i.tx.signer == *account).count();
        let best = |accounts: Vec<Account>| {
            accounts.into_iter().map(|a| (in_flight(&a), a)).filter(|(n, _)| *n < self.max_in_flight).min_by_key(|(n, _)| *n)
        };
        let of = |wanted: fn(&LaneState) -> bool| self.accounts.iter().filter(|a| wanted(&self.state(a, now))).copied().collect::<Vec<_>>();
        let mut usable = of(|state| matches!(state, LaneState::Open));
        if usable.is_empty() {
            usable = of(|state| matches!(state, LaneState::Contested { .. }));
        }
        best(usable).map(|(_, account)| account)
    }

    /// What a lane has now: one that was underfunded and has enough is open again.
    pub fn funded(&self, account: &Account, balance_planck: u128) {
        if let Some(note) = self.notes().get_mut(account)
            && matches!(note.state, LaneState::Underfunded { needs_planck, .. } if balance_planck >= needs_planck)
        {
            tracing::info!(account = %text::hex(&account.0), balance_planck, "signing key can pay again");
            note.state = LaneState::Open;
        }
    }

    /// A lane cannot pay for what it was to send beside so many that are under way.
    pub fn underfunded(&self, account: &Account, balance_planck: u128, needs_planck: u128, under_way: usize, now: Instant) {
        let missing_planck = needs_planck.saturating_sub(balance_planck);
        let others = self.accounts.len().saturating_sub(1);
        tracing::error!(
            account = %text::hex(&account.0), balance_planck, needs_planck, missing_planck, under_way, others,
            "signing key cannot pay: send it what is missing; other keys go on"
        );
        let until = now + if under_way == 0 { POOR } else { SHORT };
        self.notes().entry(*account).or_default().state = LaneState::Underfunded { needs_planck, until };
    }

    /// A lane's nonce was used by somebody else.
    pub fn contested(&self, account: &Account, now: Instant) {
        let mut notes = self.notes();
        let note = notes.entry(*account).or_default();
        let pause = CONTESTED.saturating_mul(1 << note.clashes.min(10)).min(CONTESTED_MAX);
        note.clashes = note.clashes.saturating_add(1);
        let (account, pause_secs) = (text::hex(&account.0), pause.as_secs());
        tracing::warn!(account, pause_secs, "another program uses this signing key: other keys go before it for a while. Give each program its own");
        if !matches!(note.state, LaneState::Underfunded { .. }) {
            note.state = LaneState::Contested { until: now + pause };
        }
    }

    /// A transaction of a lane is final: its nonces are its own.
    pub fn succeeded(&self, account: &Account) {
        if let Some(note) = self.notes().get_mut(account) {
            note.clashes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_rules::chain::{ContractKind, SignedTx, TxHash};
    use rivulet_store::IntentId;

    const ONE: Account = Account([1; 32]);
    const TWO: Account = Account([2; 32]);

    fn intent(signer: Account) -> Intent {
        let tx = SignedTx { bytes: Vec::new(), hash: TxHash([0; 32]), signer, nonce: 0, valid_from_block: 0, valid_until_block: 9 };
        Intent { id: IntentId(1), contract: ContractKind::Channels, tx, rows: Vec::new(), created_ms: 0 }
    }

    fn lanes() -> Lanes {
        Lanes::new(vec![ONE, TWO], 2)
    }

    #[test]
    fn the_lane_with_the_least_under_way_is_chosen_until_all_are_full() {
        let (lanes, mut open, now) = (lanes(), Vec::new(), Instant::now());
        for expected in [ONE, TWO, ONE, TWO] {
            assert_eq!(lanes.choose(&open, now), Some(expected));
            open.push(intent(expected));
        }
        assert_eq!(lanes.choose(&open, now), None);
        // A key that is no longer configured fills no lane.
        assert_eq!(lanes.choose(&[intent(Account([9; 32]))], now), Some(ONE));
    }

    #[test]
    fn an_underfunded_lane_waits_for_money_or_a_while() {
        let (lanes, now) = (lanes(), Instant::now());
        lanes.underfunded(&ONE, 5, 8, 0, now);
        assert_eq!((lanes.choose(&[], now), lanes.state(&ONE, now).word()), (Some(TWO), "underfunded"));
        lanes.funded(&ONE, 7);
        assert_eq!(lanes.choose(&[], now), Some(TWO));
        lanes.funded(&ONE, 8);
        assert_eq!(lanes.choose(&[], now), Some(ONE));
        lanes.underfunded(&ONE, 5, 8, 0, now);
        lanes.underfunded(&TWO, 0, 8, 0, now);
        assert_eq!(lanes.choose(&[], now), None);
        assert_eq!(lanes.choose(&[], now + POOR), Some(ONE));
        // What is under way leaves too little: soon it is over.
        lanes.underfunded(&ONE, 5, 8, 1, now);
        assert_eq!((lanes.choose(&[], now), lanes.choose(&[], now + SHORT)), (Some(TWO), Some(ONE)));
    }

    #[test]
    fn a_contested_lane_is_the_last_resort_and_left_longer_each_time() {
        let (lanes, begun) = (lanes(), Instant::now());
        lanes.contested(&ONE, begun);
        assert_eq!(lanes.choose(&[], begun), Some(TWO));
        // Full is not out: the other one has room again soon.
        assert_eq!(lanes.choose(&[intent(TWO), intent(TWO)], begun), None);
        lanes.underfunded(&TWO, 0, 8, 0, begun);
        assert_eq!(lanes.choose(&[], begun), Some(ONE));
        lanes.funded(&TWO, 8);
        let again = begun + CONTESTED;
        assert_eq!(lanes.choose(&[], again), Some(ONE));
        lanes.contested(&ONE, again);
        assert_eq!(lanes.choose(&[], again + CONTESTED), Some(TWO));
        assert_eq!(lanes.choose(&[], again + CONTESTED * 2), Some(ONE));
        lanes.succeeded(&ONE);
        lanes.contested(&ONE, begun);
        assert_eq!(lanes.choose(&[], begun + CONTESTED), Some(ONE));
    }
}
