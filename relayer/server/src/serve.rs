//! All of it together, until told to stop.

use crate::{
    accept::{self, Acceptor, Pressure},
    acknowledge::Acknowledger,
    api::{self, Api, admin::AdminToken, pages::Pages},
    chain::ChainAccess,
    channels::Channels,
    clock::{ChainClock, now_ms},
    config::{Config, ConfigError},
    control::Control,
    feed::Feed,
    http,
    metrics::Metrics,
    network::Network,
    rate::RateLimits,
    status::Status,
    worker::{Options, Parts, Worker},
};
use futures::future::OptionFuture;
use rivulet_http::tls::{Tls, TlsError, TlsListener};
use rivulet_rules::{acknowledgement::AcknowledgementKey, chain::ContractKind};
use rivulet_store::Store;
use std::{future::Future, net::SocketAddr, path::Path, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};

/// The relayer, put together.
#[derive(Debug)]
pub struct Relayer {
    /// The routes' state.
    pub api: Api,
    /// The worker.
    pub worker: Worker,
    /// Told: read the certificate and its key again.
    pub reload: Arc<Notify>,
}

/// What only this process may know.
#[derive(Debug, Default)]
pub struct Secrets {
    /// What stored vouchers are acknowledged with; `None`: they are not.
    pub acknowledgement: Option<AcknowledgementKey>,
    /// What opens the admin routes; `None`: there are none.
    pub admin: Option<AdminToken>,
}

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot speak TLS")]
    Tls(#[from] TlsError),
    /// Serving failed.
    #[error("serving failed")]
    Serve(#[from] std::io::Error),
    /// The worker ended by itself, which it never should.
    #[error("the worker ended")]
    Worker(#[from] tokio::task::JoinError),
}

impl Relayer {
    /// Puts it together; nothing runs yet.
    ///
    /// # Errors
    /// When the configuration names a token that the network does not have, or pages that cannot be served.
    pub fn new(config: Config, network: Network, store: Arc<dyn Store>, chain: Arc<dyn ChainAccess>) -> Result<Self, ConfigError> {
        Self::with_secrets(config, network, store, chain, Secrets::default())
    }

    /// As [`Relayer::new`], with what only this process may know.
    ///
    /// # Errors
    /// As [`Relayer::new`].
    pub fn with_secrets(
        config: Config,
        network: Network,
        store: Arc<dyn Store>,
        chain: Arc<dyn ChainAccess>,
        secrets: Secrets,
    ) -> Result<Self, ConfigError> {
        let channel_policy = config.batch_policy(&network, ContractKind::Channels)?;
        let stream_policy = config.batch_policy(&network, ContractKind::Streams)?;
        let accept_policy = config.accept_policy(&network)?;
        let pages = Pages::of(&config)?;
        let (config, network) = (Arc::new(config), Arc::new(network));
        let (clock, status) = (Arc::new(ChainClock::default()), Arc::new(Status::default()));
        let pressure = Arc::new(Pressure::new(config.batch.enough_vouchers));
        let (metrics, feed, control) = (Arc::new(Metrics::default()), Arc::new(Feed::new(run())), Arc::new(Control::default()));
        let channels = Arc::new(Channels::new(Arc::clone(&store), Arc::clone(&chain), network.channels(), config.lookup_limits()));
        let acceptor = Arc::new(Acceptor::new(accept::Parts {
            channels: Arc::clone(&channels),
            store: Arc::clone(&store),
            policy: accept_policy,
            separator: network.separator(),
            clock: Arc::clone(&clock),
            pressure: Arc::clone(&pressure),
            metrics: Arc::clone(&metrics),
            feed: Arc::clone(&feed),
            payers: RateLimits::new(config.payer_rate()).map(Arc::new),
            acknowledger: secrets.acknowledgement.map(|key| Acknowledger::new(key, &network.channels())),
        }));
        let options = Options {
            channels: channel_policy,
            streams: config.batch.claim_streams.then_some(stream_policy),
            interval: Duration::from_millis(config.batch.interval_ms),
            max_in_flight: config.batch.max_in_flight,
            lease: Duration::from_millis(config.batch.lease_ms),
        };
        let parts = Parts {
            chain: Arc::clone(&chain),
            store: Arc::clone(&store),
            channels: Arc::clone(&channels),
            network: Arc::clone(&network),
            clock,
            status: Arc::clone(&status),
            pressure: Arc::clone(&pressure),
            metrics: Arc::clone(&metrics),
            feed: Arc::clone(&feed),
            control: Arc::clone(&control),
        };
        let api = Api { acceptor, channels, chain, store, network, config, status, metrics, feed, control, pressure, admin: secrets.admin, pages };
        Ok(Self { api, worker: Worker::new(parts, options), reload: Arc::default() })
    }

    /// Serves and works until `stop` says so; then no new request is taken, those under way are answered, and the worker ends its pass.
    ///
    /// # Errors
    /// When the address cannot be listened on, or a part ended by itself.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), ServeError> {
        let listener = bind(self.api.config.http.listen).await?;
        self.run_on(listener, stop).await
    }

    /// As [`Relayer::run`], on a socket that listens already.
    ///
    /// # Errors
    /// When its certificate cannot be used, the operator's address cannot be listened on, or a part ended by itself.
    pub async fn run_on(self, listener: TcpListener, stop: watch::Receiver<bool>) -> Result<(), ServeError> {
        let Self { api, worker, reload } = self;
        let operator = match api.config.http.operator_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let drain = Duration::from_millis(api.config.http.drain_timeout_ms);
        let tls = tls_of(&api)?;
        // The port as it is, when 0 was asked for.
        let listening = listener.local_addr()?;
        tracing::info!(address = %listening, tls = tls.is_some(), "listening");
        // The parts are told from here: were they told by `stop` itself, one could have ended in good order before it is seen here why.
        let (tell, parts_told) = watch::channel(false);
        let work = tokio::spawn({
            let stop = parts_told.clone();
            async move { worker.run(stop).await }
        });
        let (mut told, feed) = (stop, Arc::clone(&api.feed));
        let reloading = tls.clone().map(|tls| tokio::spawn(async move { tls.reload_when_told(&reload).await }));
        let (mut serving, mut work) = (serve(listener, operator, tls, api, parts_told)?, work);
        tokio::select! {
            biased;
            () = wait(&mut told) => {}
            ended = &mut serving => return ended.map_err(ServeError::Worker).and(Err(std::io::Error::other("the listener ended by itself").into())),
            ended = &mut work => return ended.map_err(ServeError::Worker), // a panic: it does not end otherwise
        }
        tracing::info!("stopping: no new requests");
        tell.send_replace(true);
        // Feeds would stay open for ever.
        feed.close();
        reloading.inspect(JoinHandle::abort);
        match timeout(drain, &mut serving).await {
            Ok(ended) => ended?,
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

/// Another number at each start, and on each machine.
fn run() -> u64 {
    // Without random numbers the time does: two relayers that started in the same millisecond would take each other's places for their own.
    getrandom::u64().unwrap_or_else(|_| now_ms())
}

fn tls_of(api: &Api) -> Result<Option<Arc<Tls>>, TlsError> {
    let load = |(certificate, key): (&Path, &Path)| Tls::load(certificate, key).map(Arc::new);
    let http = &api.config.http;
    http.tls_certificate_file.as_deref().zip(http.tls_key_file.as_deref()).map(load).transpose()
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address: address.to_string(), source })
}

/// Answers requests until `stop` says so, the operator's on their own address if there is one: by plain HTTP, for it is not one for the internet.
fn serve(
    listener: TcpListener,
    operator: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
    api: Api,
    stop: watch::Receiver<bool>,
) -> std::io::Result<JoinHandle<()>> {
    let head_timeout = Duration::from_millis(api.config.http.header_timeout_ms);
    let stopped = || {
        let mut stop = stop.clone();
        async move { wait(&mut stop).await }
    };
    let for_all = api::router(api.clone());
    let main: Pin<Box<dyn Future<Output = ()> + Send>> = match tls {
        Some(tls) => Box::pin(http::serve(TlsListener::new(listener, tls)?, for_all, head_timeout, stopped())),
        None => Box::pin(http::serve(listener, for_all, head_timeout, stopped())),
    };
    let operators = operator.map(|listener| http::serve(listener, api::operator_router(api), head_timeout, stopped()));
    Ok(tokio::spawn(async move {
        tokio::join!(main, OptionFuture::from(operators));
    }))
}

async fn wait(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could tell is gone: stop.
    let _ = stop.wait_for(|told| *told).await;
}
