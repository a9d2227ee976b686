//! What a relayer answers to questions.

use serde::Deserialize;

/// What a relayer says of itself, as far as payers need it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Info {
    /// The network's name.
    pub network: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of block 0, `0x` and hex.
    pub genesis_hash: String,
    /// The contracts it works for.
    pub contracts: InfoContracts,
    /// Itself.
    pub relayer: InfoRelayer,
}

/// The contracts a relayer works for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct InfoContracts {
    /// Payment channels.
    pub channels: String,
    /// Per-second streams.
    pub streams: String,
}

/// A relayer's keys.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct InfoRelayer {
    /// As contracts see it.
    pub address: String,
    /// What signs acknowledgements; none: they are not signed.
    pub acknowledgement_key: Option<String>,
}

/// What a payee has earned in a token through a relayer, relay fees included. Amounts in the token's smallest unit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct TokenEarnings {
    /// The token's address.
    pub token: String,
    /// Channels, closed ones included.
    pub channels: u64,
    /// Sum of the best vouchers.
    #[serde(with = "crate::purse::units")]
    pub accepted: u128,
    /// Paid out on the chain, whoever claimed.
    #[serde(with = "crate::purse::units")]
    pub claimed: u128,
    /// Accepted, covered and not yet claimed.
    #[serde(with = "crate::purse::units")]
    pub pending: u128,
    /// Accepted and out of reach.
    #[serde(with = "crate::purse::units")]
    pub lost: u128,
}
