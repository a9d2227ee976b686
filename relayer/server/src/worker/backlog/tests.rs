//! Whatever happens to the store, in whatever order: what is kept is what the store says is pending.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use rivulet_core::{
    ids::{Address, Number},
    outcome::RowOutcome,
};
use rivulet_rules::{
    batch::Schedule,
    chain::{Account, BlockRef, BookState, ChannelState, SignedTx, TxHash},
    reconcile::{IntentRow, RowResult},
    testing::{Key, channel, id, verified},
};
use rivulet_store::{ChainUpdate, ChannelUpdate, DeploymentId, IntentEnd, IntentId, NewIntent, SetAside, SqliteStore};
use std::path::Path;

const CHANNELS: u32 = 6;
const DEPOSIT: u128 = 20;
/// What the chain can move.
const UNIT: u128 = 100_000_000;
const FENCE: Fence = Fence(1);

#[derive(Clone, Copy, Debug)]
enum Act {
    Pay(u32, u128),
    ReadAgain(u32),
    TopUp(u32, u128),
    Claimed(u32, u128),
    RequestClose(u32),
    RequestRefund(u32, bool),
    Closed(u32),
    /// Of these channels, by bits.
    Open(u8),
    Finish(usize, u8),
    SetAside(u32, u128),
    Terms(u16),
    Restart,
    Look,
}

fn any_act() -> impl Strategy<Value = Act> {
    use Act::*;
    let (serial, total) = (0..CHANNELS, 1..DEPOSIT + 5);
    prop_oneof![
        6 => (serial.clone(), 1..DEPOSIT).prop_map(|(s, t)| Pay(s, t)),
        1 => serial.clone().prop_map(ReadAgain),
        1 => (serial.clone(), total.clone()).prop_map(|(s, t)| TopUp(s, t)),
        2 => (serial.clone(), total.clone()).prop_map(|(s, t)| Claimed(s, t)),
        1 => serial.clone().prop_map(RequestClose),
        1 => (serial.clone(), any::<bool>()).prop_map(|(s, is)| RequestRefund(s, is)),
        1 => serial.clone().prop_map(Closed),
        2 => any::<u8>().prop_map(Open),
        2 => (any::<usize>(), 0..6u8).prop_map(|(i, how)| Finish(i, how)),
        1 => (serial, total).prop_map(|(s, t)| SetAside(s, t)),
        1 => (0..3u16).prop_map(Terms),
        1 => Just(Restart),
        6 => Just(Look),
    ]
}

fn number(serial: u32) -> Number {
    Number { book: 1 + serial % 2, serial }
}

fn state(serial: u32) -> ChannelState {
    channel(number(serial), &Key::of(1), DEPOSIT * UNIT)
}

fn policy() -> Policy {
    Policy {
        beneficiary: Address::ZERO,
        own_payees: [].into(),
        token_values: [].into(),
        fee_ceiling_bps: 1_000,
        min_value_bps: 0,
        schedule: Schedule::default(),
        max_rows: 500,
        max_blob_bytes: 100_000,
        fund_new: false,
    }
}

struct World {
    store: SqliteStore,
    block: u64,
    intents: Vec<(IntentId, Vec<Number>)>,
    made: u64,
}

fn open(path: &Path) -> SqliteStore {
    let deployment = DeploymentId { chain_id: 1, genesis_hash: [1; 32], channels: Address([2; 20]), streams: Address([3; 20]) };
    SqliteStore::open(path, &deployment).unwrap()
}

impl World {
    async fn see(&mut self, update: ChannelUpdate) {
        self.block += 1;
        self.store.apply(ChainUpdate { channels: vec![(self.block, update)], ..ChainUpdate::default() }).await.unwrap();
    }

    async fn open_intent(&mut self, bits: u8) {
        let rows: Vec<_> = (0..CHANNELS).filter(|serial| bits >> serial & 1 == 1).map(number).collect();
        if rows.is_empty() {
            return;
        }
        self.made += 1;
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&self.made.to_be_bytes());
        let tx =
            SignedTx { bytes: vec![], hash: TxHash(hash), signer: Account([4; 32]), nonce: self.made, valid_from_block: 1, valid_until_block: 9 };
        let row = |number: &Number| IntentRow { number: *number, cumulative_amount: 5 * UNIT, gain: UNIT };
        let intent = NewIntent {
            contract: ContractKind::Channels,
            blob: vec![],
            tx,
            rows: rows.iter().map(row).collect(),
            sent_at: 5_000 + self.made,
            created_ms: 1,
            fence: FENCE,
        };
        // Refused when a row is under way.
        if let Ok(id) = self.store.open_intent(intent).await {
            self.intents.push((id, rows));
        }
    }

    async fn finish(&mut self, which: usize, how: u8) {
        if self.intents.is_empty() {
            return;
        }
        let (id, rows) = self.intents.swap_remove(which % self.intents.len());
        let block = BlockRef { number: 9, hash: [9; 32] };
        let outcome = [RowOutcome::Applied, RowOutcome::BadSignature, RowOutcome::Stale, RowOutcome::Closed].get(usize::from(how)).copied();
        let end = match outcome {
            Some(outcome) => {
                let result = |number: &Number| RowResult { number: *number, outcome, total: 5 * UNIT };
                IntentEnd::Finalized { block, fee_planck: None, results: rows.iter().map(result).collect() }
            }
            None if how == 4 => IntentEnd::Failed { block, fee_planck: None, reason: "failed".to_owned() },
            None => IntentEnd::Expired { reason: "expired".to_owned() },
        };
        self.store.finish_intent(id, end).await.unwrap();
    }

    async fn pending(&self) -> BTreeMap<Number, (u128, u64)> {
        let row =
            |p: &Pending| (p.state.terms.number, (batch::gain(&p.state, p.best.cumulative_amount), p.sent_at.unwrap_or(p.state.terms.opened_at)));
        let pending = self.store.pending_channels().await.unwrap();
        pending.iter().filter(|p| !is_closing(p)).map(row).filter(|(_, (gain, _))| *gain > 0).collect()
    }
}

async fn play(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relayer.db");
    let mut world = World { store: open(&path), block: 0, intents: vec![], made: 0 };
    for serial in 0..CHANNELS {
        world.see(ChannelUpdate::Live { state: state(serial), channel_id: id(&state(serial)) }).await;
    }
    let mut kept = None;
    for act in acts.into_iter().chain([Act::Look]) {
        match act {
            Act::Pay(serial, total) => {
                let voucher = verified(&state(serial), &Key::of(1), total * UNIT);
                let _ = world.store.accept(vec![voucher], 1_000).await.unwrap();
            }
            Act::ReadAgain(serial) => world.see(ChannelUpdate::Live { state: state(serial), channel_id: id(&state(serial)) }).await,
            Act::TopUp(serial, total) => world.see(ChannelUpdate::Deposit { number: number(serial), deposit: total * UNIT }).await,
            Act::Claimed(serial, total) => world.see(ChannelUpdate::Claimed { number: number(serial), claimed: total * UNIT }).await,
            Act::RequestClose(serial) => world.see(ChannelUpdate::CloseRequested { number: number(serial), due_at: 9 }).await,
            Act::RequestRefund(serial, is) => {
                let (amount, due_at) = (u128::from(is) * UNIT, is.then_some(9));
                world.see(ChannelUpdate::RefundRequested { number: number(serial), amount, due_at }).await;
            }
            Act::Closed(serial) => world.see(ChannelUpdate::Closed { number: number(serial), claimed: None }).await,
            Act::Open(bits) => world.open_intent(bits).await,
            Act::Finish(which, how) => world.finish(which, how).await,
            Act::SetAside(serial, total) => {
                let row = SetAside { contract: ContractKind::Channels, number: number(serial), cumulative_amount: total * UNIT, reason: "refused" };
                world.store.set_aside(vec![row]).await.unwrap();
            }
            Act::Terms(fee_bps) => {
                let terms = rivulet_core::fee::RelayTerms { fee_bps, ..Default::default() };
                let book = BookState { book: 1, payee: Address([0xa1; 20]), token: Address::ZERO, next_serial: 9, terms };
                world.block += 1;
                world.store.apply(ChainUpdate { books: vec![(world.block, ContractKind::Channels, book)], ..ChainUpdate::default() }).await.unwrap();
            }
            Act::Restart => {
                drop(world.store);
                world.store = open(&path);
                // A new process keeps nothing; should something be kept, the new store says that anything may have changed.
            }
            Act::Look => {
                let now = Kept::up_to_date(kept.take(), &world.store, FENCE, &policy()).await.unwrap();
                prop_assert_eq!(now.backlog.rows(), world.pending().await);
                kept = Some(now);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_kept_is_what_the_store_says_is_pending(acts in proptest::collection::vec(any_act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(play(acts))?;
    }
}
