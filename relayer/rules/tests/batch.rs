//! given candidates
//! ├── a row worth less than it adds: never sent, however many there are
//! ├── rows that pay for themselves but not for the transaction: wait
//! ├── a deadline past half its period: goes even so
//! ├── a payee with a schedule: once a slot, deadlines excepted
//! ├── more than fit: by deadline, then by value; the blob holds exactly the rows that were chosen
//! └── candidates kept in a backlog: what it picks is chosen as from all of them

use proptest::prelude::*;
use rivulet_core::{
    blob::{Blob, Item, VoucherRow},
    fee::RelayTerms,
    ids::{Address, Number},
    signature::CompactSignature,
};
use rivulet_rules::{
    accept::Best,
    batch::{Backlog, Batch, BookView, Candidate, Choice, CostModel, Deadline, Policy, Schedule, Shape, TokenValue, channel_candidate, choose, gain},
    testing::{Key, channel, fees, payee},
};
use std::collections::{BTreeMap, BTreeSet};

const US: Address = Address([0xee; 20]);
const NOW: u64 = 10_000;
/// A row costs about 0.001 DOT here; in wei.
const MILLI_DOT: u128 = 1_000_000_000_000_000;

fn best(cumulative_amount: u128) -> Best {
    Best { cumulative_amount, signature: CompactSignature([0; 64]) }
}

fn policy() -> Policy {
    Policy {
        beneficiary: US,
        own_payees: [].into(),
        token_values: [].into(),
        fee_ceiling_bps: 1_000,
        min_value_bps: 10_000,
        schedule: Schedule::default(),
        max_rows: 500,
        max_blob_bytes: 100_000,
        fund_new: false,
    }
}

fn cost() -> CostModel {
    CostModel { fees: fees(), shape: Shape::CHANNELS }
}

/// A book that pays 1 % to us.
fn book(n: u8) -> BookView {
    let terms = RelayTerms { beneficiary: US, fee_bps: 100, flat_fee: 0, min_gain: 0, until: u64::MAX };
    BookView { payee: payee(n), token: Address::ZERO, terms }
}

fn books() -> BTreeMap<u32, BookView> {
    (1..=4).map(|n| (n, book(n as u8))).collect()
}

fn row(book: u32, serial: u32, gain: u128) -> Candidate<VoucherRow> {
    let payload = VoucherRow { cumulative_amount: gain, signature: CompactSignature([1; 64]) };
    Candidate { number: Number { book, serial }, gain, deadline: None, last_at: 0, may_end: false, payload }
}

fn sent(choice: Choice<VoucherRow>) -> Batch<VoucherRow> {
    match choice {
        Choice::Send(batch) => batch,
        other => panic!("expected a batch, got {other:?}"),
    }
}

fn read(blob: &[u8]) -> (Vec<(Number, VoucherRow)>, Vec<bool>) {
    let mut reader = Blob::parse::<VoucherRow>(blob).expect("canonical").reader::<VoucherRow>();
    let (mut rows, mut funds) = (vec![], vec![]);
    while let Some(item) = reader.next_item().expect("canonical") {
        match item {
            Item::Group(group) => funds.push(group.fund_new),
            Item::Row(number, row) => rows.push((number, row)),
        }
    }
    (rows, funds)
}

#[test]
fn dust_is_never_sent_however_much_there_is() {
    let dust = (0..10_000).map(|serial| row(1, serial, MILLI_DOT));
    assert_eq!(choose(dust, &books(), &policy(), &cost(), NOW), Choice::Nothing);
}

#[test]
fn dust_does_not_starve_value() {
    let dust = (0..10_000).map(|serial| row(1, serial, MILLI_DOT));
    let batch = sent(choose(dust.chain([row(2, 0, 2_000 * MILLI_DOT)]), &books(), &policy(), &cost(), NOW));
    assert_eq!(batch.rows.iter().map(|r| r.number).collect::<Vec<_>>(), [Number { book: 2, serial: 0 }]);
}

#[test]
fn rows_wait_until_they_pay_for_the_transaction_too() {
    let cost = cost();
    // 1 % of the gain is what a row earns; one row here pays for itself and its group, and no more.
    let planck = cost.row_planck(78, 1) + cost.group_planck();
    let worth = |times: u128| row(1, 0, planck * times * 100 * 100_000_000);
    assert!(matches!(choose([worth(1)], &books(), &policy(), &cost, NOW), Choice::Wait { rows: 1, .. }));
    assert!(matches!(choose([worth(8)], &books(), &policy(), &cost, NOW), Choice::Send(_)));
}

#[test]
fn a_pressing_deadline_goes_alone_and_an_early_one_does_not() {
    let cost = cost();
    let planck = cost.row_planck(78, 1) + cost.group_planck();
    let mut candidate = row(1, 0, planck * 100 * 100_000_000);
    candidate.deadline = Some(Deadline { due_at: NOW + 1_801, period_secs: 3_600 });
    assert!(matches!(choose([candidate], &books(), &policy(), &cost, NOW), Choice::Wait { .. }));
    assert!(sent(choose([candidate], &books(), &policy(), &cost, NOW + 1)).is_pressing);
}

#[test]
fn deadlines_come_first_then_value() {
    let rich = (0..10u32).map(|serial| row(1, serial, u128::from(serial + 1) * 1_000 * MILLI_DOT));
    let mut closing = row(2, 0, 500 * MILLI_DOT);
    closing.deadline = Some(Deadline { due_at: NOW + 3_000, period_secs: 3_600 });
    let policy = Policy { max_rows: 3, ..policy() };
    let batch = sent(choose(rich.chain([closing]), &books(), &policy, &cost(), NOW));
    assert_eq!(batch.rows.iter().map(|r| (r.number.book, r.number.serial)).collect::<Vec<_>>(), [(1, 8), (1, 9), (2, 0)]);
}

#[test]
fn a_fee_that_goes_to_somebody_else_is_worth_nothing_and_an_own_payees_gain_is_worth_all() {
    let mut books = books();
    if let Some(book) = books.get_mut(&1) {
        book.terms.beneficiary = Address([1; 20]);
    }
    let rows = [row(1, 0, 10_000 * MILLI_DOT)];
    assert_eq!(choose(rows, &books, &policy(), &cost(), NOW), Choice::Nothing);
    let own = Policy { own_payees: [payee(1)].into(), ..policy() };
    assert_eq!(sent(choose(rows, &books, &own, &cost(), NOW)).value_planck, 10_000 * MILLI_DOT / 100_000_000);
    let free = Policy { min_value_bps: 0, ..policy() };
    assert_eq!(sent(choose(rows, &books, &free, &cost(), NOW)).rows.len(), 1);
}

#[test]
fn an_asset_is_worth_what_the_operator_says() {
    let token = Address([5; 20]);
    let mut books = books();
    books.insert(1, BookView { token, ..book(1) });
    let rows = [row(1, 0, 500_000_000)]; // 500 USDC, 5 of them for us
    assert_eq!(choose(rows, &books, &policy(), &cost(), NOW), Choice::Nothing);
    let policy = Policy { token_values: [(token, TokenValue { planck_per_whole: 2_500_000_000, decimals: 6 })].into(), ..policy() };
    assert_eq!(sent(choose(rows, &books, &policy, &cost(), NOW)).value_planck, 5 * 2_500_000_000);
}

#[test]
fn a_payee_is_funded_only_when_its_group_pays_for_it() {
    let policy = Policy { fund_new: true, ..policy() };
    // 1 % of 0.9 DOT does not pay 0.01 DOT of existential deposit, 1 % of 3 DOT does.
    let batch = sent(choose([row(1, 0, 900 * MILLI_DOT), row(2, 0, 3_000 * MILLI_DOT)], &books(), &policy, &cost(), NOW));
    assert_eq!(read(&batch.blob).1, [false, true]);
}

#[test]
fn neighbours_share_the_cost_of_their_cell_and_more_of_them_fit_one_transaction() {
    let cost = cost();
    assert!(cost.row_planck(70, 4) * 3 < cost.row_planck(70, 1) * 2, "a cell of its own is more than a third of a row's cost");
    let fits = |cells_of: fn(usize) -> usize| (1..4_000).take_while(|rows| cost.fits(1, cells_of(*rows), *rows, 0)).count();
    assert!(fits(|rows| rows.div_ceil(4)) > 2 * fits(|rows| rows));

    // One row alone does not pay for its cell, four together do.
    let gain = 100 * 100_000_000 * (cost.row_planck(78, 1) + cost.row_planck(78, 4)) / 2;
    let policy = Policy { min_value_bps: 10_000, ..policy() };
    let candidates = |n: u32| (0..n).map(|serial| Candidate { deadline: Some(Deadline { due_at: NOW, period_secs: 60 }), ..row(1, serial, gain) });
    assert_eq!(choose(candidates(1), &books(), &policy, &cost, NOW), Choice::Nothing);
    assert_eq!(sent(choose(candidates(4), &books(), &policy, &cost, NOW)).rows.len(), 4);
}

#[test]
fn a_refund_in_part_presses_only_what_it_endangers() {
    let key = Key::of(1);
    let mut state = channel(Number { book: 1, serial: 0 }, &key, 1_000_000_000_000);
    (state.refund_requested, state.refund_due_at) = (400_000_000_000, Some(NOW));
    let deadline = |total| channel_candidate(&state, &best(total), None, NOW).and_then(|c| c.deadline);
    assert_eq!(deadline(600_000_000_000), None);
    assert!(deadline(600_100_000_000).is_some());
}

#[test]
fn a_refund_request_presses_until_it_lapses_and_not_for_ever() {
    let mut state = channel(Number { book: 1, serial: 0 }, &Key::of(1), 1_000_000_000_000);
    (state.refund_requested, state.refund_due_at) = (1_000_000_000_000, Some(NOW));
    let period = u64::from(state.terms.challenge_period_secs);
    let presses = |now| channel_candidate(&state, &best(5_000_000_000), None, now).is_some_and(|c| c.deadline.is_some());
    assert_eq!([NOW, NOW + period - 1, NOW + period].map(presses), [true, true, false]);
}

#[test]
fn what_a_row_gains_is_what_the_contract_would_pay() {
    let key = Key::of(1);
    let mut state = channel(Number { book: 1, serial: 0 }, &key, 1_000_000_000);
    state.claimed = 200_000_000;
    assert_eq!([150_000_000, 299_999_999, 300_000_000, 5_000_000_000].map(|t| gain(&state, t)), [0, 0, 100_000_000, 800_000_000]);
}

prop_compose! {
    fn any_candidate()(book in 1u32..6, serial in 0u32..400, milli in 0u128..5_000, due in proptest::option::of(0u64..40_000)) -> Candidate<VoucherRow> {
        let mut candidate = row(book, serial, milli * MILLI_DOT);
        candidate.deadline = due.map(|due_at| Deadline { due_at, period_secs: 3_600 });
        candidate
    }
}

#[test]
fn stream_rows_that_may_end_count_as_if_they_did() {
    use rivulet_core::{blob::StreamRow, ids::StreamId};
    use rivulet_rules::{
        batch::stream_candidate,
        chain::{DryRun, StreamState, Weight},
    };
    let stream = |serial, end_at| StreamState {
        number: Number { book: 1, serial },
        stream_id: StreamId([1; 32]),
        status: 1,
        payer: Address([1; 20]),
        payee: payee(1),
        token: Address::ZERO,
        rate_per_second_scaled: 1,
        start_at: 0,
        end_at,
        memo: [0; 32],
        deposit: 1_000_000 * MILLI_DOT,
        paid: 0,
        covered_debt: 100_000 * MILLI_DOT,
        depletes_at: 0,
    };
    let may_end = |end_at| stream_candidate(&stream(0, end_at), None, NOW).unwrap().may_end;
    // Without an end, past it, before any block that could carry it, and long after.
    assert_eq!([0, NOW - 1, NOW, NOW + 600, NOW + 24_577].map(may_end), [false, false, true, true, false]);

    let cost = CostModel { fees: fees(), shape: Shape::STREAMS };
    let choose = |end_at| {
        let rows = (0..500).map(|serial| stream_candidate(&stream(serial, end_at), None, NOW).unwrap());
        match choose::<StreamRow>(rows, &books(), &policy(), &cost, NOW) {
            Choice::Send(batch) => (batch.rows.len(), batch.ends),
            other => panic!("{other:?}"),
        }
    };
    let ((all, none), (fewer, ends)) = (choose(0), choose(NOW + 600));
    assert!(all > fewer && none == 0 && ends == fewer, "{all} rows without an end, {fewer} that may end");
    let weight = Weight { ref_time_ps: 1_000_000_000, proof_size_bytes: 50_000 };
    let dry_run = DryRun { weight, storage_deposit_planck: 7, fee_planck: 9, outcomes: Ok(Vec::new()) };
    assert_eq!(cost.with_ends(&dry_run, 0), dry_run);
    let with = cost.with_ends(&dry_run, 2);
    assert_eq!((with.weight.proof_size_bytes, with.weight.ref_time_ps), (50_000 + 2 * 32_200, 1_000_000_000 + 2 * 840_000_000));
    assert!(with.fee_planck > dry_run.fee_planck && with.storage_deposit_planck == 7);
}

#[test]
fn rows_of_a_payee_with_a_schedule_wait_for_its_next_slot_unless_a_deadline_presses() {
    let policy = Policy { schedule: Schedule { every_secs: 0, of: [(payee(1), 6_000)].into() }, ..policy() };
    // Slots end at 6,000 and 12,000; it is 10,000.
    let at = |book, serial, last_at| Candidate { last_at, ..row(book, serial, 1_000 * MILLI_DOT) };
    let pressing = Candidate { deadline: Some(Deadline { due_at: NOW, period_secs: 60 }), ..at(1, 2, 6_000) };
    let Choice::Send(batch) = choose([at(1, 0, 6_000), at(1, 1, 5_999), pressing, at(2, 0, 9_999)], &books(), &policy, &cost(), NOW) else {
        panic!("nothing to send")
    };
    let chosen: Vec<_> = batch.rows.iter().map(|r| (r.number.book, r.number.serial)).collect();
    assert_eq!(chosen, [(1, 1), (1, 2), (2, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_batch_keeps_every_cap_pays_for_itself_and_is_what_its_blob_says(
        candidates in proptest::collection::vec(any_candidate(), 0..300), max_rows in 1usize..60, max_blob_bytes in 100usize..6_000, fund_new: bool,
    ) {
        // One candidate a number, as the store gives them.
        let candidates: BTreeMap<_, _> = candidates.into_iter().map(|c| (c.number, c)).collect();
        let policy = Policy { max_rows, max_blob_bytes, fund_new, ..policy() };
        if let Choice::Send(batch) = choose(candidates.values().copied(), &books(), &policy, &cost(), NOW) {
            prop_assert!(batch.rows.len() <= max_rows && batch.blob.len() <= max_blob_bytes);
            prop_assert!(batch.is_pressing || batch.value_planck >= batch.cost_planck);
            let (rows, _) = read(&batch.blob);
            prop_assert_eq!(&rows, &batch.rows.iter().map(|r| (r.number, r.payload)).collect::<Vec<_>>());
            for (number, payload) in rows {
                prop_assert_eq!(candidates.get(&number).map(|c| c.payload), Some(payload));
                prop_assert!(number.book <= 4, "a book without terms was claimed");
            }
        }
    }
}

/// All of them in a backlog.
fn backlog(candidates: &BTreeMap<Number, Candidate<VoucherRow>>, policy: &Policy) -> Backlog {
    let mut backlog = Backlog::new(policy.clone());
    books().into_iter().for_each(|(number, view)| backlog.set_book(number, view));
    candidates.values().for_each(|c| backlog.put(c.number, c.gain, c.last_at));
    backlog
}

/// What is chosen from the rows that the backlog picks.
fn choose_picked(candidates: &BTreeMap<Number, Candidate<VoucherRow>>, backlog: &mut Backlog, policy: &Policy, now: u64) -> Choice<VoucherRow> {
    let picked = backlog.pick(&cost(), now, policy.max_rows, &BTreeSet::new());
    choose(picked.iter().map(|number| candidates[number]), &books(), policy, &cost(), now)
}

#[test]
fn a_backlog_forgets_a_row_that_is_taken_out_and_counts_what_is_left() {
    let candidates: BTreeMap<_, _> = (0..3).map(|serial| row(1, serial, 2_000 * MILLI_DOT)).map(|c| (c.number, c)).collect();
    let mut backlog = backlog(&candidates, &policy());
    backlog.remove(Number { book: 1, serial: 1 });
    backlog.put(Number { book: 1, serial: 2 }, 5_000 * MILLI_DOT, 7);
    assert_eq!((backlog.len(), backlog.gains()), (2, [(Address::ZERO, 7_000 * MILLI_DOT)].into()));
    assert_eq!(backlog.pick(&cost(), NOW, 10, &BTreeSet::new()), [2, 0].map(|serial| Number { book: 1, serial }));
    assert_eq!(backlog.rows()[&Number { book: 1, serial: 2 }], (5_000 * MILLI_DOT, 7));
}

#[test]
fn a_backlog_looks_again_when_terms_or_prices_change_and_when_a_slot_comes() {
    let policy = Policy { schedule: Schedule { every_secs: 0, of: [(payee(2), 6_000)].into() }, ..policy() };
    let candidates: BTreeMap<_, _> =
        [row(1, 0, 900 * MILLI_DOT), Candidate { last_at: NOW, ..row(2, 0, 2_000 * MILLI_DOT) }].map(|c| (c.number, c)).into();
    let mut backlog = backlog(&candidates, &policy);
    let (first, second) = (Number { book: 1, serial: 0 }, Number { book: 2, serial: 0 });
    let pick = |backlog: &mut Backlog, cost: &CostModel, now| backlog.pick(cost, now, 10, &BTreeSet::new());
    assert_eq!(pick(&mut backlog, &cost(), NOW), [first]);
    assert_eq!(pick(&mut backlog, &cost(), 12_000), [second, first], "its slot has come");
    let mut dear = cost();
    dear.fees.per_proof_mib_planck *= 1_000;
    assert!(pick(&mut backlog, &dear, 12_000).is_empty());
    assert_eq!(pick(&mut backlog, &cost(), 12_000).len(), 2, "cheap again");
    backlog.set_book(1, BookView { terms: RelayTerms { beneficiary: Address([1; 20]), ..book(1).terms }, ..book(1) });
    assert_eq!(pick(&mut backlog, &cost(), 12_000), [second], "its fee goes to somebody else now");
}

#[test]
fn a_payout_that_is_paid_for_takes_along_what_pays_for_itself_only() {
    let planck = cost().row_planck(81, 1);
    let alone = row(1, 0, planck * 100 * 100_000_000);
    let mut backlog = backlog(&[(alone.number, alone)].into(), &policy());
    assert!(backlog.pick(&cost(), NOW, 10, &BTreeSet::new()).is_empty());
    assert_eq!(backlog.pick(&cost(), NOW, 10, &[1].into()), [alone.number]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_backlog_picks_what_would_be_chosen_from_all(
        candidates in proptest::collection::vec(any_candidate(), 0..300), every_secs in prop_oneof![Just(0u64), Just(6_000)],
        changes in proptest::collection::vec((any_candidate(), 0u64..12_000, any::<bool>()), 0..60),
    ) {
        let waits = |c: Candidate<VoucherRow>| (c.number, Candidate { deadline: None, ..c });
        let mut candidates: BTreeMap<_, _> = candidates.into_iter().map(waits).collect();
        let policy = Policy { schedule: Schedule { every_secs, of: [].into() }, ..policy() };
        let mut backlog = backlog(&candidates, &policy);
        for (candidate, last_at, is_out) in changes {
            prop_assert_eq!(choose_picked(&candidates, &mut backlog, &policy, NOW), choose(candidates.values().copied(), &books(), &policy, &cost(), NOW));
            let (number, candidate) = waits(Candidate { last_at, ..candidate });
            if is_out {
                candidates.remove(&number);
                backlog.remove(number);
            } else {
                candidates.insert(number, candidate);
                backlog.put(number, candidate.gain, candidate.last_at);
            }
        }
        for now in [NOW, 12_000, 40_000] {
            prop_assert_eq!(choose_picked(&candidates, &mut backlog, &policy, now), choose(candidates.values().copied(), &books(), &policy, &cost(), now));
        }
    }
}
