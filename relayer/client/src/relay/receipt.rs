//! Proof that a relayer had a voucher.

use crate::{Error, SignedVoucher};
use rivulet_core::{
    ids::{Address, ChannelNumber, Deployment},
    signature::CompactSignature,
};
use rivulet_rules::{
    acknowledgement::{Acknowledgement, separator, signer},
    text,
};
use serde::{Deserialize, Serialize};

/// Proof that the relayer had a voucher: its signature, and all that it takes to check it. Worth keeping until the voucher is claimed: should it never be,
/// this shows that the relayer withheld it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "ReceiptJson", try_from = "ReceiptJson")]
pub struct Receipt {
    /// Where the channel is.
    pub number: ChannelNumber,
    /// What was signed.
    pub acknowledgement: Acknowledgement,
    /// Who signed it: the relayer's acknowledgement key.
    pub signer: Address,
    /// Its signature.
    pub signature: CompactSignature,
}

impl Receipt {
    /// True when the signature is its signer's, about the channels of this deployment.
    ///
    /// Whether that signer is the relayer one dealt with is for the reader to say: `relayer.acknowledgement_key` of `/v1/info`.
    pub fn is_genuine(&self, channels: &Deployment) -> bool {
        signer(&self.acknowledgement, &self.signature, &separator(channels)) == Some(self.signer)
    }
}

/// How a receipt is written to a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptJson {
    book: u32,
    serial: u32,
    channel_id: String,
    cumulative_amount: String,
    accepted_at: u64,
    signer: String,
    signature: String,
}

impl From<Receipt> for ReceiptJson {
    fn from(r: Receipt) -> Self {
        Self {
            book: r.number.book,
            serial: r.number.serial,
            channel_id: text::hex(&r.acknowledgement.channel_id.0),
            cumulative_amount: r.acknowledgement.cumulative_amount.to_string(),
            accepted_at: r.acknowledgement.accepted_at,
            signer: r.signer.to_string(),
            signature: text::hex(&r.signature.0),
        }
    }
}

impl TryFrom<ReceiptJson> for Receipt {
    type Error = rivulet_rules::accept::Rejection;

    fn try_from(j: ReceiptJson) -> Result<Self, Self::Error> {
        let channel_id = text::channel_id("channel_id", &j.channel_id)?;
        let cumulative_amount = text::amount("cumulative_amount", &j.cumulative_amount)?;
        Ok(Self {
            number: ChannelNumber { book: j.book, serial: j.serial },
            acknowledgement: Acknowledgement { channel_id, cumulative_amount, accepted_at: j.accepted_at },
            signer: text::address("signer", &j.signer)?,
            signature: text::signature("signature", &j.signature)?,
        })
    }
}

/// What a relayer answers beside `accepted`.
#[derive(Deserialize)]
pub(super) struct AcknowledgementJson {
    accepted_at: u64,
    signature: String,
}

/// Whose acknowledgements are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Acknowledger {
    pub(super) key: Address,
    pub(super) channels: Deployment,
}

impl Acknowledger {
    /// The receipt of this voucher: only a genuine one is taken.
    pub(super) fn check(&self, voucher: &SignedVoucher, given: Option<AcknowledgementJson>) -> Result<Receipt, Error> {
        let missing = || Error::NotAcknowledged { expected: self.key, given: None };
        let given = given.ok_or_else(missing)?;
        let signature = text::signature("signature", &given.signature).map_err(|_| missing())?;
        let (channel_id, cumulative_amount) = (voucher.channel_id, voucher.cumulative_amount);
        let acknowledgement = Acknowledgement { channel_id, cumulative_amount, accepted_at: given.accepted_at };
        match signer(&acknowledgement, &signature, &separator(&self.channels)) {
            Some(signer) if signer == self.key => Ok(Receipt { number: voucher.number, acknowledgement, signer, signature }),
            other => Err(Error::NotAcknowledged { expected: self.key, given: other }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VoucherKey, VoucherSigner};
    use rivulet_core::ids::ChannelId;
    use rivulet_rules::acknowledgement::AcknowledgementKey;

    const AT: Deployment = Deployment { chain_id: 420_420_420, contract: Address([5; 20]) };

    fn voucher(total: u128) -> SignedVoucher {
        let signer = VoucherSigner::new(VoucherKey::from_bytes([3; 32]).unwrap(), &AT);
        signer.sign(ChannelNumber { book: 1, serial: 2 }, ChannelId([4; 32]), total)
    }

    fn answer(total: u128, at: &Deployment) -> AcknowledgementJson {
        let key = AcknowledgementKey::from_bytes([7; 32]).unwrap();
        let stored = Acknowledgement { channel_id: ChannelId([4; 32]), cumulative_amount: total, accepted_at: 99 };
        AcknowledgementJson { accepted_at: 99, signature: text::hex(&key.sign(&stored, &separator(at)).0) }
    }

    fn acknowledger() -> Acknowledger {
        Acknowledger { key: AcknowledgementKey::from_bytes([7; 32]).unwrap().address(), channels: AT }
    }

    #[test]
    fn a_receipt_proves_what_was_stored_and_reads_back_from_json() {
        let receipt = acknowledger().check(&voucher(50), Some(answer(50, &AT))).unwrap();
        let read: Receipt = serde_json::from_str(&serde_json::to_string(&receipt).unwrap()).unwrap();
        assert_eq!(read, receipt);
        assert!(read.is_genuine(&AT));
        let other = Receipt { acknowledgement: Acknowledgement { cumulative_amount: 51, ..read.acknowledgement }, ..read };
        assert!(!other.is_genuine(&AT));
    }

    #[test]
    fn nothing_but_the_relayers_own_signature_of_this_voucher_is_taken() {
        let elsewhere = Deployment { chain_id: 1, ..AT };
        for given in [None, Some(answer(49, &AT)), Some(answer(50, &elsewhere)), Some(AcknowledgementJson { accepted_at: 98, ..answer(50, &AT) })] {
            assert!(matches!(acknowledger().check(&voucher(50), given), Err(Error::NotAcknowledged { .. })));
        }
    }
}
