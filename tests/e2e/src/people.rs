//! People of the story and the tests: keys, and money to begin with.

use crate::{Result, ledger::USDC_ID};
use rivulet_chain::{Call, Lane, Signer};
use rivulet_core::ids::Address;
use rivulet_rules::chain::Account;
use std::fmt;

/// Somebody with a key on the chain.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the output calls it.
    pub name: String,
    /// Its key.
    pub signer: Signer,
}

impl Person {
    /// A development key of this name. Everybody knows it.
    ///
    /// # Errors
    ///
    /// When the name is not one path segment.
    pub fn new(name: impl fmt::Display) -> Result<Self> {
        Ok(Self { name: name.to_string(), signer: Signer::from_uri(&Self::uri_of(&name))? })
    }

    fn uri_of(name: &impl fmt::Display) -> String {
        format!("//Rivulet//{name}")
    }

    /// The secret URI of its key, for a configuration.
    pub fn uri(&self) -> String {
        Self::uri_of(&self.name)
    }

    /// Its account.
    pub fn account(&self) -> Account {
        self.signer.account()
    }

    /// Its address, as contracts see it.
    pub fn address(&self) -> Address {
        self.signer.address()
    }
}

/// Money to begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Who gets it.
    pub to: Account,
    /// Native, in planck.
    pub planck: u128,
    /// USDC, in units.
    pub usdc: u128,
}

/// Calls in one transaction of grants.
const CALLS: usize = 200;

/// Gives everybody its money, from one key, and waits until all of it is final.
///
/// # Errors
///
/// When the key cannot pay, or the chain refuses.
pub async fn grant(lane: &Lane, grants: &[Grant]) -> Result<()> {
    let node = lane.node();
    let block = node.finalized().await?;
    let mut calls: Vec<Call> = Vec::new();
    for Grant { to, planck, usdc } in grants {
        if *planck > 0 {
            calls.push(node.transfer(block, to, *planck).await?);
        }
        if *usdc > 0 {
            calls.push(node.assets_transfer(block, USDC_ID, to, *usdc).await?);
        }
    }
    let mut in_flight = Vec::new();
    for chunk in calls.chunks(CALLS) {
        in_flight.push(lane.send(&node.batch_all(block, chunk).await?).await?);
    }
    for sent in in_flight {
        sent.success().await?;
    }
    Ok(())
}
