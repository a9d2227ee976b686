//! What the deployment and the chain say: where the contracts are, what tokens there are, who signs.

use rivulet_core::{
    SoftKeccak,
    eip712::Domain,
    ids::{Address, Deployment, Token},
};
use rivulet_rules::chain::{Account, ContractKind};
use rivulet_store::DeploymentId;
use std::collections::BTreeMap;

/// A token by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenInfo {
    /// Its address; zero: native.
    pub address: Token,
    /// Its decimals as contracts count it.
    pub decimals: u8,
}

/// A network with our contracts, and who this relayer is on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// What the database is bound to.
    pub deployment: DeploymentId,
    /// The first block in which the contracts exist.
    pub start_block: u64,
    /// Tokens by the name people use.
    pub tokens: BTreeMap<String, TokenInfo>,
    /// Ceiling of relay fees of the channels and the streams contract, in hundredths of a percent.
    pub fee_ceiling_bps: [u16; 2],
    /// Who signs claims; with several keys, the first.
    pub relayer_account: Account,
    /// The same as contracts see it: the beneficiary that payees name in their terms.
    pub relayer_address: Address,
}

impl Network {
    /// What channel ids and vouchers are bound to.
    pub fn channels(&self) -> Deployment {
        Deployment { chain_id: self.deployment.chain_id, contract: self.deployment.channels }
    }

    /// The EIP-712 domain of vouchers.
    pub fn separator(&self) -> [u8; 32] {
        Domain::Channels.separator(&self.channels(), &SoftKeccak)
    }

    /// The ceiling of a contract's relay fees.
    pub fn fee_ceiling_bps(&self, contract: ContractKind) -> u16 {
        match (contract, self.fee_ceiling_bps) {
            (ContractKind::Channels, [channels, _]) => channels,
            (ContractKind::Streams, [_, streams]) => streams,
        }
    }

    /// A token's name and decimals.
    pub fn token(&self, address: &Token) -> Option<(&str, &TokenInfo)> {
        self.tokens.iter().find(|(_, t)| t.address == *address).map(|(name, t)| (name.as_str(), t))
    }
}
