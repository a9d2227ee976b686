//! A small world for tests of the calls: two tokens, a few parties, and the sums that must always hold.
#![allow(dead_code, reason = "each test binary uses its part")]

use rivulet_core::{
    blob::{VoucherRow, encode},
    book::Book,
    channel::{self, Channel, Opening},
    eip712::{Domain, Message, Voucher},
    error::Error,
    host::{Host, Key},
    ids::{Address, ChannelId, Number, Token},
    ledger::{self, Config, TokenState},
    outcome::RowOutcome,
    signature::CompactSignature,
    testing::{MemoryHost, sign},
};
use std::collections::BTreeMap;

pub const ADMIN: Address = Address([0xad; 20]);
pub const PAYER: Address = Address([0xa1; 20]);
pub const OTHER_PAYER: Address = Address([0xa2; 20]);
pub const PAYEE: Address = Address([0xb1; 20]);
pub const OTHER_PAYEE: Address = Address([0xb2; 20]);
pub const SESSION: Address = Address([0x51; 20]);
pub const RELAYER: Address = Address([0x4e; 20]);
pub const NATIVE: Token = Address::ZERO;
pub const USDC: Token = Address([0, 0, 5, 0x39, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x20, 0, 0]);
pub const SEED: u128 = 10_000;
pub const DOT: u128 = 1_000_000_000_000_000_000;
pub const PERIOD: u32 = 3_600;

/// A deployed, seeded contract and rich parties.
pub fn world() -> MemoryHost {
    let mut h = MemoryHost::default();
    for who in [ADMIN, PAYER, OTHER_PAYER, PAYEE, OTHER_PAYEE, RELAYER] {
        h.endow(&NATIVE, &who, 1_000_000 * DOT);
        h.endow(&USDC, &who, 1_000_000_000_000);
    }
    h.min_balances.insert(USDC, SEED);
    let config = Config { min_period_secs: 60, max_period_secs: 864_000, fee_ceiling_bps: 1_000, sweep_to: ADMIN, books: 0, tokens: 0 };
    h.call(ADMIN, 0, |h| ledger::deploy(h, [USDC].into_iter(), [SEED].into_iter(), config)).expect("deploys");
    h.endow(&USDC, &h.deployment().contract, SEED);
    h
}

pub fn value_of(token: &Token, amount: u128) -> u128 {
    if token.is_zero() { amount } else { 0 }
}

/// An opening with the session key.
pub fn to(payee: Address, amount: u128) -> Opening {
    Opening { payee, voucher_signer: SESSION, amount }
}

pub fn open(h: &mut MemoryHost, payer: Address, payee: Address, token: Token, amount: u128) -> (Number, ChannelId) {
    h.call(payer, value_of(&token, amount), |h| channel::open(h, &to(payee, amount), token, PERIOD)).expect("opens")
}

/// A signature for this contract's channels.
pub fn signed(h: &MemoryHost, signer: Address, message: &impl Message) -> CompactSignature {
    sign(&signer, &message.digest(&Domain::Channels.separator(&h.deployment(), h), h))
}

/// A voucher row for a channel, by this signer.
pub fn voucher(h: &MemoryHost, id: ChannelId, signer: Address, cumulative_amount: u128) -> VoucherRow {
    VoucherRow { cumulative_amount, signature: signed(h, signer, &Voucher { channel_id: id, cumulative_amount }) }
}

pub fn batch(rows: &[(Number, VoucherRow)], fund_new: bool) -> Vec<u8> {
    let mut groups: BTreeMap<u32, (bool, BTreeMap<u32, VoucherRow>)> = BTreeMap::new();
    for (n, row) in rows {
        groups.entry(n.book).or_insert((fund_new, BTreeMap::new())).1.insert(n.serial, *row);
    }
    encode(&groups)
}

/// The relayer claims the rows; outcomes in the order of their numbers.
pub fn claim_batch(h: &mut MemoryHost, rows: &[(Number, VoucherRow)]) -> Vec<RowOutcome> {
    let blob = batch(rows, false);
    let codes = h.call(RELAYER, 0, |h| channel::claim_batch(h, &blob)).expect("a canonical blob is taken");
    codes.into_iter().map(|c| RowOutcome::from_code(c).expect("known code")).collect()
}

/// Claims a good voucher of this total.
pub fn claim(h: &mut MemoryHost, number: Number, total: u128) -> Result<(RowOutcome, u128), Error> {
    let row = voucher(h, channel::id(h, number), SESSION, total);
    h.call(RELAYER, 0, |h| channel::claim(h, number, row))
}

pub fn record(h: &MemoryHost, number: Number) -> Option<Channel> {
    channel::find(h, number).ok().map(|(channel, _)| channel)
}

/// I-1 and I-3 of contracts/README.md, from raw cells: claimed ≤ deposit; balance = seed + owed = seed + records + credits, per token.
pub fn check_books(h: &MemoryHost) {
    for token in [NATIVE, USDC] {
        let state = TokenState::load(h, &token).expect("listed");
        let mut owed = 0;
        for (key, cell) in &h.cells {
            match key {
                Key::Channels(book, _) if Book::load(h, *book).expect("a record has a book").token == token => {
                    for slot in cell.chunks_exact(1 + Channel::BYTES) {
                        let c = Channel::from_bytes(&slot[1..]);
                        assert!(c.claimed <= c.deposit, "claimed {} above deposit {}", c.claimed, c.deposit);
                        owed += c.balance();
                    }
                }
                Key::Credit(owner, t) if *t == token => owed += ledger::credit_of(h, owner, t),
                _ => {}
            }
        }
        assert_eq!(state.owed, owed, "owed of {token:?} is what records and credits say");
        assert_eq!(h.balance(&token, &h.deployment().contract), state.seed + owed, "balance of {token:?} is seed + owed");
    }
}
