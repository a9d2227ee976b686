//! What the rules need of the chain. The ink! shells implement it by pallet-revive's syscalls, tests in memory.

use crate::{
    Keccak256,
    event::Event,
    ids::{Address, Deployment, Number, Token},
    signature::SplitSignature,
};

/// One storage cell. Cells are fixed-width once written, so no later call grows them at its submitter's cost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// What deployment fixed, and the book counter.
    Config,
    /// A token's seed and what is owed of it.
    Token(Token),
    /// The n-th listed token.
    TokenAt(u32),
    /// The number of the book of (payee, token).
    BookOf(Address, Token),
    /// A book.
    Book(u32),
    /// A channel's or a stream's record.
    Record(Number),
    /// A credit of (owner, token).
    Credit(Address, Token),
}

impl Key {
    /// The longest key.
    pub const MAX_BYTES: usize = 41;

    /// The key's bytes in `buf`: a tag, then the parts, integers big-endian.
    pub fn bytes<'a>(&self, buf: &'a mut [u8; Self::MAX_BYTES]) -> &'a [u8] {
        let mut w = crate::record::Writer::new(buf.as_mut_slice());
        match self {
            Self::Config => w.u8(0),
            Self::Token(t) => w.u8(1).bytes(&t.0),
            Self::TokenAt(i) => w.u8(2).u32(*i),
            Self::BookOf(p, t) => w.u8(3).bytes(&p.0).bytes(&t.0),
            Self::Book(b) => w.u8(4).u32(*b),
            Self::Record(n) => w.u8(5).u32(n.book).u32(n.serial),
            Self::Credit(o, t) => w.u8(6).bytes(&o.0).bytes(&t.0),
        };
        let len = w.len();
        buf.get(..len).unwrap_or(&[])
    }
}

/// What stands at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recipient {
    /// No account: a payout would create it, at the submitter's cost.
    Absent,
    /// An account that runs no code.
    Account,
    /// A contract: a payout runs its code.
    Contract,
}

/// The chain, as one call sees it.
pub trait Host: Keccak256 {
    /// Chain id and this contract's address.
    fn deployment(&self) -> Deployment;
    /// Who calls.
    fn caller(&self) -> Address;
    /// The native value that came with the call, in wei. It is the contract's already.
    fn value_wei(&self) -> u128;
    /// Block time, Unix seconds.
    fn now(&self) -> u64;
    /// Reads a cell; `None` when it was never written or was cleared.
    fn load<const N: usize>(&self, key: &Key) -> Option<[u8; N]>;
    /// Writes a cell.
    fn save<const N: usize>(&mut self, key: &Key, value: &[u8; N]);
    /// Deletes a cell.
    fn clear(&mut self, key: &Key);
    /// Who signed this digest; `None` when nobody can have.
    fn recover(&self, digest: &[u8; 32], signature: &SplitSignature) -> Option<Address>;
    /// What a native payout to `who` would meet.
    fn recipient(&self, who: &Address) -> Recipient;
    /// Sends native money with bounded weight and no re-entry; false when it did not go through. `fund_new`: may create the account, at the submitter's cost.
    fn send_native(&mut self, to: &Address, amount_wei: u128, fund_new: bool) -> bool;
    /// This contract's balance of a token; `None` when the token does not answer.
    fn token_balance(&self, token: &Token) -> Option<u128>;
    /// Moves an allowance of `from` to this contract; false when refused.
    fn pull_token(&mut self, token: &Token, from: &Address, amount: u128) -> bool;
    /// Sends a token with bounded weight; false when it did not go through.
    fn send_token(&mut self, token: &Token, to: &Address, amount: u128) -> bool;
    /// Logs an event.
    fn emit(&mut self, event: &Event<'_>);
}
