//! A fresh store of the kind that the test's `place` makes, and what goes into it.
#![allow(dead_code)] // each test uses a part

use crate::place::Place;
use rivulet_core::{
    ids::{Address, Number},
    outcome::RowOutcome,
};
use rivulet_rules::{
    batch::gain,
    chain::{Account, BlockRef, ChannelState, ContractKind, SignedTx, TxHash},
    reconcile::{IntentRow, RowResult},
    testing::{Key, channel, id, verified},
};
use rivulet_store::{ChainUpdate, ChannelUpdate, DeploymentId, Fence, IntentEnd, NewIntent, Pending, Store, StreamUpdate, Unclaimed};
use std::{sync::Arc, time::Duration};

pub const NUMBER: Number = Number { book: 1, serial: 0 };
/// A day and a bit.
pub const NOW_MS: u64 = 86_400_001;
/// 100 planck in wei: amounts that can move.
pub const UNIT: u128 = 10_000_000_000;

pub fn deployment() -> DeploymentId {
    DeploymentId { chain_id: 1, genesis_hash: [1; 32], channels: Address([2; 20]), streams: Address([3; 20]) }
}

pub struct Fresh {
    pub place: Place,
    pub store: Arc<dyn Store>,
    pub fence: Fence,
}

impl Fresh {
    pub async fn new() -> Self {
        Self::in_place(Place::new().await).await
    }
    pub async fn in_place(place: Place) -> Self {
        let store = place.open(&deployment()).await.unwrap();
        let fence = store.lease(Duration::from_secs(600)).await.unwrap().unwrap();
        Self { place, store, fence }
    }
    /// As another run of a relayer would find it.
    pub async fn reopened(self) -> Self {
        let Self { place, store, .. } = self;
        store.give_back().await.unwrap();
        drop(store);
        let store = place.open(&deployment()).await.unwrap();
        let fence = store.lease(Duration::from_secs(600)).await.unwrap().unwrap();
        Self { place, store, fence }
    }
    pub async fn with_channel() -> (Self, Key, ChannelState) {
        Self::with_channel_in(Place::new().await).await
    }
    pub async fn with_channel_in(place: Place) -> (Self, Key, ChannelState) {
        let (fresh, key) = (Self::in_place(place).await, Key::of(1));
        let state = channel(NUMBER, &key, 1_000 * UNIT);
        fresh.read_at(1, state).await;
        (fresh, key, state)
    }
    pub async fn read_at(&self, read_at_block: u64, state: ChannelState) {
        self.see(read_at_block, ChannelUpdate::Live { state, channel_id: id(&state) }).await;
    }
    pub async fn see(&self, block: u64, update: ChannelUpdate) {
        self.store.apply(ChainUpdate { channels: vec![(block, update)], ..ChainUpdate::default() }).await.unwrap();
    }
    pub async fn accept(&self, state: &ChannelState, key: &Key, total: u128) -> Result<u128, &'static str> {
        let answers = self.store.accept(vec![verified(state, key, total * UNIT)], NOW_MS).await.unwrap();
        answers[0].as_ref().map(|a| a.growth / UNIT).map_err(|e| e.code())
    }
    pub async fn see_streams(&self, streams: Vec<StreamUpdate>) {
        self.store.apply(ChainUpdate { streams, ..ChainUpdate::default() }).await.unwrap();
    }
    pub async fn streams(&self) -> Vec<Number> {
        self.store.pending_streams().await.unwrap().iter().map(|p| p.number).collect()
    }
    /// Totals of what is pending, in whichever way it is asked for.
    pub async fn pending(&self) -> Vec<u128> {
        let mut pending = self.store.pending_channels().await.unwrap();
        pending.sort_by_key(|p| p.state.terms.number);
        let numbers = self.store.live_channels().await.unwrap().into_iter().chain([Number { book: 9, serial: 9 }]);
        let mut asked_for = self.store.pending_of(numbers.collect()).await.unwrap();
        asked_for.sort_by_key(|p| p.state.terms.number);
        assert_eq!(asked_for, pending);
        let is_open = |p: &&Pending| p.state.close_due_at.is_none() && p.state.refund_due_at.is_none();
        let row = |p: &Pending| Unclaimed {
            number: p.state.terms.number,
            gain: gain(&p.state, p.best.cumulative_amount),
            last_at: p.sent_at.unwrap_or(p.state.terms.opened_at),
        };
        let expected: Vec<_> = pending.iter().filter(is_open).map(row).filter(|row| row.gain > 0).collect();
        for limit in [1, 2, 1_000] {
            assert_eq!(self.unclaimed(limit).await, expected);
        }
        pending.iter().map(|p| p.best.cumulative_amount / UNIT).collect()
    }
    async fn unclaimed(&self, limit: usize) -> Vec<Unclaimed> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.unclaimed(after, limit).await.unwrap();
            found.extend(page.rows);
            match page.next {
                Some(next) => after = Some(next),
                None => return found,
            }
        }
    }
}

pub fn intent(fresh: &Fresh, n: u8, total: u128) -> NewIntent {
    let tx = SignedTx {
        bytes: vec![n; 9],
        hash: TxHash([n; 32]),
        signer: Account([4; 32]),
        nonce: u64::from(n),
        valid_from_block: 5,
        valid_until_block: 68,
    };
    let rows = vec![IntentRow { number: NUMBER, cumulative_amount: total * UNIT, gain: total * UNIT }];
    NewIntent { contract: ContractKind::Channels, blob: vec![1, 2], tx, rows, sent_at: 5_000, created_ms: NOW_MS, fence: fresh.fence }
}

pub fn finalized(outcome: RowOutcome, total: u128) -> IntentEnd {
    let results = vec![RowResult { number: NUMBER, outcome, total: total * UNIT }];
    IntentEnd::Finalized { block: BlockRef { number: 9, hash: [9; 32] }, fee_planck: Some(5), results }
}
