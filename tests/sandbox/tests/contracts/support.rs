//! What the tests share: a world, and the books, balanced from raw storage.

use rivulet_core::{
    book::Book,
    cell::Slot,
    channel::{self, CHANNELS_A_CELL, Channel},
    host::Key,
    ids::{Address, Number, Token},
    ledger::{self, TokenState},
    stream::Stream,
    testing::MemoryHost,
};
use rivulet_sandbox::{ChannelsContract, NATIVE, Outcome, Party, Sandbox, USDC, USDT, VoucherKey};

/// Wei in a planck.
pub const RATIO: u128 = 100_000_000;
/// One DOT in wei.
pub const DOT: u128 = 1_000_000_000_000_000_000;
/// One USDC in units.
pub const USD: u128 = 1_000_000;

/// A chain with the channels contract on it, and who uses it.
pub struct World {
    pub chain: Sandbox,
    pub channels: ChannelsContract,
    pub payer: Party,
    pub payee: Party,
    pub relayer: Party,
    pub session: VoucherKey,
}

pub fn world() -> World {
    let mut chain = Sandbox::new();
    let channels = ChannelsContract::deploy(&mut chain);
    let [payer, payee, relayer] = ["//payer", "//payee", "//relayer"].map(|uri| chain.party(uri));
    World { chain, channels, payer, payee, relayer, session: VoucherKey::named("session") }
}

/// A handy amount of a token: one of it.
pub fn one(token: Token) -> u128 {
    if token == NATIVE { DOT } else { USD }
}

/// What a transaction cost its sender beside what it sent, in wei.
pub fn cost_wei(outcome: &Outcome) -> i128 {
    (outcome.cost.fee_planck as i128 + outcome.cost.storage_deposit_planck) * RATIO as i128
}

fn key(bytes: &[u8]) -> Key {
    let (tag, rest) = bytes.split_first().expect("a tag");
    let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().expect("four bytes"));
    let address = |at: usize| Address(rest[at..at + 20].try_into().expect("twenty bytes"));
    match tag {
        0 => Key::Config,
        1 => Key::Token(address(0)),
        2 => Key::TokenAt(number(0)),
        3 => Key::BookOf(address(0), address(20)),
        4 => Key::Book(number(0)),
        5 => Key::Streams(number(0), number(4)),
        6 => Key::Credit(address(0), address(20)),
        7 => Key::Channels(number(0), number(4)),
        8 => Key::Nonces(address(0), u64::from_be_bytes(rest[20..28].try_into().expect("eight bytes"))),
        9 => Key::Details(Number { book: number(0), serial: number(4) }),
        other => panic!("no key has the tag {other}"),
    }
}

/// A contract's raw storage, to be read by core.
pub fn storage(chain: &mut Sandbox, contract: Address) -> MemoryHost {
    let cells = chain.cells(contract);
    // ink! keeps its own root, empty for ours, under a key of four bytes of zero.
    let cells = cells.into_iter().filter(|(bytes, _)| *bytes != [0; 4]).map(|(bytes, value)| (key(&bytes), value));
    MemoryHost { cells: cells.collect(), now: chain.now(), ..MemoryHost::default() }
}

/// The channels or streams in a cell, `each` of which takes so many bytes after its place, `per_cell` of them together.
fn numbers(book: u32, index: u32, cell: &[u8], each: usize, per_cell: u32) -> impl Iterator<Item = Number> {
    cell.chunks_exact(1 + each).map(move |slot| Number { book, serial: index * per_cell + u32::from(slot[0]) })
}

/// Per token: what the contract has is its seed and what it owes, and what it owes is what its records and credits say, cell by cell.
#[track_caller]
pub fn assert_balanced(chain: &mut Sandbox, contract: Address, record: impl Fn(&MemoryHost, Number) -> (Token, u128)) {
    let storage = storage(chain, contract);
    for token in [NATIVE, USDC, USDT] {
        let state = TokenState::load(&storage, &token).expect("it is listed");
        let balance = |number| Some(record(&storage, number)).filter(|(of, _)| *of == token).map_or(0, |(_, balance)| balance);
        let owed: u128 = storage
            .cells
            .iter()
            .map(|(cell, bytes)| match cell {
                Key::Channels(book, index) => numbers(*book, *index, bytes, Channel::BYTES, CHANNELS_A_CELL).map(balance).sum(),
                Key::Streams(book, index) => numbers(*book, *index, bytes, Stream::BYTES, Stream::PER_CELL).map(balance).sum(),
                Key::Credit(owner, of) if *of == token => ledger::credit_of(&storage, owner, of),
                _ => 0,
            })
            .sum();
        assert_eq!(state.owed, owed, "owed of {token}, and the sum of the cells");
        assert_eq!(chain.spendable(token, contract), state.seed + owed, "had of {token}, and seed and owed");
    }
}

impl World {
    /// The contract's raw storage, to be read by core.
    pub fn storage(&mut self) -> MemoryHost {
        storage(&mut self.chain, self.channels.address)
    }

    /// The books balance, see [`assert_balanced`].
    #[track_caller]
    pub fn assert_balanced(&mut self) {
        assert_balanced(&mut self.chain, self.channels.address, |storage, number| {
            let (channel, book) = channel::find(storage, number).expect("it is there");
            assert!(channel.claimed <= channel.deposit, "{channel:?}");
            (book.token, channel.balance())
        });
    }

    /// A channel's record.
    pub fn record(&mut self, number: Number) -> Option<Channel> {
        channel::find(&self.storage(), number).ok().map(|(channel, _)| channel)
    }

    /// A book.
    pub fn book(&mut self, number: u32) -> Option<Book> {
        Book::load(&self.storage(), number)
    }

    /// The number of cells, and the bytes in them.
    pub fn size(&mut self) -> (usize, usize) {
        let cells = self.chain.cells(self.channels.address);
        (cells.len(), cells.values().map(Vec::len).sum())
    }
}
