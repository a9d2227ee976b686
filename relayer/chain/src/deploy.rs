//! Puts both contracts on a chain.

use crate::{
    Deployment, Error, Lane, TxReport,
    abi::{both::Both, to_sol},
    account::account_of,
    call,
    chain::{KINDS, name_of},
    deployment::{Arguments, ContractEntry, Contracts, DeploymentError, Hex32, HexAddress, TokenEntry},
};
use alloy_sol_types::SolConstructor;
use rivulet_core::{Keccak256, SoftKeccak, ids::Address};
use rivulet_rules::chain::ContractKind;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// What to deploy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The deployment's name.
    pub network: String,
    /// Tokens by the name that people use. Assets need a seed.
    pub tokens: BTreeMap<String, TokenEntry>,
    /// What is fixed for good.
    pub arguments: Arguments,
    /// With a salt, the address follows from code, arguments and deployer; the same cannot be deployed twice. Without, from the deployer's nonce.
    pub salt: Option<[u8; 32]>,
}

impl Plan {
    /// For the dev chain: USDT and USDC, challenge periods from a second (so that tests and demos need not wait) to 30 days, relay fees up to 10 %.
    pub fn dev(sweep_to: Address) -> Self {
        let asset = |id: u32| TokenEntry { address: HexAddress(asset_address(id)), decimals: 6, seed: Some(10_000) };
        let native = TokenEntry { address: HexAddress(Address::ZERO), decimals: 18, seed: None };
        Self {
            network: "dev".into(),
            tokens: [("native".into(), native), ("usdt".into(), asset(1984)), ("usdc".into(), asset(1337))].into(),
            arguments: Arguments {
                min_challenge_period_secs: 1,
                max_challenge_period_secs: 30 * 24 * 3600,
                fee_ceiling_bps: 1_000,
                sweep_to: HexAddress(sweep_to),
            },
            salt: None,
        }
    }

    /// The assets, in the order in which the constructor gets them.
    fn assets(&self) -> Vec<(Address, u128)> {
        self.tokens.values().filter_map(|t| Some((t.address.0, t.seed?))).filter(|(address, _)| !address.is_zero()).collect()
    }

    fn constructor(&self) -> Vec<u8> {
        let assets = self.assets();
        Both::constructorCall {
            tokens: assets.iter().map(|(address, _)| to_sol(address)).collect(),
            seeds: assets.iter().map(|(_, seed)| *seed).collect(),
            minChallengePeriodSecs: self.arguments.min_challenge_period_secs,
            maxChallengePeriodSecs: self.arguments.max_challenge_period_secs,
            feeCeilingBps: self.arguments.fee_ceiling_bps,
            sweepTo: to_sol(&self.arguments.sweep_to.0),
        }
        .abi_encode()
    }
}

/// Prefix of the ERC-20 precompile of trust-backed assets. Source: asset-hub-polkadot, `lib.rs`.
const ASSETS_PREFIX: [u8; 2] = [0x01, 0x20];

/// The ERC-20 address of an asset: its id, twelve zero bytes, the precompile's prefix, two zero bytes.
pub fn asset_address(id: u32) -> Address {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&id.to_be_bytes());
    bytes[16..18].copy_from_slice(&ASSETS_PREFIX);
    Address(bytes)
}

/// The asset of an ERC-20 address; `None` for any other address.
///
/// ```
/// use rivulet_chain::deploy::{asset_address, asset_id};
/// assert_eq!(asset_address(1337).to_string(), "0x0000053900000000000000000000000001200000");
/// assert_eq!(asset_id(&asset_address(1984)), Some(1984));
/// ```
pub fn asset_id(token: &Address) -> Option<u32> {
    let (head, _) = token.0.split_first_chunk::<4>()?;
    let id = u32::from_be_bytes(*head);
    (asset_address(id) == *token).then_some(id)
}

/// A contract's code and the hash of the sources it was built from.
struct Bundle {
    code: Vec<u8>,
    source_hash: String,
}

impl Bundle {
    /// `<folder>/<name>.polkavm`; `<folder>/source-hash`, if there is one, names the sources of both.
    fn load(folder: &Path, name: &str) -> Result<Self, DeploymentError> {
        let path = folder.join(name).with_extension("polkavm");
        let code = std::fs::read(&path).map_err(|source| DeploymentError::File { path, source })?;
        let source_hash = std::fs::read_to_string(folder.join("source-hash")).unwrap_or_default().trim().to_owned();
        Ok(Self { code, source_hash })
    }
}

/// How long a pool may be behind the block that was just finalized. A transaction that comes earlier waits in it for the nonce that was skipped, forever.
const POOL_LAG: Duration = Duration::from_secs(2);

/// Creates one contract and waits for it: a creation moves its signer's nonce by two (as transaction and as deployer), so nothing can follow it blindly.
async fn instantiate(lane: &Lane, plan: &Plan, bundle: &Bundle) -> Result<TxReport, Error> {
    let node = lane.node();
    let block = node.finalized().await?;
    let calldata = plan.constructor();
    let (dry, _) = node.dry_instantiate(&lane.signer().account(), &bundle.code, &calldata, plan.salt, block).await?;
    let call = call::instantiate_with_code(&node.at(block).await?, dry.limits(), &bundle.code, &calldata, plan.salt)?;
    let report = lane.send(&call).await?.success().await?;
    lane.forget_nonce().await;
    tokio::time::sleep(POOL_LAG).await;
    Ok(report)
}

/// Deploys both contracts from `<bundles>/{channels,streams}.polkavm`, sends them their seeds, and returns what to write into the deployment's file.
/// The lane's key pays, and owns nothing afterwards.
///
/// # Errors
///
/// When a bundle is missing, the constructor refuses the plan, or the key cannot pay the deposits (about 1 DOT) or the seeds.
pub async fn deploy(lane: &Lane, plan: &Plan, bundles: &Path) -> Result<Deployment, Error> {
    let node = lane.node();
    let loaded = [Bundle::load(bundles, name_of(ContractKind::Channels))?, Bundle::load(bundles, name_of(ContractKind::Streams))?];
    let mut entries = Vec::new();
    let mut block = node.finalized().await?;
    for bundle in &loaded {
        let report = instantiate(lane, plan, bundle).await?;
        let address = *report.instantiated.last().ok_or_else(|| Error::decode("a deployment", "no contract was instantiated"))?;
        if report.block.number > block.number {
            block = report.block;
        }
        let code_hash = Hex32(SoftKeccak.keccak256(&bundle.code));
        entries.push(ContractEntry { address: HexAddress(address), code_hash, source_hash: bundle.source_hash.clone() });
    }
    let mut seeds = Vec::new();
    for (token, seed) in plan.assets() {
        let id = asset_id(&token).ok_or_else(|| Error::decode("a token to seed", format!("{token} is no trust-backed asset")))?;
        for entry in &entries {
            seeds.push(node.assets_transfer(block, id, &account_of(&entry.address.0), seed).await?);
        }
    }
    if !seeds.is_empty() {
        lane.send(&node.batch_all(block, &seeds).await?).await?.success().await?;
    }
    let at = node.at(block).await?;
    let [channels, streams]: [ContractEntry; KINDS.len()] =
        entries.try_into().map_err(|_| Error::decode("a deployment", "expected two contracts"))?;
    Ok(Deployment {
        network: plan.network.clone(),
        chain_id: node.constant::<u64>(&at, "Revive", "ChainId")?,
        genesis_hash: Hex32(node.genesis_hash()),
        block: block.number,
        contracts: Contracts { channels, streams },
        tokens: plan.tokens.clone(),
        arguments: Some(plan.arguments),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::SolType;

    #[test]
    fn only_trust_backed_assets_have_an_asset_id() {
        assert_eq!(asset_id(&asset_address(7)), Some(7));
        assert_eq!(asset_id(&Address::ZERO), None);
        let mut foreign = asset_address(7);
        foreign.0[16] = 0x02;
        assert_eq!(asset_id(&foreign), None);
    }

    #[test]
    fn the_constructor_gets_assets_and_seeds_in_one_order() {
        let calldata = Plan::dev(Address([1; 20])).constructor();
        type Parameters = <Both::constructorCall as SolConstructor>::Parameters<'static>;
        let (tokens, seeds, ..) = Parameters::abi_decode_sequence(&calldata).unwrap();
        assert_eq!(tokens, [to_sol(&asset_address(1337)), to_sol(&asset_address(1984))]);
        assert_eq!(seeds, [10_000, 10_000]);
    }
}
