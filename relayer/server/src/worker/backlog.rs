//! Which channels a decision looks at: those that can be worth it, kept in memory from one decision to the next.
//!
//! The store is the truth. What is kept here says only where to look: rows are read from the store before they are chosen, one that is not pending there is
//! dropped, and the store refuses an intent with a row that is under way. What this process changes the store notes (`Store::changes`), so that a decision
//! reads what has changed and no more. What other relayers write on a shared database is found by reading everything again now and then.

use super::{WorkError, Worker};
use rivulet_core::ids::{ChannelNumber, Token};
use rivulet_rules::{
    batch::{self, Backlog, CostModel, Policy},
    chain::{BlockHead, ContractKind, FeeModel},
};
use rivulet_store::{Fence, Pending, Store, StoreError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::{Duration, Instant},
};

/// Vouchers in one question to the store.
const AT_ONCE: usize = 65_536;
/// On a database that others write to as well, a reading that took less than this is made for every decision.
const SHORT: Duration = Duration::from_millis(100);
/// A longer one is made again after so many times as long.
const REST: u32 = 20;

/// What is kept, and since when.
#[derive(Debug)]
pub(super) struct Kept {
    backlog: Backlog,
    /// Whoever had the lease in between has changed what this process does not know.
    fence: Fence,
    read_at: Instant,
    /// How long reading everything took.
    took: Duration,
}

fn is_closing(pending: &Pending) -> bool {
    pending.state.close_due_at.is_some() || pending.state.refund_due_at.is_some()
}

/// Brings the backlog up to date with what the store says of these channels.
fn take_in(backlog: &mut Backlog, numbers: &[ChannelNumber], pending: Vec<Pending>) {
    let pending: BTreeMap<_, _> = pending.into_iter().filter(|p| !is_closing(p)).map(|p| (p.state.terms.number, p)).collect();
    for number in numbers {
        match pending.get(number).map(|p| (p, batch::gain(&p.state, p.best.cumulative_amount))) {
            Some((p, gain)) if gain > 0 => backlog.put(*number, gain, p.sent_at.unwrap_or(p.state.terms.opened_at)),
            _ => backlog.remove(*number),
        }
    }
}

impl Kept {
    /// True when it is time to look for what other relayers have taken. What has a deadline is asked for each time anyway.
    fn may_lack(&self) -> bool {
        self.took < SHORT || self.read_at.elapsed() >= self.took.saturating_mul(REST)
    }

    /// What is kept, with all that has changed in the store since; read anew when nothing is kept.
    async fn up_to_date(kept: Option<Self>, store: &dyn Store, fence: Fence, policy: &Policy) -> Result<Self, StoreError> {
        let changed = store.changes().take();
        let is_old = |kept: &Self| kept.fence != fence || (store.is_shared() && kept.may_lack());
        let Some(mut kept) = kept.filter(|kept| !changed.is_all && !is_old(kept)) else { return Self::read_all(store, fence, policy).await };
        for book in changed.books {
            if let Some(view) = store.book(ContractKind::Channels, book).await? {
                kept.backlog.set_book(book, view);
            }
        }
        for numbers in changed.channels.chunks(AT_ONCE) {
            let pending = store.pending_of(numbers.to_vec()).await?;
            take_in(&mut kept.backlog, numbers, pending);
        }
        Ok(kept)
    }

    async fn read_all(store: &dyn Store, fence: Fence, policy: &Policy) -> Result<Self, StoreError> {
        let read_at = Instant::now();
        let mut backlog = Backlog::new(policy.clone());
        for (book, view) in store.books(ContractKind::Channels).await? {
            backlog.set_book(book, view);
        }
        let mut after = None;
        loop {
            let page = store.unclaimed(after, AT_ONCE).await?;
            page.rows.iter().for_each(|row| backlog.put(row.number, row.gain, row.last_at));
            match page.next {
                Some(number) => after = Some(number),
                None => break,
            }
        }
        tracing::debug!(rows = backlog.len(), elapsed_ms = read_at.elapsed().as_millis(), "all that is pending read");
        Ok(Self { backlog, fence, read_at, took: read_at.elapsed() })
    }
}

impl Worker {
    /// The fee model at this head, asked for once.
    pub(super) async fn fees_at(&self, head: &BlockHead) -> Result<FeeModel, WorkError> {
        let known = *self.fees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, fees)) = known.filter(|(at, _)| *at == head.block) {
            return Ok(fees);
        }
        let fees = self.chain.fee_model(head.block).await?;
        *self.fees.lock().unwrap_or_else(PoisonError::into_inner) = Some((head.block, fees));
        Ok(fees)
    }

    /// The channels that a decision looks at, as the store has them.
    pub(super) async fn worth_a_look(&self, head: &BlockHead, fence: Fence, policy: &Policy, cost: &CostModel) -> Result<Vec<Pending>, WorkError> {
        let mut place = self.backlog.lock().await;
        // Out of its place until it is whole again: after an error everything is read anew.
        let mut kept = Kept::up_to_date(place.take(), self.store.as_ref(), fence, policy).await?;
        let mut found = self.store.closing_channels().await?;
        self.observe_backlog(&kept.backlog, &found);
        let paid: BTreeSet<_> = found.iter().map(|p| p.state.terms.number.book).collect();
        // Some more than fit, for those that the dry run leaves out.
        let most = policy.max_rows.saturating_add(policy.max_rows / 4);
        let picked = kept.backlog.pick(cost, head.now, most, &paid);
        if !picked.is_empty() {
            let pending = self.store.pending_of(picked.clone()).await?;
            found.extend(pending.iter().filter(|p| !is_closing(p)).copied());
            take_in(&mut kept.backlog, &picked, pending);
        }
        *place = Some(kept);
        Ok(found)
    }

    /// What could be claimed at a look for batches.
    fn observe_backlog(&self, backlog: &Backlog, closing: &[Pending]) {
        let mut gains = backlog.gains();
        for row in closing {
            let sum: &mut u128 = gains.entry(row.state.terms.token).or_default();
            *sum = sum.saturating_add(batch::gain(&row.state, row.best.cumulative_amount));
        }
        self.observe_pending(backlog.len().saturating_add(closing.len()), &gains);
    }

    /// What could be claimed, by token.
    pub(super) fn observe_pending(&self, rows: usize, gains: &BTreeMap<Token, u128>) {
        let name = |token: &Token| self.network.token(token).map_or_else(|| token.to_string(), |(name, _)| name.to_owned());
        self.metrics.pending(rows, &gains.iter().map(|(token, gain)| (name(token), *gain)).collect());
    }
}

#[cfg(test)]
mod tests;
