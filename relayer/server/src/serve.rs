//! All of it together, until told to stop.

use crate::{
    accept::{Acceptor, Pressure},
    api::{self, Api},
    chain::ChainAccess,
    channels::Channels,
    clock::ChainClock,
    config::{Config, ConfigError},
    network::Network,
    status::Status,
    worker::{Options, Parts, Worker},
};
use rivulet_rules::chain::ContractKind;
use rivulet_store::Store;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, time::timeout};

/// The relayer, put together.
#[derive(Debug)]
pub struct Relayer {
    /// The routes' state.
    pub api: Api,
    /// The worker.
    pub worker: Worker,
}

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Serving failed.
    #[error("serving failed: {0}")]
    Serve(#[from] std::io::Error),
    /// The worker ended by itself, which it never should.
    #[error("the worker ended: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

impl Relayer {
    /// Puts it together; nothing runs yet.
    ///
    /// # Errors
    /// When the configuration names a token that the network does not have.
    pub fn new(config: Config, network: Network, store: Arc<dyn Store>, chain: Arc<dyn ChainAccess>) -> Result<Self, ConfigError> {
        let channel_policy = config.batch_policy(&network, ContractKind::Channels)?;
        let stream_policy = config.batch_policy(&network, ContractKind::Streams)?;
        let accept_policy = config.accept_policy(&network)?;
        let (config, network) = (Arc::new(config), Arc::new(network));
        let (clock, status) = (Arc::new(ChainClock::default()), Arc::new(Status::default()));
        let pressure = Arc::new(Pressure::new(config.batch.enough_vouchers));
        let channels = Arc::new(Channels::new(Arc::clone(&store), Arc::clone(&chain), network.channels(), config.lookup_limits()));
        let acceptor = Arc::new(Acceptor::new(
            Arc::clone(&channels),
            Arc::clone(&store),
            accept_policy,
            network.separator(),
            Arc::clone(&clock),
            Arc::clone(&pressure),
        ));
        let options = Options {
            channels: channel_policy,
            streams: config.batch.claim_streams.then_some(stream_policy),
            interval: Duration::from_millis(config.batch.interval_ms),
            max_in_flight: config.batch.max_in_flight,
            lease: Duration::from_millis(config.batch.lease_ms),
        };
        let parts = Parts {
            chain,
            store: Arc::clone(&store),
            channels: Arc::clone(&channels),
            network: Arc::clone(&network),
            clock,
            status: Arc::clone(&status),
            pressure,
        };
        Ok(Self { api: Api { acceptor, channels, store, network, config, status }, worker: Worker::new(parts, options) })
    }

    /// Serves and works until `stop` says so; then no new request is taken, those under way are answered, and the worker ends its pass.
    ///
    /// # Errors
    /// When the address cannot be listened on, or a part ended by itself.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), ServeError> {
        let Self { api, worker } = self;
        let (address, drain) = (api.config.http.listen, Duration::from_millis(api.config.http.drain_timeout_ms));
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address: address.to_string(), source })?;
        // The port as it is, when 0 was asked for.
        let listening = listener.local_addr()?;
        tracing::info!(address = %listening, "listening");
        let work = tokio::spawn({
            let stop = stop.clone();
            async move { worker.run(stop).await }
        });
        let mut told = stop.clone();
        let serving = axum::serve(listener, api::router(api)).with_graceful_shutdown({
            let mut stop = stop;
            async move { wait(&mut stop).await }
        });
        let (mut serving, mut work) = (tokio::spawn(serving.into_future()), work);
        tokio::select! {
            biased;
            () = wait(&mut told) => {}
            ended = &mut serving => return ended?.and(Err(std::io::Error::other("the listener ended by itself"))).map_err(ServeError::Serve),
            ended = &mut work => return ended.map_err(ServeError::Worker), // a panic: it does not end otherwise
        }
        tracing::info!("stopping: no new requests");
        match timeout(drain, &mut serving).await {
            Ok(ended) => ended??,
            Err(_) => {
                tracing::warn!(drain_timeout_ms = drain.as_millis(), "requests under way did not end in time");
                serving.abort();
            }
        }
        if timeout(drain, work).await.is_err() {
            tracing::warn!("the worker's pass did not end in time: the next start finds what it left");
        }
        tracing::info!("stopped");
        Ok(())
    }
}

async fn wait(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could tell is gone: stop.
    let _ = stop.wait_for(|told| *told).await;
}
