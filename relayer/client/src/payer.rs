//! A payer: channels.

use crate::{Channel, Error, VoucherKey, VoucherSigner};
use alloy_sol_types::{SolCall, private::U256};
use futures::{StreamExt, TryStreamExt, stream};
use rivulet_chain::{
    Call, Chain, Lane, Signer, Standing, TxReport,
    abi::{channels::Channels, erc20::Erc20, to_sol},
};
use rivulet_core::{
    amount::NATIVE_GRAIN,
    ids::{Address, ChannelNumber, Token},
};
use rivulet_rules::chain::{BlockRef, ChannelView, ClaimLimits, ContractEvent, ContractKind, WEI_PER_PLANCK, Weight};
use std::collections::{BTreeMap, BTreeSet};

/// A channel to be opened. The payer's voucher key signs for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenChannel {
    /// Who is paid.
    pub payee: Address,
    /// In what; zero: native.
    pub token: Token,
    /// How long the payee has to claim after a request to close.
    pub challenge_period_secs: u32,
    /// The first deposit, in the token's smallest unit (native: wei, a multiple of 1e8).
    pub amount: u128,
}

/// A payer: an account with money and a key for vouchers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payer {
    pub(crate) chain: Chain,
    pub(crate) lane: Lane,
    vouchers: VoucherSigner,
    pays_strangers: bool,
}

/// Refuses payees behind which no account is known.
pub(crate) async fn check_payees(chain: &Chain, payees: impl IntoIterator<Item = Address>) -> Result<(), Error> {
    let node = chain.node();
    let block = node.finalized().await?;
    for payee in payees.into_iter().collect::<BTreeSet<_>>() {
        // What the contract refuses in its own words is not said differently here.
        if !payee.is_zero() && !payee.is_precompile() && node.standing(&payee, block).await? == Standing::Unknown {
            return Err(Error::UnmappedPayee(payee));
        }
    }
    Ok(())
}

/// What goes along with a call that pays `amount`: planck for the native token, nothing for others.
pub(crate) fn value_planck(token: &Token, amount: u128) -> Result<u128, Error> {
    match (token.is_zero(), amount % NATIVE_GRAIN) {
        (false, _) => Ok(0),
        (true, 0) => Ok(amount / WEI_PER_PLANCK),
        (true, _) => Err(Error::NotMovable { amount, token: *token, grain: NATIVE_GRAIN }),
    }
}

impl Payer {
    /// A payer. No other program may use the signer's key at the same time.
    pub fn new(chain: Chain, signer: Signer, key: VoucherKey) -> Self {
        let lane = Lane::new(chain.node().clone(), signer);
        Self::with_lane(chain, lane, key)
    }

    /// A payer that shares a key, and so a lane, with others.
    pub fn with_lane(chain: Chain, lane: Lane, key: VoucherKey) -> Self {
        let vouchers = VoucherSigner::new(key, &chain.binding(ContractKind::Channels));
        Self { chain, lane, vouchers, pays_strangers: false }
    }

    /// Pays addresses too behind which no account is known yet, such as an Ethereum key that never received anything. Without this, they are refused: a
    /// Polkadot account that is not mapped looks the same, and would not get its money.
    #[must_use]
    pub fn paying_strangers(self) -> Self {
        Self { pays_strangers: true, ..self }
    }

    pub(crate) async fn check_payees(&self, payees: impl IntoIterator<Item = Address>) -> Result<(), Error> {
        if self.pays_strangers { Ok(()) } else { check_payees(&self.chain, payees).await }
    }

    /// Its address, as contracts see it.
    pub fn address(&self) -> Address {
        self.lane.signer().address()
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its key on the chain and the transactions in flight.
    pub fn lane(&self) -> &Lane {
        &self.lane
    }

    /// What signs its vouchers.
    pub fn vouchers(&self) -> &VoucherSigner {
        &self.vouchers
    }

    pub(crate) async fn call(&self, kind: ContractKind, value_planck: u128, call: &impl SolCall) -> Result<TxReport, Error> {
        Ok(self.lane.call_contract(&self.chain.contract(kind), value_planck, &call.abi_encode()).await?)
    }

    /// Lets a contract pull up to `amount_units` of a token. Nothing for the native token, and nothing when it may do so already.
    ///
    /// # Errors
    ///
    /// When the chain refuses.
    pub async fn approve(&self, kind: ContractKind, token: &Token, amount_units: u128) -> Result<(), Error> {
        if token.is_zero() {
            return Ok(());
        }
        let node = self.chain.node();
        let spender = to_sol(&self.chain.contract(kind));
        let allowance = Erc20::allowanceCall { owner: to_sol(&self.address()), spender };
        let allowed = node.view(token, &allowance, node.finalized().await?).await?;
        if allowed < U256::from(amount_units) {
            let approve = Erc20::approveCall { spender, amount: U256::from(amount_units) };
            self.lane.call_contract(token, 0, &approve.abi_encode()).await?;
        }
        Ok(())
    }

    fn open_calldata(&self, wanted: &OpenChannel, voucher_signer: &Address) -> Vec<u8> {
        Channels::openCall {
            payee: to_sol(&wanted.payee),
            voucherSigner: to_sol(voucher_signer),
            token: to_sol(&wanted.token),
            challengePeriodSecs: wanted.challenge_period_secs,
            amount: wanted.amount,
        }
        .abi_encode()
    }

    /// Opens a channel, after an approval if its token needs one. Returns when the block is final. If this future is dropped, or the process dies, the channel
    /// may be opened all the same: [`Payer::find_opened`] finds it.
    ///
    /// # Errors
    ///
    /// When the amount cannot move, the payee could not get at the money ([`Error::UnmappedPayee`]), or the contract or the chain refuses.
    pub async fn open(&self, wanted: &OpenChannel) -> Result<Channel, Error> {
        self.check_payees([wanted.payee]).await?;
        self.approve(ContractKind::Channels, &wanted.token, wanted.amount).await?;
        let value = value_planck(&wanted.token, wanted.amount)?;
        let calldata = self.open_calldata(wanted, &self.vouchers.key().address());
        let report = self.lane.call_contract(&self.chain.contract(ContractKind::Channels), value, &calldata).await?;
        self.opened(&report)?.pop().ok_or(Error::MissingEvent("ChannelOpened"))
    }

    /// Opens many channels in as few transactions as hold them, all in flight at once. The channels are in the order of `wanted`.
    ///
    /// # Errors
    ///
    /// As [`Payer::open`]. When one transaction fails, the channels of others may be open all the same.
    pub async fn open_many(&self, wanted: &[OpenChannel]) -> Result<Vec<Channel>, Error> {
        let signer = self.vouchers.key().address();
        let wanted: Vec<_> = wanted.iter().map(|w| (*w, signer)).collect();
        self.open_many_for(&wanted).await
    }

    /// As [`Payer::open_many`], each channel with its own voucher signer.
    ///
    /// # Errors
    ///
    /// As [`Payer::open_many`].
    pub async fn open_many_for(&self, wanted: &[(OpenChannel, Address)]) -> Result<Vec<Channel>, Error> {
        self.check_payees(wanted.iter().map(|(w, _)| w.payee)).await?;
        let mut totals = BTreeMap::<Token, u128>::new();
        for (w, _) in wanted {
            let total = totals.entry(w.token).or_default();
            *total = total.saturating_add(w.amount);
        }
        for (token, total) in &totals {
            self.approve(ContractKind::Channels, token, *total).await?;
        }
        let node = self.chain.node();
        let block = node.finalized().await?;
        let limits = self.open_limits(wanted, block).await?;
        let most = node.fee_model(block).await?.max_extrinsic;
        let fit = per_transaction(limits.weight, most);
        let mut in_flight = Vec::new();
        for chunk in wanted.chunks(fit) {
            let mut calls: Vec<Call> = Vec::with_capacity(chunk.len());
            for (w, signer) in chunk {
                let calldata = self.open_calldata(w, signer);
                let value = value_planck(&w.token, w.amount)?;
                calls.push(node.revive_call(block, &self.chain.contract(ContractKind::Channels), value, limits, &calldata).await?);
            }
            in_flight.push(self.lane.send(&node.batch_all(block, &calls).await?).await?);
        }
        let mut channels = Vec::with_capacity(wanted.len());
        for sent in in_flight {
            channels.extend(self.opened(&sent.success().await?)?);
        }
        Ok(channels)
    }

    /// Limits that suit every one of the calls: the most that the first of each payee and token needs. The first is the dearest, for it may make the book.
    async fn open_limits(&self, wanted: &[(OpenChannel, Address)], block: BlockRef) -> Result<ClaimLimits, Error> {
        let node = self.chain.node();
        let contract = self.chain.contract(ContractKind::Channels);
        let mut limits = ClaimLimits { weight: Weight::default(), storage_deposit_planck: 0 };
        let mut firsts = BTreeMap::new();
        for (w, signer) in wanted {
            firsts.entry((w.payee, w.token)).or_insert((*w, *signer));
        }
        for (w, signer) in firsts.values() {
            let value = value_planck(&w.token, w.amount)?;
            let calldata = self.open_calldata(w, signer);
            let needed = node.dry_call(&self.lane.signer().account(), &contract, value, &calldata, block).await?.limits();
            limits.weight.ref_time_ps = limits.weight.ref_time_ps.max(needed.weight.ref_time_ps);
            limits.weight.proof_size_bytes = limits.weight.proof_size_bytes.max(needed.weight.proof_size_bytes);
            limits.storage_deposit_planck = limits.storage_deposit_planck.max(needed.storage_deposit_planck);
        }
        Ok(limits)
    }

    /// The channels that a transaction opened, in order.
    ///
    /// # Errors
    ///
    /// When an event cannot be read.
    pub fn opened(&self, report: &TxReport) -> Result<Vec<Channel>, Error> {
        let channel = |event| match event {
            ContractEvent::ChannelOpened { terms, channel_id, amount } => Some(Channel { terms, id: channel_id, deposit: amount, promised: 0 }),
            _ => None,
        };
        Ok(self.chain.events_of(report)?.into_iter().filter_map(channel).collect())
    }

    /// The open channels of this payer and voucher key that were opened in finalized blocks from `from` on: what an `open` that was cut off has left behind,
    /// or all of them after everything but the key was lost. Reads every block's events.
    ///
    /// # Errors
    ///
    /// When the node does not answer, or no longer has one of the blocks.
    pub async fn find_opened(&self, from: u64) -> Result<Vec<Channel>, Error> {
        let node = self.chain.node();
        let last = node.finalized().await?;
        let from = from.max(self.chain.deployment().block);
        let blocks = (from..=last.number).map(|number| async move {
            let block = node.block_at(number).await?.ok_or_else(|| rivulet_chain::Error::Pruned(format!("block {number}")))?;
            self.chain.events(block).await
        });
        let mut blocks = stream::iter(blocks).buffered(BLOCKS_AT_ONCE);
        let mut found = Vec::new();
        while let Some(records) = blocks.try_next().await? {
            for record in records {
                let ContractEvent::ChannelOpened { terms, .. } = record.event else { continue };
                if (terms.payer, terms.voucher_signer) == (self.address(), self.vouchers.key().address()) {
                    found.extend(self.find(terms.number).await?);
                }
            }
        }
        Ok(found)
    }

    /// A channel as the chain has it; `None` when it has ended or never was. What was promised is at least what was claimed.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn find(&self, number: ChannelNumber) -> Result<Option<Channel>, Error> {
        let block = self.chain.node().finalized().await?;
        let ChannelView::Live(state) = self.chain.channel(number, block).await? else { return Ok(None) };
        let id = state.terms.channel_id(&self.chain.binding(ContractKind::Channels), &rivulet_core::SoftKeccak);
        Ok(Some(Channel { terms: state.terms, id, deposit: state.deposit, promised: state.claimed }))
    }

    /// Puts more into a channel.
    ///
    /// # Errors
    ///
    /// As [`Payer::open`].
    pub async fn top_up(&self, channel: &mut Channel, amount: u128) -> Result<TxReport, Error> {
        let token = channel.terms.token;
        self.approve(ContractKind::Channels, &token, amount).await?;
        let ChannelNumber { book, serial } = channel.number();
        let call = Channels::topUpCall { book, serial, channelId: channel.id.0.into(), amount };
        let report = self.call(ContractKind::Channels, value_planck(&token, amount)?, &call).await?;
        channel.deposit = channel.deposit.saturating_add(amount);
        Ok(report)
    }

    /// Starts the challenge period, after which [`Payer::finish`] brings the balance back.
    ///
    /// # Errors
    ///
    /// When the contract or the chain refuses.
    pub async fn request_close(&self, channel: &Channel) -> Result<TxReport, Error> {
        let ChannelNumber { book, serial } = channel.number();
        self.call(ContractKind::Channels, 0, &Channels::requestCloseCall { book, serial }).await
    }

    /// Asks for a part of the balance and keeps the channel: from now on it covers no new voucher. After the challenge period [`Payer::finish`] brings it back,
    /// less what was claimed meanwhile of older vouchers; one more period later the request has lapsed. A new request takes the place of the last one and begins
    /// anew; 0 takes it back. A purse learns of it by [`crate::Purse::set_cover`].
    ///
    /// # Errors
    ///
    /// When the contract or the chain refuses.
    pub async fn request_refund(&self, channel: &Channel, amount: u128) -> Result<TxReport, Error> {
        let ChannelNumber { book, serial } = channel.number();
        self.call(ContractKind::Channels, 0, &Channels::requestRefundCall { book, serial, amount }).await
    }

    /// Ends a channel whose challenge period is over: the balance comes back. So does what was asked for by [`Payer::request_refund`]; then the channel goes on.
    ///
    /// # Errors
    ///
    /// When it is not due yet, or the chain refuses.
    pub async fn finish(&self, channel: &Channel) -> Result<TxReport, Error> {
        let ChannelNumber { book, serial } = channel.number();
        self.call(ContractKind::Channels, 0, &Channels::finishCall { book, serial }).await
    }
}

/// Blocks read at once.
const BLOCKS_AT_ONCE: usize = 32;

/// How many calls of a weight go into one transaction. A fifth stays free for what the batch itself and each call around the contract take.
fn per_transaction(each: Weight, most: Weight) -> usize {
    let fit = |most: u64, each: u64| most / 5 * 4 / each.max(1);
    let calls = fit(most.ref_time_ps, each.ref_time_ps).min(fit(most.proof_size_bytes, each.proof_size_bytes));
    usize::try_from(calls).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_amounts_must_be_whole_planck() {
        assert_eq!(value_planck(&Address::ZERO, 300_000_000).unwrap(), 3);
        assert!(matches!(value_planck(&Address::ZERO, 300_000_001), Err(Error::NotMovable { amount: 300_000_001, .. })));
        assert_eq!(value_planck(&Address([1; 20]), 300_000_001).unwrap(), 0);
    }

    #[test]
    fn a_batch_fits_both_dimensions_and_has_at_least_one_call() {
        let weight = |ref_time_ps, proof_size_bytes| Weight { ref_time_ps, proof_size_bytes };
        assert_eq!(per_transaction(weight(10, 1), weight(1_000, 1_000)), 80);
        assert_eq!(per_transaction(weight(1, 100), weight(1_000, 1_000)), 8);
        assert_eq!(per_transaction(weight(5_000, 1), weight(1_000, 1_000)), 1);
    }
}
