//! Answers `system_*` for a node that is alone.

use crate::chain::{Block, Client};
use futures::StreamExt;
use polkadot_sdk::{
    sc_rpc::system::{Health, NodeRole, Request, SyncState, error::Error},
    sc_utils::mpsc::TracingUnboundedReceiver,
    sp_blockchain::HeaderBackend,
};
use std::sync::Arc;

/// No peers, none wanted, never syncing: until the RPC server is gone.
pub async fn answer(mut requests: TracingUnboundedReceiver<Request<Block>>, client: Arc<Client>) {
    const ALONE: &str = "this node has no network";
    // A caller that hung up does not wait for its answer.
    while let Some(request) = requests.next().await {
        match request {
            Request::Health(to) => {
                let _ = to.send(Health { peers: 0, is_syncing: false, should_have_peers: false });
            }
            Request::LocalPeerId(to) => {
                let _ = to.send(String::new());
            }
            Request::LocalListenAddresses(to) | Request::NetworkReservedPeers(to) => {
                let _ = to.send(Vec::new());
            }
            Request::Peers(to) => {
                let _ = to.send(Vec::new());
            }
            Request::NetworkState(to) => {
                let _ = to.send(serde_json::Value::Null);
            }
            Request::NetworkAddReservedPeer(_, to) | Request::NetworkRemoveReservedPeer(_, to) => {
                let _ = to.send(Err(Error::MalformattedPeerArg(ALONE.into())));
            }
            Request::NodeRoles(to) => {
                let _ = to.send(vec![NodeRole::Authority]);
            }
            Request::SyncState(to) => {
                let best = client.info().best_number;
                let _ = to.send(SyncState { starting_block: 0, current_block: best, highest_block: best });
            }
        }
    }
}
