//! What parties sign: EIP-712 typed data. Source: EIP-712, `encodeData` and `hashStruct`.
//!
//! Every type's expected digest in `tests/vectors` comes from viem. Nonces are unordered: any `uint64` not used before by that signer.
//! A signature is good while `now < deadline`.

use crate::{
    Keccak256,
    ids::{Address, ChannelId, Deployment, Token},
    words::Words,
};

const fn hash(text: &str) -> [u8; 32] {
    keccak_const::Keccak256::new().update(text.as_bytes()).finalize()
}

/// Which contract's domain a message belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Domain {
    /// `{name "Rivulet Channels", version "1", chainId, verifyingContract}`
    Channels,
    /// `{name "Rivulet Streams", version "1", chainId, verifyingContract}`
    Streams,
}

impl Domain {
    const TYPE_HASH: [u8; 32] = hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    const VERSION: [u8; 32] = hash("1");

    /// The domain's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channels => "Rivulet Channels",
            Self::Streams => "Rivulet Streams",
        }
    }

    /// The domain separator of one deployment.
    pub fn separator(self, at: &Deployment, k: &impl Keccak256) -> [u8; 32] {
        const CHANNELS: [u8; 32] = hash(Domain::Channels.name());
        const STREAMS: [u8; 32] = hash(Domain::Streams.name());
        let name = match self {
            Self::Channels => &CHANNELS,
            Self::Streams => &STREAMS,
        };
        let mut w = Words::<160>::new();
        w.bytes32(&Self::TYPE_HASH).bytes32(name).bytes32(&Self::VERSION).u64(at.chain_id).address(&at.contract);
        k.keccak256(w.bytes())
    }
}

/// A message that can be signed.
pub trait Message {
    /// The type's EIP-712 text.
    const TYPE: &'static str;
    /// `hashStruct(message)`
    fn struct_hash(&self, k: &impl Keccak256) -> [u8; 32];

    /// What the signer signs: `keccak256(0x1901 ‖ domainSeparator ‖ hashStruct(message))`.
    fn digest(&self, separator: &[u8; 32], k: &impl Keccak256) -> [u8; 32] {
        let mut bytes = [0u8; 66];
        let (prefix, rest) = bytes.split_at_mut(2);
        prefix.copy_from_slice(&[0x19, 0x01]);
        let (a, b) = rest.split_at_mut(32);
        a.copy_from_slice(separator);
        b.copy_from_slice(&self.struct_hash(k));
        k.keccak256(&bytes)
    }
}

/// Declares a message: its struct, its type text and its hash, from one list of fields.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident = $text:literal, $words:literal { $($(#[$fdoc:meta])* $field:ident: $ty:ty => $push:ident $(($conv:tt))?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }

        impl Message for $name {
            const TYPE: &'static str = $text;
            fn struct_hash(&self, k: &impl Keccak256) -> [u8; 32] {
                const TYPE_HASH: [u8; 32] = hash($text);
                let mut w = Words::<{ $words * 32 }>::new();
                w.bytes32(&TYPE_HASH)$(.$push(message!(@ref self.$field $(, $conv)?)))*;
                k.keccak256(w.bytes())
            }
        }
    };
    (@ref $e:expr) => { $e };
    (@ref $e:expr, ref) => { &$e };
    (@ref $e:expr, id) => { &$e.0 };
    (@ref $e:expr, wide) => { $e.into() };
}

message! {
    /// The payer's (or its session key's) promise: this channel has paid this much in all.
    Voucher = "Voucher(bytes32 channelId,uint128 cumulativeAmount)", 3 {
        /// Which channel.
        channel_id: ChannelId => bytes32(id),
        /// All it has ever promised, in the token's smallest unit (native: wei, 18 decimals).
        cumulative_amount: u128 => u128,
    }
}

message! {
    /// The payer lets anyone open a channel with its money: every term, and no other.
    Open = "Open(address payer,address payee,address voucherSigner,address token,uint32 challengePeriodSecs,uint128 amount,uint64 nonce,uint64 deadline)", 9 {
        /// Who signs and pays.
        payer: Address => address(ref),
        /// Who is paid.
        payee: Address => address(ref),
        /// Whose vouchers count.
        voucher_signer: Address => address(ref),
        /// What is paid.
        token: Token => address(ref),
        /// The challenge period.
        challenge_period_secs: u32 => u32,
        /// The deposit.
        amount: u128 => u128,
        /// Not used before by this signer.
        nonce: u64 => u64,
        /// Good before this time (Unix seconds).
        deadline: u64 => u64,
    }
}

message! {
    /// The payer asks for a part of its deposit back. `amount` of 2^128−1 asks for all that is left.
    RequestRefund = "RequestRefund(bytes32 channelId,uint128 amount,uint64 nonce,uint64 deadline)", 5 {
        /// Which channel.
        channel_id: ChannelId => bytes32(id),
        /// How much.
        amount: u128 => u128,
        /// Not used before by this signer.
        nonce: u64 => u64,
        /// Good before this time (Unix seconds).
        deadline: u64 => u64,
    }
}

message! {
    /// The payee sets the relay terms of one of its books, in either contract.
    Terms = "Terms(address payee,address token,address beneficiary,uint16 feeBps,uint128 flatFee,uint128 minGain,uint64 until,uint64 nonce,uint64 deadline)", 10 {
        /// Who signs, and whose book it is.
        payee: Address => address(ref),
        /// The book's token.
        token: Token => address(ref),
        /// Who earns the relay fee, whoever submits.
        beneficiary: Address => address(ref),
        /// Hundredths of a percent of a row's gain.
        fee_bps: u16 => u32(wide),
        /// Added for each row, in the token's smallest unit.
        flat_fee: u128 => u128,
        /// A row that gains less pays no fee.
        min_gain: u128 => u128,
        /// The terms hold before this time (Unix seconds) and cannot be worsened for the beneficiary before it.
        until: u64 => u64,
        /// Not used before by this signer.
        nonce: u64 => u64,
        /// Good before this time (Unix seconds).
        deadline: u64 => u64,
    }
}

message! {
    /// The payee lets anyone close a channel when it has paid exactly this total; the rest goes back to the payer, whatever vouchers the payee still has.
    Close = "Close(bytes32 channelId,uint128 cumulativeAmount,uint64 nonce,uint64 deadline)", 5 {
        /// Which channel.
        channel_id: ChannelId => bytes32(id),
        /// What it has paid.
        cumulative_amount: u128 => u128,
        /// Not used before by this signer.
        nonce: u64 => u64,
        /// Good before this time (Unix seconds).
        deadline: u64 => u64,
    }
}

message! {
    /// The owner of a credit has it paid out to an address of its choice.
    Collect = "Collect(address owner,address token,address to,uint64 nonce,uint64 deadline)", 6 {
        /// Who signs, and whose credit it is.
        owner: Address => address(ref),
        /// Which token's credit.
        token: Token => address(ref),
        /// Where it goes.
        to: Address => address(ref),
        /// Not used before by this signer.
        nonce: u64 => u64,
        /// Good before this time (Unix seconds).
        deadline: u64 => u64,
    }
}

message! {
    /// The payer lets anyone create a stream with its money: every term, and no other. The fields mean what they mean in `create`.
    Create = "Create(address payer,address payee,address token,uint128 ratePerSecondScaled,uint128 total,uint64 startAt,uint64 cliffAt,uint128 cliffAmount,uint64 endAt,uint8 flags,uint128 amount,uint128 committed,bytes32 memo,uint64 nonce,uint64 deadline)", 16 {
        /// Who signs and pays.
        payer: Address => address(ref),
        /// Who is paid.
        payee: Address => address(ref),
        /// What is paid.
        token: Token => address(ref),
        /// Rate, × 1e9; 0 when `total` is given.
        rate_per_second_scaled: u128 => u128,
        /// All that is owed at `end_at`; 0 when a rate is given.
        total: u128 => u128,
        /// 0: now.
        start_at: u64 => u64,
        /// Meaningful with the cliff flag.
        cliff_at: u64 => u64,
        /// What falls due at the cliff.
        cliff_amount: u128 => u128,
        /// 0: open-ended.
        end_at: u64 => u64,
        /// Bits of [`crate::stream::Flags`].
        flags: u8 => u32(wide),
        /// The first deposit, may be 0.
        amount: u128 => u128,
        /// The part of the deposit that is never refunded.
        committed: u128 => u128,
        /// For the payee's books.
        memo: [u8; 32] => bytes32(ref),
        /// Not used before by this signer.
        nonce: u64 => u64,
        /// Good before this time (Unix seconds).
        deadline: u64 => u64,
    }
}
