//! `rivulet-chain` as the server needs it: the chain, and the keys that sign.

use rivulet_chain::{Chain, FinalizedFeed, Signer, claim_limits};
use rivulet_core::ids::{ChannelNumber, StreamNumber};
use rivulet_rules::{
    chain::{
        Account, BlockHead, BlockRef, BookState, ChainError, ChannelView, ContractKind, DryRun, EventRecord, FeeModel, IncludedTx, SignedTx,
        StreamState, TxHash,
    },
    endpoint::EndpointReport,
};
use rivulet_server::chain::{Ask, ChainAccess, Feed, Start, Turn};

/// The chain and the keys that claims are signed with.
pub struct SignedChain {
    chain: Chain,
    signers: Vec<Signer>,
}

impl SignedChain {
    pub fn new(chain: Chain, signers: Vec<Signer>) -> Self {
        Self { chain, signers }
    }

    fn signer(&self, account: Account) -> Result<&Signer, ChainError> {
        let found = self.signers.iter().find(|signer| signer.account() == account);
        found.ok_or_else(|| ChainError::Unexpected("a transaction for a key that this relayer does not have".to_owned()))
    }
}

/// Boxes a future and makes its error one of the rules'.
macro_rules! ask {
    ($future:expr) => {
        Box::pin(async move { Ok($future.await?) })
    };
}

struct ChainFeed(FinalizedFeed);

impl Feed for ChainFeed {
    fn next(&mut self) -> Ask<'_, BlockRef> {
        ask!(self.0.next())
    }
}

impl ChainAccess for SignedChain {
    fn finalized_head(&self) -> Ask<'_, BlockHead> {
        ask!(self.chain.finalized_head())
    }
    fn confirm(&self, block: BlockRef) -> Ask<'_, ()> {
        ask!(self.chain.node().confirm(block))
    }
    fn recorded(&self, block: BlockRef) -> Ask<'_, ()> {
        ask!(self.chain.node().recorded(block))
    }
    fn endpoints(&self) -> Vec<EndpointReport> {
        self.chain.node().endpoints()
    }
    fn head(&self, block: BlockRef) -> Ask<'_, BlockHead> {
        ask!(self.chain.node().head(block))
    }
    fn follow(&self, start: Start) -> Box<dyn Feed> {
        Box::new(ChainFeed(match start {
            Start::After(block) => self.chain.finalized_after(block),
            Start::From(number) => self.chain.finalized_blocks(number),
        }))
    }
    fn events(&self, block: BlockRef) -> Ask<'_, Vec<EventRecord>> {
        ask!(self.chain.events(block))
    }
    fn channel(&self, number: ChannelNumber, block: BlockRef) -> Ask<'_, ChannelView> {
        ask!(self.chain.channel(number, block))
    }
    fn channel_at_best(&self, number: ChannelNumber) -> Ask<'_, ChannelView> {
        Box::pin(async move { Ok(self.chain.channel(number, self.chain.node().best().await?).await?) })
    }
    fn stream(&self, number: StreamNumber, block: BlockRef) -> Ask<'_, Option<StreamState>> {
        ask!(self.chain.stream(number, block))
    }
    fn book(&self, contract: ContractKind, book: u32, block: BlockRef) -> Ask<'_, Option<BookState>> {
        ask!(self.chain.book(contract, book, block))
    }
    fn books(&self, contract: ContractKind, block: BlockRef) -> Ask<'_, u32> {
        ask!(self.chain.books(contract, block))
    }
    fn fee_model(&self, block: BlockRef) -> Ask<'_, FeeModel> {
        ask!(self.chain.fee_model(block))
    }
    fn signers(&self) -> Vec<Account> {
        self.signers.iter().map(Signer::account).collect()
    }
    fn dry_run<'a>(&'a self, contract: ContractKind, blob: &'a [u8], signer: Account, block: BlockRef) -> Ask<'a, DryRun> {
        Box::pin(async move { Ok(self.chain.dry_run_claim(contract, blob, &signer, block).await?) })
    }
    fn sign<'a>(
        &'a self,
        contract: ContractKind,
        blob: &'a [u8],
        dry_run: &'a DryRun,
        fees: &'a FeeModel,
        turn: Turn,
        birth: BlockRef,
    ) -> Ask<'a, SignedTx> {
        let limits = claim_limits(dry_run, fees);
        Box::pin(async move { Ok(self.chain.prepare_claim(contract, blob, limits, self.signer(turn.signer)?, turn.nonce, birth).await?) })
    }
    fn submit<'a>(&'a self, tx: &'a SignedTx) -> Ask<'a, ()> {
        // Taken and known already are the same: the pool has it.
        Box::pin(async move { Ok(self.chain.submit(tx).await.map(|_| ())?) })
    }
    fn find_tx(&self, hash: TxHash, from: u64, to: u64) -> Ask<'_, Option<IncludedTx>> {
        ask!(self.chain.find_tx(hash, from, to))
    }
    fn next_nonce(&self, signer: Account) -> Ask<'_, u64> {
        Box::pin(async move { Ok(self.chain.account_next_nonce(&signer).await?) })
    }
    fn nonce_at(&self, signer: Account, block: BlockRef) -> Ask<'_, u64> {
        Box::pin(async move { Ok(self.chain.node().account_nonce(&signer, block).await?) })
    }
    fn balance_at(&self, signer: Account, block: BlockRef) -> Ask<'_, u128> {
        Box::pin(async move { Ok(self.chain.node().free_balance_planck(&signer, block).await?) })
    }
}
