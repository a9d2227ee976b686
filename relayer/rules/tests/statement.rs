//! given the events of one payee's channels and streams
//! ├── every row that paid is a payment: the difference of two totals, its relay fee by the book's terms at that time
//! ├── whatever the claims, periods and terms: lines add up to payments, payments to what deposits lost and payees and beneficiaries got
//! ├── a stream that is handed over pays whom it belongs to, from that moment on
//! └── figures that do not add up, or a block left out: no statement

use proptest::prelude::*;
use rivulet_core::{
    fee::{RelayTerms, relay_fee},
    ids::{Address, Number, StreamId, Token},
    outcome::RowOutcome,
};
use rivulet_rules::{
    batch::BookView,
    chain::{BlockHead, BlockRef, ClaimedRow, ContractEvent, ContractKind, EventRecord},
    statement::{DAY_SECS, Date, Line, Period, Reader, Source, StatementError, lines, time_text, totals},
};
use std::collections::BTreeMap;

const STREAMS: ContractKind = ContractKind::Streams;
const ANNA: Address = Address([1; 20]);
const BERT: Address = Address([2; 20]);
const PAYER: Address = Address([3; 20]);
const USDC: Token = Address([0xcc; 20]);
const CEILING_BPS: u16 = 1_000;
/// Anna's book, and Bert's.
const OF_ANNA: u32 = 4;
const OF_BERT: u32 = 5;

fn terms(fee_bps: u16) -> RelayTerms {
    RelayTerms { beneficiary: Address([9; 20]), fee_bps, flat_fee: 2, min_gain: 10, until: 2_000_000_000 }
}

fn number(book: u32, serial: u32) -> Number {
    Number { book, serial }
}

fn head(block: u64, now: u64) -> BlockHead {
    BlockHead { block: BlockRef { number: block, hash: [0; 32] }, now }
}

fn record(event: ContractEvent) -> EventRecord {
    EventRecord { contract: STREAMS, extrinsic_index: Some(2), event }
}

fn created(number: Number, payee: Address) -> EventRecord {
    let stream_id = StreamId([number.serial as u8 + 1; 32]);
    record(ContractEvent::StreamCreated { number, stream_id, payer: PAYER, payee, token: USDC, memo: [7; 32] })
}

fn book(book: u32, payee: Address) -> EventRecord {
    record(ContractEvent::BookCreated { book, payee, token: USDC })
}

/// A claim of rows with these totals, paid `gain` and `fee` in all.
fn claimed(book: u32, gain: u128, fee: u128, rows: &[(u32, u128)]) -> EventRecord {
    let row = |&(serial, total): &(u32, u128)| ClaimedRow { serial, outcome: RowOutcome::Applied, total };
    record(ContractEvent::Claimed { book, gain, fee, rows: rows.iter().map(row).collect() })
}

fn handed_over(number: Number, new_number: Number, from: Address, to: Address) -> EventRecord {
    record(ContractEvent::StreamHandedOver { number, new_number, from, to })
}

/// Anna's book with two streams.
fn reader() -> Reader {
    let mut reader = Reader::new(ANNA, [CEILING_BPS; 2]);
    let begin = [book(OF_ANNA, ANNA), created(number(OF_ANNA, 0), ANNA), created(number(OF_ANNA, 1), ANNA)];
    reader.take(&head(1, 1_000), &begin).unwrap();
    reader
}

fn paid(reader: &Reader) -> Vec<(u32, u128, u128)> {
    reader.payments().iter().map(|p| (p.number.serial, p.paid, p.relay_fee)).collect()
}

#[test]
fn a_row_paid_the_difference_of_two_totals_and_the_fee_that_the_terms_ask_for() {
    let mut reader = reader();
    reader.take(&head(2, 1_001), &[claimed(OF_ANNA, 130, 0, &[(0, 100), (1, 30)])]).unwrap();
    let set = record(ContractEvent::TermsSet { book: OF_ANNA, terms: terms(500) });
    // Stale rows, and rows of nobody, have paid nothing.
    reader.take(&head(3, 1_002), &[set, claimed(OF_ANNA, 105, 7, &[(0, 200), (1, 35), (7, 0)])]).unwrap();
    reader.take(&head(4, 1_003), &[claimed(OF_ANNA, 0, 0, &[(0, 200)])]).unwrap();
    assert_eq!(paid(&reader), [(0, 100, 0), (1, 30, 0), (0, 100, 7), (1, 5, 0)]);
    let first = reader.payments()[0];
    assert_eq!((first.at, first.block, first.extrinsic_index, first.source.id, first.source.memo), (1_001, 2, Some(2), [1; 32], [7; 32]));
    // After their time the terms ask for nothing.
    reader.take(&head(5, 2_000_000_000), &[claimed(OF_ANNA, 100, 0, &[(0, 300)])]).unwrap();
}

#[test]
fn what_others_are_paid_is_not_in_it() {
    let mut reader = reader();
    reader.take(&head(2, 1_001), &[book(OF_BERT, BERT), created(number(OF_BERT, 0), BERT)]).unwrap();
    reader.take(&head(3, 1_002), &[claimed(OF_BERT, 50, 0, &[(0, 50)])]).unwrap();
    assert_eq!(paid(&reader), []);
}

#[test]
fn a_statement_that_begins_later_needs_what_was_paid_before() {
    let mut reader = Reader::new(ANNA, [CEILING_BPS; 2]);
    reader.open_book(STREAMS, OF_ANNA, BookView { payee: ANNA, token: USDC, terms: terms(500) });
    reader.open_book(STREAMS, OF_BERT, BookView { payee: BERT, token: USDC, terms: terms(500) });
    let source = Source { contract: STREAMS, id: [1; 32], payer: PAYER, token: USDC, memo: [7; 32] };
    reader.open(number(OF_ANNA, 0), source, 400);
    reader.take(&head(90, 1_001), &[claimed(OF_ANNA, 100, 7, &[(0, 500)])]).unwrap();
    assert_eq!(paid(&reader), [(0, 100, 7)]);
    assert_eq!(reader.check(STREAMS, number(OF_ANNA, 0), 500), Ok(()));
}

#[test]
fn a_stream_pays_whom_it_belongs_to_from_the_hand_over_on() {
    let (old, new) = (number(OF_ANNA, 0), number(OF_BERT, 8));
    let before = claimed(OF_ANNA, 40, 0, &[(0, 40)]);
    let after = claimed(OF_BERT, 25, 0, &[(8, 65)]);
    // To Bert, all in one block: Anna's statement ends with it, Bert's begins with it.
    let block = [book(OF_BERT, BERT), before, handed_over(old, new, ANNA, BERT), after];
    let mut anna = reader();
    assert_eq!(anna.wants(&block), []);
    anna.take(&head(2, 1_001), &block).unwrap();
    assert_eq!(paid(&anna), [(0, 40, 0)]);
    anna.take(&head(3, 1_002), &[claimed(OF_BERT, 5, 0, &[(8, 70)])]).unwrap();
    assert_eq!(paid(&anna), [(0, 40, 0)]);

    let mut bert = Reader::new(BERT, [CEILING_BPS; 2]);
    assert_eq!(bert.wants(&block), [old]);
    let source = Source { contract: STREAMS, id: [1; 32], payer: PAYER, token: USDC, memo: [7; 32] };
    bert.open(old, source, 0);
    bert.take(&head(2, 1_001), &block).unwrap();
    assert_eq!(paid(&bert), [(8, 25, 0)]);
    // And back: the same id under a third number.
    let back = [handed_over(new, number(OF_ANNA, 2), BERT, ANNA), claimed(OF_ANNA, 1, 0, &[(2, 66)])];
    bert.take(&head(3, 1_002), &back).unwrap();
    assert_eq!(anna.wants(&back), [new]);
    anna.open(new, source, 65);
    anna.take(&head(4, 1_002), &back).unwrap();
    assert_eq!(paid(&anna), [(0, 40, 0), (2, 1, 0)]);
    let whole = lines(anna.payments(), Period::Month, &(0..u64::MAX));
    assert_eq!(whole.iter().map(|l| (l.paid, l.claims, l.number.serial)).collect::<Vec<_>>(), [(41, 2, 2)], "the id stays, so it is one line");
}

#[test]
fn a_stream_created_and_handed_over_in_one_block_needs_nothing_from_before() {
    let mut bert = Reader::new(BERT, [CEILING_BPS; 2]);
    let carol = Address([4; 20]);
    let (first, second, third) = (number(OF_ANNA, 0), number(6, 0), number(OF_BERT, 0));
    let block = [
        created(first, ANNA),
        handed_over(first, second, ANNA, carol),
        book(OF_BERT, BERT),
        handed_over(second, third, carol, BERT),
        claimed(OF_BERT, 3, 0, &[(0, 3)]),
    ];
    // Its reader asks for what it cannot know to have begun here; that there is no such record is an answer.
    assert_eq!(bert.wants(&block), [first, second]);
    bert.take(&head(2, 1_001), &block).unwrap();
    assert_eq!(paid(&bert), [(0, 3, 0)]);
}

#[test]
fn what_does_not_add_up_makes_no_statement() {
    let said = |records: &[EventRecord]| reader().take(&head(2, 1_001), records);
    assert!(matches!(said(&[claimed(OF_ANNA, 99, 0, &[(0, 100)])]), Err(StatementError::Sum { what: "gain", added: 100, said: 99, .. })));
    assert!(matches!(said(&[claimed(OF_ANNA, 100, 1, &[(0, 100)])]), Err(StatementError::Sum { what: "relay fee", added: 0, said: 1, .. })));
    assert!(matches!(said(&[claimed(OF_ANNA, 100, 0, &[(5, 100)])]), Err(StatementError::Unknown { number: Number { serial: 5, .. }, .. })));
    let falls = [claimed(OF_ANNA, 100, 0, &[(0, 100)]), claimed(OF_ANNA, 0, 0, &[(0, 99)])];
    assert!(matches!(said(&falls), Err(StatementError::Fell { before: 100, found: 99, .. })));
    assert!(matches!(said(&[handed_over(number(6, 6), number(OF_ANNA, 2), BERT, ANNA)]), Err(StatementError::Unknown { .. })));
    let ended = record(ContractEvent::StreamEnded { number: number(OF_ANNA, 0), paid: 101, remainder: 0 });
    let error = said(&[claimed(OF_ANNA, 100, 0, &[(0, 100)]), ended]).unwrap_err();
    assert_eq!(error, StatementError::Total { contract: STREAMS, number: number(OF_ANNA, 0), added: 100, found: 101 });
}

#[test]
fn a_period_is_cut_to_what_the_statement_covers() {
    let mut reader = reader();
    let midnight = "2026-11-20".parse::<Date>().unwrap().starts_at();
    for (block, at, total) in [(2, midnight - 1, 100), (3, midnight, 200), (4, midnight + DAY_SECS - 1, 300), (5, midnight + DAY_SECS, 400)] {
        reader.take(&head(block, at), &[claimed(OF_ANNA, 100, 0, &[(0, total)])]).unwrap();
    }
    let show = |l: &Line| format!("{} {} {} {:?}", time_text(l.covers.start), time_text(l.covers.end), l.paid, l.transactions);
    let two_days = midnight..midnight + 2 * DAY_SECS;
    let by = |period| lines(reader.payments(), period, &two_days).iter().map(show).collect::<Vec<_>>();
    assert_eq!(
        by(Period::Day),
        [
            "2026-11-20T00:00:00Z 2026-11-21T00:00:00Z 200 [(3, Some(2)), (4, Some(2))]",
            "2026-11-21T00:00:00Z 2026-11-22T00:00:00Z 100 [(5, Some(2))]"
        ]
    );
    assert_eq!(by(Period::Month), ["2026-11-20T00:00:00Z 2026-11-22T00:00:00Z 300 [(3, Some(2)), (4, Some(2)), (5, Some(2))]"]);
    assert_eq!(by(Period::Claim).len(), 3);
}

/// A claim of some of four streams at some time after the last, perhaps with new terms before it.
#[derive(Clone, Debug)]
struct Step {
    secs: u64,
    gains: [u32; 4],
    terms: Option<(u16, u32, u32)>,
}

fn step() -> impl Strategy<Value = Step> {
    let gains = prop::array::uniform4(prop_oneof![Just(0u32), 0..50u32, any::<u32>()]);
    let terms = prop::option::weighted(0.2, (0..=1_000u16, 0..100u32, 0..1_000u32));
    (0..200_000u64, gains, terms).prop_map(|(secs, gains, terms)| Step { secs, gains, terms })
}

proptest! {
    #[test]
    fn whatever_the_claims_and_terms_all_sums_are_the_same(steps in prop::collection::vec(step(), 1..60), cut in 0..60usize) {
        let mut whole = Reader::new(ANNA, [CEILING_BPS; 2]);
        let mut begin = vec![book(OF_ANNA, ANNA)];
        begin.extend((0..4).map(|serial| created(number(OF_ANNA, serial), ANNA)));
        whole.take(&head(1, 1_000), &begin).unwrap();
        // What the chain would do, on its own account: deposits lose, a beneficiary and the payee gain.
        let (mut now, mut totals_now, mut terms_now) = (1_000, [0u128; 4], RelayTerms::default());
        let (mut lost, mut to_beneficiary) = (0u128, 0u128);
        let mut late: Option<Reader> = None;
        let mut lost_before = 0;
        for (i, step) in steps.iter().enumerate() {
            if i == cut {
                // A second statement that begins here, from what views say.
                let mut reader = Reader::new(ANNA, [CEILING_BPS; 2]);
                reader.open_book(STREAMS, OF_ANNA, BookView { payee: ANNA, token: USDC, terms: terms_now });
                for (serial, total) in totals_now.iter().enumerate() {
                    let source = Source { contract: STREAMS, id: [serial as u8 + 1; 32], payer: PAYER, token: USDC, memo: [7; 32] };
                    reader.open(number(OF_ANNA, serial as u32), source, *total);
                }
                (late, lost_before) = (Some(reader), lost);
            }
            now += step.secs;
            let mut records = Vec::new();
            if let Some((fee_bps, flat, min)) = step.terms {
                terms_now = RelayTerms { flat_fee: flat.into(), min_gain: min.into(), until: u64::MAX, ..terms(fee_bps) };
                records.push(record(ContractEvent::TermsSet { book: OF_ANNA, terms: terms_now }));
            }
            let (mut gain, mut fee, mut rows) = (0, 0, Vec::new());
            for (serial, g) in step.gains.iter().enumerate() {
                let g = u128::from(*g);
                totals_now[serial] += g;
                gain += g;
                fee += relay_fee(&terms_now, CEILING_BPS, &USDC, g, now);
                rows.push((serial as u32, totals_now[serial]));
            }
            (lost, to_beneficiary) = (lost + gain, to_beneficiary + fee);
            records.push(claimed(OF_ANNA, gain, fee, &rows));
            whole.take(&head(i as u64 + 2, now), &records).unwrap();
            if let Some(late) = &mut late {
                late.take(&head(i as u64 + 2, now), &records).unwrap();
            }
        }
        for (serial, total) in totals_now.iter().enumerate() {
            prop_assert_eq!(whole.check(STREAMS, number(OF_ANNA, serial as u32), *total), Ok(()));
        }
        let mut by_stream = Vec::new();
        for period in [Period::Claim, Period::Day, Period::Month] {
            let all = lines(whole.payments(), period, &(0..u64::MAX));
            let sum = totals(&all).get(&USDC).copied().unwrap_or_default();
            prop_assert_eq!((sum.paid, sum.relay_fees, sum.received()), (lost, to_beneficiary, lost - to_beneficiary));
            prop_assert_eq!(sum.claims as usize, whole.payments().len());
            let mut streams = BTreeMap::<_, u128>::new();
            all.iter().for_each(|l| *streams.entry(l.source.id).or_default() += l.paid);
            by_stream.push(streams);
            prop_assert!(all.windows(2).all(|w| w[0].covers.start <= w[1].covers.start), "in the order of time");
        }
        prop_assert!(by_stream.iter().all(|s| *s == by_stream[0]));
        // Cut anywhere, two statements are one.
        if let Some(late) = late {
            let sum: u128 = late.payments().iter().map(|p| p.paid).sum();
            prop_assert_eq!(sum, lost - lost_before);
        }
    }
}
