//! Who and which: addresses, numbers of channels and streams, and the 32-byte ids that bind everything a signer must trust.

use crate::{Keccak256, words::Words};

/// A 20-byte account address, as contracts see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// The zero address. As a token it stands for the native token; as a party it is refused.
    pub const ZERO: Self = Self([0; 20]);

    /// True for the zero address.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// True for an address that is code of the platform, not an account: the builtin precompiles (up to `0xffff`) and the external
    /// ones, whose 16-bit prefix stands in bytes 16 and 17 before two zero bytes. Source: pallet-revive, `precompiles.rs`.
    pub fn is_precompile(&self) -> bool {
        let [head @ .., p0, p1, s0, s1] = self.0;
        let builtin = head.iter().all(|b| *b == 0) && p0 == 0 && p1 == 0;
        let external = head.get(4..).is_some_and(|z| z.iter().all(|b| *b == 0)) && s0 == 0 && s1 == 0;
        builtin || external
    }

    /// True for the address of an external precompile: one of the chain's assets, which cannot re-enter, take a fee or lie about balances.
    pub fn is_asset(&self) -> bool {
        let [.., p0, p1, _, _] = self.0;
        self.is_precompile() && (p0 != 0 || p1 != 0)
    }
}

impl core::fmt::Debug for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self, f)
    }
}

/// The token of an amount: zero is the native token, anything else an ERC-20 (assets precompile).
pub type Token = Address;

/// Where a channel or a stream is found: its book (all of one payee and token) and its serial in it. Unique in one contract, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Number {
    /// The book, counted from 1 in each contract. 0 is no book.
    pub book: u32,
    /// The serial within the book, counted from 0.
    pub serial: u32,
}

/// The number of a channel.
pub type ChannelNumber = Number;
/// The number of a stream.
pub type StreamNumber = Number;

impl core::fmt::Display for Number {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.book, self.serial)
    }
}

/// The deployment an id or a signature is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Deployment {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The contract's address.
    pub contract: Address,
}

/// A channel's id: the hash of all its terms. Vouchers sign it, so a channel renumbered by a reorg has none of the old one's vouchers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChannelId(pub [u8; 32]);

/// A stream's id: the hash of where it was created and between whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StreamId(pub [u8; 32]);

/// All that is fixed when a channel is opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ChannelTerms {
    /// Where the channel is found.
    pub number: ChannelNumber,
    /// Who locked the money.
    pub payer: Address,
    /// Who is paid.
    pub payee: Address,
    /// Whose vouchers count, beside the payer's own: the payer or a session key.
    pub voucher_signer: Address,
    /// What is paid.
    pub token: Token,
    /// How long the payee has, from a request to close or refund, to claim.
    pub challenge_period_secs: u32,
    /// When the channel was opened (Unix seconds, block time).
    pub opened_at: u64,
}

impl ChannelTerms {
    /// `keccak256(abi.encode(chainId, contract, book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt))`.
    pub fn channel_id(&self, at: &Deployment, k: &impl Keccak256) -> ChannelId {
        let mut w = Words::<320>::new();
        w.u64(at.chain_id)
            .address(&at.contract)
            .u32(self.number.book)
            .u32(self.number.serial)
            .address(&self.payer)
            .address(&self.payee)
            .address(&self.voucher_signer)
            .address(&self.token)
            .u32(self.challenge_period_secs)
            .u64(self.opened_at);
        ChannelId(k.keccak256(w.bytes()))
    }
}

/// What a stream's id is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamOrigin {
    /// The number the stream was created with.
    pub number: StreamNumber,
    /// Who pays.
    pub payer: Address,
    /// Who was the payee at creation.
    pub payee: Address,
    /// What is paid.
    pub token: Token,
    /// When the stream was created (Unix seconds, block time), whenever it starts.
    pub created_at: u64,
}

impl StreamOrigin {
    /// `keccak256(abi.encode(chainId, contract, book, serial, payer, payee, token, createdAt))`.
    pub fn stream_id(&self, at: &Deployment, k: &impl Keccak256) -> StreamId {
        let mut w = Words::<256>::new();
        w.u64(at.chain_id)
            .address(&at.contract)
            .u32(self.number.book)
            .u32(self.number.serial)
            .address(&self.payer)
            .address(&self.payee)
            .address(&self.token)
            .u64(self.created_at);
        StreamId(k.keccak256(w.bytes()))
    }
}
