//! The JSON-RPC server: what every Substrate node serves, and `dev_*`.

use crate::{
    Result,
    chain::Chain,
    dev::{Dev, DevApiServer},
    seal::Sealer,
    system,
};
use jsonrpsee::RpcModule;
use polkadot_sdk::{
    pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer},
    sc_chain_spec::{ChainType, Properties},
    sc_keystore::LocalKeystore,
    sc_rpc::{
        author::{Author, AuthorApiServer},
        chain::{self, ChainApiServer},
        state::{self, ChildStateApiServer, StateApiServer},
        system::{System, SystemApiServer, SystemInfo},
    },
    sc_rpc_server::{self, BatchRequestConfig, RpcEndpoint, RpcMethods, RpcSpawnHandle, Server},
    sc_rpc_spec_v2::{
        archive::{Archive, ArchiveApiServer},
        chain_head::{ChainHead, ChainHeadApiServer, ChainHeadConfig},
        chain_spec::{ChainSpec, ChainSpecApiServer},
        transaction::{Transaction, TransactionApiServer, TransactionBroadcast, TransactionBroadcastApiServer},
    },
    sc_utils::mpsc::tracing_unbounded,
    sp_blockchain::HeaderBackend,
    sp_core::traits::SpawnNamed,
    substrate_frame_rpc_system::{self as frame_rpc, SystemApiServer as _},
};
use std::{net::SocketAddr, sync::Arc};

const CHAIN_NAME: &str = "Rivulet Dev";
/// Largest request and response, in MiB: a block of 5 MiB, in hexadecimal, with room for the JSON around it.
pub const MAX_BODY_MIB: u32 = 32;
const MAX_CONNECTIONS: u32 = 1000;
/// Transactions that one connection may broadcast at a time.
const MAX_BROADCASTS: usize = 1024;

/// Starts the server on localhost.
///
/// # Errors
///
/// When the port is taken.
pub async fn serve(chain: &Chain, sealer: Arc<Sealer>, port: u16) -> Result<Server> {
    let runtime = sc_rpc_server::create_rpc_runtime(MAX_CONNECTIONS)?;
    let spawner: Arc<dyn SpawnNamed> = Arc::new(RpcSpawnHandle::new(runtime.handle().clone()));
    let rpc_api = methods(chain, sealer, spawner)?;

    let endpoint = |listen_addr: SocketAddr, is_optional| RpcEndpoint {
        listen_addr,
        is_optional,
        batch_config: BatchRequestConfig::Unlimited,
        max_connections: MAX_CONNECTIONS,
        max_payload_in_mb: MAX_BODY_MIB,
        max_payload_out_mb: MAX_BODY_MIB,
        max_subscriptions_per_connection: 1024,
        max_buffer_capacity_per_connection: 1024,
        rate_limit: None,
        rate_limit_whitelisted_ips: Vec::new(),
        rate_limit_trust_proxy_headers: false,
        // Any web page may call: a dapp under test comes from a port of its own.
        cors: None,
        rpc_methods: RpcMethods::Unsafe,
        retry_random_port: false,
    };
    let mut endpoints = vec![endpoint(([127, 0, 0, 1], port).into(), false)];
    if port != 0 {
        // For clients that resolve localhost to ::1 first. Not every machine has it.
        endpoints.push(endpoint((std::net::Ipv6Addr::LOCALHOST, port).into(), true));
    }
    sc_rpc_server::start_server(sc_rpc_server::Config {
        endpoints,
        metrics: None,
        rpc_api,
        id_provider: None,
        request_logger_limit: 1024,
        rpc_runtime: runtime,
    })
    .await
    .map_err(|error| format!("cannot listen on port {port}: {error}; choose another with --rpc-port").into())
}

/// All methods. Put together here because `sc_service` does it only for a node with a network.
fn methods(node: &Chain, sealer: Arc<Sealer>, spawner: Arc<dyn SpawnNamed>) -> Result<RpcModule<()>> {
    let Chain { backend, client, pool, tasks } = node;
    let (client, pool, backend) = (|| client.clone(), || pool.clone(), || backend.clone());
    let genesis = client().info().genesis_hash;

    let (system_tx, system_rx) = tracing_unbounded("mpsc_system_rpc", 1000);
    tasks.spawn_handle().spawn("system-rpc", Some("rpc"), system::answer(system_rx, client()));
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "DOT".into());
    properties.insert("tokenDecimals".into(), 10.into());
    properties.insert("ss58Format".into(), 0.into());
    let info = SystemInfo {
        chain_name: CHAIN_NAME.into(),
        chain_type: ChainType::Development,
        properties: properties.clone(),
        impl_name: env!("CARGO_PKG_NAME").into(),
        impl_version: env!("CARGO_PKG_VERSION").into(),
    };
    let keystore = Arc::new(LocalKeystore::in_memory());
    let (state, child_state) = state::new_full(client(), spawner.clone(), None);

    let mut module = RpcModule::new(());
    module.merge(chain::new_full(client(), spawner.clone()).into_rpc())?;
    module.merge(state.into_rpc())?;
    module.merge(child_state.into_rpc())?;
    module.merge(Author::new(client(), pool(), keystore, spawner.clone()).into_rpc())?;
    module.merge(System::new(info, system_tx).into_rpc())?;
    module.merge(frame_rpc::System::new(client(), pool()).into_rpc())?;
    module.merge(TransactionPayment::new(client()).into_rpc())?;

    let config = ChainHeadConfig::default();
    module.merge(ChainSpec::new(CHAIN_NAME.into(), genesis, properties).into_rpc())?;
    module.merge(ChainHead::new(client(), backend(), spawner.clone(), config).into_rpc())?;
    module.merge(Archive::new(client(), backend(), genesis, spawner.clone()).into_rpc())?;
    module.merge(Transaction::new(client(), pool(), spawner.clone(), None).into_rpc())?;
    module.merge(TransactionBroadcast::new(client(), pool(), spawner, MAX_BROADCASTS).into_rpc())?;

    module.merge(Dev { client: client(), sealer }.into_rpc())?;
    Ok(module)
}
