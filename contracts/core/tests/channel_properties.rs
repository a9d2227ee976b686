//! Channels under random calls by several parties: the sums hold after every step, and nobody gets what is not theirs.

mod support;

use proptest::prelude::*;
use rivulet_core::{
    blob::VoucherRow,
    channel,
    ids::{Address, ChannelId, Number},
    ledger,
    testing::MemoryHost,
};
use support::*;

#[derive(Clone, Debug)]
enum Step {
    Open { payer: bool, payee: bool, native: bool, amount: u32 },
    TopUp { which: usize, amount: u32 },
    Claim { which: usize, total: u32, honest: bool },
    RequestClose { which: usize },
    Finish { which: usize },
    Close { which: usize, total: u32 },
    Push { payee: bool, native: bool },
    Refuse { payee: bool },
    Wait { secs: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let amount = 1u32..2_000;
    prop_oneof![
        3 => (any::<bool>(), any::<bool>(), any::<bool>(), amount.clone()).prop_map(|(payer, payee, native, amount)| Open { payer, payee, native, amount }),
        1 => (0usize..8, amount.clone()).prop_map(|(which, amount)| TopUp { which, amount }),
        6 => (0usize..8, 0u32..3_000, prop::bool::weighted(0.8)).prop_map(|(which, total, honest)| Claim { which, total, honest }),
        1 => (0usize..8).prop_map(|which| RequestClose { which }),
        1 => (0usize..8).prop_map(|which| Finish { which }),
        1 => (0usize..8, 0u32..3_000).prop_map(|(which, total)| Close { which, total }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(payee, native)| Push { payee, native }),
        1 => any::<bool>().prop_map(|payee| Refuse { payee }),
        1 => (0u32..5_000).prop_map(|secs| Wait { secs }),
    ]
}

/// A channel as this test remembers it, on its own.
struct Known {
    number: Number,
    id: ChannelId,
    payer: Address,
    payee: Address,
    native: bool,
    deposit: u128,
    best_signed: u128,
}

fn unit(native: bool) -> u128 {
    if native { rivulet_core::amount::NATIVE_GRAIN } else { 1 }
}

fn token(native: bool) -> Address {
    if native { NATIVE } else { USDC }
}

fn run(h: &mut MemoryHost, known: &mut Vec<Known>, step: Step) {
    let payee_of = |b: bool| if b { PAYEE } else { OTHER_PAYEE };
    let total_wealth = |h: &MemoryHost, t: &Address| h.balances.iter().filter(|((token, _), _)| token == t).map(|(_, v)| *v).sum::<u128>();
    let before = (total_wealth(h, &NATIVE), total_wealth(h, &USDC));
    match step {
        Step::Open { payer, payee, native, amount } => {
            let (payer, payee) = (if payer { PAYER } else { OTHER_PAYER }, payee_of(payee));
            let deposit = u128::from(amount) * unit(native);
            let (number, id) = open(h, payer, payee, token(native), deposit);
            known.push(Known { number, id, payer, payee, native, deposit, best_signed: 0 });
        }
        Step::TopUp { which, amount } => {
            if let Some(k) = known.get_mut(which) {
                let amount = u128::from(amount) * unit(k.native);
                if h.call(OTHER_PAYER, value_of(&token(k.native), amount), |h| channel::top_up(h, k.number, k.id, amount)).is_ok() {
                    k.deposit += amount;
                }
            }
        }
        Step::Claim { which, total, honest } => {
            if let Some(k) = known.get_mut(which) {
                let total = u128::from(total) * unit(k.native);
                let row = voucher(h, k.id, if honest { SESSION } else { k.payee }, total);
                if honest {
                    k.best_signed = k.best_signed.max(total);
                }
                let claimed = record(h, k.number).map(|c| c.claimed);
                let _ = h.call(RELAYER, 0, |h| channel::claim(h, k.number, row));
                assert!(record(h, k.number).map(|c| c.claimed) >= claimed, "claimed never falls");
            }
        }
        Step::RequestClose { which } => {
            if let Some(k) = known.get(which) {
                let _ = h.call(k.payer, 0, |h| channel::request_close(h, k.number));
            }
        }
        Step::Finish { which } => {
            if let Some(k) = known.get(which) {
                let due = record(h, k.number).map(|c| c.close_due_at);
                let done = h.call(RELAYER, 0, |h| channel::finish(h, k.number)).is_ok();
                assert_eq!(done, due.is_some_and(|d| d != 0 && h.now >= d), "finish is possible exactly when due");
            }
        }
        Step::Close { which, total } => {
            if let Some(k) = known.get_mut(which) {
                let total = u128::from(total) * unit(k.native);
                let row: VoucherRow = voucher(h, k.id, SESSION, total);
                if h.call(k.payee, 0, |h| channel::close(h, k.number, row)).is_ok() {
                    k.best_signed = k.best_signed.max(total);
                }
            }
        }
        Step::Push { payee, native } => {
            let _ = h.call(RELAYER, 0, |h| ledger::push(h, &payee_of(payee), &token(native)));
        }
        Step::Refuse { payee } => {
            let who = payee_of(payee);
            if !h.refusing.remove(&who) {
                h.refusing.insert(who);
            }
        }
        Step::Wait { secs } => h.now += u64::from(secs),
    }
    assert_eq!(before, (total_wealth(h, &NATIVE), total_wealth(h, &USDC)), "money is neither made nor lost");
    for k in known.iter() {
        if let Some(c) = record(h, k.number) {
            assert_eq!(c.deposit, k.deposit, "the deposit is what was paid in");
            assert!(c.claimed <= k.best_signed.min(k.deposit), "claimed is never more than was signed and covered");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_called_the_contract_holds_what_it_owes_and_pays_no_more_than_was_signed(steps in prop::collection::vec(step(), 1..60)) {
        let mut h = world();
        let mut known = Vec::new();
        for step in steps {
            run(&mut h, &mut known, step);
            check_books(&h);
        }
    }

    #[test]
    fn any_set_of_vouchers_in_any_order_pays_the_largest_one_up_to_the_deposit(totals in prop::collection::vec(0u128..500, 1..20), deposit in 1u128..400) {
        let mut h = world();
        let (n, id) = open(&mut h, PAYER, PAYEE, USDC, deposit);
        let before = h.balance(&USDC, &PAYEE);
        for total in &totals {
            let row = voucher(&h, id, SESSION, *total);
            let _ = h.call(RELAYER, 0, |h| channel::claim(h, n, row));
        }
        let largest = totals.iter().copied().max().unwrap_or(0);
        prop_assert_eq!(h.balance(&USDC, &PAYEE) - before, largest.min(deposit));
    }
}
