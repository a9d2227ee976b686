//! A payee that acts for itself, without a relayer.

use crate::{Error, SignedVoucher};
use alloy_sol_types::SolCall;
use rivulet_chain::{
    Chain, Lane, Signer, TxReport,
    abi::{both::Both, channels::Channels, to_sol},
};
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, ChannelNumber, Token},
};
use rivulet_rules::chain::ContractKind;

/// A payee. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payee {
    chain: Chain,
    lane: Lane,
}

/// All that can be claimed.
pub const ALL: u128 = u128::MAX;

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
        Self { chain, lane }
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
