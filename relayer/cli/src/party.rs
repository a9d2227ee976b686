//! Who is paid, as people write it.

use crate::{failure::Failure, network::Network};
use rivulet_chain::{
    Chain, Signer, Standing,
    account::{address_of, read_account},
};
use rivulet_client::Error as ClientError;
use rivulet_core::ids::Address;
use rivulet_rules::{chain::Account, text};
use std::str::FromStr;

/// A payee or payer: a Polkadot account, or an address as contracts see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// By its account: must be mapped, or it would not get what is sent to its address.
    Account(Account),
    /// By its address.
    Address(Address),
}

impl FromStr for Party {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        if given.starts_with("//") {
            return Signer::from_uri(given).map(|s| Self::Account(s.account())).map_err(|e| e.to_string());
        }
        let address = text::bytes(given).map(|bytes| Self::Address(Address(bytes)));
        address.or_else(|| read_account(given).map(Self::Account)).ok_or_else(|| {
            format!(
                "expected an account as wallets show it (5Grw…), or 0x and 40 hex digits of an address, given {given:?}. Of a mistyped account, its checksum is wrong"
            )
        })
    }
}

impl Party {
    /// The address that contracts see.
    pub fn address(&self) -> Address {
        match self {
            Self::Account(account) => address_of(account),
            Self::Address(address) => *address,
        }
    }

    /// The address, once it is sure that who was named gets what is paid to it. An address behind which no account is known is refused, unless strangers are
    /// paid too.
    pub async fn payable(&self, network: &Network, strangers: bool) -> anyhow::Result<Address> {
        self.payable_on(&network.chain, strangers).await
    }

    /// As [`Party::payable`], for who has only a chain.
    pub async fn payable_on(&self, chain: &Chain, strangers: bool) -> anyhow::Result<Address> {
        let address = self.address();
        let node = chain.node();
        let standing = node.standing(&address, node.finalized().await?).await?;
        match (self, standing) {
            (Self::Account(account), Standing::Mapped(mapped)) if mapped == *account => Ok(address),
            // An Ethereum key's own account.
            (Self::Account(account), Standing::Ethereum | Standing::Contract) if account.0.ends_with(&[0xEE; 12]) => Ok(address),
            (Self::Account(_), _) => Err(Failure::Unsafe(format!(
                "the payee's account is not mapped to {address} on this chain: it would not get its money. Polkadot Hub maps accounts when they first \
                 receive something; an older account calls Revive.map_account once"
            ))
            .into()),
            (Self::Address(_), Standing::Unknown) if !strangers => Err(ClientError::UnmappedPayee(address).into()),
            (Self::Address(_), _) => Ok(address),
        }
    }
}
