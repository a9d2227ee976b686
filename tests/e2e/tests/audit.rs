//! The audit finds every kind of theft and loss: a small world in which all is well, and then one figure at a time is not.

use rivulet_e2e::{
    ledger::{Paid, Purse, Snapshot},
    story::{
        audit::{Audit, CreatorFacts, Facts, PayerFacts, SellerFacts, audit},
        plan::{Coin, Money},
    },
};
use rivulet_rules::chain::{Account, BlockRef};

const PAYER: Account = Account([1; 32]);
const CREATOR: Account = Account([2; 32]);
const RELAYER: Account = Account([3; 32]);
const EARNINGS: Account = Account([4; 32]);
const OPERATOR: Account = Account([5; 32]);
const CHANNELS: Account = Account([6; 32]);
const STREAMS: Account = Account([7; 32]);
const SELLER: Account = Account([8; 32]);

const DEPOSIT: u128 = 3_000_000;

fn snapshot(number: u64, issuance: u128, purses: [(Account, u128, u128, u128, u32); 8]) -> Snapshot {
    let purse = |(account, free, reserved, usdc, nonce)| (account, Purse { free, reserved, usdc, nonce });
    Snapshot { block: BlockRef { number, hash: [0; 32] }, purses: purses.into_iter().map(purse).collect(), issuance }
}

/// A payer opens two channels, spends 700 planck-thousands of 1,000 and 60 USDC-units of 100, a creator closes one, the payer the other.
fn world() -> Facts {
    let start = snapshot(
        1,
        10_000_000_000,
        [
            (PAYER, 100_000_000, 0, 1_000, 0),
            (CREATOR, 50_000_000, 0, 0, 4),
            (RELAYER, 50_000_000, 0, 0, 0),
            (EARNINGS, 1_000_000, 0, 10, 0),
            (OPERATOR, 50_000_000, 0, 0, 0),
            (CHANNELS, 100, 9_000_000, 10, 1),
            (STREAMS, 100, 9_000_000, 10, 1),
            (SELLER, 50_000_000, 0, 10, 0),
        ],
    );
    let mut opened = start.clone();
    {
        let payer = opened.purses.get_mut(&PAYER).unwrap();
        payer.free -= 1_000_000 + 2 * DEPOSIT + 20_000;
        payer.usdc -= 100;
        payer.nonce = 2;
        let contract = opened.purses.get_mut(&CHANNELS).unwrap();
        contract.free += 1_000_000;
        contract.reserved += 2 * DEPOSIT;
        contract.usdc += 100;
        opened.issuance -= 20_000;
    }
    let mut settled = opened.clone();
    {
        let mut gain = |who: Account, planck: u128, usdc: u128| {
            settled.purses.get_mut(&who).unwrap().free += planck;
            settled.purses.get_mut(&who).unwrap().usdc += usdc;
        };
        gain(CREATOR, 690_000, 58);
        gain(EARNINGS, 10_000, 2);
        let contract = settled.purses.get_mut(&CHANNELS).unwrap();
        contract.free -= 700_000;
        contract.usdc -= 60;
        let relayer = settled.purses.get_mut(&RELAYER).unwrap();
        relayer.free -= 5_000;
        relayer.nonce = 1;
        settled.issuance -= 5_000;
    }
    let mut end = settled.clone();
    {
        let contract = end.purses.get_mut(&CHANNELS).unwrap();
        contract.free -= 300_000;
        contract.usdc -= 40;
        // One planck of each deposit is lost to rounding.
        contract.reserved -= 2 * (DEPOSIT - 1);
        let creator = end.purses.get_mut(&CREATOR).unwrap();
        creator.free = creator.free + DEPOSIT - 1 - 7_000;
        creator.nonce = 5;
        let payer = end.purses.get_mut(&PAYER).unwrap();
        payer.free = payer.free + 300_000 + DEPOSIT - 1 - 9_000;
        payer.usdc += 40;
        payer.nonce = 4;
        end.issuance -= 16_000;
    }
    let paid = |transactions, fees, deposits| Paid { transactions, fees, deposits };
    let (two, back) = (2 * DEPOSIT as i128, 1 - DEPOSIT as i128);
    Facts {
        start,
        opened,
        settled,
        end,
        costs_opened: [(PAYER, paid(2, 20_000, two))].into(),
        costs: [(PAYER, paid(4, 29_000, two + back)), (RELAYER, paid(1, 5_000, 0)), (CREATOR, paid(1, 7_000, back))].into(),
        contracts: vec![("channels contract".into(), CHANNELS), ("streams contract".into(), STREAMS)],
        payers: vec![PayerFacts {
            name: "payer".into(),
            account: PAYER,
            channels: 2,
            credit_cells: 0,
            first_deposits: Money { planck: 1_000_000, usdc: 100 },
            put_in: Money { planck: 1_000_000, usdc: 100 },
            spent: Money { planck: 700_000, usdc: 60 },
        }],
        creators: vec![CreatorFacts { name: "creator".into(), account: CREATOR, payments: 9, earned: Money { planck: 700_000, usdc: 60 } }],
        seller: SellerFacts { name: "seller".into(), account: SELLER, earned: Money::default() },
        relayer: RELAYER,
        earnings: EARNINGS,
        operator: OPERATOR,
    }
}

fn broken(change: impl FnOnce(&mut Facts)) -> Audit {
    let mut facts = world();
    change(&mut facts);
    audit(&facts)
}

fn purse<'a>(facts: &'a mut Facts, who: &Account) -> &'a mut Purse {
    facts.end.purses.get_mut(who).unwrap()
}

#[test]
fn a_world_in_order_holds() {
    let audit = audit(&world());
    assert_eq!(audit.differences, []);
    assert_eq!(audit.creators, [(Money { planck: 690_000, usdc: 58 }, Money { planck: 10_000, usdc: 2 })]);
    assert_eq!((audit.relay_fees, audit.refunds), (Money { planck: 10_000, usdc: 2 }, Money { planck: 300_000, usdc: 40 }));
    assert_eq!((audit.channel_deposit, audit.deposits_to_creators, audit.deposits_left), (DEPOSIT, DEPOSIT - 1, 2));
}

#[test]
fn one_planck_or_unit_too_little_or_too_much_is_found_with_everybody() {
    for who in [PAYER, CREATOR, RELAYER, EARNINGS, OPERATOR, CHANNELS, STREAMS, SELLER] {
        for more in [false, true] {
            let by = |n: &mut u128| if more { *n += 1 } else { *n -= 1 };
            assert!(!broken(|f| by(&mut purse(f, &who).free)).holds(), "{who:?} {more}");
            if who != RELAYER && who != OPERATOR {
                assert!(!broken(|f| by(&mut purse(f, &who).usdc)).holds(), "{who:?} {more}");
            }
        }
    }
}

#[test]
fn money_that_moves_between_two_people_is_found() {
    let people = [PAYER, CREATOR, RELAYER, EARNINGS, OPERATOR, CHANNELS, STREAMS, SELLER];
    for from in people {
        for to in people.into_iter().filter(|to| *to != from) {
            let native = broken(|f| {
                purse(f, &from).free -= 50;
                purse(f, &to).free += 50;
            });
            assert!(!native.holds(), "50 planck from {from:?} to {to:?}");
            let usdc = broken(|f| {
                let taken = purse(f, &from).usdc.min(5);
                purse(f, &from).usdc -= taken;
                purse(f, &to).usdc += taken.max(1);
            });
            assert!(!usdc.holds(), "5 units from {from:?} to {to:?}");
        }
    }
}

#[test]
fn who_and_how_much_is_told() {
    let audit = broken(|f| purse(f, &CHANNELS).usdc += 3);
    let told = audit.differences.iter().find(|d| d.what.contains("channels contract")).unwrap();
    assert_eq!((told.coin, told.expected, told.found), (Coin::Usdc, 10, 13));
}

#[test]
fn a_fee_above_the_ceiling_is_found() {
    let audit = broken(|f| {
        for at in [&mut f.settled, &mut f.end] {
            at.purses.get_mut(&CREATOR).unwrap().free -= 70_000;
            at.purses.get_mut(&EARNINGS).unwrap().free += 70_000;
        }
    });
    assert!(audit.differences.iter().any(|d| d.what.contains("relay fees kept")), "{:?}", audit.differences);
}

#[test]
fn a_transaction_that_nobody_paid_for_is_found() {
    assert!(!broken(|f| f.costs.get_mut(&RELAYER).unwrap().fees += 1).holds());
    assert!(!broken(|f| purse(f, &RELAYER).nonce += 1).holds());
    assert!(!broken(|f| f.end.issuance -= 1).holds());
}

#[test]
fn a_storage_deposit_that_nobody_paid_or_got_is_found() {
    for who in [PAYER, CREATOR, RELAYER] {
        assert!(!broken(|f| f.costs.get_mut(&who).unwrap().deposits += 1).holds(), "{who:?}");
    }
    assert!(!broken(|f| f.costs_opened.get_mut(&PAYER).unwrap().deposits -= 1).holds());
}

#[test]
fn storage_deposits_that_stay_with_a_contract_are_found() {
    let audit = broken(|f| {
        let much = DEPOSIT;
        purse(f, &PAYER).free -= much;
        purse(f, &CHANNELS).reserved += much;
        f.costs.get_mut(&PAYER).unwrap().deposits += much as i128;
    });
    assert!(audit.differences.iter().any(|d| d.what.contains("left with the contracts")), "{:?}", audit.differences);
}
