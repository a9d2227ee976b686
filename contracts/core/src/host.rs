//! What the rules need of the chain. The ink! shells implement it by pallet-revive's syscalls, tests in memory.

use crate::{
    Keccak256,
    error::{Error, Refused},
    event::Event,
    ids::{Address, Deployment, Number, Token},
    signature::SplitSignature,
};

/// One storage cell. Only opening a channel, creating a stream and the like grow cells; what relayers submit never does, so it never costs them a deposit.
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
    /// The records of the streams of a book with serials `3·i … 3·i + 2`.
    Streams(u32, u32),
    /// What claims do not need of a stream.
    Details(Number),
    /// The records of the channels of a book with serials `4·i … 4·i + 3` that are open.
    Channels(u32, u32),
    /// Which of a signer's nonces `256·i … 256·i + 255` are used.
    Nonces(Address, u64),
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
            Self::Streams(b, i) => w.u8(5).u32(*b).u32(*i),
            Self::Credit(o, t) => w.u8(6).bytes(&o.0).bytes(&t.0),
            Self::Channels(b, i) => w.u8(7).u32(*b).u32(*i),
            Self::Nonces(s, i) => w.u8(8).bytes(&s.0).u64(*i),
            Self::Details(n) => w.u8(9).u32(n.book).u32(n.serial),
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

/// A token owner's signed allowance for this contract. Source: EIP-2612.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permit {
    /// Good until this time, included (Unix seconds).
    pub deadline: u64,
    /// 27 or 28.
    pub v: u8,
    /// r, big-endian.
    pub r: [u8; 32],
    /// s, big-endian.
    pub s: [u8; 32],
}

/// The chain, as one call sees it.
pub trait Host: Keccak256 {
    /// Refuses the call: what it did is undone. In memory the refusal is returned to the caller, which undoes.
    #[cfg(not(feature = "refusals-end-calls"))]
    fn refuse(&self, why: Error) -> Refused {
        why
    }
    /// Refuses the call, which ends here: what it did is undone.
    #[cfg(feature = "refusals-end-calls")]
    fn refuse(&self, why: Error) -> Refused;
    /// Chain id and this contract's address.
    fn deployment(&self) -> Deployment;
    /// Who calls.
    fn caller(&self) -> Address;
    /// The native value that came with the call, in wei. It is the contract's already.
    fn value_wei(&self) -> u128;
    /// Block time, Unix seconds.
    fn now(&self) -> u64;
    /// Reads a cell into the front of `out`, which is at least as long; returns its length, 0 when it was never written or was cleared.
    fn read(&self, key: &Key, out: &mut [u8]) -> usize;
    /// Writes a cell.
    fn write(&mut self, key: &Key, value: &[u8]);
    /// A cell of fixed width; `None` when there is none.
    fn load<const N: usize>(&self, key: &Key) -> Option<[u8; N]> {
        let mut out = [0; N];
        (self.read(key, &mut out) == N).then_some(out)
    }
    /// Writes a cell of fixed width.
    fn save<const N: usize>(&mut self, key: &Key, value: &[u8; N]) {
        self.write(key, value);
    }
    /// Deletes a cell.
    fn clear(&mut self, key: &Key);
    /// Who signed this digest; `None` when nobody can have. The call ends here, undone, if the weight left does not allow to find out.
    fn recover(&self, digest: &[u8; 32], signature: &SplitSignature) -> Option<Address>;
    /// What a native payout to `who` would meet.
    fn recipient(&self, who: &Address) -> Recipient;
    /// Sends native money with bounded weight and no re-entry; false when it did not go through. `fund_new`: may create the account, at the submitter's cost.
    fn send_native(&mut self, to: &Address, amount_wei: u128, fund_new: bool) -> bool;
    /// This contract's balance of a token, or of native money in wei; `None` when the token does not answer.
    fn token_balance(&self, token: &Token) -> Option<u128>;
    /// Moves an allowance of `from` to this contract; false when refused.
    fn pull_token(&mut self, token: &Token, from: &Address, amount: u128) -> bool;
    /// Uses a permit (EIP-2612) of `owner` for this contract. A permit that was used before or is wrong does nothing.
    fn permit(&mut self, token: &Token, owner: &Address, amount: u128, permit: &Permit);
    /// Sends a token with bounded weight; false when it did not go through.
    fn send_token(&mut self, token: &Token, to: &Address, amount: u128) -> bool;
    /// Logs an event.
    fn emit(&mut self, event: &Event<'_>);
}
