//! What metrics and payees are told of what the worker sees. Nothing here decides anything.

use super::{WorkError, Worker};
use crate::feed::Happening;
use rivulet_rules::chain::{BlockHead, BlockRef, ClaimedRow, ContractEvent, EventRecord};
use rivulet_store::BookClaim;
use std::time::Instant;

impl Worker {
    /// The signing keys' nonces and balances: who got money can pay again. That they cannot be read stops nothing.
    pub(super) async fn observe(&self, head: &BlockHead) {
        for account in self.lanes.accounts() {
            match (
                self.chain.nonce_at(*account, head.block).await,
                self.chain.next_nonce(*account).await,
                self.chain.balance_at(*account, head.block).await,
            ) {
                (Ok(nonce), Ok(next_nonce), Ok(balance)) => {
                    self.lanes.funded(account, balance);
                    self.metrics.lane(&account.0, nonce, next_nonce, balance, self.lanes.state(account, Instant::now()));
                }
                (Err(e), ..) | (_, Err(e), _) | (.., Err(e)) => tracing::debug!(error = %e, "cannot read a signing key's state"),
            }
        }
    }

    /// What a block paid out, book by book.
    pub(super) async fn claims_of(&self, block: BlockRef, records: &[EventRecord]) -> Result<Vec<(BookClaim, Vec<ClaimedRow>)>, WorkError> {
        let claimed = |record: &EventRecord| match &record.event {
            ContractEvent::Claimed { book, gain, fee, rows } => Some((record.contract, *book, *gain, *fee, rows.clone())),
            _ => None,
        };
        let mut claims = records.iter().filter_map(claimed).peekable();
        if claims.peek().is_none() {
            return Ok(Vec::new());
        }
        let at = self.chain.head(block).await?.now;
        let claim = |(contract, book, gain, fee, rows): (_, _, _, _, Vec<ClaimedRow>)| {
            let paid = rows.iter().filter(|row| row.outcome.is_paid()).count() as u64;
            (BookClaim { contract, book, block_number: block.number, at, gain, fee, rows: paid }, rows)
        };
        Ok(claims.map(claim).collect())
    }

    /// Tells payees what was paid out.
    pub(super) async fn tell_payees(&self, claims: Vec<(BookClaim, Vec<ClaimedRow>)>) -> Result<(), WorkError> {
        for (BookClaim { contract, book, block_number, at, gain, fee, .. }, rows) in claims {
            if let Some(view) = self.store.book(contract, book).await? {
                self.feed.publish([(view.payee, view.token, Happening::Claimed { contract, book, block_number, at, gain, fee, rows })]);
            }
        }
        Ok(())
    }
}
