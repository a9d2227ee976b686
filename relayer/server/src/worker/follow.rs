//! Following finalized blocks: what happened goes into the store with the cursor, in one commit.

use super::{WorkError, Worker};
use crate::chain::Start;
use rivulet_core::{SoftKeccak, ids::Number};
use rivulet_rules::chain::{BlockHead, BlockRef, ChainError, ChannelState, ContractEvent, ContractKind, EventRecord};
use rivulet_store::{ChainUpdate, ChannelUpdate, StreamUpdate};
use std::{collections::BTreeSet, sync::atomic::Ordering};

/// Blocks taken in with one commit, when catching up.
pub(super) const BLOCKS_AT_ONCE: usize = 256;

/// What blocks said, and what has to be read to know what it means.
#[derive(Default)]
struct Seen {
    update: ChainUpdate,
    /// Books whose terms or existence changed.
    books: BTreeSet<(ContractKind, u32)>,
}

impl Seen {
    fn channel(&mut self, block: u64, update: ChannelUpdate) {
        self.update.channels.push((block, update));
    }

    fn take(&mut self, block: u64, record: EventRecord, worker: &Worker) {
        match (record.contract, record.event) {
            (contract, ContractEvent::BookCreated { book, .. } | ContractEvent::TermsSet { book, .. }) => {
                self.books.insert((contract, book));
            }
            (ContractKind::Channels, ContractEvent::Claimed { book, rows, .. }) => {
                for row in rows {
                    // Unknown and Closed rows have no total.
                    if row.total > 0 {
                        let number = Number { book, serial: row.serial };
                        self.channel(block, ChannelUpdate::Claimed { number, claimed: row.total });
                    }
                }
            }
            (ContractKind::Channels, ContractEvent::ChannelOpened { terms, channel_id, amount }) => {
                if terms.channel_id(&worker.network.channels(), &SoftKeccak) != channel_id {
                    // Vouchers for it would be refused by the contract: never taken.
                    tracing::error!(channel = %terms.number, "the contract's channel id is not the one of its terms: ignored");
                    return;
                }
                let state = ChannelState { terms, deposit: amount, claimed: 0, close_due_at: None, refund_requested: 0, refund_due_at: None };
                self.channel(block, ChannelUpdate::Live { state, channel_id });
            }
            (ContractKind::Channels, ContractEvent::ToppedUp { number, deposit }) => self.channel(block, ChannelUpdate::Deposit { number, deposit }),
            (_, ContractEvent::CloseRequested { number, due_at }) => self.channel(block, ChannelUpdate::CloseRequested { number, due_at }),
            (_, ContractEvent::RefundRequested { number, amount, due_at }) => {
                let due_at = (due_at != 0).then_some(due_at);
                self.channel(block, ChannelUpdate::RefundRequested { number, amount, due_at });
            }
            (ContractKind::Channels, ContractEvent::Refunded { number, deposit, .. }) => {
                self.channel(block, ChannelUpdate::Deposit { number, deposit });
                self.channel(block, ChannelUpdate::RefundRequested { number, amount: 0, due_at: None });
            }
            (_, ContractEvent::Closed { number, claimed, .. }) => self.channel(block, ChannelUpdate::Closed { number, claimed: Some(claimed) }),
            (_, ContractEvent::StreamCreated { number, stream_id, .. }) => self.update.streams.push(StreamUpdate::Live { number, stream_id }),
            (_, ContractEvent::StreamHandedOver { number, new_number, .. }) => self.update.streams.push(StreamUpdate::Moved { number, new_number }),
            (_, ContractEvent::StreamEnded { number, .. }) => self.update.streams.push(StreamUpdate::Ended { number }),
            (
                _,
                ContractEvent::StreamChanged { number } | ContractEvent::StreamCancelled { number, .. } | ContractEvent::StreamVoided { number, .. },
            )
            | (ContractKind::Streams, ContractEvent::ToppedUp { number, .. } | ContractEvent::Refunded { number, .. }) => {
                self.update.streams.push(StreamUpdate::Changed { number });
            }
            // What a stream owes is read when it is claimed; credits are their owners' business.
            (ContractKind::Streams, ContractEvent::Claimed { .. } | ContractEvent::ChannelOpened { .. }) | (_, ContractEvent::Credited { .. }) => {}
        }
    }
}

impl Worker {
    /// Takes in every finalized block up to the newest. When the node has thrown an old one away, everything is read anew from the newest.
    ///
    /// # Errors
    /// [`WorkError::Behind`] when the node's head is below what was taken in before.
    pub async fn catch_up(&self) -> Result<BlockHead, WorkError> {
        let cursor = self.store.cursor().await?;
        if let Some(at) = cursor {
            self.chain.recorded(at.block).await?;
        }
        let newest = self.chain.finalized_head().await?;
        let (start, next) = match cursor {
            Some(at) => (Start::After(at.block), at.block.number.saturating_add(1)),
            None => (Start::From(self.network.start_block), self.network.start_block),
        };
        if let Some(at) = cursor {
            self.clock.advance(at.now);
            let told_to = self.told_to.swap(at.block.number, Ordering::Relaxed);
            if told_to != 0 && told_to < at.block.number {
                // Another relayer took these in, or an error came before payees were told: nobody will tell them now.
                self.feed.gap();
            }
            if newest.block.number < at.block.number {
                return Err(WorkError::Behind { head: newest.block.number, cursor: at.block.number });
            }
            if newest.block == at.block {
                return Ok(at);
            }
        }
        if newest.block.number < next {
            // The contracts' first block is not final yet: nothing can have happened.
            return self.apply_nothing(newest).await;
        }
        tracing::info!(from = next, to = newest.block.number, "catching up");
        let mut feed = self.chain.follow(start);
        let mut head = newest;
        let mut at = next;
        while at <= newest.block.number {
            let mut blocks = Vec::new();
            while at <= newest.block.number && blocks.len() < BLOCKS_AT_ONCE {
                let block = feed.next().await?;
                at = block.number.saturating_add(1);
                blocks.push(block);
            }
            head = match self.apply_blocks(&blocks).await {
                Err(WorkError::Chain(ChainError::Pruned(reason))) => {
                    tracing::warn!(%reason, "the node no longer has the blocks that were missed: reading every record anew");
                    return self.resync().await;
                }
                other => other?,
            };
        }
        Ok(head)
    }

    async fn apply_nothing(&self, head: BlockHead) -> Result<BlockHead, WorkError> {
        self.clock.advance(head.now);
        Ok(head)
    }

    /// Takes in these blocks, oldest first.
    pub(super) async fn apply_blocks(&self, blocks: &[BlockRef]) -> Result<BlockHead, WorkError> {
        let (mut seen, mut claims) = (Seen::default(), Vec::new());
        for block in blocks {
            let records = self.chain.events(*block).await?;
            claims.extend(self.claims_of(*block, &records).await?);
            for record in records {
                seen.take(block.number, record, self);
            }
        }
        let last = blocks.last().copied().ok_or_else(|| ChainError::Unexpected("no blocks to take in".to_owned()))?;
        // Every block is its parent's child: who agrees on the last agrees on all.
        self.chain.confirm(last).await?;
        let head = self.chain.head(last).await?;
        let Seen { mut update, books } = seen;
        for (contract, book) in books {
            if let Some(state) = self.chain.book(contract, book, last).await? {
                update.books.push((last.number, contract, state));
            }
        }
        update.cursor = Some(head);
        update.claims = claims.iter().map(|(claim, _)| *claim).collect();
        let changed: Vec<_> = update.channels.iter().map(|(_, u)| u.number()).collect();
        let count = changed.len();
        self.store.apply(update).await?;
        self.channels.forget(changed);
        self.tell_payees(claims).await?;
        self.told_to.fetch_max(head.block.number, Ordering::Relaxed);
        self.clock.advance(head.now);
        tracing::debug!(block = head.block.number, blocks = blocks.len(), channels = count, "blocks taken in");
        Ok(head)
    }
}
