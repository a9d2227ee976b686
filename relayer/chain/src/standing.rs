//! Whose an address is, before money goes to it.

use crate::{Error, Node, account::account_of};
use rivulet_core::ids::Address;
use rivulet_rules::chain::{Account, BlockRef};
use subxt::dynamic;

/// What stands behind an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A Polkadot account that is mapped: it gets what is paid.
    Mapped(Account),
    /// A contract: what is paid becomes its credit.
    Contract,
    /// An Ethereum key's account, which exists.
    Ethereum,
    /// Nothing that is known. What is paid goes to an account that only an Ethereum key of this address controls. A Polkadot account with this address does not
    /// get it unless it is mapped.
    Unknown,
}

impl Node {
    /// What stands behind an address. Polkadot Hub maps new accounts by itself; older ones do it once, by `Revive.map_account`.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state.
    pub async fn standing(&self, address: &Address, block: BlockRef) -> Result<Standing, Error> {
        let at = self.at(block).await?;
        let entry = dynamic::storage::<([u8; 20],), [u8; 32]>("Revive", "OriginalAccount");
        let original = at.storage().try_fetch(entry, (address.0,)).await?.map(|value| value.decode()).transpose()?;
        if let Some(account) = original {
            return Ok(Standing::Mapped(Account(account)));
        }
        let exists = self.account_exists(&account_of(address), block).await?;
        match exists {
            // Keys have no code; a contract's account exists as well.
            true if self.code_hash(address, block).await?.is_some_and(|hash| hash != NO_CODE) => Ok(Standing::Contract),
            true => Ok(Standing::Ethereum),
            false => Ok(Standing::Unknown),
        }
    }
}

/// keccak256 of nothing: what the chain answers for an account without code.
const NO_CODE: [u8; 32] = [
    0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b,
    0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70,
];
