//! Is every unit accounted for?
//!
//! What is compared: balances of finalized blocks (native free and reserved, USDC, the total issuance), and what the story itself decided before
//! anything happened. No contract is asked and no event of a contract read. Four snapshots make each difference mean one thing:
//!
//! ```text
//! start ──payers open──▶ opened ──vouchers, claims, streams──▶ settled ──channels are closed──▶ end
//!        only payers send         creators send nothing                creators send closes
//! ```
//!
//! Storage deposits are the one thing that moves unasked: the chain takes them from whose transaction makes storage grow and gives them to whose
//! transaction makes it shrink. Channels share cells, so what one costs depends on its neighbours; every planck is followed from and to the accounts that
//! the chain names, and together they are what is reserved on the contracts.

use super::plan::{Coin, Money};
use crate::ledger::{Paid, Snapshot};
use rivulet_rules::chain::Account;
use std::collections::BTreeMap;

/// The most a relay fee may be: a tenth, as the contracts were deployed.
const CEILING: u128 = 10;

/// What a credit's cell costs to make: an item, and 69 bytes with its key.
const CREDIT_CELL_PLANCK: i128 = 26_900_000;

/// A payer, as the story knows it.
#[derive(Clone, Debug)]
pub struct PayerFacts {
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: Account,
    /// Channels opened.
    pub channels: u128,
    /// Credit cells made for it: one a token in each contract.
    pub credit_cells: u128,
    /// Locked when it opened them.
    pub first_deposits: Money,
    /// Locked in all, streams included.
    pub put_in: Money,
    /// What creators have to get of it.
    pub spent: Money,
}

/// A creator, as the story knows it.
#[derive(Clone, Debug)]
pub struct CreatorFacts {
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: Account,
    /// Vouchers it was paid by.
    pub payments: u64,
    /// What it has to get, relay fees included.
    pub earned: Money,
}

/// Who got streams and handed them over, as the story knows it.
#[derive(Clone, Debug)]
pub struct SellerFacts {
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: Account,
    /// What it has to get before it hands them over, relay fees included: USDC only, so that its DOT is transactions alone.
    pub earned: Money,
}

/// All that is compared.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Everything is ready, nobody has paid yet.
    pub start: Snapshot,
    /// All channels are open, nothing else has happened.
    pub opened: Snapshot,
    /// All is paid out; creators have sent nothing.
    pub settled: Snapshot,
    /// All channels are closed.
    pub end: Snapshot,
    /// What everybody's transactions cost from start to opened.
    pub costs_opened: BTreeMap<Account, Paid>,
    /// What everybody's transactions cost from start to end.
    pub costs: BTreeMap<Account, Paid>,
    /// The contracts' own accounts.
    pub contracts: Vec<(String, Account)>,
    /// Who pays.
    pub payers: Vec<PayerFacts>,
    /// Who is paid.
    pub creators: Vec<CreatorFacts>,
    /// Who hands streams over.
    pub seller: SellerFacts,
    /// The key that signs claims.
    pub relayer: Account,
    /// Where relay fees go.
    pub earnings: Account,
    /// The streams' delegate.
    pub operator: Account,
}

/// Something that must be equal and is, or is not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Who, and what.
    pub what: String,
    /// In which coin.
    pub coin: Coin,
    /// What it must be, in planck or units.
    pub expected: i128,
    /// What it is.
    pub found: i128,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Audit {
    /// How many equalities were checked.
    pub checked: usize,
    /// Those that do not hold.
    pub differences: Vec<Difference>,
    /// Each creator: received on chain, and kept by relay fees.
    pub creators: Vec<(Money, Money)>,
    /// The seller of streams: the same.
    pub seller: (Money, Money),
    /// Relay fees, as they arrived.
    pub relay_fees: Money,
    /// What payers put in.
    pub put_in: Money,
    /// What came back to payers of it.
    pub refunds: Money,
    /// Transactions by role: payers, creators, relayer, the streams' delegate and seller.
    pub costs: [Paid; 4],
    /// Storage deposit of a channel on average, books and credit cells included, in planck.
    pub channel_deposit: u128,
    /// Storage deposits that payers paid and creators got for closing, in planck.
    pub deposits_to_creators: u128,
    /// Storage deposits that stay with the contracts, for books and credit cells, in planck.
    pub deposits_left: u128,
}

/// Where a figure of a difference comes from.
fn change(from: u128, to: u128) -> i128 {
    // Balances are far below 2^127.
    to as i128 - from as i128
}

impl Audit {
    fn equal(&mut self, what: impl Into<String>, coin: Coin, expected: i128, found: i128) {
        self.checked += 1;
        if expected != found {
            self.differences.push(Difference { what: what.into(), coin, expected, found });
        }
    }

    /// As [`Audit::equal`], for what may be from `least` to `most`; told as the bound that is broken.
    fn within(&mut self, what: impl Into<String>, coin: Coin, (least, most): (i128, i128), found: i128) {
        self.equal(what, coin, found.clamp(least, most), found);
    }

    /// True when everything is accounted for.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}

fn native(from: &Snapshot, to: &Snapshot, account: &Account) -> i128 {
    change(from.of(account).native(), to.of(account).native())
}

fn usdc(from: &Snapshot, to: &Snapshot, account: &Account) -> i128 {
    change(from.of(account).usdc, to.of(account).usdc)
}

/// What transactions took from an account: fees, and storage deposits less those that came back.
fn taken(costs: &BTreeMap<Account, Paid>, account: &Account) -> i128 {
    costs.get(account).map_or(0, |paid| paid.fees as i128 + paid.deposits)
}

fn deposits(costs: &BTreeMap<Account, Paid>) -> i128 {
    costs.values().map(|paid| paid.deposits).sum()
}

/// Compares all of it.
pub fn audit(facts: &Facts) -> Audit {
    let mut audit = Audit::default();
    sums(facts, &mut audit);
    transactions(facts, &mut audit);
    opening(facts, &mut audit);
    usdc_of_everybody(facts, &mut audit);
    native_of_creators(facts, &mut audit);
    native_of_payers(facts, &mut audit);
    contracts(facts, &mut audit);
    audit
}

fn sums(facts: &Facts, audit: &mut Audit) {
    audit.put_in = facts.payers.iter().map(|p| p.put_in).sum();
    let spent: Money = facts.payers.iter().map(|p| p.spent).sum();
    let earned = facts.creators.iter().map(|c| c.earned).sum::<Money>() + facts.seller.earned;
    audit.equal("the story's own sums: what payers spent is what creators earned", Coin::Dot, spent.planck as i128, earned.planck as i128);
    audit.equal("the story's own sums: what payers spent is what creators earned", Coin::Usdc, spent.usdc as i128, earned.usdc as i128);
}

/// What transactions cost is what is missing from all the money there is, and each account's count of them is its nonce.
fn transactions(facts: &Facts, audit: &mut Audit) {
    let Facts { start, end, .. } = facts;
    let of = |accounts: Vec<Account>| {
        accounts.iter().filter_map(|a| facts.costs.get(a)).fold(Paid::default(), |mut sum, paid| {
            sum += *paid;
            sum
        })
    };
    let payers = facts.payers.iter().map(|p| p.account).collect();
    let creators = facts.creators.iter().map(|c| c.account).collect();
    audit.costs = [of(payers), of(creators), of(vec![facts.relayer]), of(vec![facts.operator, facts.seller.account])];
    let burnt: u128 = facts.costs.values().map(|paid| paid.fees).sum();
    audit.equal(
        "transaction costs of everybody on the chain: missing from the total issuance",
        Coin::Dot,
        -(burnt as i128),
        change(start.issuance, end.issuance),
    );
    for account in end.purses.keys() {
        let sent = i128::from(end.of(account).nonce) - i128::from(start.of(account).nonce);
        let paid = facts.costs.get(account).map_or(0, |p| i128::from(p.transactions));
        audit.equal(format!("transactions of account 0x{}", hex::encode(account.0)), Coin::Dot, sent, paid);
    }
    // Nobody outside the story gained or lost anything: all that moved, moved between its accounts or was burnt as fees.
    let moved: i128 = end.purses.keys().map(|account| native(start, end, account)).sum();
    audit.equal("all accounts of the story together", Coin::Dot, change(start.issuance, end.issuance), moved);
    let moved: i128 = end.purses.keys().map(|account| usdc(start, end, account)).sum();
    audit.equal("all accounts of the story together", Coin::Usdc, 0, moved);
}

/// While channels were opened, only payers sent transactions: what left them is what they locked, fees, and storage deposits.
fn opening(facts: &Facts, audit: &mut Audit) {
    let Facts { start, opened, costs_opened, .. } = facts;
    let channels: i128 = facts.payers.iter().map(|p| p.channels as i128).sum();
    let held = reserved(facts, opened);
    audit.channel_deposit = (held / channels.max(1)).unsigned_abs();
    audit.equal("storage deposits of all channels, as the contracts hold them", Coin::Dot, deposits(costs_opened), held);
    for payer in &facts.payers {
        let expected = -(payer.first_deposits.planck as i128) - taken(costs_opened, &payer.account);
        audit.equal(format!("{} when it opened its channels", payer.name), Coin::Dot, expected, native(start, opened, &payer.account));
        let expected = -(payer.first_deposits.usdc as i128);
        audit.equal(format!("{} when it opened its channels", payer.name), Coin::Usdc, expected, usdc(start, opened, &payer.account));
    }
}

/// USDC pays no fees and no deposits: every figure is exact.
fn usdc_of_everybody(facts: &Facts, audit: &mut Audit) {
    let Facts { start, end, .. } = facts;
    for payer in &facts.payers {
        audit.equal(format!("{}: what it spent", payer.name), Coin::Usdc, -(payer.spent.usdc as i128), usdc(start, end, &payer.account));
    }
    audit.refunds.usdc = facts.payers.iter().map(|p| p.put_in.usdc - p.spent.usdc).sum();
    let fee = usdc(start, end, &facts.earnings);
    audit.relay_fees.usdc = fee.unsigned_abs();
    let mut kept = 0;
    for creator in &facts.creators {
        let received = usdc(start, end, &creator.account);
        let fee = creator.earned.usdc as i128 - received;
        audit.within(
            format!("{}: what relay fees kept of its earnings", creator.name),
            Coin::Usdc,
            (0, (creator.earned.usdc / CEILING) as i128),
            fee,
        );
        kept += fee;
        audit.creators.push((Money { planck: 0, usdc: received.unsigned_abs() }, Money { planck: 0, usdc: fee.unsigned_abs() }));
    }
    let SellerFacts { name, account, earned } = &facts.seller;
    let of_seller = earned.usdc as i128 - usdc(start, end, account);
    audit.within(format!("{name}: what relay fees kept of its earnings"), Coin::Usdc, (0, (earned.usdc / CEILING) as i128), of_seller);
    kept += of_seller;
    let received = Money { planck: 0, usdc: usdc(start, end, account).unsigned_abs() };
    audit.seller = (received, Money { planck: 0, usdc: of_seller.unsigned_abs() });
    audit.equal("relay fees: what creators and the seller did not get", Coin::Usdc, kept, fee);
    for (who, account) in [("the relayer's key", &facts.relayer), ("the operator", &facts.operator)] {
        audit.equal(who, Coin::Usdc, 0, usdc(start, end, account));
    }
}

/// Up to `settled` creators sent nothing: what they gained is what they earned less relay fees. After that they only closed channels.
fn native_of_creators(facts: &Facts, audit: &mut Audit) {
    let Facts { start, settled, end, costs, .. } = facts;
    let fee = native(start, settled, &facts.earnings);
    audit.relay_fees.planck = fee.unsigned_abs();
    let (mut kept, mut returned) = (0, 0);
    for (creator, figures) in facts.creators.iter().zip(&mut audit.creators) {
        let received = native(start, settled, &creator.account);
        let fee = creator.earned.planck as i128 - received;
        (figures.0.planck, figures.1.planck) = (received.unsigned_abs(), fee.unsigned_abs());
        kept += fee;
        returned -= costs.get(&creator.account).map_or(0, |paid| paid.deposits);
    }
    for (creator, (received, _)) in facts.creators.iter().zip(audit.creators.clone()) {
        let nonces = |at: &Snapshot| i128::from(at.of(&creator.account).nonce);
        audit.equal(format!("{}: transactions before all was paid out", creator.name), Coin::Dot, nonces(start), nonces(settled));
        let what = format!("{}: after all was paid out, nothing but its transactions", creator.name);
        audit.equal(what, Coin::Dot, -taken(costs, &creator.account), native(settled, end, &creator.account));
        let fee = creator.earned.planck as i128 - received.planck as i128;
        audit.within(
            format!("{}: what relay fees kept of its earnings", creator.name),
            Coin::Dot,
            (0, (creator.earned.planck / CEILING) as i128),
            fee,
        );
    }
    audit.equal("relay fees: what creators did not get", Coin::Dot, kept, fee);
    audit.equal("relay fees after all was paid out", Coin::Dot, 0, native(settled, end, &facts.earnings));
    audit.deposits_to_creators = returned.unsigned_abs();
    // What ends a record gets its storage deposit: the relayer, when its claim was a stream's last.
    for (who, account) in [("the relayer's key", &facts.relayer), ("the operator", &facts.operator), (&facts.seller.name, &facts.seller.account)] {
        audit.equal(format!("{who}: nothing but its transactions"), Coin::Dot, -taken(costs, account), native(start, end, account));
    }
}

/// What is reserved on the contracts since the start: storage deposits.
fn reserved(facts: &Facts, at: &Snapshot) -> i128 {
    facts.contracts.iter().map(|(_, account)| change(facts.start.of(account).reserved, at.of(account).reserved)).sum()
}

/// What payers lost is what they spent and what their transactions took.
fn native_of_payers(facts: &Facts, audit: &mut Audit) {
    let Facts { start, end, costs, .. } = facts;
    for payer in &facts.payers {
        let expected = -(payer.spent.planck as i128) - taken(costs, &payer.account);
        audit.equal(format!("{}: what it spent, and its transactions", payer.name), Coin::Dot, expected, native(start, end, &payer.account));
        audit.equal(
            format!("{}: nothing reserved any more", payer.name),
            Coin::Dot,
            start.of(&payer.account).reserved as i128,
            end.of(&payer.account).reserved as i128,
        );
    }
    audit.refunds.planck = facts.payers.iter().map(|p| p.put_in.planck - p.spent.planck).sum();
}

/// Contracts end with nothing of anybody's.
fn contracts(facts: &Facts, audit: &mut Audit) {
    let Facts { start, end, .. } = facts;
    for (name, account) in &facts.contracts {
        let (before, after) = (start.of(account), end.of(account));
        audit.equal(format!("{name}: its existential deposit and nothing else"), Coin::Dot, before.free as i128, after.free as i128);
        audit.equal(format!("{name}: its seed and nothing else"), Coin::Usdc, before.usdc as i128, after.usdc as i128);
    }
    let left = reserved(facts, end);
    audit.deposits_left = left.unsigned_abs();
    audit.equal("storage deposits: what everybody paid and did not get back is with the contracts", Coin::Dot, deposits(&facts.costs), left);
    // Every record is gone; what stays is known: the payers' credit cells, and a planck or two of rounding a record.
    let cells: i128 = facts.payers.iter().map(|p| p.credit_cells as i128 * CREDIT_CELL_PLANCK).sum();
    let records: i128 = facts.payers.iter().map(|p| p.channels as i128).sum();
    audit.within("storage deposits left with the contracts", Coin::Dot, (cells, cells + 1_000 + 100 * records), left);
}
