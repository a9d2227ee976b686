//! Channels under random calls by several parties: the sums hold after every step, and nobody gets what is not theirs.
//!
//! any calls in any order
//! ├── each is done or refused as a model says that knows no core; deposits, claims, timers and cover are the model's after each
//! ├── the contract holds what it owes; each party has, with its credit, what the model says
//! └── all that is stored can be told from the events
//! any vouchers in any order
//! └── pay the largest, up to the deposit

mod support;

use proptest::prelude::*;
use rivulet_core::{
    book::{Book, ROW_LOG_BYTES},
    channel::{self, Channel},
    host::Key,
    ids::{Address, ChannelId, Number, Token},
    ledger,
    outcome::RowOutcome,
    testing::MemoryHost,
};
use std::collections::BTreeMap;
use support::*;

#[derive(Clone, Debug)]
enum Step {
    Open { payer: bool, payee: bool, native: bool, amount: u32 },
    OpenMany { payer: bool, native: bool, many: Vec<(bool, u32)> },
    TopUp { which: usize, amount: u32 },
    Claim { which: usize, total: u32, honest: bool },
    RequestClose { which: usize },
    RequestRefund { which: usize, amount: u32 },
    Finish { which: usize },
    Close { which: usize, total: u32 },
    Push { who: usize, native: bool },
    Refuse { who: usize },
    Wait { secs: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let amount = 1u32..2_000;
    let which = || 0usize..6;
    prop_oneof![
        3 => (any::<bool>(), any::<bool>(), any::<bool>(), amount.clone()).prop_map(|(payer, payee, native, amount)| Open { payer, payee, native, amount }),
        1 => (any::<bool>(), any::<bool>(), prop::collection::vec((any::<bool>(), amount.clone()), 1..5)).prop_map(|(payer, native, many)| OpenMany { payer, native, many }),
        2 => (which(), amount).prop_map(|(which, amount)| TopUp { which, amount }),
        6 => (which(), 0u32..3_000, prop::bool::weighted(0.8)).prop_map(|(which, total, honest)| Claim { which, total, honest }),
        1 => which().prop_map(|which| RequestClose { which }),
        3 => (which(), prop_oneof![1 => Just(0u32), 5 => 1u32..1_500, 1 => Just(u32::MAX)]).prop_map(|(which, amount)| RequestRefund { which, amount }),
        6 => which().prop_map(|which| Finish { which }),
        1 => (which(), 0u32..3_000).prop_map(|(which, total)| Close { which, total }),
        3 => (0usize..4, any::<bool>()).prop_map(|(who, native)| Push { who, native }),
        2 => (0usize..4).prop_map(|who| Refuse { who }),
        5 => prop_oneof![0u32..5_000, PERIOD - 1..PERIOD + 2].prop_map(|secs| Wait { secs }),
    ]
}

const PARTIES: [Address; 4] = [PAYER, OTHER_PAYER, PAYEE, OTHER_PAYEE];

/// A channel as this test remembers it, on its own.
struct Known {
    number: Number,
    id: ChannelId,
    payer: Address,
    payee: Address,
    native: bool,
    open: bool,
    /// What was paid in, less what was refunded.
    deposit: u128,
    claimed: u128,
    best_signed: u128,
    close_due_at: u64,
    refund_asked: u128,
    refund_due_at: u64,
}

impl Known {
    fn new(number: Number, id: ChannelId, payer: Address, payee: Address, native: bool, deposit: u128) -> Self {
        let (claimed, best_signed, close_due_at, refund_asked, refund_due_at) = (0, 0, 0, 0, 0);
        Self { number, id, payer, payee, native, open: true, deposit, claimed, best_signed, close_due_at, refund_asked, refund_due_at }
    }

    /// What a good voucher adds.
    fn take(&mut self, total: u128) -> u128 {
        self.best_signed = self.best_signed.max(total);
        let gain = total.min(self.deposit).saturating_sub(self.claimed);
        self.claimed += gain;
        gain
    }

    /// The part of the balance that is asked back.
    fn asked(&self, now: u64) -> u128 {
        if self.refund_due_at != 0 && now < self.refund_due_at + u64::from(PERIOD) { self.refund_asked } else { 0 }
    }

    fn cover(&self, now: u64) -> u128 {
        match (self.open, self.close_due_at) {
            (false, _) => 0,
            (true, 0) => self.deposit.saturating_sub(self.asked(now)).max(self.claimed),
            (true, _) => self.claimed,
        }
    }

    /// What `finish` pays the payer; `None` when it is refused.
    fn finish(&mut self, now: u64) -> Option<u128> {
        let balance = self.deposit - self.claimed;
        if self.open && self.close_due_at != 0 && now >= self.close_due_at {
            self.open = false;
            return Some(balance);
        }
        let refund = if now >= self.refund_due_at { self.asked(now).min(balance) } else { 0 };
        if !self.open || refund == 0 {
            return None;
        }
        self.deposit -= refund;
        (self.refund_asked, self.refund_due_at) = (0, 0);
        Some(refund)
    }
}

/// What each party should have, with its credit, and every channel.
struct Model {
    wealth: BTreeMap<(Token, Address), u128>,
    known: Vec<Known>,
}

fn wealth(h: &MemoryHost, token: Token, who: Address) -> u128 {
    h.balance(&token, &who) + ledger::credit_of(h, &who, &token)
}

fn unit(native: bool) -> u128 {
    if native { rivulet_core::amount::NATIVE_GRAIN } else { 1 }
}

fn token(native: bool) -> Address {
    if native { NATIVE } else { USDC }
}

impl Model {
    fn new(h: &MemoryHost) -> Self {
        let wealth = PARTIES.iter().flat_map(|who| [NATIVE, USDC].map(|token| ((token, *who), wealth(h, token, *who)))).collect();
        Self { wealth, known: Vec::new() }
    }

    fn has(&mut self, native: bool, who: Address) -> &mut u128 {
        self.wealth.get_mut(&(token(native), who)).expect("a party")
    }
}

fn run(h: &mut MemoryHost, model: &mut Model, step: Step) {
    let payer_of = |b: bool| if b { PAYER } else { OTHER_PAYER };
    let payee_of = |b: bool| if b { PAYEE } else { OTHER_PAYEE };
    let total_wealth = |h: &MemoryHost, t: &Address| h.balances.iter().filter(|((token, _), _)| token == t).map(|(_, v)| *v).sum::<u128>();
    let before = (total_wealth(h, &NATIVE), total_wealth(h, &USDC));
    let now = h.now;
    match step {
        Step::Open { payer, payee, native, amount } => {
            let (payer, payee) = (payer_of(payer), payee_of(payee));
            let deposit = u128::from(amount) * unit(native);
            let (number, id) = open(h, payer, payee, token(native), deposit);
            model.known.push(Known::new(number, id, payer, payee, native, deposit));
            *model.has(native, payer) -= deposit;
        }
        Step::OpenMany { payer, native, many } => {
            let payer = payer_of(payer);
            let many: Vec<_> = many.into_iter().map(|(payee, amount)| to(payee_of(payee), u128::from(amount) * unit(native))).collect();
            let sum = many.iter().map(|one| one.amount).sum();
            let value = value_of(&token(native), sum);
            let numbers = h.call(payer, value, |h| channel::open_many(h, token(native), PERIOD, &many)).expect("opens");
            *model.has(native, payer) -= sum;
            model.known.extend(numbers.into_iter().zip(many).map(|(n, one)| Known::new(n, channel::id(h, n), payer, one.payee, native, one.amount)));
        }
        Step::TopUp { which, amount } => {
            if let Some(k) = model.known.get_mut(which) {
                let (native, amount) = (k.native, u128::from(amount) * unit(k.native));
                let done = h.call(OTHER_PAYER, value_of(&token(native), amount), |h| channel::top_up(h, k.number, k.id, amount)).is_ok();
                assert_eq!(done, k.open);
                if done {
                    k.deposit += amount;
                    *model.has(native, OTHER_PAYER) -= amount;
                }
            }
        }
        Step::Claim { which, total, honest } => {
            if let Some(k) = model.known.get_mut(which) {
                let (native, payee, total) = (k.native, k.payee, u128::from(total) * unit(k.native));
                let row = voucher(h, k.id, if honest { SESSION } else { payee }, total);
                let gained = h.call(RELAYER, 0, |h| channel::claim(h, k.number, row)).map_or(0, |(_, gain)| gain);
                assert_eq!(gained, if honest && k.open { k.take(total) } else { 0 });
                *model.has(native, payee) += gained;
            }
        }
        Step::RequestClose { which } => {
            if let Some(k) = model.known.get_mut(which) {
                let done = h.call(k.payer, 0, |h| channel::request_close(h, k.number)).is_ok();
                assert_eq!(done, k.open && k.close_due_at == 0);
                if done {
                    k.close_due_at = now + u64::from(PERIOD);
                }
            }
        }
        Step::RequestRefund { which, amount } => {
            if let Some(k) = model.known.get_mut(which) {
                let amount = u128::from(amount) * unit(k.native);
                let done = h.call(k.payer, 0, |h| channel::request_refund(h, k.number, amount)).is_ok();
                assert_eq!(done, k.open && (amount != 0 || k.refund_due_at != 0));
                if done {
                    (k.refund_asked, k.refund_due_at) = (amount, if amount == 0 { 0 } else { now + u64::from(PERIOD) });
                }
            }
        }
        Step::Finish { which } => {
            if let Some(k) = model.known.get_mut(which) {
                let (native, payer, paid) = (k.native, k.payer, k.finish(now));
                let done = h.call(RELAYER, 0, |h| channel::finish(h, k.number)).is_ok();
                assert_eq!(done, paid.is_some(), "finish is possible exactly when something is due");
                *model.has(native, payer) += paid.unwrap_or(0);
            }
        }
        Step::Close { which, total } => {
            if let Some(k) = model.known.get_mut(which) {
                let (native, payer, payee, total) = (k.native, k.payer, k.payee, u128::from(total) * unit(k.native));
                let row = voucher(h, k.id, SESSION, total);
                let done = h.call(payee, 0, |h| channel::close(h, k.number, row)).is_ok();
                assert_eq!(done, k.open);
                if done {
                    let gain = k.take(total);
                    let refund = k.deposit - k.claimed;
                    k.open = false;
                    *model.has(native, payee) += gain;
                    *model.has(native, payer) += refund;
                }
            }
        }
        Step::Push { who, native } => {
            let _ = h.call(RELAYER, 0, |h| ledger::push(h, &PARTIES[who], &token(native)));
        }
        Step::Refuse { who } => {
            if !h.refusing.remove(&PARTIES[who]) {
                h.refusing.insert(PARTIES[who]);
            }
        }
        Step::Wait { secs } => h.now += u64::from(secs),
    }
    assert_eq!(before, (total_wealth(h, &NATIVE), total_wealth(h, &USDC)), "money is neither made nor lost");
    for ((token, who), expected) in &model.wealth {
        assert_eq!(wealth(h, *token, *who), *expected, "{who} has what is its own of {token}");
    }
    for k in &model.known {
        let stored = record(h, k.number).map(|c| (c.deposit, c.claimed, c.close_due_at, c.refund_requested, c.refund_due_at));
        let expected = (k.deposit, k.claimed, k.close_due_at, k.refund_asked, k.refund_due_at);
        assert_eq!(stored, k.open.then_some(expected), "channel {}", k.number);
        assert_eq!(channel::cover(h, k.number), k.cover(h.now));
        assert!(k.claimed <= k.best_signed.min(k.deposit), "claimed is never more than was signed and covered");
    }
}

/// The text of a field of a printed event.
fn field<'a>(event: &'a str, name: &str) -> &'a str {
    let (_, rest) = event.split_once(&format!(" {name}: ")).expect("the event has the field");
    rest.split([',', ' ']).next().expect("a value")
}

fn int<T: TryFrom<u128>>(event: &str, name: &str) -> T {
    let value: u128 = field(event, name).parse().expect("an integer");
    T::try_from(value).ok().expect("in range")
}

fn address(event: &str, name: &str) -> Address {
    let hex = &field(event, name)[2..];
    Address(std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex")))
}

/// What somebody knows who saw only the events.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    /// Payee, token and next serial.
    books: BTreeMap<u32, (Address, Token, u32)>,
    channels: BTreeMap<Number, Channel>,
    credits: BTreeMap<(Address, Token), u128>,
}

impl Seen {
    fn of_events(h: &MemoryHost) -> Self {
        let mut seen = Self::default();
        for e in &h.events {
            let number = || Number { book: int(e, "book"), serial: int(e, "serial") };
            let credit = || (address(e, "owner"), address(e, "token"));
            match e.split(' ').next().expect("a name") {
                "BookCreated" => drop(seen.books.insert(int(e, "book"), (address(e, "payee"), address(e, "token"), 0))),
                "ChannelOpened" => {
                    let (payer, voucher_signer, deposit) = (address(e, "payer"), address(e, "voucher_signer"), int(e, "amount"));
                    let (challenge_period_secs, opened_at) = (int(e, "challenge_period_secs"), int(e, "opened_at"));
                    let (claimed, close_due_at, refund_requested, refund_due_at) = (0, 0, 0, 0);
                    let channel = Channel {
                        payer,
                        voucher_signer,
                        deposit,
                        claimed,
                        challenge_period_secs,
                        opened_at,
                        close_due_at,
                        refund_requested,
                        refund_due_at,
                    };
                    assert_eq!(seen.channels.insert(number(), channel), None);
                    let book = seen.books.get_mut(&number().book).expect("created before");
                    assert_eq!((book.0, book.1, book.2), (address(e, "payee"), address(e, "token"), number().serial));
                    book.2 += 1;
                }
                "Claimed" => {
                    let list = e.split_once("rows: [").and_then(|(_, rest)| rest.split_once(']')).expect("rows").0;
                    let bytes: Vec<u8> = list.split(", ").map(|b| b.parse().expect("a byte")).collect();
                    let mut gain = 0;
                    for row in bytes.chunks(ROW_LOG_BYTES) {
                        let (serial, total) =
                            (u32::from_be_bytes(row[..4].try_into().expect("4")), u128::from_be_bytes(row[5..].try_into().expect("16")));
                        if RowOutcome::from_code(row[4]).expect("known code").is_paid() {
                            let channel = seen.channels.get_mut(&Number { book: int(e, "book"), serial }).expect("open");
                            gain += total - channel.claimed;
                            channel.claimed = total;
                        }
                    }
                    assert_eq!(gain, int(e, "gain"));
                }
                "Closed" => {
                    let channel = seen.channels.remove(&number()).expect("open");
                    assert_eq!((channel.claimed, channel.balance()), (int(e, "claimed"), int(e, "refund")));
                }
                "Credited" => *seen.credits.entry(credit()).or_default() += int::<u128>(e, "amount"),
                "Collected" => assert_eq!(seen.credits.remove(&credit()), Some(int(e, "amount"))),
                name => {
                    let channel = seen.channels.get_mut(&number()).expect("open");
                    match name {
                        "ToppedUp" => channel.deposit = int(e, "deposit"),
                        "CloseRequested" => channel.close_due_at = int(e, "due_at"),
                        "RefundRequested" => (channel.refund_requested, channel.refund_due_at) = (int(e, "amount"), int(e, "due_at")),
                        "Refunded" => {
                            assert_eq!(channel.deposit - int::<u128>(e, "amount"), int(e, "deposit"));
                            (channel.deposit, channel.refund_requested, channel.refund_due_at) = (int(e, "deposit"), 0, 0);
                        }
                        _ => panic!("no call here logs {e}"),
                    }
                }
            }
        }
        seen
    }

    fn of_cells(h: &MemoryHost) -> Self {
        let mut seen = Self::default();
        for (key, cell) in &h.cells {
            match key {
                Key::Book(book) => {
                    let b = Book::load(h, *book).expect("a book");
                    seen.books.insert(*book, (b.payee, b.token, b.next_serial));
                }
                Key::Channels(book, index) => {
                    for slot in cell.chunks_exact(1 + Channel::BYTES) {
                        let number = Number { book: *book, serial: index * channel::CHANNELS_A_CELL + u32::from(slot[0]) };
                        seen.channels.insert(number, Channel::from_bytes(&slot[1..]));
                    }
                }
                Key::Credit(owner, token) if ledger::credit_of(h, owner, token) > 0 => {
                    seen.credits.insert((*owner, *token), ledger::credit_of(h, owner, token));
                }
                _ => {}
            }
        }
        seen
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_called_the_contract_holds_what_it_owes_and_pays_no_more_than_was_signed(steps in prop::collection::vec(step(), 1..100)) {
        let mut h = world();
        let mut model = Model::new(&h);
        for step in steps {
            run(&mut h, &mut model, step);
            check_books(&h);
        }
    }

    #[test]
    fn all_that_is_stored_can_be_told_from_the_events_alone(steps in prop::collection::vec(step(), 1..100)) {
        let mut h = world();
        let mut model = Model::new(&h);
        for step in steps {
            run(&mut h, &mut model, step);
        }
        prop_assert_eq!(Seen::of_events(&h), Seen::of_cells(&h));
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
