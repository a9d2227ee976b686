//! Finalized blocks, each once and in order.

use crate::{Error, Node, node::Methods};
use rivulet_rules::chain::BlockRef;
use subxt::{SubstrateConfig, config::RpcConfigFor, rpcs::RpcConfig, rpcs::client::RpcSubscription};
use tokio::time::sleep;

type Header = <RpcConfigFor<SubstrateConfig> as RpcConfig>::Header;

/// Every finalized block from a number on, in order, each the child of the one before. Made by [`Node::finalized_blocks`].
///
/// It survives restarts of the node: what was finalized meanwhile comes first. After an error it can be asked again.
pub struct FinalizedFeed {
    node: Node,
    next: u64,
    /// Hash of the block before `next`, when known.
    parent: Option<[u8; 32]>,
    /// The highest number known to be final.
    head: Option<u64>,
    heads: Option<RpcSubscription<Header>>,
}

impl FinalizedFeed {
    pub(crate) fn new(node: Node, next: u64, parent: Option<[u8; 32]>) -> Self {
        Self { node, next, parent, head: None, heads: None }
    }

    /// The number of the block that comes next.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// The next block; waits until there is one. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`Error::FinalityBroken`] when the chain is no longer the one seen before; others when no node answers for longer than patience lasts.
    pub async fn next(&mut self) -> Result<BlockRef, Error> {
        let block = loop {
            while self.head.is_none_or(|head| head < self.next) {
                self.wait().await?;
            }
            match self.node.block_at(self.next).await? {
                Some(block) => break block,
                // Another node took over that has not come so far.
                None => self.head = None,
            }
        };
        let header = self.node.header(block.hash).await?;
        if let Some(expected) = self.parent.filter(|p| *p != header.parent_hash.0) {
            let (expected, found) = (hex::encode(expected), hex::encode(header.parent_hash.0));
            return Err(Error::FinalityBroken { number: block.number, expected: format!("0x{expected}"), found: format!("0x{found}") });
        }
        self.parent = Some(block.hash);
        self.next += 1;
        Ok(block)
    }

    /// Waits for a sign that finality moved: the subscription, or the poll that watches over it.
    async fn wait(&mut self) -> Result<(), Error> {
        // A new subscription starts with the newest block, so the first wait of a feed is short.
        if self.heads.is_none() {
            let methods: &Methods = &self.node.inner.methods;
            self.heads = Some(methods.chain_subscribe_finalized_heads().await?);
        }
        let Some(heads) = &mut self.heads else { return Ok(()) };
        let number = tokio::select! {
            item = heads.next() => match item {
                Some(Ok(header)) => header.number,
                // The connection went away; the next round makes a new one.
                Some(Err(_)) | None => {
                    self.heads = None;
                    self.node.finalized().await?.number
                }
            },
            () = sleep(self.node.options().poll) => self.node.finalized().await?.number,
        };
        // A node that took over may lag behind: finality already seen stays.
        self.head = Some(self.head.map_or(number, |head| head.max(number)));
        Ok(())
    }
}
