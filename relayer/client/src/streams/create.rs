//! Creating streams, one or many.

use crate::{Error, Payer, payer::value_planck};
use alloy_sol_types::SolCall;
use rivulet_chain::{
    TxReport,
    abi::{streams::Streams, to_sol},
};
use rivulet_core::{
    ids::{Address, StreamId, StreamNumber, Token},
    stream::{Flags, schedule::SCALE},
};
use rivulet_rules::chain::{ContractEvent, ContractKind};
use std::collections::BTreeMap;

/// A stream to be created. `Default` is not given: each figure is a decision. [`CreateStream::open_ended`] and [`CreateStream::of_total`] make the two
/// usual kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CreateStream {
    /// Who is paid.
    pub payee: Address,
    /// In what; zero: native.
    pub token: Token,
    /// Amount per second × 1e9; 0 when `total_units` is given. See [`rate_per_second_scaled`].
    pub rate_per_second_scaled: u128,
    /// All that is owed at `end_at`; 0 when a rate is given.
    pub total_units: u128,
    /// When it starts (Unix seconds), past or future; 0: now.
    pub start_at: u64,
    /// When `cliff_units` fall due and the flow begins (Unix seconds), with the cliff flag.
    pub cliff_at: u64,
    /// What falls due at the cliff.
    pub cliff_units: u128,
    /// When it ends (Unix seconds); 0: open-ended.
    pub end_at: u64,
    /// Bits of [`Flags`]: the payer may cancel, the payee may hand over, there is a cliff.
    pub flags: u8,
    /// The first deposit, may be 0. Native: wei, a multiple of 1e8.
    pub deposit_units: u128,
    /// The part of the deposit that the payer binds: it is the payee's when the payer cancels or pauses until the end.
    pub committed_units: u128,
    /// For the payee's books: an invoice's number, say.
    pub memo: [u8; 32],
}

/// Amount per second × 1e9, for so much in so many seconds; rounded down.
///
/// ```
/// // 3 USDC an hour.
/// assert_eq!(rivulet_client::rate_per_second_scaled(3_000_000, 3_600), 833_333_333_333);
/// ```
pub fn rate_per_second_scaled(units: u128, secs: u64) -> u128 {
    // Amounts are below 2^96, the scale below 2^30.
    units.saturating_mul(SCALE) / u128::from(secs.max(1))
}

impl CreateStream {
    /// Money by the second from now on, until the payer cancels or the deposit runs out.
    pub fn open_ended(payee: Address, token: Token, rate_per_second_scaled: u128, deposit_units: u128) -> Self {
        Self {
            payee,
            token,
            rate_per_second_scaled,
            total_units: 0,
            start_at: 0,
            cliff_at: 0,
            cliff_units: 0,
            end_at: 0,
            flags: Flags::CANCELLABLE,
            deposit_units,
            committed_units: 0,
            memo: [0; 32],
        }
    }

    /// A total from now on until `end_at`, fully funded, that the payer cannot take back.
    pub fn of_total(payee: Address, token: Token, total_units: u128, end_at: u64) -> Self {
        Self { total_units, end_at, flags: 0, ..Self::open_ended(payee, token, 0, total_units) }
    }

    /// Streams with the same of these go into one call.
    fn shared(&self) -> (Token, u64, u64, u64, u8) {
        (self.token, self.start_at, self.cliff_at, self.end_at, self.flags)
    }
}

/// A stream that was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Where it is. Another number after it was handed over.
    pub number: StreamNumber,
    /// Its id, which stays.
    pub id: StreamId,
    /// Who pays.
    pub payer: Address,
    /// Who is paid.
    pub payee: Address,
    /// In what.
    pub token: Token,
}

/// Streams in one transaction. A hundred take about a third of its weight.
const IN_ONE_CALL: usize = 50;

impl Payer {
    /// Creates a stream, after an approval if its token needs one. Returns when the block is final.
    ///
    /// # Errors
    ///
    /// When the amount cannot move, the payee could not get at the money ([`Error::UnmappedPayee`]), or the contract or the chain refuses.
    pub async fn create_stream(&self, wanted: &CreateStream) -> Result<Stream, Error> {
        self.check_payees([wanted.payee]).await?;
        self.approve(ContractKind::Streams, &wanted.token, wanted.deposit_units).await?;
        let call = Streams::createCall {
            payee: to_sol(&wanted.payee),
            token: to_sol(&wanted.token),
            ratePerSecondScaled: wanted.rate_per_second_scaled,
            total: wanted.total_units,
            startAt: wanted.start_at,
            cliffAt: wanted.cliff_at,
            cliffAmount: wanted.cliff_units,
            endAt: wanted.end_at,
            flags: wanted.flags,
            amount: wanted.deposit_units,
            committed: wanted.committed_units,
            memo: wanted.memo.into(),
        };
        let report = self.call(ContractKind::Streams, value_planck(&wanted.token, wanted.deposit_units)?, &call).await?;
        self.created(&report)?.pop().ok_or(Error::MissingEvent("StreamCreated"))
    }

    /// Creates many streams: those with the same token, times and flags share calls, all in flight at once. The streams are in the order of `wanted`.
    ///
    /// # Errors
    ///
    /// As [`Payer::create_stream`]. A call creates all of its streams or none; when one fails, those of others may exist all the same.
    pub async fn create_streams(&self, wanted: &[CreateStream]) -> Result<Vec<Stream>, Error> {
        self.check_payees(wanted.iter().map(|w| w.payee)).await?;
        let (mut totals, mut groups) = (BTreeMap::<Token, u128>::new(), BTreeMap::<_, Vec<usize>>::new());
        for (index, w) in wanted.iter().enumerate() {
            let total = totals.entry(w.token).or_default();
            *total = total.saturating_add(w.deposit_units);
            groups.entry(w.shared()).or_default().push(index);
        }
        for (token, total) in &totals {
            self.approve(ContractKind::Streams, token, *total).await?;
        }
        let contract = self.chain.contract(ContractKind::Streams);
        let mut in_flight = Vec::new();
        for chunk in groups.values().flat_map(|group| group.chunks(IN_ONE_CALL)) {
            let mine: Vec<_> = chunk.iter().filter_map(|i| wanted.get(*i)).collect();
            let Some(first) = mine.first() else { continue };
            let value = mine.iter().map(|w| value_planck(&w.token, w.deposit_units)).sum::<Result<u128, _>>()?;
            let call = self.lane.prepare(&contract, value, &create_many(first, &mine).abi_encode()).await?;
            in_flight.push((chunk, self.lane.send(&call).await?));
        }
        let mut created = BTreeMap::new();
        for (chunk, sent) in in_flight {
            created.extend(chunk.iter().copied().zip(self.created(&sent.success().await?)?));
        }
        if created.len() != wanted.len() {
            return Err(Error::MissingEvent("StreamCreated"));
        }
        Ok(created.into_values().collect())
    }

    /// The streams that a transaction created, in order.
    ///
    /// # Errors
    ///
    /// When an event cannot be read.
    pub fn created(&self, report: &TxReport) -> Result<Vec<Stream>, Error> {
        let created = |event| match event {
            ContractEvent::StreamCreated { number, stream_id: id, payer, payee, token, .. } => Some(Stream { number, id, payer, payee, token }),
            _ => None,
        };
        Ok(self.chain.events_of(report)?.into_iter().filter_map(created).collect())
    }

    /// A stream as the chain has it; `None` when it has ended or never was.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn find_stream(&self, number: StreamNumber) -> Result<Option<Stream>, Error> {
        let found = self.chain.stream(number, self.chain.node().finalized().await?).await?;
        Ok(found.map(|s| Stream { number, id: s.stream_id, payer: s.payer, payee: s.payee, token: s.token }))
    }
}

fn create_many(first: &CreateStream, rows: &[&CreateStream]) -> Streams::createManyCall {
    fn list<T>(rows: &[&CreateStream], of: impl Fn(&CreateStream) -> T) -> Vec<T> {
        rows.iter().map(|row| of(row)).collect()
    }
    Streams::createManyCall {
        token: to_sol(&first.token),
        startAt: first.start_at,
        cliffAt: first.cliff_at,
        endAt: first.end_at,
        flags: first.flags,
        payees: list(rows, |r| to_sol(&r.payee)),
        ratesPerSecondScaled: list(rows, |r| r.rate_per_second_scaled),
        totals: list(rows, |r| r.total_units),
        cliffAmounts: list(rows, |r| r.cliff_units),
        amounts: list(rows, |r| r.deposit_units),
        committed: list(rows, |r| r.committed_units),
        memos: list(rows, |r| r.memo.into()),
    }
}
