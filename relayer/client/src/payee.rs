//! A payee that acts for itself, without a relayer.

use crate::{Error, SignedVoucher};
use alloy_sol_types::SolCall;
use rivulet_chain::{
    Chain, Lane, Signer, TxReport,
    abi::{both::Both, channels::Channels, to_sol},
};
use rivulet_core::{
    blob::{VoucherRow, encode},
    fee::RelayTerms,
    ids::{Address, ChannelNumber, Token},
    outcome::RowOutcome,
};
use rivulet_rules::chain::{ContractEvent, ContractKind};
use std::collections::BTreeMap;

/// A payee. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payee {
    pub(crate) chain: Chain,
    lane: Lane,
    pub(crate) trusts_strangers: bool,
}

/// All that can be claimed.
pub const ALL: u128 = u128::MAX;

/// What became of a voucher in a claim of many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// The voucher.
    pub voucher: SignedVoucher,
    /// Its outcome; for one that was not sent, the one it would have had.
    pub outcome: RowOutcome,
    /// What its channel has paid out in all since then; none when it was not sent.
    pub total: Option<u128>,
}

/// What a claim of many brought.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Claims {
    /// What became of each voucher, by channel.
    pub rows: Vec<Claimed>,
    /// What was paid out, by book and transaction.
    pub gains: Vec<Gain>,
}

/// What one book paid out in one transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gain {
    /// Which book: a payee's of one token.
    pub book: u32,
    /// All of it, in the token's smallest unit.
    pub units: u128,
    /// The relay fee in it.
    pub fee: u128,
}

/// Rows of one transaction: far below what fits.
const ROWS_AT_ONCE: usize = 200;

/// Vouchers of different channels, as a batch takes them.
fn blob<'a>(vouchers: impl Iterator<Item = &'a SignedVoucher>) -> Vec<u8> {
    let mut groups = BTreeMap::<u32, (bool, BTreeMap<u32, VoucherRow>)>::new();
    for v in vouchers {
        let row = VoucherRow { cumulative_amount: v.cumulative_amount, signature: v.signature };
        groups.entry(v.number.book).or_default().1.insert(v.number.serial, row);
    }
    encode(&groups)
}

/// A signature as the contract's calls take it.
fn split(voucher: &SignedVoucher) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut y_parity_and_s) = ([0; 32], [0; 32]);
    let (first, second) = voucher.signature.0.split_at(32);
    r.copy_from_slice(first);
    y_parity_and_s.copy_from_slice(second);
    (r, y_parity_and_s)
}

impl Payee {
    /// A payee. No other program may use the signer's key at the same time.
    pub fn new(chain: Chain, signer: Signer) -> Self {
        let lane = Lane::new(chain.node().clone(), signer);
        Self { chain, lane, trusts_strangers: false }
    }

    /// Hands streams over to addresses too behind which no account is known yet, as [`crate::Payer::paying_strangers`] pays them.
    #[must_use]
    pub fn trusting_strangers(self) -> Self {
        Self { trusts_strangers: true, ..self }
    }

    /// Its address, as contracts see it.
    pub fn address(&self) -> Address {
        self.lane.signer().address()
    }

    /// Its key on the chain and the transactions in flight.
    pub fn lane(&self) -> &Lane {
        &self.lane
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) async fn call(&self, kind: ContractKind, call: &impl SolCall) -> Result<TxReport, Error> {
        Ok(self.lane.call_contract(&self.chain.contract(kind), 0, &call.abi_encode()).await?)
    }

    /// Claims what a voucher promises. An outcome that pays nothing is an error.
    ///
    /// # Errors
    ///
    /// When the contract or the chain refuses. So all calls.
    pub async fn claim(&self, voucher: &SignedVoucher) -> Result<TxReport, Error> {
        let ((r, s), ChannelNumber { book, serial }) = (split(voucher), voucher.number);
        let call = Channels::claimCall { book, serial, cumulativeAmount: voucher.cumulative_amount, r: r.into(), yParityAndS: s.into() };
        self.call(ContractKind::Channels, &call).await
    }

    /// Claims many vouchers in as few transactions as hold them: all that a relayer, or a payer, has left behind. What pays nothing any more is not sent.
    /// Each voucher's outcome is that of the block that claimed it. Terms that a relayer was given hold here too: its fee goes to its beneficiary.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim`]. What was claimed before the error stays claimed; asked again, it is stale.
    pub async fn claim_all(&self, vouchers: &[SignedVoucher]) -> Result<Claims, Error> {
        // The highest of each channel says all that the lower ones do.
        let mut best = BTreeMap::<ChannelNumber, SignedVoucher>::new();
        for voucher in vouchers {
            let kept = best.entry(voucher.number).or_insert(*voucher);
            if kept.cumulative_amount < voucher.cumulative_amount {
                *kept = *voucher;
            }
        }
        let best: Vec<_> = best.into_values().collect();
        let mut claims = Claims::default();
        for rows in best.chunks(ROWS_AT_ONCE) {
            let Claims { rows, gains } = self.claim_rows(rows).await?;
            claims.rows.extend(rows);
            claims.gains.extend(gains);
        }
        Ok(claims)
    }

    /// The rows of one transaction, ascending.
    async fn claim_rows(&self, rows: &[SignedVoucher]) -> Result<Claims, Error> {
        let node = self.chain.node();
        let account = self.lane.signer().account();
        let dry = self.chain.dry_run_claim(ContractKind::Channels, &blob(rows.iter()), &account, node.finalized().await?).await?;
        let expected = dry.outcomes.map_err(rivulet_chain::Error::Failed)?;
        let mut claimed: Vec<_> = rows.iter().zip(expected).map(|(voucher, outcome)| Claimed { voucher: *voucher, outcome, total: None }).collect();
        let pays = |c: &&mut Claimed| matches!(c.outcome, RowOutcome::Applied | RowOutcome::Capped);
        let paying: Vec<_> = claimed.iter_mut().filter(pays).collect();
        if paying.is_empty() {
            return Ok(Claims { rows: claimed, gains: Vec::new() });
        }
        let call = Both::claimBatchCall { blob: blob(paying.iter().map(|c| &c.voucher)).into() };
        let report = self.call(ContractKind::Channels, &call).await?;
        let mut gains = Vec::new();
        for event in self.chain.events_of(&report)? {
            let ContractEvent::Claimed { book, gain, fee, rows } = event else { continue };
            gains.push(Gain { book, units: gain, fee });
            for row in rows {
                let number = ChannelNumber { book, serial: row.serial };
                if let Some(one) = claimed.iter_mut().find(|c| c.voucher.number == number) {
                    (one.outcome, one.total) = (row.outcome, Some(row.total));
                }
            }
        }
        Ok(Claims { rows: claimed, gains })
    }

    /// Claims the last voucher, gives the rest back to the payer and ends the channel.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim`].
    pub async fn close(&self, voucher: &SignedVoucher) -> Result<TxReport, Error> {
        let ((r, s), ChannelNumber { book, serial }) = (split(voucher), voucher.number);
        let call = Channels::closeCall { book, serial, cumulativeAmount: voucher.cumulative_amount, r: r.into(), yParityAndS: s.into() };
        self.call(ContractKind::Channels, &call).await
    }

    /// Takes its credit in a token to an address.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim`].
    pub async fn collect(&self, kind: ContractKind, token: &Token, to: &Address) -> Result<TxReport, Error> {
        self.call(kind, &Both::collectCall { token: to_sol(token), to: to_sol(to) }).await
    }

    /// Sets what carrying a row of its book earns.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim`].
    pub async fn set_terms(&self, kind: ContractKind, token: &Token, terms: &RelayTerms) -> Result<TxReport, Error> {
        let call = Both::setTermsCall {
            token: to_sol(token),
            beneficiary: to_sol(&terms.beneficiary),
            feeBps: terms.fee_bps,
            flatFee: terms.flat_fee,
            minGain: terms.min_gain,
            until: terms.until,
        };
        self.call(kind, &call).await
    }
}
