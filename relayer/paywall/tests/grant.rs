//! The four statements of `grant`, over random sequences of everything that can happen to a channel and its purchases.

use proptest::prelude::*;
use rivulet_paywall::grant::{Account, Purchase, Refused};

#[derive(Clone, Debug)]
enum Step {
    Accept(u128),
    Buy { purchase: usize, price: u128 },
    Stream { purchase: usize, step: u128 },
    GiveBack { purchase: usize, amount: u128 },
    Sign { purchase: usize, budget: u128 },
}

fn amount() -> impl Strategy<Value = u128> {
    prop_oneof![0u128..50, Just(rivulet_core::amount::MAX_AMOUNT)]
}

fn step() -> impl Strategy<Value = Step> {
    let purchase = 0usize..4;
    prop_oneof![
        amount().prop_map(Step::Accept),
        (purchase.clone(), amount()).prop_map(|(purchase, price)| Step::Buy { purchase, price }),
        (purchase.clone(), 1u128..20).prop_map(|(purchase, step)| Step::Stream { purchase, step }),
        (purchase.clone(), amount()).prop_map(|(purchase, amount)| Step::GiveBack { purchase, amount }),
        (purchase, amount()).prop_map(|(purchase, budget)| Step::Sign { purchase, budget }),
    ]
}

proptest! {
    #[test]
    fn never_more_than_was_accepted_never_twice_never_beyond_the_signature_never_back_what_was_not_charged(
        first in amount(), steps in prop::collection::vec(step(), 0..60)
    ) {
        let mut account = Account::open(first);
        let mut purchases = [Purchase::default(); 4];
        // Counted apart from the account: what was served for, net of what was given back, and what was ever accepted beyond the beginning.
        let (mut served, mut highest) = (0u128, first);
        for step in steps {
            let before = account;
            match step {
                Step::Accept(total) => {
                    account.accept(total);
                    highest = highest.max(total);
                }
                Step::Buy { purchase, price } => {
                    let purchase = &mut purchases[purchase];
                    let cost = purchase.charged;
                    match account.charge_up_to(purchase, price) {
                        Ok(due) => {
                            prop_assert_eq!(due, price.saturating_sub(cost));
                            served += due;
                            let again = account;
                            prop_assert_eq!(account.charge_up_to(purchase, price), Ok(0), "asked for again it is free");
                            prop_assert_eq!(account, again);
                        }
                        Err(_) => prop_assert_eq!(account, before, "refused, and yet something changed"),
                    }
                }
                Step::Stream { purchase, step } => match account.charge(&mut purchases[purchase], step) {
                    Ok(due) => served += due,
                    Err(_) => prop_assert_eq!(account, before),
                },
                Step::GiveBack { purchase, amount } => {
                    let purchase = &mut purchases[purchase];
                    match account.give_back(purchase, amount) {
                        Ok(()) => served = served.checked_sub(amount).expect("what is given back was charged before"),
                        Err(Refused::NotCharged { charged, asked }) => {
                            prop_assert!(asked > charged && charged == purchase.charged);
                            prop_assert_eq!(account, before);
                        }
                        Err(other) => prop_assert!(false, "{other}"),
                    }
                }
                // A budget is what was signed: it is only ever raised.
                Step::Sign { purchase, budget } => purchases[purchase].budget = purchases[purchase].budget.max(budget),
            }
            prop_assert!(served <= highest - first, "served {served} for {}", highest - first);
            prop_assert_eq!(account.available(), highest - first - served, "nothing is lost either");
            prop_assert!(purchases.iter().all(|p| p.charged <= p.budget));
            prop_assert_eq!(purchases.iter().map(|p| p.charged).sum::<u128>(), served);
            prop_assert!(account.accepted >= before.accepted && account.charged >= before.charged && account.returned >= before.returned);
        }
    }
}

#[test]
fn what_was_accepted_before_the_paywall_saw_the_channel_buys_nothing() {
    let mut account = Account::open(500);
    let mut purchase = Purchase { budget: 10, charged: 0 };
    assert_eq!(account.charge_up_to(&mut purchase, 10), Err(Refused::NotEnough { available: 0, due: 10 }));
    account.accept(510);
    assert_eq!(account.charge_up_to(&mut purchase, 10), Ok(10));
    assert_eq!(account.available(), 0);
}

#[test]
fn a_refund_is_a_lower_price_next_time() {
    let mut account = Account::open(0);
    account.accept(10);
    let (mut first, mut second) = (Purchase { budget: 10, charged: 0 }, Purchase { budget: 10, charged: 0 });
    account.charge_up_to(&mut first, 10).unwrap();
    account.give_back(&mut first, 4).unwrap();
    assert_eq!(account.charge_up_to(&mut second, 10), Err(Refused::NotEnough { available: 4, due: 10 }));
    account.accept(16);
    assert_eq!(account.charge_up_to(&mut second, 10), Ok(10), "six more instead of ten");
    assert_eq!(account.give_back(&mut first, 7), Err(Refused::NotCharged { charged: 6, asked: 7 }));
}
