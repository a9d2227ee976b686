//! given what nodes said
//! ├── all agree and move: all are good
//! ├── one is behind, or stands still while another moves: it lags; all stand still: nobody does, but their heads' age tells
//! ├── one contradicts the majority, or the record and another: it lies, and goes on lying when the others are silent
//! └── one against one: nobody is believed, until a third settles it

use rivulet_rules::{
    chain::BlockRef,
    endpoint::{Disputes, EndpointState, Judgement, Seen, Sight, Tolerance, judge},
};

const TOLERANCE: Tolerance = Tolerance { blocks: 16, secs: 90 };

fn hash(history: u8, number: u64) -> [u8; 32] {
    let mut hash = [history; 32];
    hash[0] = number as u8;
    hash
}

fn block(history: u8, number: u64) -> BlockRef {
    BlockRef { number, hash: hash(history, number) }
}

fn seen(history: u8, head: u64, asked: &[u64]) -> Seen {
    let hashes = asked.iter().filter(|n| **n <= head).map(|n| (*n, hash(history, *n))).collect();
    Seen { head: block(history, head), head_age_secs: Some(3), still_secs: 1, hashes }
}

/// Nodes called a, b, c … by history and head, all asked for these heights.
fn nodes(all: &[(u8, u64)], asked: &[u64]) -> Vec<Sight> {
    let name = |i: usize| char::from(b'a' + i as u8).to_string();
    all.iter().enumerate().map(|(i, (history, head))| Sight { name: name(i), seen: Ok(seen(*history, *head, asked)) }).collect()
}

fn words(judgement: &Judgement) -> Vec<&'static str> {
    judgement.states.iter().map(EndpointState::word).collect()
}

fn judged(sights: &[Sight], recorded: Option<BlockRef>) -> Judgement {
    judge(sights, recorded, &mut Disputes::new(), &TOLERANCE)
}

#[test]
fn nodes_that_agree_are_good_though_some_blocks_apart() {
    let judgement = judged(&nodes(&[(1, 100), (1, 90), (1, 104)], &[90, 100]), Some(block(1, 95)));
    assert_eq!(words(&judgement), ["good"; 3]);
    assert_eq!(judgement.objection(&block(1, 100)), None);
    // Nobody was asked for this one: nobody objects.
    assert_eq!(judgement.objection(&block(2, 104)), None);
}

#[test]
fn a_node_that_is_behind_another_or_the_record_lags() {
    let judgement = judged(&nodes(&[(1, 100), (1, 83)], &[83]), None);
    assert_eq!(words(&judgement), ["good", "lagging"]);
    assert_eq!(judgement.states[1].reason(), Some("its finalized head, 83, is 17 blocks behind that of a"));
    let judgement = judged(&nodes(&[(1, 83)], &[83]), Some(block(1, 100)));
    assert_eq!(judgement.states[0].reason(), Some("its finalized head, 83, is 17 blocks behind what was taken in already"));
}

#[test]
fn a_head_that_stands_still_lags_only_when_another_moves_or_it_is_old() {
    let still = |ages: [Option<u64>; 2], still_secs: [u64; 2]| {
        let mut sights = nodes(&[(1, 100), (1, 98)], &[98]);
        for ((sight, age), secs) in sights.iter_mut().zip(ages).zip(still_secs) {
            let seen = sight.seen.as_mut().unwrap();
            (seen.head_age_secs, seen.still_secs) = (age, secs);
        }
        words(&judged(&sights, None))
    };
    assert_eq!(still([None; 2], [2, 89]), ["good", "good"]);
    assert_eq!(still([None; 2], [2, 90]), ["good", "lagging"]);
    // Finality stands still everywhere: no node is better than another.
    assert_eq!(still([None; 2], [95, 120]), ["good", "good"]);
    assert_eq!(still([Some(95), Some(120)], [95, 120]), ["lagging", "lagging"]);
    // One that catches up has an old head that moves.
    assert_eq!(still([Some(5_000), Some(5_000)], [2, 2]), ["good", "good"]);
}

#[test]
fn a_node_that_contradicts_the_majority_lies_and_is_named_with_what_differs() {
    let judgement = judged(&nodes(&[(1, 100), (2, 100), (1, 100)], &[100]), None);
    assert_eq!(words(&judgement), ["good", "lying", "good"]);
    let reason = judgement.states[1].reason().unwrap();
    assert!(reason.contains("final block 100 is 0x6402") && reason.contains("0x6401") && reason.ends_with("by a, c"), "{reason}");
    assert_eq!(judgement.objection(&block(1, 100)), None);
    assert!(judgement.objection(&block(2, 100)).unwrap().starts_with("final block 100 is 0x6401"));
}

#[test]
fn the_record_is_one_voice() {
    let recorded = Some(block(1, 100));
    assert_eq!(words(&judged(&nodes(&[(2, 101), (1, 101)], &[100]), recorded)), ["lying", "good"]);
    // Alone against it: who is wrong cannot be told, but nothing may be claimed.
    assert_eq!(words(&judged(&nodes(&[(2, 101)], &[100]), recorded)), ["lying"]);
    assert_eq!(words(&judged(&nodes(&[(2, 101), (2, 101), (1, 101)], &[100]), recorded)), ["lying"; 3]);
}

#[test]
fn the_record_speaks_for_its_ancestors_by_those_who_know_it() {
    // The liar is far behind: at its head it would be one against one.
    let sights = nodes(&[(2, 90), (1, 101)], &[90, 100]);
    assert_eq!(words(&judged(&sights, Some(block(1, 100)))), ["lying", "good"]);
    assert_eq!(words(&judged(&sights, None)), ["lying", "lying"]);
    // Nobody knows it yet: no help.
    assert_eq!(words(&judged(&nodes(&[(2, 90), (1, 95)], &[90]), Some(block(1, 100)))), ["lying", "lying"]);
}

#[test]
fn one_against_one_is_settled_by_a_third_and_not_by_silence() {
    let mut disputes = Disputes::new();
    let mut look = |sights: &[Sight]| judge(sights, None, &mut disputes, &TOLERANCE);
    let judgement = look(&nodes(&[(1, 100), (2, 100)], &[100]));
    assert_eq!(words(&judgement), ["lying", "lying"]);
    let objection = judgement.objection(&block(1, 100)).unwrap();
    assert!(objection.contains("take the wrong node out of chain.rpc_urls, or add a third"), "{objection}");
    let mut silent = nodes(&[(1, 100), (2, 100)], &[100]);
    silent[0].seen = Err(EndpointState::Unreachable("gone".to_owned()));
    assert_eq!(words(&look(&silent)), ["unreachable", "lying"]);
    assert_eq!(words(&look(&nodes(&[(1, 100), (2, 100), (1, 100)], &[100]))), ["good", "lying", "good"]);
    // From now on it is known, whoever answers.
    assert_eq!(words(&look(&silent)), ["unreachable", "lying"]);
    assert_eq!(words(&look(&nodes(&[(1, 120), (1, 120)], &[100]))), ["good", "good"]);
}

#[test]
fn who_lied_below_has_no_voice_above() {
    // At block 100 it is two against one, at 101 one against one: the one is the liar.
    assert_eq!(words(&judged(&nodes(&[(1, 100), (2, 101), (1, 101)], &[100, 101]), None)), ["good", "lying", "good"]);
}

#[test]
fn another_chain_is_never_used_whatever_it_says() {
    let mut sights = nodes(&[(1, 100), (1, 100)], &[100]);
    sights[0].seen = Err(EndpointState::OtherChain("its genesis is another".to_owned()));
    let judgement = judged(&sights, None);
    assert_eq!(words(&judgement), ["other_chain", "good"]);
    assert!(judgement.states[0].is_refused());
}
