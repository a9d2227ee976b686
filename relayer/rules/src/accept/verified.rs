//! A voucher that passed every check.

use super::Offer;
use rivulet_core::{
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Token},
    signature::CompactSignature,
};

/// A voucher that passed every check. Only [`super::verify`] makes one, and only this reaches the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified {
    number: ChannelNumber,
    channel_id: ChannelId,
    payer: Address,
    payee: Address,
    token: Token,
    cumulative_amount: u128,
    signature: CompactSignature,
}

impl Verified {
    pub(super) fn new(offer: &Offer, terms: &ChannelTerms) -> Self {
        Self {
            number: offer.number,
            channel_id: offer.channel_id,
            payer: terms.payer,
            payee: terms.payee,
            token: terms.token,
            cumulative_amount: offer.cumulative_amount,
            signature: offer.signature,
        }
    }

    /// Which channel.
    pub fn number(&self) -> ChannelNumber {
        self.number
    }
    /// The id that was signed.
    pub fn channel_id(&self) -> ChannelId {
        self.channel_id
    }
    /// Who pays.
    pub fn payer(&self) -> Address {
        self.payer
    }
    /// Who is paid.
    pub fn payee(&self) -> Address {
        self.payee
    }
    /// What is paid.
    pub fn token(&self) -> Token {
        self.token
    }
    /// All that the channel has promised.
    pub fn cumulative_amount(&self) -> u128 {
        self.cumulative_amount
    }
    /// The signature, compact.
    pub fn signature(&self) -> CompactSignature {
        self.signature
    }
}
