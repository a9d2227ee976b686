//! Who signs for stored vouchers.

use rivulet_core::{
    ids::{Address, Deployment},
    signature::CompactSignature,
};
use rivulet_rules::{
    accept::Verified,
    acknowledgement::{Acknowledgement, AcknowledgementKey, separator},
};
use std::sync::Arc;

/// What was signed, beside the voucher's own channel and total.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed {
    /// When the voucher was stored (Unix seconds).
    pub accepted_at: u64,
    /// The relayer's signature.
    pub signature: CompactSignature,
}

/// The key, for one deployment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Acknowledger {
    key: Arc<AcknowledgementKey>,
    separator: [u8; 32],
}

impl Acknowledger {
    /// For the channels of this deployment.
    pub fn new(key: AcknowledgementKey, channels: &Deployment) -> Self {
        Self { key: Arc::new(key), separator: separator(channels) }
    }

    /// What its signatures recover to.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Signs that this voucher was stored at this time.
    pub fn sign(&self, voucher: &Verified, accepted_ms: u64) -> Signed {
        let accepted_at = accepted_ms / 1_000;
        let stored = Acknowledgement { channel_id: voucher.channel_id(), cumulative_amount: voucher.cumulative_amount(), accepted_at };
        Signed { accepted_at, signature: self.key.sign(&stored, &self.separator) }
    }
}
