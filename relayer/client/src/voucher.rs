//! Vouchers: signed, ever-growing totals.

use crate::{Error, VoucherKey};
use rivulet_core::{
    SoftKeccak,
    eip712::{Domain, Message, Voucher},
    ids::{ChannelId, ChannelNumber, ChannelTerms, Deployment},
    signature::CompactSignature,
};
use rivulet_rules::{
    accept::{Rejection, signature::recover},
    text,
};
use serde::{Deserialize, Serialize};

/// A voucher as it is sent to a relayer or, in a claim, to the chain. As JSON it is what a relayer takes: `book`, `serial`, `channel_id`,
/// `cumulative_amount`, `signature`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "VoucherJson", try_from = "VoucherJson")]
pub struct SignedVoucher {
    /// Where the channel is.
    pub number: ChannelNumber,
    /// What was signed for.
    pub channel_id: ChannelId,
    /// All that the channel has ever promised, in the token's smallest unit (native: wei).
    pub cumulative_amount: u128,
    /// By the voucher key.
    pub signature: CompactSignature,
}

/// A voucher as JSON carries it. Amounts are strings: they do not fit into a JavaScript number.
#[derive(Serialize, Deserialize)]
struct VoucherJson {
    book: u32,
    serial: u32,
    channel_id: String,
    cumulative_amount: String,
    signature: String,
}

impl From<SignedVoucher> for VoucherJson {
    fn from(v: SignedVoucher) -> Self {
        Self {
            book: v.number.book,
            serial: v.number.serial,
            channel_id: text::hex(&v.channel_id.0),
            cumulative_amount: v.cumulative_amount.to_string(),
            signature: text::hex(&v.signature.0),
        }
    }
}

impl TryFrom<VoucherJson> for SignedVoucher {
    type Error = Rejection;

    fn try_from(j: VoucherJson) -> Result<Self, Rejection> {
        Ok(Self {
            number: ChannelNumber { book: j.book, serial: j.serial },
            channel_id: text::channel_id("channel_id", &j.channel_id)?,
            cumulative_amount: text::amount("cumulative_amount", &j.cumulative_amount)?,
            signature: text::signature("signature", &j.signature)?,
        })
    }
}

/// Signs the vouchers of one deployment's channels.
#[derive(Clone, Debug)]
pub struct VoucherSigner {
    key: VoucherKey,
    at: Deployment,
    separator: [u8; 32],
}

impl VoucherSigner {
    /// For the channels contract of a deployment.
    pub fn new(key: VoucherKey, channels: &Deployment) -> Self {
        Self { key, at: *channels, separator: Domain::Channels.separator(channels, &SoftKeccak) }
    }

    /// Of which contract's channels.
    pub fn deployment(&self) -> &Deployment {
        &self.at
    }

    /// Makes sure that a total of a channel was signed by this key.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] when it was not.
    pub fn check(&self, channel: &Channel, cumulative_amount: u128, signature: &CompactSignature) -> Result<(), Error> {
        let digest = Voucher { channel_id: channel.id, cumulative_amount }.digest(&self.separator, &SoftKeccak);
        match recover(digest, signature) {
            Some(address) if address == self.key.address() => Ok(()),
            given => Err(Error::NotOurs { expected: self.key.address(), given }),
        }
    }

    /// The key.
    pub fn key(&self) -> &VoucherKey {
        &self.key
    }

    /// Promises a total, whatever was promised before.
    pub fn sign(&self, number: ChannelNumber, channel_id: ChannelId, cumulative_amount: u128) -> SignedVoucher {
        let digest = Voucher { channel_id, cumulative_amount }.digest(&self.separator, &SoftKeccak);
        SignedVoucher { number, channel_id, cumulative_amount, signature: self.key.sign(digest) }
    }
}

/// A channel from its payer's side: what it holds and what it has promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    /// All that was fixed at open.
    pub terms: ChannelTerms,
    /// Its id.
    pub id: ChannelId,
    /// Everything put in so far.
    pub deposit: u128,
    /// Everything promised so far. After a restart, the relayer knows it: it answers a lower voucher with the highest it has.
    pub promised: u128,
}

impl Channel {
    /// Where it is.
    pub fn number(&self) -> ChannelNumber {
        self.terms.number
    }

    /// What can still be promised.
    pub fn left(&self) -> u128 {
        self.deposit.saturating_sub(self.promised)
    }

    /// Promises `amount` more.
    ///
    /// # Errors
    ///
    /// [`Error::BadTotal`] when the deposit does not cover it.
    pub fn pay(&mut self, signer: &VoucherSigner, amount: u128) -> Result<SignedVoucher, Error> {
        let total = self.promised.saturating_add(amount);
        self.promise(signer, total)
    }

    /// Promises a total. The same total may be signed again; a lower one is refused, for it would be worth nothing.
    ///
    /// # Errors
    ///
    /// [`Error::BadTotal`] when it is below what was promised or above the deposit.
    pub fn promise(&mut self, signer: &VoucherSigner, total: u128) -> Result<SignedVoucher, Error> {
        if total < self.promised || total > self.deposit {
            return Err(Error::BadTotal { total, promised: self.promised, deposit: self.deposit });
        }
        self.promised = total;
        Ok(signer.sign(self.number(), self.id, total))
    }

    /// Goes on from a voucher that somebody else kept: a relayer's answer to a stale one. Only our own signature counts, so that nobody can talk us
    /// into a higher total. A total below what is known here changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotOurs`] when it was not signed by this key for this channel.
    pub fn resume(&mut self, signer: &VoucherSigner, cumulative_amount: u128, signature: &CompactSignature) -> Result<(), Error> {
        signer.check(self, cumulative_amount, signature)?;
        self.promised = self.promised.max(cumulative_amount);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::{Address, Number};

    fn channel() -> (Channel, VoucherSigner, Deployment) {
        let at = Deployment { chain_id: 420_420_420, contract: Address([5; 20]) };
        let key = VoucherKey::from_bytes([3; 32]).unwrap();
        let terms = ChannelTerms {
            number: Number { book: 1, serial: 2 },
            payer: Address([1; 20]),
            payee: Address([2; 20]),
            voucher_signer: key.address(),
            token: Address::ZERO,
            challenge_period_secs: 60,
            opened_at: 7,
        };
        let id = terms.channel_id(&at, &SoftKeccak);
        (Channel { terms, id, deposit: 100, promised: 0 }, VoucherSigner::new(key, &at), at)
    }

    #[test]
    fn what_is_signed_recovers_to_the_key() {
        let (mut channel, signer, at) = channel();
        let separator = Domain::Channels.separator(&at, &SoftKeccak);
        // Many, so that both parities occur.
        for _ in 0..50 {
            let v = channel.pay(&signer, 2).unwrap();
            let digest = Voucher { channel_id: v.channel_id, cumulative_amount: v.cumulative_amount }.digest(&separator, &SoftKeccak);
            assert_eq!(recover(digest, &v.signature), Some(signer.key().address()));
        }
        assert_eq!(channel.left(), 0);
    }

    #[test]
    fn a_voucher_reads_back_from_json() {
        let (mut channel, signer, _) = channel();
        let voucher = channel.pay(&signer, 2).unwrap();
        let json = serde_json::to_value(voucher).unwrap();
        assert_eq!(json["cumulative_amount"], "2");
        assert_eq!(serde_json::from_value::<SignedVoucher>(json).unwrap(), voucher);
    }

    #[test]
    fn totals_only_grow_and_stay_covered() {
        let (mut channel, signer, _) = channel();
        channel.promise(&signer, 60).unwrap();
        assert_eq!(channel.promise(&signer, 60).unwrap().cumulative_amount, 60);
        assert!(matches!(channel.promise(&signer, 59), Err(Error::BadTotal { total: 59, promised: 60, deposit: 100 })));
        assert!(channel.pay(&signer, 41).is_err());
        assert_eq!(channel.promised, 60, "a refused promise changes nothing");
    }

    #[test]
    fn a_channel_resumes_only_from_our_own_signature() {
        let (mut channel, signer, at) = channel();
        let kept = channel.promise(&signer, 40).unwrap();
        channel.promised = 10;
        let forger = VoucherSigner::new(VoucherKey::from_bytes([4; 32]).unwrap(), &at);
        let forged = forger.sign(channel.number(), channel.id, 90);
        assert!(matches!(channel.resume(&signer, 90, &forged.signature), Err(Error::NotOurs { .. })));
        assert!(channel.resume(&signer, 90, &kept.signature).is_err(), "the signature is of another total");
        channel.resume(&signer, 40, &kept.signature).unwrap();
        assert_eq!(channel.promised, 40);
        channel.promise(&signer, 50).unwrap();
        channel.resume(&signer, 40, &kept.signature).unwrap();
        assert_eq!(channel.promised, 50);
    }

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../tests/vectors/vectors.json";
        let vectors: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let text = |v: &serde_json::Value| v.as_str().unwrap().trim_start_matches("0x").to_owned();
        let keys: Vec<_> = vectors["keys"].as_array().unwrap().iter().collect();
        let mut seen = 0;
        for m in vectors["messages"].as_array().unwrap().iter().filter(|m| m["typeText"].as_str().unwrap().starts_with("Voucher(")) {
            let key = keys.iter().find(|k| k["address"] == m["signer"]).unwrap();
            let key = VoucherKey::from_bytes(hex::decode(text(&key["privateKey"])).unwrap().try_into().unwrap()).unwrap();
            assert_eq!(key.address().to_string(), m["signer"].as_str().unwrap());
            let digest: [u8; 32] = hex::decode(text(&m["digest"])).unwrap().try_into().unwrap();
            // Both sides sign deterministically (RFC 6979), so even the bytes agree.
            assert_eq!(hex::encode(key.sign(digest).0), text(&m["compact"]));
            seen += 1;
        }
        assert!(seen > 0);
    }
}
