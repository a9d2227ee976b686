//! Finding out what became of intents. Only finalized blocks count.

use super::{WorkError, Worker};
use rivulet_core::outcome::RowOutcome;
use rivulet_rules::{
    chain::{BlockHead, ChainError, ContractKind, IncludedTx},
    reconcile::{Next, Sighting, decide},
    text,
};
use rivulet_store::{Intent, IntentEnd};
use std::{sync::PoisonError, time::Instant};

impl Worker {
    /// Looks for the transaction of every open intent; records its end, or sends the same bytes again.
    ///
    /// # Errors
    /// When the chain or the store does not answer.
    pub async fn reconcile(&self, head: &BlockHead) -> Result<(), WorkError> {
        for intent in self.store.open_intents().await? {
            self.reconcile_one(&intent, head).await?;
        }
        Ok(())
    }

    async fn reconcile_one(&self, intent: &Intent, head: &BlockHead) -> Result<(), WorkError> {
        let searched = self.searched_to.lock().unwrap_or_else(PoisonError::into_inner).get(&intent.id).copied();
        let from = searched.unwrap_or(intent.tx.valid_from_block).saturating_add(1);
        let to = head.block.number.min(intent.tx.valid_until_block);
        let included = if from <= to {
            match self.chain.find_tx(intent.tx.hash, from, to).await {
                Err(ChainError::Pruned(reason)) => return self.give_up(intent, head, reason).await,
                found => found?,
            }
        } else {
            None
        };
        // Of another relayer's key nothing is asked: its transactions end with their era.
        let is_ours = self.lanes.has(&intent.tx.signer);
        let finalized_nonce = if included.is_none() && is_ours { Some(self.chain.nonce_at(intent.tx.signer, head.block).await?) } else { None };
        let sighting = Sighting { included: included.as_ref(), searched_to: head.block.number, finalized_nonce };
        match decide(intent.contract, &intent.rows, intent.tx.nonce, intent.tx.valid_until_block, &sighting) {
            Next::Resubmit => {
                self.searched_to.lock().unwrap_or_else(PoisonError::into_inner).insert(intent.id, to);
                // While it waits in a block that is not final the node says so; only a lost one is taken anew.
                match self.chain.submit(&intent.tx).await {
                    Ok(()) => tracing::debug!(tx = %text::hex(&intent.tx.hash.0), "transaction waits"),
                    // A nonce that is taken is most likely its own, in a block that is not final.
                    Err(ChainError::Refused(reason) | ChainError::NonceTaken(reason) | ChainError::Unfunded(reason)) => {
                        tracing::debug!(tx = %text::hex(&intent.tx.hash.0), %reason, "transaction waits")
                    }
                    Err(e) => return Err(e.into()),
                }
                Ok(())
            }
            Next::Expired(reason) => {
                if finalized_nonce.is_some_and(|next| next > intent.tx.nonce) {
                    self.lanes.contested(&intent.tx.signer, Instant::now());
                }
                tracing::warn!(tx = %text::hex(&intent.tx.hash.0), rows = intent.rows.len(), %reason, "transaction lost: its rows are pending again");
                self.finish(intent, IntentEnd::Expired { reason: reason.to_owned() }).await
            }
            Next::Failed(reason) => {
                let Some(IncludedTx { block, fee_planck, .. }) = included else { return Ok(()) };
                tracing::warn!(tx = %text::hex(&intent.tx.hash.0), rows = intent.rows.len(), %reason, "transaction failed: its rows are pending again");
                self.finish(intent, IntentEnd::Failed { block, fee_planck, reason }).await
            }
            Next::Record(results) => {
                let Some(IncludedTx { block, fee_planck, .. }) = included else { return Ok(()) };
                self.lanes.succeeded(&intent.tx.signer);
                let paid = results.iter().filter(|r| r.outcome.is_paid()).count();
                let fee = fee_planck.unwrap_or(0);
                let (contract, tx) = (Self::name(intent.contract), text::hex(&intent.tx.hash.0));
                tracing::info!(%tx, contract, block = block.number, rows = results.len(), paid, fee_planck = fee, "batch finalized");
                // What was not paid is known better by its record than by its event.
                let doubtful: Vec<_> = results.iter().filter(|r| r.outcome != RowOutcome::Applied).map(|r| r.number).collect();
                self.finish(intent, IntentEnd::Finalized { block, fee_planck, results }).await?;
                if intent.contract == ContractKind::Channels {
                    self.reread(doubtful, head).await?;
                }
                Ok(())
            }
        }
    }

    /// The node has thrown away the blocks that would tell. The records say what was claimed; the rest is pending again once the era is over.
    async fn give_up(&self, intent: &Intent, head: &BlockHead, reason: String) -> Result<(), WorkError> {
        if head.block.number < intent.tx.valid_until_block {
            return Ok(());
        }
        tracing::warn!(tx = %text::hex(&intent.tx.hash.0), %reason, "cannot look for a transaction: its channels' records decide");
        if intent.contract == ContractKind::Channels {
            self.reread(intent.rows.iter().map(|r| r.number).collect(), head).await?;
        }
        self.finish(intent, IntentEnd::Expired { reason: format!("not looked for: {reason}") }).await
    }

    async fn finish(&self, intent: &Intent, end: IntentEnd) -> Result<(), WorkError> {
        self.store.finish_intent(intent.id, end.clone()).await?;
        self.metrics.finished(intent.contract, &end);
        self.searched_to.lock().unwrap_or_else(PoisonError::into_inner).remove(&intent.id);
        self.channels.forget(intent.rows.iter().map(|r| r.number));
        Ok(())
    }
}
