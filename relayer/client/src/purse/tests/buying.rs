//! ```text
//! credit is spent first ── a tip is none ── what was lost stays promised ── what was refused is not ── what is known is bounded, and survives
//! a paywall says: less ── more than was signed ── what another program promised ── a total that nobody signed
//! ```

use super::*;

const NOW: u64 = 1_000_000;

fn ticket(nonce: u8, amount: u128) -> Ticket {
    Ticket { request: format!("GET blog.example/{nonce}"), amount, cost: 0, nonce: [nonce; 32], valid_until: NOW + 100 }
}

fn open(path: &Path) -> (Purse, Channel) {
    let (purse, one) = (purse(path).with_clock(|| NOW), channel(0));
    purse.add(&one, "blog.example").unwrap();
    (purse, one)
}

/// Credit, aside, the total to add to, tickets.
fn books(purse: &Purse) -> (u128, u128, u128, usize) {
    let kept = purse.get(channel(0).id).unwrap();
    (kept.credit, kept.aside, kept.accepted, kept.tickets.len())
}

/// What a paywall says that has accepted all that a purse knows of.
fn told(purse: &Purse, available: u128) -> Told {
    let one = channel(0);
    let accepted = purse.get(one.id).unwrap().accepted;
    Told { accepted, signature: Some(signer(3).sign(one.number(), one.id, accepted).signature), available }
}

fn tip(purse: &Purse, amount: u128) {
    let voucher = purse.promise(channel(0).id, amount, "").unwrap();
    purse.accepted(&voucher).unwrap();
}

fn bought(purse: &Purse, nonce: u8, amount: u128) -> u128 {
    let ticket = ticket(nonce, amount);
    let (voucher, missing) = purse.order(channel(0).id, &ticket, NOW).unwrap();
    purse.granted(&voucher, &ticket, Some(amount)).unwrap();
    missing
}

#[test]
fn a_tip_buys_nothing_and_what_was_not_served_does() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    assert_eq!(bought(&purse, 1, 10), 10);
    tip(&purse, 30);
    // The paywall has seen ten, and not the tip.
    purse.learn(one.id, &Told { accepted: 10, signature: None, available: 0 }).unwrap();
    assert_eq!(books(&purse), (0, 30, 40, 1));
    let (lost, missing) = purse.order(one.id, &ticket(2, 10), NOW).unwrap();
    assert_eq!((lost.cumulative_amount, missing), (50, 10));
    // It was not served: now there are forty at the paywall, ten of which are ours to spend.
    purse.granted(&lost, &ticket(2, 10), None).unwrap();
    purse.learn(one.id, &told(&purse, 40)).unwrap();
    assert_eq!(books(&purse), (10, 30, 50, 1));
    drop(purse);
    let (purse, _) = open(dir.path());
    assert_eq!((bought(&purse, 3, 12), books(&purse)), (2, (0, 30, 52, 2)), "after a restart too");
    // What somebody took of the tip is gone.
    purse.learn(one.id, &told(&purse, 5)).unwrap();
    assert_eq!(books(&purse), (0, 5, 52, 2));
}

#[test]
fn a_tip_stays_one_while_what_a_site_charged_is_not_known_here() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    tip(&purse, 30);
    // Charged, and the answer lost: the paywall has the tip, and nothing else.
    let (_, missing) = purse.order(one.id, &ticket(1, 10), NOW).unwrap();
    assert_eq!((missing, bought(&purse, 2, 10)), (10, 10));
    purse.learn(one.id, &told(&purse, 30)).unwrap();
    assert_eq!(books(&purse), (0, 30, 50, 2));
    // Asked for again, it is heard of.
    let again = purse.voucher_for(one.id, &ticket(1, 10)).unwrap();
    purse.granted(&again, &ticket(1, 10), Some(10)).unwrap();
    purse.learn(one.id, &told(&purse, 30)).unwrap();
    assert_eq!((books(&purse), bought(&purse, 3, 10)), ((0, 30, 50, 2), 10), "and the next page is paid for");
}

#[test]
fn a_purchase_of_which_nothing_was_heard_stays_promised_beside_the_next_ones() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    let (first, _) = purse.order(one.id, &ticket(1, 10), NOW).unwrap();
    assert_eq!(purse.voucher_for(one.id, &ticket(1, 10)).unwrap(), first);
    let (second, missing) = purse.order(one.id, &ticket(2, 20), NOW).unwrap();
    assert_eq!((second.cumulative_amount, missing), (30, 20), "one voucher for both");
    purse.granted(&second, &ticket(2, 20), Some(20)).unwrap();
    // The first never arrived: its ten are at the paywall, and spoken for.
    purse.learn(one.id, &told(&purse, 10)).unwrap();
    assert_eq!(books(&purse), (0, 0, 30, 2));
    drop(purse);
    let (purse, _) = open(dir.path());
    assert_eq!(purse.voucher_for(one.id, &ticket(1, 10)).unwrap().cumulative_amount, 30, "so it is asked for with what is there");
    // Its time is over: what the paywall still has of it is credit.
    let later = Ticket { valid_until: NOW + 300, ..ticket(3, 10) };
    let purse = purse.with_clock(|| NOW + 200);
    let (voucher, missing) = purse.order(one.id, &later, NOW + 200).unwrap();
    purse.granted(&voucher, &later, Some(10)).unwrap();
    purse.learn(one.id, &told(&purse, 10)).unwrap();
    assert_eq!((missing, books(&purse)), (10, (10, 0, 40, 1)));
}

#[test]
fn what_was_refused_is_promised_no_more_and_was_it_taken_it_is_credit() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    let (voucher, _) = purse.order(one.id, &ticket(1, 10), NOW).unwrap();
    assert_eq!(purse.denied(&voucher, &ticket(1, 10), false).unwrap(), 0);
    assert_eq!(books(&purse), (0, 0, 0, 0));
    let (voucher, _) = purse.order(one.id, &ticket(2, 10), NOW).unwrap();
    assert_eq!((voucher.cumulative_amount, purse.denied(&voucher, &ticket(2, 10), true).unwrap()), (10, 10));
    assert_eq!(books(&purse), (10, 0, 10, 0));
    // Four of its ten come from elsewhere: refused, the credit is what it was.
    let (voucher, missing) = purse.order(one.id, &ticket(3, 14), NOW).unwrap();
    assert_eq!((missing, books(&purse).0), (4, 0));
    purse.refused(&voucher).unwrap();
    assert_eq!(books(&purse), (10, 0, 10, 0), "by a relayer that was given it, too");
    // While a tip is pending nothing is bought: its total is not known.
    purse.promise(one.id, 5, "tip").unwrap();
    assert!(matches!(purse.order(one.id, &ticket(4, 20), NOW), Err(Error::Unsettled { .. })));
}

#[test]
fn a_paywall_is_believed_as_far_as_our_own_signature_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    bought(&purse, 1, 10);
    tip(&purse, 5);
    let signed = |total| Some(signer(3).sign(one.number(), one.id, total).signature);
    let forged = signer(4).sign(one.number(), one.id, 60).signature;
    for signature in [None, Some(forged), signed(61)] {
        assert!(matches!(purse.learn(one.id, &Told { accepted: 60, signature, available: 50 }), Err(Error::NotOurs { .. })));
    }
    assert_eq!(books(&purse), (0, 5, 15, 1));
    // No site can make us believe that there is more than was ever promised.
    purse.learn(one.id, &Told { accepted: 0, signature: None, available: u128::MAX }).unwrap();
    assert_eq!(books(&purse), (10, 5, 15, 1));
    // Another program with our key has promised more: what for is not known here.
    purse.learn(one.id, &Told { accepted: 60, signature: signed(60), available: 20 }).unwrap();
    assert_eq!(books(&purse), (20, 0, 60, 1));
}

#[test]
fn a_finished_purchase_leaves_what_it_did_not_cost() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    let steps = ticket(1, 50);
    let (voucher, _) = purse.order(one.id, &steps, NOW).unwrap();
    purse.granted(&voucher, &steps, Some(10)).unwrap();
    purse.learn(one.id, &told(&purse, 40)).unwrap();
    assert_eq!(books(&purse), (0, 0, 50, 1), "the steps to come are spoken for");
    // It goes on for twenty more, under its name; four of them come from credit.
    bought(&purse, 2, 6);
    purse.learn(one.id, &told(&purse, 44)).unwrap();
    let raised = Ticket { amount: 70, valid_until: NOW + 200, ..steps };
    let (voucher, missing) = purse.raise(one.id, &raised, 20).unwrap();
    purse.granted(&voucher, &raised, Some(0)).unwrap();
    assert_eq!((missing, books(&purse)), (16, (0, 0, 72, 2)));
    assert_eq!(purse.get(one.id).unwrap().tickets[0], Ticket { cost: 10, ..raised.clone() });
    purse.finish(one.id, &raised, 30).unwrap();
    purse.finish(one.id, &raised, 30).unwrap();
    assert_eq!(books(&purse), (40, 0, 72, 1));
}

#[test]
fn no_more_than_32_are_kept_and_no_site_with_a_fast_clock_ends_those_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    for nonce in 0..40 {
        bought(&purse, nonce, 1);
    }
    let kept = purse.get(one.id).unwrap();
    assert_eq!((kept.tickets.len(), kept.tickets[0].nonce[0], kept.tickets[31].nonce[0]), (32, 8, 39));
    purse.order(one.id, &ticket(50, 1), u64::MAX).unwrap();
    assert_eq!(purse.get(one.id).unwrap().tickets.len(), 32);
}

#[test]
fn a_record_of_the_first_version_is_read_with_its_purchases() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    tip(&purse, 5);
    let (voucher, _) = purse.order(one.id, &ticket(1, 10), NOW).unwrap();
    purse.granted(&voucher, &ticket(1, 10), Some(10)).unwrap();
    purse.order(one.id, &ticket(2, 20), NOW).unwrap();
    let kept = purse.get(one.id).unwrap();
    drop(purse);
    let path = dir.path().join(format!("{}.json", record::channel_name(&one)));
    let mut old: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let fields = old.as_object_mut().unwrap();
    for new in ["credit", "aside", "tickets"] {
        fields.remove(new).unwrap();
    }
    fields.insert("version".into(), 1.into());
    std::fs::write(&path, serde_json::to_vec(&old).unwrap()).unwrap();
    let (purse, _) = open(dir.path());
    // That five were a tip was not written down.
    assert_eq!(purse.get(one.id).unwrap(), Kept { aside: 0, ..kept });
    purse.promise(one.id, 0, &ticket(2, 20).name()).unwrap_err();
    assert_eq!(purse.voucher_for(one.id, &ticket(2, 20)).unwrap().cumulative_amount, 35);
}

#[test]
fn what_is_over_goes_before_what_is_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let (purse, one) = open(dir.path());
    for nonce in 0..32 {
        let until = if nonce == 20 { NOW + 1 } else { NOW + 100 };
        purse.order(one.id, &Ticket { valid_until: until, ..ticket(nonce, 1) }, NOW).unwrap();
    }
    let purse = purse.with_clock(|| NOW + 1);
    let names = |purse: &Purse| purse.get(one.id).unwrap().tickets.iter().map(|ticket| ticket.nonce[0]).collect::<Vec<_>>();
    purse.order(one.id, &ticket(40, 1), NOW + 1).unwrap();
    assert_eq!((names(&purse).len(), names(&purse)[0], names(&purse).contains(&20)), (32, 0, false));
    purse.order(one.id, &ticket(41, 1), NOW + 1).unwrap();
    assert_eq!((names(&purse).len(), names(&purse)[0]), (32, 1));
}
