//! What a payee was paid in a range of time, read from finalized blocks.
//!
//! Channels and streams are read as they were right before the first block, then every block's events are taken, and at the end each total is compared
//! with the chain's own record. So the node must still have the state of all these blocks: an archive node, unless the range is recent.

use crate::Error;
use futures::{StreamExt, TryStreamExt, stream};
use rivulet_chain::Chain;
use rivulet_core::{
    SoftKeccak,
    ids::{Address, Number, Token},
};
use rivulet_rules::{
    batch::BookView,
    chain::{BlockHead, BlockRef, BookState, ChannelView, ContractKind, EventRecord},
    statement::{Payment, Reader, Source},
};
use std::ops::{Range, RangeInclusive};

/// Blocks, or records, read at once.
const AT_ONCE: usize = 32;
/// Serials in one page of a listing.
const PAGE: u32 = 400;
const KINDS: [ContractKind; 2] = [ContractKind::Channels, ContractKind::Streams];

/// How far the reading is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Looking for the first and the last block.
    Searching,
    /// Reading what there was before the first block: so many channels and streams so far.
    Opening {
        /// How many.
        read: u64,
    },
    /// Reading blocks.
    Blocks {
        /// How many so far.
        read: u64,
        /// Of how many.
        of: u64,
    },
    /// Comparing totals with the chain's records: so many so far.
    Checking {
        /// How many.
        checked: u64,
    },
}

/// What was paid, and how far that reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payments {
    /// In order.
    pub payments: Vec<Payment>,
    /// The blocks read; `None` when none lies in the range.
    pub blocks: Option<RangeInclusive<u64>>,
    /// What they cover (Unix seconds, half-open): the range that was asked for, cut to the contracts' first block and the newest finalized one.
    pub covers: Range<u64>,
}

/// Reads what `payee` was paid in blocks whose time lies in `range` (Unix seconds, half-open), by all channels and streams of a deployment.
///
/// # Errors
///
/// When the node does not answer or no longer has one of the blocks, or when what it says does not add up.
pub async fn payments(chain: &Chain, payee: &Address, range: Range<u64>, mut progress: impl FnMut(Progress)) -> Result<Payments, Error> {
    progress(Progress::Searching);
    let newest = chain.finalized_head().await?;
    let begin = chain.deployment().block;
    let first = first_at(chain, begin, &newest, range.start).await?;
    let end = first_at(chain, first, &newest, range.end).await?;
    if first >= end {
        return Ok(Payments { payments: Vec::new(), blocks: None, covers: range.start..range.start });
    }
    let last = end.saturating_sub(1);
    let mut ceilings = [0; 2];
    for (ceiling, kind) in ceilings.iter_mut().zip(KINDS) {
        *ceiling = chain.config(kind, newest.block).await?.fee_ceiling_bps;
    }
    let mut reader = Reader::new(*payee, ceilings);
    // Before the first block of both contracts there was nothing.
    if first > begin {
        open(chain, &mut reader, payee, block_at(chain, first.saturating_sub(1)).await?, &mut progress).await?;
    }
    let (of, mut read) = (end.saturating_sub(first), 0u64);
    let mut blocks = stream::iter((first..=last).map(|number| block(chain, number))).buffered(AT_ONCE);
    while let Some((at, records)) = blocks.try_next().await? {
        read = read.saturating_add(1);
        progress(Progress::Blocks { read, of });
        if records.is_empty() {
            continue;
        }
        for number in reader.wants(&records) {
            let before = block_at(chain, at.number.saturating_sub(1)).await?;
            if let Some((source, paid)) = stream_source(chain, number, before).await? {
                reader.open(number, source, paid);
            }
        }
        let head = chain.node().head(at).await?;
        reader.take(&head, &records)?;
    }
    drop(blocks);
    check(chain, &reader, block_at(chain, last).await?, &mut progress).await?;
    let first_at = chain.node().head(block_at(chain, first).await?).await?.now;
    let covers = covered(&range, first == begin, first_at, if last == newest.block.number { Some(newest.now) } else { None });
    Ok(Payments { payments: reader.payments().to_vec(), blocks: Some(first..=last), covers })
}

/// What blocks cover of a range: from the contracts' first block on, when there is none before, and up to the newest block.
fn covered(range: &Range<u64>, is_first: bool, first_at: u64, newest_at: Option<u64>) -> Range<u64> {
    let start = if is_first { range.start.max(first_at) } else { range.start };
    start..newest_at.map_or(range.end, |at| range.end.min(at.saturating_add(1)))
}

async fn block_at(chain: &Chain, number: u64) -> Result<BlockRef, Error> {
    let found = chain.node().block_at(number).await?;
    Ok(found.ok_or_else(|| rivulet_chain::Error::Pruned(format!("block {number}")))?)
}

/// The first block from `from` on whose time is at or after `at`; one above the newest when there is none.
async fn first_at(chain: &Chain, from: u64, newest: &BlockHead, at: u64) -> Result<u64, Error> {
    let (mut low, mut high) = (from, newest.block.number.saturating_add(1));
    while low < high {
        let middle = low.saturating_add(high.saturating_sub(low) / 2);
        let head = chain.node().head(block_at(chain, middle).await?).await?;
        if head.now >= at { high = middle } else { low = middle.saturating_add(1) }
    }
    Ok(low)
}

async fn block(chain: &Chain, number: u64) -> Result<(BlockRef, Vec<EventRecord>), Error> {
    let block = block_at(chain, number).await?;
    Ok((block, chain.events(block).await?))
}

/// Everything of the payee's that there was at this block.
async fn open(chain: &Chain, reader: &mut Reader, payee: &Address, at: BlockRef, progress: &mut impl FnMut(Progress)) -> Result<(), Error> {
    let mut read = 0u64;
    progress(Progress::Opening { read });
    for kind in KINDS {
        for token in chain.tokens(kind, at).await? {
            let Some(number) = chain.book_of(kind, payee, &token, at).await? else { continue };
            let Some(BookState { book, payee, token, terms, .. }) = chain.book(kind, number, at).await? else { continue };
            reader.open_book(kind, book, BookView { payee, token, terms });
            let mut from = Some(0);
            while let Some(start) = from {
                let (serials, next) = chain.open_serials(kind, book, start, PAGE, at).await?;
                from = next;
                let sources = stream::iter(serials.into_iter().map(|serial| source(chain, kind, Number { book, serial }, at)));
                let found: Vec<_> = sources.buffered(AT_ONCE).try_collect().await?;
                for (number, source, paid) in found.into_iter().flatten() {
                    reader.open(number, source, paid);
                    read = read.saturating_add(1);
                }
                progress(Progress::Opening { read });
            }
        }
    }
    Ok(())
}

async fn source(chain: &Chain, kind: ContractKind, number: Number, at: BlockRef) -> Result<Option<(Number, Source, u128)>, Error> {
    match kind {
        ContractKind::Streams => Ok(stream_source(chain, number, at).await?.map(|(source, paid)| (number, source, paid))),
        ContractKind::Channels => {
            let ChannelView::Live(state) = chain.channel(number, at).await? else { return Ok(None) };
            let id = state.terms.channel_id(&chain.binding(kind), &SoftKeccak);
            let source = Source { contract: kind, id: id.0, payer: state.terms.payer, token: state.terms.token, memo: [0; 32] };
            Ok(Some((number, source, state.claimed)))
        }
    }
}

async fn stream_source(chain: &Chain, number: Number, at: BlockRef) -> Result<Option<(Source, u128)>, Error> {
    let Some(s) = chain.stream(number, at).await? else { return Ok(None) };
    Ok(Some((Source { contract: ContractKind::Streams, id: s.stream_id.0, payer: s.payer, token: s.token, memo: s.memo }, s.paid)))
}

/// Compares the total of everything that is still open with its record.
async fn check(chain: &Chain, reader: &Reader, at: BlockRef, progress: &mut impl FnMut(Progress)) -> Result<(), Error> {
    let open: Vec<_> = reader.open_numbers().collect();
    let totals = open.into_iter().map(|(kind, number)| async move { Ok::<_, Error>((kind, number, source(chain, kind, number, at).await?)) });
    let mut totals = stream::iter(totals).buffered(AT_ONCE);
    let mut checked = 0u64;
    while let Some((kind, number, found)) = totals.try_next().await? {
        // Without a record it would have ended by an event.
        reader.check(kind, number, found.map_or(0, |(.., paid)| paid))?;
        checked = checked.saturating_add(1);
        progress(Progress::Checking { checked });
    }
    Ok(())
}

/// A token's name and decimals, by the deployment's file; its address and none for one that is not in it.
pub fn token_name(chain: &Chain, token: &Token) -> (String, u8) {
    let known = chain.deployment().tokens.iter().find(|(_, entry)| entry.address.0 == *token);
    known.map_or_else(|| (token.to_string(), 0), |(name, entry)| (name.clone(), entry.decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_what_it_covers() {
        let range = 1_000..2_000;
        assert_eq!(covered(&range, false, 990, None), 1_000..2_000);
        assert_eq!(covered(&range, true, 1_300, None), 1_300..2_000, "there was nothing before");
        assert_eq!(covered(&range, false, 1_000, Some(1_500)), 1_000..1_501, "the newest block's second is in it");
    }
}
