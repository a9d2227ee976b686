//! given rows of every kind
//! ├── those that a pass would send are shown with their transaction's fee, and the others with why not
//! ├── nothing was sent or stored, and a pass then sends exactly those
//! └── what waits for its slot says until when

mod support;

use rivulet_core::{ids::Number, outcome::RowOutcome};
use rivulet_rules::{chain::ContractKind, testing::offer};
use rivulet_server::worker::PreviewRow;
use support::{
    CENT,
    world::{voucher, world},
};

#[tokio::test]
async fn a_preview_says_what_goes_at_what_fee_and_why_the_rest_does_not() {
    let world = world("").await;
    // Book 1 pays us; book 2 has no terms.
    let mut terms = world.chain.lock().books[&(ContractKind::Channels, 1)];
    (terms.book, terms.terms.beneficiary) = (2, Default::default());
    world.chain.lock().books.insert((ContractKind::Channels, 2), terms);
    world.chain.book_created(ContractKind::Channels, 2);
    for (book, serial, cents) in [(1u32, 0u32, 900u128), (1, 1, 900), (1, 2, 0), (2, 0, 900)] {
        let number = Number { book, serial };
        let state = if (book, serial) == (1, 0) { world.state } else { world.chain.open(number, &world.key, 1_000 * CENT) };
        let total = if cents == 0 { CENT / 1_000_000 } else { cents * CENT };
        assert_eq!(world.post("/v1/vouchers", &voucher(&offer(&state, &world.key, total))).await.0.as_u16(), 200, "{number}");
    }
    world.chain.lock().faults.dry.insert(Number { book: 1, serial: 1 }, RowOutcome::BadSignature);
    world.chain.produce();
    world.relayer.worker.catch_up().await.unwrap();

    let preview = world.relayer.worker.preview().await.unwrap();
    assert_eq!((preview.block_number, preview.database_block_number, preview.open_intents), (2, Some(2), 0));
    let verdict = |row: &PreviewRow| (row.book, row.serial, row.is_claimed, row.code.clone());
    let mut verdicts: Vec<_> = preview.rows.iter().map(verdict).collect();
    verdicts.sort();
    let why = |book, serial, code: &str| (book, serial, code.is_empty(), code.to_owned());
    assert_eq!(verdicts, [why(1, 0, ""), why(1, 1, "dry_run"), why(1, 2, "below_cost"), why(2, 0, "not_ours")]);
    let [batch] = preview.batches.as_slice() else { panic!("{preview:?}") };
    assert_eq!((batch.contract, batch.rows, batch.fee_planck, batch.is_pressing), ("channels", 1, 1_000, false));
    let json = serde_json::to_value(&preview).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 4);

    // Nothing of it happened: the row that the dry run refused is not set aside yet either.
    let set_aside = world.relayer.api.store.counts().await.unwrap().set_aside;
    assert_eq!((world.chain.lock().submissions, set_aside), (0, 0));
    world.pass().await;
    assert_eq!(
        world.relayer.api.store.open_intents().await.unwrap()[0].rows.iter().map(|r| r.number).collect::<Vec<_>>(),
        [Number { book: 1, serial: 0 }]
    );
    let after = world.relayer.worker.preview().await.unwrap();
    assert_eq!((after.open_intents, after.set_aside, after.batches.len(), after.rows.len()), (1, 1, 0, 2));
}

#[tokio::test]
async fn a_row_of_a_payee_with_a_schedule_waits_for_its_slot_and_says_until_when() {
    // Opened at 1,000 s, now some 10,000: the same day.
    let world = world("batch = { claim_every_secs = 86400 }").await;
    assert_eq!(world.post("/v1/vouchers", &world.voucher(900 * CENT)).await.0.as_u16(), 200);
    let preview = world.relayer.worker.preview().await.unwrap();
    let [row] = preview.rows.as_slice() else { panic!("{preview:?}") };
    assert_eq!((row.is_claimed, row.code.as_str(), preview.batches.len()), (false, "waits_for_slot", 0));
    assert!(row.reason.contains("waits for its slot") && row.reason.contains("86400"), "{row:?}");
    world.pass().await;
    assert_eq!(world.chain.lock().submissions, 0);
}
