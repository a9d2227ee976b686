//! Reading every record anew: contract storage is the truth, the database a cache of it.

use super::{WorkError, Worker};
use rivulet_core::{SoftKeccak, ids::Number};
use rivulet_rules::chain::{BlockHead, BookState, ChannelView, ContractKind};
use rivulet_store::{ChainUpdate, ChannelUpdate, StreamUpdate};
use std::sync::atomic::Ordering;

/// Records in one commit.
const AT_ONCE: usize = 512;

impl Worker {
    /// Reads all books, channels and streams at the newest finalized block, and goes on from there.
    ///
    /// # Errors
    /// When the chain or the store does not answer; the cursor has not moved then, and the next try begins anew.
    pub async fn resync(&self) -> Result<BlockHead, WorkError> {
        let head = self.chain.finalized_head().await?;
        self.chain.confirm(head.block).await?;
        for contract in [ContractKind::Channels, ContractKind::Streams] {
            for book in 1..=self.chain.books(contract, head.block).await? {
                if let Some(state) = self.chain.book(contract, book, head.block).await? {
                    self.read_book(contract, state, &head).await?;
                }
            }
        }
        self.store.apply(ChainUpdate { cursor: Some(head), ..ChainUpdate::default() }).await?;
        self.clock.advance(head.now);
        self.told_to.store(head.block.number, Ordering::Relaxed);
        self.feed.gap();
        tracing::info!(block = head.block.number, "every record read anew");
        Ok(head)
    }

    async fn read_book(&self, contract: ContractKind, book: BookState, head: &BlockHead) -> Result<(), WorkError> {
        let mut update = ChainUpdate { books: vec![(head.block.number, contract, book)], ..ChainUpdate::default() };
        for serial in 0..book.next_serial {
            let number = Number { book: book.book, serial };
            match contract {
                ContractKind::Channels => update.channels.extend(self.read_channel(number, head).await?),
                ContractKind::Streams => {
                    let live = self.chain.stream(number, head.block).await?.map(|s| StreamUpdate::Live { number, stream_id: s.stream_id });
                    update.streams.push(live.unwrap_or(StreamUpdate::Ended { number }));
                }
            }
            if update.channels.len().saturating_add(update.streams.len()) >= AT_ONCE {
                self.apply_read(std::mem::take(&mut update)).await?;
            }
        }
        self.apply_read(update).await
    }

    async fn read_channel(&self, number: Number, head: &BlockHead) -> Result<Option<(u64, ChannelUpdate)>, WorkError> {
        let update = match self.chain.channel(number, head.block).await? {
            ChannelView::Unknown => return Ok(None),
            ChannelView::Closed => ChannelUpdate::Closed { number, claimed: None },
            ChannelView::Live(state) => {
                let channel_id = state.terms.channel_id(&self.network.channels(), &SoftKeccak);
                ChannelUpdate::Live { state, channel_id }
            }
        };
        Ok(Some((head.block.number, update)))
    }

    async fn apply_read(&self, update: ChainUpdate) -> Result<(), WorkError> {
        let changed: Vec<_> = update.channels.iter().map(|(_, u)| u.number()).collect();
        self.store.apply(update).await?;
        self.channels.forget(changed);
        Ok(())
    }

    /// Reads these channels anew.
    pub(super) async fn reread(&self, numbers: Vec<Number>, head: &BlockHead) -> Result<(), WorkError> {
        let mut update = ChainUpdate::default();
        for number in numbers {
            update.channels.extend(self.read_channel(number, head).await?);
        }
        self.apply_read(update).await
    }
}
