//! given vouchers that are stored
//! ├── a pass claims them; a later one finds the transaction final and records each row
//! ├── whatever happens between record and finality (not sent, lost, failed, killed): each voucher is paid once
//! ├── a row that the dry run refuses is set aside and harms no other
//! ├── a deadline presses
//! │   └── before that it waits for the next paying batch, and goes with it
//! ├── a refund request lapses between the reading of a record and its check: what it took is not covered
//! ├── streams are claimed in the same loop
//! ├── blocks that the node has thrown away: every record is read anew
//! └── a block that other nodes contradict is not taken in, and nothing is claimed

mod support;

use rivulet_core::{ids::Number, outcome::RowOutcome};
use rivulet_rules::{
    chain::{ChannelState, ContractKind},
    testing::{Key, offer, payee},
};
use rivulet_server::serve::Relayer;
use support::{CENT, FakeChain, MORTALITY, SIGNER, relayer};

struct World {
    dir: tempfile::TempDir,
    chain: FakeChain,
    key: Key,
}

fn number(book: u32, serial: u32) -> Number {
    Number { book, serial }
}

/// Vouchers are worth whatever they are, unless a test says otherwise.
const FREE: &str = "batch.min_value_bps = 0";

impl World {
    /// Book 1 with channels of serial 0 to `channels` − 1.
    fn new(channels: u32) -> Self {
        let (chain, key) = (FakeChain::new(), Key::of(1));
        chain.book(ContractKind::Channels, 1);
        (0..channels).for_each(|serial| {
            chain.open(number(1, serial), &key, 1_000 * CENT);
        });
        chain.produce();
        Self { dir: tempfile::tempdir().unwrap(), chain, key }
    }

    fn start(&self, more: &str) -> Relayer {
        relayer(self.dir.path(), &self.chain, more)
    }

    fn state(&self, serial: u32) -> ChannelState {
        self.chain.lock().channels[&number(1, serial)]
    }

    async fn pay(&self, relayer: &Relayer, serial: u32, cents: u128) {
        let mut state = self.state(serial);
        state.close_due_at = None;
        let answers = relayer.api.acceptor.accept(vec![offer(&state, &self.key, cents * CENT)]).await.unwrap();
        answers.into_iter().next().unwrap().unwrap();
    }

    // Each takes the lock for itself: a guard in a tuple lives to the end of the statement.
    fn included(&self) -> usize {
        self.chain.lock().included
    }
    fn submissions(&self) -> usize {
        self.chain.lock().submissions
    }
    fn paid(&self) -> Vec<u128> {
        self.chain.lock().paid.values().map(|p| p / CENT).collect()
    }
}

async fn pass(relayer: &Relayer) {
    let head = relayer.worker.catch_up().await.unwrap();
    relayer.worker.pass(&head).await.unwrap();
}

async fn open_intents(relayer: &Relayer) -> usize {
    relayer.api.store.open_intents().await.unwrap().len()
}

#[tokio::test]
async fn many_channels_are_claimed_in_one_transaction() {
    let world = World::new(20);
    let relayer = world.start("");
    pass(&relayer).await;
    for serial in 0..20 {
        world.pay(&relayer, serial, 100 + u128::from(serial)).await;
    }
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.submissions()), (1, 1));
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.included()), (0, 1));
    assert_eq!(world.paid(), (100..120).collect::<Vec<_>>());
    let earned = relayer.api.store.earnings(payee(1)).await.unwrap().remove(0);
    assert_eq!((earned.claimed, earned.accepted, earned.pending), (earned.accepted, 2_190 * CENT, 0));
    // Nothing more to do.
    pass(&relayer).await;
    assert_eq!(world.included(), 1);
}

#[tokio::test]
async fn rows_that_do_not_pay_for_themselves_wait() {
    let world = World::new(1);
    let relayer = world.start("");
    pass(&relayer).await;
    world.pay(&relayer, 0, 1).await;
    pass(&relayer).await;
    assert_eq!(world.submissions(), 0);
    world.pay(&relayer, 0, 200).await;
    pass(&relayer).await;
    assert_eq!(world.submissions(), 1);
}

#[tokio::test]
async fn what_was_recorded_but_not_sent_is_sent_by_the_next_start() {
    let world = World::new(1);
    {
        let relayer = world.start(FREE);
        pass(&relayer).await;
        world.pay(&relayer, 0, 5).await;
        world.chain.lock().faults.unreachable = true;
        pass(&relayer).await;
        assert_eq!(open_intents(&relayer).await, 1);
    }
    world.chain.lock().faults.unreachable = false;
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.included(), world.paid()), (0, 1, vec![5]));
}

#[tokio::test]
async fn what_was_sent_before_a_crash_is_found_and_not_sent_anew() {
    let world = World::new(1);
    {
        let relayer = world.start(FREE);
        pass(&relayer).await;
        world.pay(&relayer, 0, 5).await;
        pass(&relayer).await;
    }
    world.chain.produce();
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.included(), world.paid()), (0, 1, vec![5]));
}

#[tokio::test]
async fn a_lost_transaction_is_given_up_when_its_era_ends_and_its_rows_go_again() {
    let world = World::new(1);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.pay(&relayer, 0, 5).await;
    world.chain.lock().faults.lose = true;
    pass(&relayer).await;
    for _ in 1..MORTALITY {
        world.chain.produce();
        pass(&relayer).await;
        assert_eq!(open_intents(&relayer).await, 1);
    }
    world.chain.lock().faults.lose = false;
    world.chain.produce();
    pass(&relayer).await;
    // The old one is over, a new one is under way with the same nonce.
    let intents = relayer.api.store.open_intents().await.unwrap();
    assert_eq!((intents.len(), intents[0].tx.nonce), (1, 0));
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.included(), world.paid()), (0, 1, vec![5]));
}

#[tokio::test]
async fn a_failed_transaction_leaves_its_rows_for_the_next() {
    let world = World::new(1);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.pay(&relayer, 0, 5).await;
    world.chain.lock().faults.fail = true;
    pass(&relayer).await;
    world.chain.produce();
    world.chain.lock().faults.fail = false;
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.included(), world.paid()), (0, 2, vec![5]));
}

#[tokio::test]
async fn a_key_used_elsewhere_does_not_stop_the_worker() {
    let world = World::new(1);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.pay(&relayer, 0, 5).await;
    world.chain.lock().faults.lose = true;
    pass(&relayer).await;
    // Another transaction with nonce 0 gets into a block.
    let other = relayer.api.store.open_intents().await.unwrap().remove(0).tx;
    {
        use rivulet_server::chain::{ChainAccess, Turn};
        world.chain.lock().faults.lose = false;
        let head = world.chain.finalized_head().await.unwrap();
        let blob = rivulet_core::blob::encode(&[(1, (false, [(0, rivulet_core::blob::StreamRow)].into()))].into());
        let dry_run = world.chain.dry_run(ContractKind::Streams, &blob, SIGNER, head.block).await.unwrap();
        let turn = Turn { signer: SIGNER, nonce: other.nonce };
        let tx = world.chain.sign(ContractKind::Streams, &blob, &dry_run, &rivulet_rules::testing::fees(), turn, head.block).await;
        world.chain.submit(&tx.unwrap()).await.unwrap();
    }
    world.chain.produce();
    pass(&relayer).await;
    let intents = relayer.api.store.open_intents().await.unwrap();
    assert_eq!((intents.len(), intents[0].tx.nonce), (1, 1));
}

#[tokio::test]
async fn a_row_that_the_dry_run_refuses_is_set_aside_and_harms_no_other() {
    let world = World::new(3);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    for serial in 0..3 {
        world.pay(&relayer, serial, 7).await;
    }
    world.chain.lock().faults.dry.insert(number(1, 1), RowOutcome::BadSignature);
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(world.paid(), [7, 7]);
    let channel = relayer.api.store.channel(number(1, 1)).await.unwrap().unwrap();
    assert_eq!(channel.set_aside.as_deref(), Some("bad_signature"));
    // A higher voucher gets another chance.
    world.chain.lock().faults.dry.clear();
    world.pay(&relayer, 1, 8).await;
    pass(&relayer).await;
    world.chain.produce();
    assert_eq!(world.paid(), [7, 8, 7]);
}

#[tokio::test]
async fn a_batch_that_is_refused_whole_is_tried_in_halves() {
    let world = World::new(9);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    for serial in 0..9 {
        world.pay(&relayer, serial, 7).await;
    }
    world.chain.lock().faults.most_rows = Some(4);
    for _ in 0..3 {
        pass(&relayer).await;
        world.chain.produce();
    }
    assert_eq!(world.paid(), [7; 9]);
}

#[tokio::test]
async fn several_transactions_go_at_once_up_to_the_limit_with_a_nonce_each() {
    let world = World::new(10);
    let relayer = world.start("batch = { min_value_bps = 0, max_rows = 2, max_in_flight = 3 }");
    pass(&relayer).await;
    for serial in 0..10 {
        world.pay(&relayer, serial, 7).await;
    }
    pass(&relayer).await;
    let nonces: Vec<_> = relayer.api.store.open_intents().await.unwrap().iter().map(|i| i.tx.nonce).collect();
    assert_eq!(nonces, [0, 1, 2]);
    world.chain.produce();
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((world.paid(), world.included()), (vec![7; 10], 5));
}

#[tokio::test]
async fn a_deadline_presses_past_half_of_its_period_and_no_sooner() {
    let world = World::new(1);
    let relayer = world.start("");
    pass(&relayer).await;
    // Pays for its row and its book, not for the transaction.
    world.pay(&relayer, 0, 5).await;
    let now = 10_000 + 6 * 2;
    world.chain.request_close(number(1, 0), now + 1_800 + 6);
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(world.submissions(), 0);
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(world.submissions(), 1);
}

#[tokio::test]
async fn before_half_of_its_period_a_deadline_waits_for_the_next_paying_batch() {
    let world = World::new(2);
    let relayer = world.start("");
    pass(&relayer).await;
    // Pays for its row and its book, not for the transaction; half of its period is far away.
    world.pay(&relayer, 0, 5).await;
    world.chain.request_close(number(1, 0), 10_000 + 3_600);
    for _ in 0..3 {
        world.chain.produce();
        pass(&relayer).await;
    }
    assert_eq!(world.submissions(), 0);
    world.pay(&relayer, 1, 300).await;
    pass(&relayer).await;
    world.chain.produce();
    assert_eq!((world.submissions(), world.paid()), (1, vec![5, 300]));
}

#[tokio::test]
async fn a_refund_request_that_lapses_between_reading_and_check_still_counts() {
    let world = World::new(2);
    let relayer = world.start("");
    // Blocks are 6 s apart from 10,000 on. The request lapses at 10,013, one period after it is due.
    world.chain.request_refund(number(1, 0), 600 * CENT, 10_013 - 3_600);
    world.chain.produce();
    pass(&relayer).await;
    // A voucher above what the request leaves, with one of a channel that nobody knows: reading waits for the chain.
    let above = offer(&world.state(0), &world.key, 700 * CENT);
    let mut unknown = above;
    unknown.number = number(1, 50);
    world.chain.lock().faults.hold = Some(unknown.number);
    let acceptor = relayer.api.acceptor.clone();
    let answers = tokio::spawn(async move { acceptor.accept(vec![above, unknown]).await.unwrap() });
    world.chain.asked.notified().await;
    // Meanwhile the refund is executed, and blocks after it are past the time at which it would have lapsed.
    world.chain.refund(number(1, 0));
    (0..3).for_each(|_| world.chain.produce());
    relayer.worker.catch_up().await.unwrap();
    assert!(relayer.api.acceptor.now() > 10_013);
    world.chain.release();
    let answer = answers.await.unwrap().remove(0).map_err(|refusal| format!("{refusal:?}"));
    assert!(answer.as_ref().is_err_and(|e| e.contains("NotCovered")), "{answer:?}");
}

#[tokio::test]
async fn streams_are_claimed_in_the_same_loop_unless_switched_off() {
    let world = World::new(0);
    world.chain.book(ContractKind::Streams, 1);
    world.chain.stream(number(1, 0), 300 * CENT);
    world.chain.stream(number(2, 0), 300 * CENT); // a book that nobody made terms for
    world.chain.produce();
    {
        let relayer = world.start("batch.claim_streams = false");
        pass(&relayer).await;
        assert_eq!(world.submissions(), 0);
    }
    let relayer = world.start("");
    pass(&relayer).await;
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    let paid: Vec<_> = world.chain.lock().paid.clone().into_iter().collect();
    assert_eq!(paid, [((ContractKind::Streams, number(1, 0)), 300 * CENT)]);
    assert_eq!(open_intents(&relayer).await, 0);
}

#[tokio::test]
async fn a_stream_that_is_handed_over_is_claimed_under_its_new_number() {
    let world = World::new(0);
    world.chain.book(ContractKind::Streams, 1);
    world.chain.book(ContractKind::Streams, 2);
    world.chain.stream(number(1, 0), 300 * CENT);
    world.chain.produce();
    let relayer = world.start("");
    relayer.worker.catch_up().await.unwrap();
    world.chain.hand_over(number(1, 0), number(2, 5));
    world.chain.produce();
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    let paid: Vec<_> = world.chain.lock().paid.clone().into_iter().collect();
    assert_eq!(paid, [((ContractKind::Streams, number(2, 5)), 300 * CENT)]);
}

#[tokio::test]
async fn with_more_streams_than_a_look_reads_each_gets_its_turn() {
    let world = World::new(0);
    world.chain.book(ContractKind::Streams, 1);
    // Of 2,100 streams the last alone owes anything worth a row; a look reads 2,000.
    (0..2_100).for_each(|serial| world.chain.stream(number(1, serial), if serial == 2_099 { 300 * CENT } else { 0 }));
    world.chain.produce();
    let relayer = world.start("");
    pass(&relayer).await;
    assert_eq!(world.submissions(), 0);
    pass(&relayer).await;
    assert_eq!(world.submissions(), 1);
}

#[tokio::test]
async fn a_payee_with_a_schedule_is_claimed_for_once_a_slot() {
    let world = World::new(1);
    // A block takes 6 s, a slot 60: blocks 0 to 3 are in one that ends at 10,020 s, the next ten in another.
    let relayer = world.start(&format!("{FREE}\n[batch.claim_every_secs_of]\n\"{}\" = 60", payee(1)));
    pass(&relayer).await;
    let mut sent = Vec::new();
    for cents in 1..40 {
        world.pay(&relayer, 0, cents).await;
        world.chain.produce();
        pass(&relayer).await;
        sent.push(world.submissions());
    }
    assert!(world.included() >= 3 && world.included() <= 5, "{sent:?}");
    // The same without a schedule: at every block.
    let other = World::new(1);
    let relayer = other.start(FREE);
    pass(&relayer).await;
    for cents in 1..40 {
        other.pay(&relayer, 0, cents).await;
        other.chain.produce();
        pass(&relayer).await;
    }
    assert!(other.included() > 15);
}

#[tokio::test]
async fn blocks_that_are_gone_make_it_read_every_record_anew() {
    let world = World::new(2);
    let relayer = world.start(FREE);
    world.chain.produce();
    world.chain.lock().faults.pruned_below = 2;
    pass(&relayer).await;
    world.pay(&relayer, 1, 5).await;
    pass(&relayer).await;
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(world.paid(), [5]);
}

#[tokio::test]
async fn a_transaction_that_cannot_be_looked_for_is_settled_by_its_records() {
    let world = World::new(1);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.pay(&relayer, 0, 5).await;
    pass(&relayer).await;
    // It is included; then the relayer sleeps until all of that is gone.
    (0..20).for_each(|_| world.chain.produce());
    world.chain.lock().faults.pruned_below = 20;
    pass(&relayer).await;
    assert_eq!((open_intents(&relayer).await, world.included(), world.paid()), (0, 1, vec![5]));
}

#[tokio::test]
async fn a_chain_that_is_behind_its_past_is_refused() {
    let world = World::new(1);
    world.chain.produce();
    {
        let relayer = world.start("");
        pass(&relayer).await;
    }
    let other = World { dir: world.dir, chain: FakeChain::new(), key: world.key };
    let error = other.start("").worker.catch_up().await.unwrap_err();
    assert!(error.to_string().contains("below block"), "{error}");
}

#[tokio::test]
async fn a_block_that_other_nodes_contradict_is_not_taken_in_and_nothing_is_claimed() {
    let world = World::new(1);
    let relayer = world.start(FREE);
    pass(&relayer).await;
    world.pay(&relayer, 0, 5).await;
    let before = relayer.api.store.cursor().await.unwrap().unwrap();
    world.chain.produce();
    world.chain.lock().faults.disputed_from = Some(before.block.number + 1);
    let error = relayer.worker.catch_up().await.unwrap_err().to_string();
    assert!(error.contains("no node can be believed: final block"), "{error}");
    assert_eq!((relayer.api.store.cursor().await.unwrap(), world.submissions()), (Some(before), 0));
    // Nor is what was taken in before, once it is known to be wrong.
    world.chain.lock().faults.disputed_from = Some(before.block.number);
    relayer.worker.catch_up().await.unwrap_err();
    assert_eq!(world.submissions(), 0);
    world.chain.lock().faults.disputed_from = None;
    pass(&relayer).await;
    assert_eq!(world.submissions(), 1);
}
