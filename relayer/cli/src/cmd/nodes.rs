//! `rivulet relay check-config --nodes`: the nodes of the configuration, side by side.

use anyhow::{Context, bail};
use rivulet_chain::{Deployment, Node, NodeOptions};
use rivulet_rules::{
    chain::BlockRef,
    endpoint::{EndpointReport, EndpointState},
};
use rivulet_server::config::Config;

/// How the relayer uses its nodes. `recorded`: the last block that its database has taken in.
pub fn options(config: &Config, recorded: Option<BlockRef>) -> NodeOptions {
    NodeOptions { mortality_blocks: config.chain.mortality_blocks, tolerance: config.chain.tolerance(), recorded, ..NodeOptions::default() }
}

/// Asks each node and prints a line for it. An error when one is of another chain or contradicts another, or none answers.
pub fn check(config: &Config, deployment: &Deployment) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let nodes = runtime.block_on(Node::look_at(&config.chain.rpc_urls, Some(deployment.genesis_hash.0), options(config, None)));
    for node in &nodes {
        println!("{}", line(node));
    }
    if nodes.iter().any(|node| node.state.is_refused()) {
        bail!("a node cannot be believed: the relayer would not use it");
    }
    if nodes.iter().all(|node| matches!(node.state, EndpointState::Unreachable(_))) {
        bail!("no node answers");
    }
    println!("The configuration is good. Nothing was opened.");
    Ok(())
}

fn line(node: &EndpointReport) -> String {
    let mut line = format!("node      {}: {}", node.name, node.state.word());
    if let Some(number) = node.block_number {
        line += &format!(", finalized block {number}");
    }
    if let Some(age) = node.head_age_secs {
        line += &format!(", {age} s old");
    }
    if let Some(reason) = node.state.reason() {
        line += &format!(": {reason}");
    }
    line
}
