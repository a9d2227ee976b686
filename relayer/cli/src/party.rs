//! Who is paid, as people write it.

use crate::{
    account::{files, keystore},
    failure::Failure,
    network::{Network, is_dev},
};
use rivulet_chain::{
    Chain, Deployment, Signer, Standing,
    account::{address_of, read_account},
};
use rivulet_client::Error as ClientError;
use rivulet_core::ids::Address;
use rivulet_rules::{chain::Account, text};
use std::{fs, str::FromStr};

/// A payee or payer: a Polkadot account, or an address as contracts see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// By its account: must be mapped, or it would not get what is sent to its address.
    Account(Account),
    /// By a path such as `//Charlie`: everybody knows its key.
    Known(Account),
    /// By its address.
    Address(Address),
}

impl FromStr for Party {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        if given.starts_with("//") {
            return Signer::from_uri(given).map(|s| Self::Known(s.account())).map_err(|e| e.to_string());
        }
        let address = text::bytes(given).map(|bytes| Self::Address(Address(bytes)));
        let account = || read_account(given).or_else(|| of_keystore(given));
        address.or_else(|| account().map(Self::Account)).ok_or_else(|| {
            format!(
                "expected an account as wallets show it (5Grw…), 0x and 40 hex digits of an address, a key's name as 'rivulet key list' shows it, or on a \
                 development network a path such as //Charlie; given {given:?}. Of a mistyped account, its checksum is wrong"
            )
        })
    }
}

/// The account of a key of ours, by its name.
fn of_keystore(name: &str) -> Option<Account> {
    let (_, path) = files().ok()?.into_iter().find(|(known, _)| known == name)?;
    let (account, _) = keystore::labels(&fs::read_to_string(path).ok()?)?;
    read_account(&account)
}

impl Party {
    /// The address that contracts see.
    pub fn address(&self) -> Address {
        match self {
            Self::Account(account) | Self::Known(account) => address_of(account),
            Self::Address(address) => *address,
        }
    }

    /// On a network with money of worth, nobody is paid whose key everybody knows.
    fn check_secret(&self, deployment: &Deployment) -> Result<(), Failure> {
        if !matches!(self, Self::Known(_)) || is_dev(deployment) {
            return Ok(());
        }
        let why = format!("everybody knows the key of {}, which was named by a path: whoever comes first takes what is paid to it", self.address());
        Err(Failure::Unsafe(format!("{why}. Name an account of {}", deployment.network)))
    }

    /// The address, once it is sure that who was named gets what is paid to it. An address behind which no account is known is refused, unless strangers are
    /// paid too.
    pub async fn payable(&self, network: &Network, strangers: bool) -> anyhow::Result<Address> {
        self.payable_on(&network.chain, strangers).await
    }

    /// As [`Party::payable`], for who has only a chain.
    pub async fn payable_on(&self, chain: &Chain, strangers: bool) -> anyhow::Result<Address> {
        self.check_secret(chain.deployment())?;
        let address = self.address();
        let node = chain.node();
        let standing = node.standing(&address, node.finalized().await?).await?;
        match (self, standing) {
            (Self::Account(account) | Self::Known(account), Standing::Mapped(mapped)) if mapped == *account => Ok(address),
            // An Ethereum key's own account.
            (Self::Account(account), Standing::Ethereum | Standing::Contract) if account.0.ends_with(&[0xEE; 12]) => Ok(address),
            (Self::Account(_) | Self::Known(_), _) => Err(Failure::Unsafe(format!(
                "the payee's account is not mapped to {address} on this chain: it would not get its money. Polkadot Hub maps accounts when they first \
                 receive something; an older account calls Revive.map_account once"
            ))
            .into()),
            (Self::Address(_), Standing::Unknown) if !strangers => Err(ClientError::UnmappedPayee(address).into()),
            (Self::Address(_), _) => Ok(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::deployment;

    #[test]
    fn who_everybody_could_be_is_paid_on_development_networks_only() {
        let charlie: Party = "//Charlie".parse().unwrap();
        assert!(charlie.check_secret(&deployment(420_420_420)).is_ok());
        let refused = charlie.check_secret(&deployment(420_420_419)).unwrap_err().to_string();
        assert!(refused.contains("everybody knows the key of 0xe2235a2ffe0354b27a6a1c543be6bf2920ff2134"), "{refused}");
        assert!(Party::Address(charlie.address()).check_secret(&deployment(420_420_419)).is_ok());
    }

    #[test]
    fn what_is_no_name_of_anybody_is_refused() {
        for given in ["", "me/../other", "0x1234", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX"] {
            assert!(given.parse::<Party>().unwrap_err().contains("a path such as //Charlie"), "{given}");
        }
    }
}
