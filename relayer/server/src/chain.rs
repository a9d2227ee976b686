//! What the relayer needs of a chain. `rivulet` (the command) implements it with `rivulet-chain`.

use rivulet_core::ids::{ChannelNumber, StreamNumber};
use rivulet_rules::{
    chain::{
        Account, BlockHead, BlockRef, BookState, ChainError, ChannelView, ContractKind, DryRun, EventRecord, FeeModel, IncludedTx, SignedTx,
        StreamState, TxHash,
    },
    endpoint::EndpointReport,
};
use std::{future::Future, pin::Pin};

/// What a chain answers, in time.
pub type Ask<'a, T> = Pin<Box<dyn Future<Output = Result<T, ChainError>> + Send + 'a>>;

/// Finalized blocks, each once, in order, without gaps.
pub trait Feed: Send {
    /// The next block; waits until there is one. Dropping the future loses nothing; after an error it can be asked again.
    fn next(&mut self) -> Ask<'_, BlockRef>;
}

/// Where to begin following.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With the child of this block: that another chain took its place is noticed.
    After(BlockRef),
    /// With this number.
    From(u64),
}

/// Who signs a transaction, and with which of its nonces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// One of [`ChainAccess::signers`].
    pub signer: Account,
    /// Its nonce.
    pub nonce: u64,
}

/// A chain with our contracts on it, and the keys that claims are signed with.
pub trait ChainAccess: Send + Sync {
    /// The newest finalized block.
    fn finalized_head(&self) -> Ask<'_, BlockHead>;
    /// Makes sure that no other node contradicts a final block that is about to be taken in. [`ChainError::Disputed`]: one does.
    fn confirm(&self, block: BlockRef) -> Ask<'_, ()>;
    /// Makes sure that nodes know the last block that was taken in before. [`ChainError::Disputed`]: none that may be used does.
    fn recorded(&self, block: BlockRef) -> Ask<'_, ()>;
    /// The nodes, as last seen.
    fn endpoints(&self) -> Vec<EndpointReport>;
    /// A block's time.
    fn head(&self, block: BlockRef) -> Ask<'_, BlockHead>;
    /// Finalized blocks.
    fn follow(&self, start: Start) -> Box<dyn Feed>;
    /// What our contracts did in a block.
    fn events(&self, block: BlockRef) -> Ask<'_, Vec<EventRecord>>;
    /// A channel.
    fn channel(&self, number: ChannelNumber, block: BlockRef) -> Ask<'_, ChannelView>;
    /// A channel at the best block, which may not be final.
    fn channel_at_best(&self, number: ChannelNumber) -> Ask<'_, ChannelView>;
    /// A stream; `None` when there is no record.
    fn stream(&self, number: StreamNumber, block: BlockRef) -> Ask<'_, Option<StreamState>>;
    /// A book; `None` when there is none.
    fn book(&self, contract: ContractKind, book: u32, block: BlockRef) -> Ask<'_, Option<BookState>>;
    /// The highest book number.
    fn books(&self, contract: ContractKind, block: BlockRef) -> Ask<'_, u32>;
    /// Prices.
    fn fee_model(&self, block: BlockRef) -> Ask<'_, FeeModel>;
    /// The accounts of the keys that claims are signed with, best first; never none.
    fn signers(&self) -> Vec<Account>;
    /// What a batch would do when this account sends it.
    fn dry_run<'a>(&'a self, contract: ContractKind, blob: &'a [u8], signer: Account, block: BlockRef) -> Ask<'a, DryRun>;
    /// Signs a batch with the limits that its dry run asks for. Nothing is sent.
    fn sign<'a>(
        &'a self,
        contract: ContractKind,
        blob: &'a [u8],
        dry_run: &'a DryRun,
        fees: &'a FeeModel,
        turn: Turn,
        birth: BlockRef,
    ) -> Ask<'a, SignedTx>;
    /// Gives a transaction to the pool. The same bytes twice are harmless.
    fn submit<'a>(&'a self, tx: &'a SignedTx) -> Ask<'a, ()>;
    /// Looks for a transaction in finalized blocks `from..=to`.
    fn find_tx(&self, hash: TxHash, from: u64, to: u64) -> Ask<'_, Option<IncludedTx>>;
    /// A signer's nonce after all of its transactions that the node knows, those in its pool included.
    fn next_nonce(&self, signer: Account) -> Ask<'_, u64>;
    /// A signer's nonce at a block: how many of its transactions are final there.
    fn nonce_at(&self, signer: Account, block: BlockRef) -> Ask<'_, u64>;
    /// What a signer can spend, in planck.
    fn balance_at(&self, signer: Account, block: BlockRef) -> Ask<'_, u128>;
}
