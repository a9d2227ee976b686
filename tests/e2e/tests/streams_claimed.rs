//! A running relayer and streams of every kind, on a real node.
//!
//! ```text
//! streams to payees with relay terms
//! ├── are claimed in batches when their fees pay for it; what is not worth it is left alone
//! ├── whether one is insolvent, cancelled, voided, paused, ended, or was claimed by somebody else meanwhile: the others are paid
//! ├── with a schedule: once a slot
//! └── handed over: claimed for the new payee under the new book's terms, and the statements of both are exact
//! ```

mod support;

use rivulet_chain::abi::{streams::Streams, to_sol};
use rivulet_client::{ALL, CreateStream, Stream};
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, Number, Token},
    outcome::RowOutcome,
    stream::{Flags, schedule::SCALE, view::StreamStatus},
};
use rivulet_e2e::{
    harness::{Daemon, built},
    people::{Grant, grant},
    story::{Play, plan::Coin, streaming::pass},
};
use rivulet_rules::chain::ContractKind;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::{
    process::Command,
    time::{Duration, Instant},
};

const HOUR: u64 = 3_600;
const PATIENCE: Duration = Duration::from_secs(60);
/// One USDC in units; at 4 dollars a DOT a quarter of a DOT is worth as much.
const USDC: u128 = 1_000_000;
const QUARTER_DOT: u128 = 250_000_000_000_000_000;

/// So much an hour, as a rate.
fn hourly(units: u128) -> u128 {
    units * SCALE / u128::from(HOUR)
}

/// More money for a payer.
async fn give(play: &Play, payer: usize, usdc: u128) {
    let grants = [Grant { to: play.cast.payers[payer].account(), planck: 0, usdc }];
    grant(&play.stage.bank, &grants).await.unwrap();
}

/// What the relayer has on disk of a stream's rows: outcome and total of each that is finished.
fn recorded(daemon: &Daemon, number: Number) -> Vec<(RowOutcome, u128)> {
    let database = Connection::open_with_flags(daemon.database_path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    let sql = "SELECT outcome, total FROM intent_rows WHERE contract = 1 AND book = ?1 AND serial = ?2 AND outcome IS NOT NULL ORDER BY intent_id";
    let mut query = database.prepare(sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u8>(0)?, row.get::<_, [u8; 16]>(1)?));
    let rows = query.query_map((number.book, number.serial), read).unwrap().map(Result::unwrap);
    rows.map(|(outcome, total)| (RowOutcome::from_code(outcome).unwrap(), u128::from_be_bytes(total))).collect()
}

async fn status(play: &Play, number: Number) -> Option<u8> {
    let chain = &play.stage.chain;
    chain.stream(number, chain.node().finalized().await.unwrap()).await.unwrap().map(|s| s.status)
}

async fn paid(play: &Play, number: Number) -> u128 {
    let chain = &play.stage.chain;
    chain.balances(number, chain.node().finalized().await.unwrap()).await.unwrap().paid
}

/// Waits until the relayer has recorded a row of this stream, beyond the first `before`, and returns the newest.
async fn next_row(daemon: &Daemon, number: Number, before: usize) -> (RowOutcome, u128) {
    let begun = Instant::now();
    loop {
        let rows = recorded(daemon, number);
        if rows.len() > before {
            return *rows.last().unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "no row of stream {number} for a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_claimed_by_the_running_relayer_and_none_harms_another() {
    let (play, mut daemon) = support::stage(&["--payers", "2", "--creators", "3", "--streams", "0", "--vouchers", "2"], |flags| {
        flags.interval_ms = 300;
        // What a claim costs must come back in fees.
        flags.min_value_bps = 10_000;
        flags.claim_every_secs = HOUR;
    })
    .await;
    let payer = play.cast.pay[0].clone();
    give(&play, 0, 100 * USDC).await;
    // Slots begin at full hours.
    let now = play.stage.chain.finalized_head().await.unwrap().now;
    pass(&play, HOUR - now % HOUR).await.unwrap();
    let payees: Vec<Address> = play.cast.creators.iter().map(|c| c.address()).collect();
    let usdc = Coin::Usdc.token();
    let start_at = play.stage.chain.finalized_head().await.unwrap().now;
    let by_rate =
        |payee: usize, token: Token, rate, deposit| CreateStream { start_at, ..CreateStream::open_ended(payees[payee], token, rate, deposit) };
    let ending = |payee: usize, secs| CreateStream { start_at, ..CreateStream::of_total(payees[payee], usdc, 3 * USDC, start_at + secs) };
    let wanted = [
        by_rate(0, usdc, hourly(3 * USDC), 9 * USDC),                               // good
        by_rate(0, usdc, hourly(6 * USDC), 2 * USDC),                               // runs out after twenty minutes
        by_rate(1, Token::ZERO, hourly(6 * QUARTER_DOT), 9 * QUARTER_DOT),          // cancelled
        by_rate(1, Token::ZERO, hourly(6 * QUARTER_DOT), 2 * QUARTER_DOT),          // voided
        by_rate(1, usdc, hourly(6 * USDC), 9 * USDC),                               // paused
        ending(2, HOUR / 2),                                                        // ends
        by_rate(2, Token::ZERO, hourly(QUARTER_DOT / 1_000), QUARTER_DOT),          // a tenth of a cent an hour: never worth it
        ending(0, 2 * HOUR - 60),                                                   // claimed by its payee meanwhile
        CreateStream { deposit_units: 0, ..by_rate(2, usdc, hourly(6 * USDC), 0) }, // without money
    ];
    let streams = payer.create_streams(&wanted).await.unwrap();
    let [good, poor, cancelled, voided, paused, ended, dust, raced, empty] = streams.try_into().unwrap();
    pass(&play, HOUR / 2).await.unwrap();
    // In the slot in which they began nothing is claimed.
    payer.cancel_stream(cancelled.number).await.unwrap();
    payer.void_stream(voided.number).await.unwrap();
    payer.pause_stream(paused.number).await.unwrap();

    assert_eq!(recorded(&daemon, good.number), []);
    pass(&play, HOUR / 2).await.unwrap();
    for (stream, outcome) in [
        (good, RowOutcome::Applied),
        (poor, RowOutcome::Capped),
        (cancelled, RowOutcome::Applied),
        (voided, RowOutcome::Applied),
        (paused, RowOutcome::Applied),
        (ended, RowOutcome::Applied),
    ] {
        let (found, total) = next_row(&daemon, stream.number, 0).await;
        assert_eq!(found, outcome, "{stream:?}");
        assert!(total > 0);
    }
    assert_eq!(recorded(&daemon, poor.number)[0].1, 2 * USDC);
    assert_eq!(recorded(&daemon, ended.number)[0].1, 3 * USDC);
    // Those that had nothing more to pay are gone, and with them their records.
    for (stream, expected) in [(cancelled, None), (voided, None), (ended, None), (poor, Some(StreamStatus::StreamingInsolvent as u8))] {
        assert_eq!(status(&play, stream.number).await, expected, "{stream:?}");
    }

    // More money for the poor one, and nothing more from it in this slot.
    payer.top_up_stream(&poor, 20 * USDC).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((recorded(&daemon, poor.number).len(), recorded(&daemon, good.number).len()), (1, 1), "once a slot");

    raced_and_next_slot(&play, &mut daemon, &payees, [good, poor, raced]).await;
    assert_eq!(paid(&play, dust.number).await, 0, "a row that does not pay for itself was claimed");
    assert_eq!((recorded(&daemon, empty.number), paid(&play, empty.number).await), (vec![], 0));
    play.stage.node.set_sealing(true).await.unwrap();
    only_fees_were_lost(&play).await;
    support::strike(play, daemon).await;
}

/// Waits until so many transactions are in the pool.
async fn wait_for_pool(play: &Play, wanted: usize) {
    let begun = Instant::now();
    while play.stage.node.pending().await.unwrap() != wanted {
        assert!(begun.elapsed() < PATIENCE, "the pool never had {wanted} transactions");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The payee itself claims the last of a stream, in a block that is not final yet: the relayer does not know of it, and sends its row with the others'. That
/// row is closed, the others are paid.
async fn raced_and_next_slot(play: &Play, daemon: &mut Daemon, payees: &[Address], [good, poor, raced]: [Stream; 3]) {
    let (node, before) = (&play.stage.node, recorded(daemon, raced.number).len());
    node.set_sealing(false).await.unwrap();
    daemon.kill();
    node.advance_time(HOUR).await.unwrap();
    node.call("dev_sealBlock", json!([true])).await.unwrap();
    let lane = play.cast.earn[0].lane();
    let call = Streams::claimCall { book: raced.number.book, serial: raced.number.serial, amount: ALL, to: to_sol(&payees[0]) };
    let contract = play.stage.chain.contract(ContractKind::Streams);
    let call = lane.prepare(&contract, 0, &alloy_sol_types::SolCall::abi_encode(&call)).await.unwrap();
    let claim = lane.send(&call).await.unwrap();
    node.call("dev_sealBlock", json!([false])).await.unwrap();
    // The payee's claim is in that block.
    wait_for_pool(play, 0).await;
    daemon.launch().unwrap();
    wait_for_pool(play, 1).await;
    node.call("dev_sealBlock", json!([true])).await.unwrap();
    claim.success().await.unwrap();
    node.set_sealing(true).await.unwrap();
    daemon.wait_ready().await.unwrap();
    assert_eq!(next_row(daemon, raced.number, before).await, (RowOutcome::Closed, 0));
    assert_eq!(next_row(daemon, good.number, 1).await.0, RowOutcome::Applied);
    assert_eq!(next_row(daemon, poor.number, 1).await.0, RowOutcome::Applied, "topped up, it owes nothing that is not covered");
    assert_eq!(status(play, raced.number).await, None);
}

/// The relayer's key lost fees, and got the storage deposits of the records that its claims ended.
async fn only_fees_were_lost(play: &Play) {
    let end = play.stage.ledger.snapshot(&play.cast.accounts()).await.unwrap();
    let costs = play.stage.ledger.costs(play.start.block.number, end.block.number).await.unwrap();
    let relayer = play.cast.relayer.account();
    let paid = costs[&relayer];
    let lost = play.start.of(&relayer).native() as i128 - end.of(&relayer).native() as i128;
    assert_eq!(lost, paid.fees as i128 + paid.deposits);
    println!("{} transactions of the relayer, {} planck of fees, {} of storage deposits", paid.transactions, paid.fees, paid.deposits);
}

/// Runs `rivulet statement` for a payee, as its user would.
fn statement(play: &Play, payee: &Address, more: &[&str]) -> String {
    let mut command = Command::new(built("rivulet").unwrap());
    command.args(["statement", "--payee", &payee.to_string(), "--rpc-url", &play.stage.node.url(), "--deployment"]);
    let output = command.arg(play.stage.deployment_path()).args(more).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{err}");
    println!("{err}");
    out
}

/// What a statement says was received in a token, in its smallest unit.
fn received(statement: &Value, token: &str) -> u128 {
    let total = statement["totals"].as_array().unwrap().iter().find(|t| t["token"] == token);
    total.map_or(0, |t| t["received_units"].as_str().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_handed_over_is_claimed_under_the_new_books_terms_and_both_statements_are_exact() {
    let (play, daemon) = support::stage(&["--payers", "1", "--creators", "2", "--streams", "0", "--vouchers", "2"], |flags| {
        flags.interval_ms = 300;
        flags.min_value_bps = 10_000;
    })
    .await;
    give(&play, 0, 100 * USDC).await;
    let (payer, seller, buyer) = (&play.cast.pay[0], &play.cast.earn[0], &play.cast.earn[1]);
    let (usdc, chain) = (Coin::Usdc.token(), &play.stage.chain);
    // The buyer's book gives five times the seller's share.
    let at = chain.node().finalized().await.unwrap();
    let book = chain.book_of(ContractKind::Streams, &buyer.address(), &usdc, at).await.unwrap().unwrap();
    let before = chain.book(ContractKind::Streams, book, at).await.unwrap().unwrap().terms;
    let terms = RelayTerms { fee_bps: 500, ..before };
    buyer.set_terms(ContractKind::Streams, &usdc, &terms).await.unwrap();
    let start = play.stage.ledger.snapshot(&play.cast.accounts()).await.unwrap();

    let mut memo = [0; 32];
    memo[..12].copy_from_slice(b"=invoice, 77");
    let flags = Flags::CANCELLABLE | Flags::TRANSFERABLE;
    let wanted = CreateStream { flags, memo, ..CreateStream::open_ended(seller.address(), usdc, hourly(6 * USDC), 30 * USDC) };
    let stream = payer.create_stream(&wanted).await.unwrap();
    pass(&play, HOUR).await.unwrap();
    next_row(&daemon, stream.number, 0).await;
    let (number, _) = seller.hand_over_stream(stream.number, &buyer.address()).await.unwrap();
    assert_eq!(number.book, book);
    let at_hand_over = paid(&play, number).await;
    for hours in 0..3 {
        pass(&play, HOUR).await.unwrap();
        let (outcome, _) = next_row(&daemon, number, hours).await;
        assert_eq!(outcome, RowOutcome::Applied);
    }
    // A day later it has run out of money: all of it is paid.
    let so_far = paid(&play, number).await;
    pass(&play, 86_400).await.unwrap();
    assert_eq!(next_row(&daemon, number, 3).await, (RowOutcome::Capped, 30 * USDC));
    let end = play.stage.ledger.snapshot(&play.cast.accounts()).await.unwrap();
    let gained = |who: usize| end.of(&play.cast.creators[who].account()).usdc - start.of(&play.cast.creators[who].account()).usdc;
    let kept = end.of(&play.cast.earnings.account()).usdc - start.of(&play.cast.earnings.account()).usdc;

    // What the statements say is what arrived, to the unit.
    let read = |payee: &Address, by: &str| serde_json::from_str::<Value>(&statement(&play, payee, &["--by", by, "--json"])).unwrap();
    for (who, payee) in [seller.address(), buyer.address()].into_iter().enumerate() {
        for by in ["claim", "day", "month"] {
            assert_eq!(received(&read(&payee, by), "usdc"), gained(who), "{payee} by {by}");
        }
    }
    let units = |line: &Value, name: &str| line[name].as_str().unwrap().parse::<u128>().unwrap();
    let (of_seller, of_buyer) = (read(&seller.address(), "claim"), read(&buyer.address(), "claim"));
    let lines: Vec<&Value> = of_seller["lines"].as_array().unwrap().iter().chain(of_buyer["lines"].as_array().unwrap()).collect();
    assert_eq!(lines.iter().map(|l| units(l, "relay_fee_units")).sum::<u128>(), kept);
    assert_eq!(of_seller["lines"].as_array().unwrap().iter().map(|l| units(l, "paid_units")).sum::<u128>(), at_hand_over);
    for line in of_buyer["lines"].as_array().unwrap() {
        let gain = units(line, "paid_units");
        let asked = gain * 500 / 10_000 + terms.flat_fee;
        let expected = if gain < terms.min_gain { 0 } else { asked.min(gain / 10) };
        assert_eq!(units(line, "relay_fee_units"), expected, "{line}");
        assert_eq!(
            (line["id"].as_str().unwrap(), line["reference"].as_str()),
            (format!("0x{}", hex::encode(stream.id.0)).as_str(), Some("=invoice, 77"))
        );
    }

    // A statement of the last day alone begins from what the chain had paid before.
    let today = rivulet_rules::statement::Date::of(chain.finalized_head().await.unwrap().now).to_string();
    let later: Value = serde_json::from_str(&statement(&play, &buyer.address(), &["--from", &today, "--json"])).unwrap();
    assert_eq!(later["lines"].as_array().unwrap().iter().map(|l| units(l, "paid_units")).collect::<Vec<_>>(), [30 * USDC - so_far]);
    // In a spreadsheet the payer's words are words.
    let csv = statement(&play, &buyer.address(), &["--csv"]);
    assert!(csv.lines().count() >= 2 && csv.contains(",\"'=invoice, 77\","), "{csv}");
    support::strike(play, daemon).await;
}
