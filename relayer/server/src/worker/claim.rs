//! Choosing a batch, trying it, recording it, sending it — in this order.

use super::{WorkError, Worker};
use crate::{chain::Turn, clock::now_ms};
use futures::{StreamExt, TryStreamExt, stream};
use rivulet_core::{
    blob::{Payload, StreamRow},
    ids::Number,
};
use rivulet_rules::{
    batch::{self, Batch, BookView, Candidate, Choice, CostModel, Policy, Shape},
    chain::{Account, BlockHead, ChainError, ContractKind, DryRun, FeeModel},
    reconcile::{IntentRow, Verdict, judge},
    text,
};
use rivulet_store::{Fence, NewIntent, PendingStream, SetAside, StoreError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::Instant,
};

/// How often a batch is chosen anew after its dry run, before the round is given up.
pub(super) const TRIES: usize = 16;
/// Streams read for one decision.
pub(super) const STREAMS_AT_ONCE: usize = 2_000;
/// Of them, under way at once.
const READS_AT_ONCE: usize = 16;

/// What every step of a round needs.
pub(super) struct Round<'a, P> {
    pub contract: ContractKind,
    /// A voucher's total, as intents record it; 0 for streams.
    pub total_of: fn(&P) -> u128,
    pub books: BTreeMap<u32, BookView>,
    pub cost: CostModel,
    pub head: &'a BlockHead,
    /// Whose lane it goes in.
    pub signer: Account,
}

/// What became of a dry run.
pub(super) enum Trial {
    /// Every row pays.
    Good(DryRun),
    /// These rows are out; choose anew from the rest.
    Without(BTreeSet<Number>, Vec<SetAside>),
    /// Too much for one transaction, or refused as a whole: fewer rows.
    Fewer(String),
    /// The existential deposit of a new payee eats up the value: without paying it.
    Unfunded,
    /// Its true price is more than it is worth.
    TooDear(u128),
}

/// True when streams of this book can be worth something to us. Without a fee for us, or an own payee, a stream is not even read.
pub(super) fn is_ours(book: &BookView, policy: &Policy) -> bool {
    policy.min_value_bps == 0 || book.terms.beneficiary == policy.beneficiary || policy.own_payees.contains(&book.payee)
}

impl Worker {
    /// True when a deadline presses: not to be left to the next tick.
    pub(super) async fn is_pressed(&self, head: &BlockHead) -> Result<bool, WorkError> {
        let pending = self.store.closing_channels().await?;
        Ok(pending.iter().any(|p| {
            batch::channel_candidate(&p.state, &p.best, p.sent_at, head.now).and_then(|c| c.deadline).is_some_and(|d| d.is_pressing(head.now))
        }))
    }

    /// Sends batches of channels while they are worth it.
    pub(super) async fn claim_channels(&self, head: &BlockHead, fence: Fence, policy: &Policy, shape: Shape) -> Result<(), WorkError> {
        loop {
            let cost = CostModel { fees: self.fees_at(head).await?, shape };
            let pending = self.worth_a_look(head, fence, policy, &cost).await?;
            let candidates: Vec<_> = pending.iter().filter_map(|p| batch::channel_candidate(&p.state, &p.best, p.sent_at, head.now)).collect();
            if !self.claim(ContractKind::Channels, candidates, |row| row.cumulative_amount, (head, fence), policy, shape).await? {
                return Ok(());
            }
        }
    }

    /// Sends batches of streams while they are worth it.
    pub(super) async fn claim_streams(&self, head: &BlockHead, fence: Fence, policy: &Policy, shape: Shape) -> Result<(), WorkError> {
        let books = self.store.books(ContractKind::Streams).await?;
        let from = *self.streams_read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        loop {
            let pending = self.store.pending_streams().await?;
            let ours: Vec<_> = pending.into_iter().filter(|p| books.get(&p.number.book).is_some_and(|b| is_ours(b, policy))).collect();
            // Each round goes on where the last one ended, so that those with high numbers get their turn.
            let (before, after) = ours.split_at(ours.partition_point(|p| Some(p.number) <= from));
            let turn: Vec<_> = after.iter().chain(before).take(STREAMS_AT_ONCE).copied().collect();
            last = last.or(turn.last().map(|p| p.number).filter(|_| turn.len() < ours.len()));
            let candidates = self.read_streams(turn, head).await?;
            if !self.claim(ContractKind::Streams, candidates, |_| 0, (head, fence), policy, shape).await? {
                *self.streams_read.lock().unwrap_or_else(PoisonError::into_inner) = last;
                return Ok(());
            }
        }
    }

    /// What these streams would pay at this head.
    pub(super) async fn read_streams(&self, streams: Vec<PendingStream>, head: &BlockHead) -> Result<Vec<Candidate<StreamRow>>, WorkError> {
        let read = |p: PendingStream| async move {
            let state = self.chain.stream(p.number, head.block).await?;
            Ok::<_, ChainError>(state.as_ref().and_then(|state| batch::stream_candidate(state, p.sent_at, head.now)))
        };
        let found: Vec<_> = stream::iter(streams.into_iter().map(read)).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Sends one batch, if one is worth it and there is room for another transaction. True: there may be another.
    async fn claim<P: Payload + Send + Sync>(
        &self,
        contract: ContractKind,
        mut candidates: Vec<Candidate<P>>,
        total_of: fn(&P) -> u128,
        (head, fence): (&BlockHead, Fence),
        policy: &Policy,
        shape: Shape,
    ) -> Result<bool, WorkError> {
        if candidates.is_empty() {
            return Ok(false);
        }
        let Some(signer) = self.lanes.choose(&self.store.open_intents().await?, Instant::now()) else { return Ok(false) };
        let cost = CostModel { fees: self.fees_at(head).await?, shape };
        let round = Round { contract, total_of, books: self.store.books(contract).await?, cost, head, signer };
        let mut policy = policy.clone();
        for _ in 0..TRIES {
            let batch = match batch::choose(candidates.iter().copied(), &round.books, &policy, &round.cost, head.now) {
                Choice::Send(batch) => batch,
                Choice::Wait { rows, value_planck, cost_planck } => {
                    tracing::debug!(contract = Self::name(contract), rows, value_planck, cost_planck, "not worth a transaction yet");
                    return Ok(false);
                }
                Choice::Nothing => return Ok(false),
            };
            let trial = match self.try_batch(&round, &batch, &policy).await {
                // Nothing is wrong with the rows: another key may carry them.
                Err(WorkError::Chain(poor @ ChainError::Unfunded(_))) => {
                    self.refused(&round.signer, &poor, head).await;
                    return Ok(true);
                }
                trial => trial?,
            };
            match trial {
                Trial::Good(dry_run) => return self.send(&round, &batch, &dry_run, fence).await,
                Trial::Without(out, aside) => {
                    self.store.set_aside(aside).await?;
                    candidates.retain(|c| !out.contains(&c.number));
                }
                Trial::Fewer(reason) if batch.rows.len() > 1 => {
                    tracing::warn!(contract = Self::name(contract), rows = batch.rows.len(), %reason, "batch refused: trying half");
                    policy.max_rows = batch.rows.len() / 2;
                }
                Trial::Fewer(reason) => {
                    tracing::error!(contract = Self::name(contract), %reason, "a row is refused by itself: set aside");
                    let aside = batch.rows.iter().map(|row| SetAside {
                        contract,
                        number: row.number,
                        cumulative_amount: (round.total_of)(&row.payload),
                        reason: "refused",
                    });
                    self.store.set_aside(aside.collect()).await?;
                    candidates.retain(|c| batch.rows.iter().all(|row| row.number != c.number));
                }
                Trial::Unfunded => policy.fund_new = false,
                Trial::TooDear(cost_planck) => {
                    let value_planck = batch.value_planck;
                    tracing::info!(contract = Self::name(contract), rows = batch.rows.len(), value_planck, cost_planck, "dearer than it is worth");
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    pub(super) async fn try_batch<P: Payload + Sync>(&self, round: &Round<'_, P>, batch: &Batch<P>, policy: &Policy) -> Result<Trial, WorkError> {
        let dry_run = self.chain.dry_run(round.contract, &batch.blob, round.signer, round.head.block).await?;
        let outcomes = match &dry_run.outcomes {
            Err(reason) => return Ok(Trial::Fewer(reason.clone())),
            Ok(outcomes) if outcomes.len() != batch.rows.len() => {
                return Err(ChainError::Unexpected(format!("{} outcomes for {} rows", outcomes.len(), batch.rows.len())).into());
            }
            Ok(outcomes) => outcomes,
        };
        let (mut out, mut aside) = (BTreeSet::new(), Vec::new());
        for (row, outcome) in batch.rows.iter().zip(outcomes) {
            match judge(*outcome) {
                Verdict::Keep => {}
                Verdict::Later => {
                    out.insert(row.number);
                }
                Verdict::SetAside(reason) => {
                    tracing::warn!(contract = Self::name(round.contract), row = %row.number, reason, "row set aside");
                    out.insert(row.number);
                    aside.push(SetAside { contract: round.contract, number: row.number, cumulative_amount: (round.total_of)(&row.payload), reason });
                }
            }
        }
        if !out.is_empty() {
            return Ok(Trial::Without(out, aside));
        }
        let max = round.cost.fees.max_extrinsic;
        if dry_run.weight.ref_time_ps > max.ref_time_ps || dry_run.weight.proof_size_bytes > max.proof_size_bytes {
            return Ok(Trial::Fewer(format!("its weight {:?} is more than a transaction may have, {max:?}", dry_run.weight)));
        }
        let cost = dry_run.fee_planck.saturating_add(dry_run.storage_deposit_planck);
        if batch.is_pressing || policy.is_worth(batch.value_planck, cost) {
            return Ok(Trial::Good(dry_run));
        }
        if policy.fund_new && dry_run.storage_deposit_planck > 0 {
            return Ok(Trial::Unfunded);
        }
        Ok(Trial::TooDear(cost))
    }

    /// Signs, records, sends. True: it is under way, or another lane may take it.
    async fn send<P: Payload + Send + Sync>(
        &self,
        round: &Round<'_, P>,
        batch: &Batch<P>,
        dry_run: &DryRun,
        fence: Fence,
    ) -> Result<bool, WorkError> {
        let fees: &FeeModel = &round.cost.fees;
        let dry_run = &round.cost.with_ends(dry_run, batch.ends);
        if !self.can_pay(round, dry_run).await? {
            return Ok(true);
        }
        let turn = Turn { signer: round.signer, nonce: self.free_nonce(round.signer).await? };
        let tx = self.chain.sign(round.contract, &batch.blob, dry_run, fees, turn, round.head.block).await?;
        let rows = batch
            .rows
            .iter()
            .map(|row| IntentRow { number: row.number, cumulative_amount: (round.total_of)(&row.payload), gain: row.gain })
            .collect();
        let intent = NewIntent {
            contract: round.contract,
            blob: batch.blob.clone(),
            tx: tx.clone(),
            rows,
            sent_at: round.head.now,
            created_ms: now_ms(),
            fence,
        };
        match self.store.open_intent(intent).await {
            Ok(_) => {}
            // Another decision took a row meanwhile: choose anew next time.
            Err(StoreError::RowInFlight | StoreError::NonceInFlight) => return Ok(false),
            Err(StoreError::LeaseLost) => {
                tracing::warn!("another relayer claims now: nothing was sent");
                self.lease.lost();
                return Ok(false);
            }
            Err(e) => return Err(e.into()),
        }
        // From here on it is on disk: whatever happens, the next pass or the next start finds it.
        tracing::info!(
            tx = %text::hex(&tx.hash.0),
            contract = Self::name(round.contract),
            rows = batch.rows.len(),
            blob_bytes = batch.blob.len(),
            signer = %text::hex(&turn.signer.0),
            nonce = turn.nonce,
            value_planck = batch.value_planck,
            fee_planck = dry_run.fee_planck,
            pressing = batch.is_pressing,
            "batch recorded"
        );
        match self.chain.submit(&tx).await {
            Ok(()) => Ok(true),
            Err(e) => {
                // It stays open: it may have got through, and if not its era ends. The same bytes are sent again at the next block.
                tracing::warn!(tx = %text::hex(&tx.hash.0), error = %e, "batch not taken by the node");
                self.refused(&turn.signer, &e, round.head).await;
                Ok(false)
            }
        }
    }

    /// What the pool's refusal of a new transaction says of its lane.
    async fn refused(&self, signer: &Account, error: &ChainError, head: &BlockHead) {
        match error {
            ChainError::NonceTaken(_) => self.lanes.contested(signer, Instant::now()),
            ChainError::Unfunded(_) => {
                // It had enough at the last final block: somebody spends its money.
                let balance = self.chain.balance_at(*signer, head.block).await.unwrap_or_default();
                self.lanes.underfunded(signer, balance, balance.saturating_add(1), 0, Instant::now());
            }
            _ => {}
        }
    }

    /// Whether a batch's lane can pay for it, beside what it has under way. If not, it is set aside.
    async fn can_pay<P: Payload>(&self, round: &Round<'_, P>, dry_run: &DryRun) -> Result<bool, WorkError> {
        let under_way = self.store.open_intents().await?.iter().filter(|i| i.tx.signer == round.signer).count();
        let cost = dry_run.fee_planck.saturating_add(dry_run.storage_deposit_planck);
        let needs = cost.saturating_mul(under_way.saturating_add(1) as u128).saturating_add(round.cost.fees.existential_deposit_planck);
        let balance = self.chain.balance_at(round.signer, round.head.block).await?;
        if balance < needs {
            self.lanes.underfunded(&round.signer, balance, needs, under_way, Instant::now());
        }
        Ok(balance >= needs)
    }

    /// The lowest nonce of this signer that no transaction of ours has: a lost one's is used again, so that later ones do not wait for it.
    async fn free_nonce(&self, signer: Account) -> Result<u64, WorkError> {
        let open = self.store.open_intents().await?;
        let taken: BTreeSet<_> = open.into_iter().filter(|i| i.tx.signer == signer).map(|i| i.tx.nonce).collect();
        let mut nonce = self.chain.next_nonce(signer).await?;
        while taken.contains(&nonce) {
            nonce = nonce.saturating_add(1);
        }
        Ok(nonce)
    }
}
