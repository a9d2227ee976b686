//! A small world for tests of the calls: two tokens, a few parties, and the sums that must always hold.
#![allow(dead_code, reason = "each test binary uses its part")]

use rivulet_core::{
    blob::VoucherRow,
    book::Book,
    channel::{self, Channel},
    eip712::{Domain, Message, Voucher},
    host::{Host, Key},
    ids::{Address, ChannelId, Number, Token},
    ledger::{self, Config, TokenState},
    testing::{MemoryHost, sign},
};

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

pub fn open(h: &mut MemoryHost, payer: Address, payee: Address, token: Token, amount: u128) -> (Number, ChannelId) {
    h.call(payer, value_of(&token, amount), |h| channel::open(h, payee, SESSION, token, PERIOD, amount)).expect("opens")
}

/// A voucher row for a channel, by this signer.
pub fn voucher(h: &MemoryHost, id: ChannelId, signer: Address, cumulative_amount: u128) -> VoucherRow {
    let separator = Domain::Channels.separator(&h.deployment(), h);
    let digest = Voucher { channel_id: id, cumulative_amount }.digest(&separator, h);
    VoucherRow { cumulative_amount, signature: sign(&signer, &digest) }
}

pub fn record(h: &MemoryHost, number: Number) -> Option<Channel> {
    h.load(&Key::Record(number)).map(|b| Channel::from_bytes(&b))
}

/// I-1 and I-3 of contracts/README.md, from raw cells: claimed ≤ deposit; balance = seed + owed = seed + records + credits, per token.
pub fn check_books(h: &MemoryHost) {
    for token in [NATIVE, USDC] {
        let state = TokenState::load(h, &token).expect("listed");
        let mut owed = 0;
        for (key, cell) in &h.cells {
            match key {
                Key::Record(n) if Book::load(h, n.book).expect("a record has a book").token == token => {
                    let c = Channel::from_bytes(cell.as_slice().try_into().expect("width"));
                    assert!(c.claimed <= c.deposit, "claimed {} above deposit {}", c.claimed, c.deposit);
                    owed += c.balance();
                }
                Key::Credit(owner, t) if *t == token => owed += ledger::credit_of(h, owner, t),
                _ => {}
            }
        }
        assert_eq!(state.owed, owed, "owed of {token:?} is what records and credits say");
        assert_eq!(h.balance(&token, &h.deployment().contract), state.seed + owed, "balance of {token:?} is seed + owed");
    }
}
