//! What would be claimed now, at what fee, and why not: decided as a pass decides it, tried by dry runs, and nothing written or sent.

use super::{
    WorkError, Worker,
    claim::{Round, STREAMS_AT_ONCE, TRIES, Trial, is_ours},
};
use rivulet_core::{
    blob::Payload,
    ids::{Address, Number},
};
use rivulet_rules::{
    batch::{self, Batch, Candidate, Choice, CostModel, Policy, Shape},
    chain::{BlockHead, ContractKind},
};
use serde::Serialize;

/// A transaction that would be sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PreviewBatch {
    /// `channels` or `streams`.
    pub contract: &'static str,
    /// How many rows.
    pub rows: usize,
    /// Bytes of its blob.
    pub blob_bytes: usize,
    /// What its rows are worth to the operator.
    pub value_planck: u128,
    /// Its fee, by dry run.
    pub fee_planck: u128,
    /// Storage deposit, by dry run.
    pub storage_deposit_planck: u128,
    /// True when it goes for a deadline, worth it or not.
    pub is_pressing: bool,
}

/// A row that could be claimed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PreviewRow {
    /// `channels` or `streams`.
    pub contract: &'static str,
    /// Which book.
    pub book: u32,
    /// Which serial.
    pub serial: u32,
    /// What it would pay out, in the token's smallest unit: digits.
    pub gain: String,
    /// In which token.
    pub token: String,
    /// When the payer can take the money back (Unix seconds).
    pub due_at: Option<u64>,
    /// True: it would go now.
    pub is_claimed: bool,
    /// Why not, in a word; empty when it goes.
    pub code: String,
    /// Why not.
    pub reason: String,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Preview {
    /// The finalized block that it was tried at.
    pub block_number: u64,
    /// The last block that the database has taken in: what came after is not in it.
    pub database_block_number: Option<u64>,
    /// Claims under way: their rows are not listed.
    pub open_intents: usize,
    /// Vouchers set aside: not listed either.
    pub set_aside: u64,
    /// What would be sent.
    pub batches: Vec<PreviewBatch>,
    /// Every row that would pay out something.
    pub rows: Vec<PreviewRow>,
}

impl Worker {
    /// What a pass would do now.
    ///
    /// # Errors
    /// When the chain or the store does not answer.
    pub async fn preview(&self) -> Result<Preview, WorkError> {
        let head = self.chain.finalized_head().await?;
        let mut preview = Preview {
            block_number: head.block.number,
            database_block_number: self.store.cursor().await?.map(|at| at.block.number),
            open_intents: self.store.open_intents().await?.len(),
            set_aside: self.store.counts().await?.set_aside,
            batches: Vec::new(),
            rows: Vec::new(),
        };
        let pending = self.store.pending_channels().await?;
        let candidates = pending.iter().filter_map(|p| batch::channel_candidate(&p.state, &p.best, p.sent_at, head.now)).collect();
        self.preview_of(&mut preview, ContractKind::Channels, candidates, &head, &self.options.channels, Shape::CHANNELS).await?;
        if let Some(policy) = &self.options.streams {
            let books = self.store.books(ContractKind::Streams).await?;
            let mut pending = self.store.pending_streams().await?;
            // A pass reads only those that can be worth something; the others are shown as far as there is room.
            pending.sort_by_key(|p| !books.get(&p.number.book).is_some_and(|b| is_ours(b, policy)));
            pending.truncate(STREAMS_AT_ONCE);
            let candidates = self.read_streams(pending, &head).await?;
            self.preview_of(&mut preview, ContractKind::Streams, candidates, &head, policy, Shape::STREAMS).await?;
        }
        Ok(preview)
    }

    async fn preview_of<P: Payload + Send + Sync>(
        &self,
        preview: &mut Preview,
        contract: ContractKind,
        mut candidates: Vec<Candidate<P>>,
        head: &BlockHead,
        policy: &Policy,
        shape: Shape,
    ) -> Result<(), WorkError> {
        if candidates.is_empty() {
            return Ok(());
        }
        let cost = CostModel { fees: self.chain.fee_model(head.block).await?, shape };
        let Some(signer) = self.lanes.accounts().first().copied() else { return Ok(()) };
        let round = Round { contract, total_of: |_: &P| 0, books: self.store.books(contract).await?, cost, head, signer };
        let row = |c: &Candidate<P>, why: Option<(&str, String)>| PreviewRow {
            contract: Self::name(contract),
            book: c.number.book,
            serial: c.number.serial,
            gain: c.gain.to_string(),
            token: self.name_of(round.books.get(&c.number.book).map(|b| b.token)),
            due_at: c.deadline.map(|d| d.due_at),
            is_claimed: why.is_none(),
            code: why.as_ref().map_or_else(String::new, |(code, _)| (*code).to_owned()),
            reason: why.map_or_else(String::new, |(_, reason)| reason),
        };
        let mut policy = policy.clone();
        let mut too_dear = None;
        for _ in 0..TRIES {
            if preview.open_intents.saturating_add(preview.batches.len()) >= self.lanes.capacity() {
                let (max, keys) = (self.options.max_in_flight, self.lanes.accounts().len());
                too_dear = Some(("in_flight", format!("batch.max_in_flight, {max}, transactions of each of {keys} keys are under way then")));
                break;
            }
            let Choice::Send(batch) = batch::choose(candidates.iter().copied(), &round.books, &policy, &round.cost, head.now) else { break };
            let mut leave = |out: &dyn Fn(Number) -> Option<(&'static str, String)>, candidates: &mut Vec<Candidate<P>>| {
                preview.rows.extend(candidates.iter().filter_map(|c| out(c.number).map(|why| row(c, Some(why)))));
                candidates.retain(|c| out(c.number).is_none());
            };
            let in_batch = |number: Number| batch.rows.iter().any(|r| r.number == number);
            match self.try_batch(&round, &batch, &policy).await? {
                Trial::Good(dry_run) => {
                    preview.batches.push(Self::described(contract, &batch, dry_run.fee_planck, dry_run.storage_deposit_planck));
                    preview.rows.extend(candidates.iter().filter(|c| in_batch(c.number)).map(|c| row(c, None)));
                    candidates.retain(|c| !in_batch(c.number));
                }
                Trial::Without(out, aside) => {
                    let reason = |n: Number| aside.iter().find(|a| a.number == n).map_or("stale", |a| a.reason);
                    let why = |n: Number| out.contains(&n).then(|| ("dry_run", format!("the contract would not pay it: {}", reason(n))));
                    leave(&why, &mut candidates);
                }
                Trial::Fewer(_) if batch.rows.len() > 1 => policy.max_rows = batch.rows.len() / 2,
                Trial::Fewer(reason) => leave(&|n| in_batch(n).then(|| ("refused", format!("refused by itself: {reason}"))), &mut candidates),
                Trial::Unfunded => policy.fund_new = false,
                Trial::TooDear(cost_planck) => {
                    too_dear = Some(("too_dear", format!("its batch is worth {} planck and costs {cost_planck}", batch.value_planck)));
                    break;
                }
            }
        }
        for candidate in &candidates {
            let why = batch::why_not(candidate, &round.books, &policy, &round.cost, head.now);
            let is_waiting = matches!(why, batch::WhyNot::WithOthers { .. });
            let why = too_dear.clone().filter(|_| is_waiting).unwrap_or_else(|| (why.code(), why.to_string()));
            preview.rows.push(row(candidate, Some(why)));
        }
        Ok(())
    }

    fn name_of(&self, token: Option<Address>) -> String {
        let Some(token) = token else { return String::new() };
        self.network.token(&token).map_or_else(|| token.to_string(), |(name, _)| name.to_owned())
    }

    fn described<P>(contract: ContractKind, batch: &Batch<P>, fee_planck: u128, storage_deposit_planck: u128) -> PreviewBatch {
        PreviewBatch {
            contract: Self::name(contract),
            rows: batch.rows.len(),
            blob_bytes: batch.blob.len(),
            value_planck: batch.value_planck,
            fee_planck,
            storage_deposit_planck,
            is_pressing: batch.is_pressing,
        }
    }
}
