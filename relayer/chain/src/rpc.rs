//! JSON-RPC over a connection that mends itself: every request has a time limit, a dead connection is replaced, the next node of the list is
//! tried. A node of another chain, or one that contradicts the others, is never used; one that lags only when there is no better one.

use crate::{Error, NodeOptions, endpoints::Endpoints};
use rivulet_rules::{
    chain::BlockRef,
    endpoint::{EndpointReport, Judgement},
};
use std::{
    collections::HashMap,
    future::{Future, pending},
    panic::resume_unwind,
    sync::{Arc, Weak},
    time::Duration,
};
use subxt::{
    ext::{
        futures::{StreamExt, TryStreamExt},
        jsonrpsee::{
            core::{
                client::{ClientT, Error as JsonError, SubscriptionClientT},
                traits::ToRpcParams,
            },
            ws_client::{WsClient, WsClientBuilder},
        },
    },
    rpcs::{
        Error as RpcError, RpcClientT, UserError,
        client::{RawRpcFuture, RawRpcSubscription, RawValue},
    },
};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

/// Time limits of the connection. The defaults suit a node on the same machine and one across an ocean.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the connection itself.
    pub connect: Duration,
    /// For one answer. A dry run of a full batch takes a node about a second.
    pub request: Duration,
    /// For an answer with all repetitions: so long a node may be gone, to restart for example, before a call fails.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30), patience: Duration::from_secs(60) }
    }
}

/// Full blocks come as hex: 5 MiB of transactions are 10 MiB of text.
const MAX_RESPONSE_BYTES: u32 = 64 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection to one of several nodes of the same chain.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Inner>);

struct Inner {
    endpoints: Endpoints,
    limits: Limits,
    link: Mutex<Link>,
    /// Told when a connection is left: what is subscribed there ends, though the node may go on telling.
    left: watch::Sender<()>,
}

#[derive(Default)]
struct Link {
    client: Option<Arc<WsClient>>,
    /// Counts connections, so that many requests that failed on one connection drop it once.
    generation: u64,
    /// Index of the URL to try next.
    next_url: usize,
    /// What was last said of each URL that cannot be used: said again only when it changes.
    complaints: HashMap<String, String>,
}

#[derive(Default)]
pub(crate) struct Params(Option<Box<RawValue>>);

impl Params {
    pub(crate) fn of(value: &serde_json::Value) -> Self {
        // A value of JSON can always be written as JSON.
        Self(serde_json::value::to_raw_value(value).ok())
    }
}

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(self.0)
    }
}

/// Connects to one node, which messages call `name`; `check` says whether the genesis hash that it tells is the right one.
pub(crate) async fn connect(url: &str, name: &str, limits: &Limits, check: impl FnOnce(String) -> Result<(), Error>) -> Result<WsClient, Error> {
    let unavailable = |e: JsonError| Error::Unavailable(format!("{name}: {e}"));
    let connecting = async {
        let client = WsClientBuilder::default()
            .max_response_size(MAX_RESPONSE_BYTES)
            .max_request_size(MAX_RESPONSE_BYTES)
            .request_timeout(limits.request)
            .connection_timeout(limits.connect)
            .max_concurrent_requests(4096)
            .max_buffer_capacity_per_subscription(4096)
            .build(url)
            .await
            .map_err(unavailable)?;
        let found: String = client.request("chain_getBlockHash", [0u32]).await.map_err(unavailable)?;
        check(found)?;
        Ok(client)
    };
    let too_late = || Error::Unavailable(format!("{name}: no connection within {:?}", limits.connect));
    timeout(limits.connect, connecting).await.unwrap_or_else(|_| Err(too_late()))
}

/// Runs in a task of its own, which ends when this future is dropped. A caller that holds this future without polling it, as between two items of a stream
/// that reads ahead, so keeps no lock on the connection, which all others would wait for.
async fn by_itself<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut task = JoinSet::new();
    task.spawn(work);
    match task.join_next().await {
        Some(Ok(done)) => done,
        Some(Err(e)) if e.is_panic() => resume_unwind(e.into_panic()),
        // The runtime is shutting down: nobody waits any more.
        _ => pending().await,
    }
}

impl Transport {
    pub(crate) fn new(urls: &[String], genesis: Option<[u8; 32]>, options: &NodeOptions) -> Self {
        let limits = options.limits;
        let endpoints = Endpoints::new(urls, genesis, limits, options.tolerance);
        if let Some(block) = options.recorded {
            endpoints.record(block);
        }
        Self(Arc::new(Inner { endpoints, limits, link: Mutex::default(), left: watch::Sender::default() }))
    }

    /// Looks at all nodes every so often, as long as somebody holds this.
    pub(crate) fn watch(&self, every: Duration) {
        let inner: Weak<Inner> = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                sleep(every).await;
                let Some(inner) = inner.upgrade() else { return };
                inner.endpoints.knock().await;
                Self(inner).look(None).await;
            }
        });
    }

    /// Looks at the nodes, and leaves the one in use when another is better.
    pub(crate) async fn look(&self, at: Option<u64>) -> Judgement {
        let this = self.clone();
        by_itself(async move {
            let judgement = this.0.endpoints.look(at).await;
            if this.0.endpoints.is_to_be_left() {
                let generation = this.0.link.lock().await.generation;
                this.drop_link(generation).await;
            }
            judgement
        })
        .await
    }

    /// Makes sure that no other node contradicts this final block.
    pub(crate) async fn confirm(&self, block: BlockRef) -> Result<(), Error> {
        // With one node there is nobody to ask.
        if self.0.endpoints.len() > 1 {
            self.believe(&block).await?;
        }
        self.0.endpoints.record(block);
        Ok(())
    }

    /// What was recorded before: makes sure that the node in use knows it too.
    pub(crate) async fn recorded(&self, block: BlockRef) -> Result<(), Error> {
        self.0.endpoints.record(block);
        self.believe(&block).await
    }

    async fn believe(&self, block: &BlockRef) -> Result<(), Error> {
        match self.look(Some(block.number)).await.objection(block) {
            Some(objection) => Err(Error::Disputed(objection)),
            None => Ok(()),
        }
    }

    pub(crate) fn reports(&self) -> Vec<EndpointReport> {
        self.0.endpoints.reports()
    }

    /// The present connection, or a new one to the first node that answers and may be used.
    async fn client(&self) -> Result<(Arc<WsClient>, u64), Error> {
        let mut link = self.0.link.lock().await;
        if let Some(client) = &link.client {
            return Ok((client.clone(), link.generation));
        }
        let endpoints = &self.0.endpoints;
        let mut last = None;
        for index in endpoints.order(link.next_url) {
            let (url, name) = endpoints.url(index);
            match connect(&url, &name, &self.0.limits, |found| endpoints.check_genesis(&name, found)).await {
                Ok(client) => {
                    let client = Arc::new(client);
                    link.client = Some(client.clone());
                    link.generation += 1;
                    link.next_url = index;
                    endpoints.set_in_use(Some((index, client.clone())));
                    match link.complaints.remove(&url) {
                        Some(_) => tracing::info!(node = name, "connected again"),
                        None => tracing::debug!(node = name, generation = link.generation, "connected"),
                    }
                    return Ok((client, link.generation));
                }
                Err(e) => {
                    let complaint = e.to_string();
                    match link.complaints.insert(url, complaint.clone()) {
                        Some(before) if before == complaint => tracing::debug!(node = name, error = complaint, "still cannot use this node"),
                        _ => tracing::warn!(node = name, error = complaint, "cannot use this node: trying again"),
                    }
                    link.next_url = index.wrapping_add(1);
                    last = Some(e);
                }
            }
        }
        Err(last.unwrap_or_else(|| endpoints.refusal()))
    }

    async fn drop_link(&self, generation: u64) {
        let mut link = self.0.link.lock().await;
        if link.generation == generation && link.client.take().is_some() {
            link.next_url = link.next_url.wrapping_add(1);
            self.0.endpoints.set_in_use(None);
            self.0.left.send_replace(());
        }
    }

    /// Does something with the connection, again on a new one when it breaks, until patience ends.
    ///
    /// Every request may be repeated: reads change nothing, and a signed transaction sent twice is known by its hash.
    async fn with_client<T, F, Fut>(&self, operation: F) -> Result<T, RpcError>
    where
        T: Send + 'static,
        F: Fn(Arc<WsClient>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, JsonError>> + Send,
    {
        let this = self.clone();
        by_itself(async move { this.repeat(operation).await }).await
    }

    async fn repeat<T, F, Fut>(&self, operation: F) -> Result<T, RpcError>
    where
        F: Fn(Arc<WsClient>) -> Fut,
        Fut: Future<Output = Result<T, JsonError>>,
    {
        let deadline = Instant::now() + self.0.limits.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let failure = match timeout_at(deadline, self.client()).await {
                Ok(Ok((client, generation))) => match timeout(self.0.limits.request, operation(client)).await {
                    Ok(Ok(value)) => return Ok(value),
                    Ok(Err(JsonError::Call(e))) => {
                        let data = e.data().map(ToOwned::to_owned);
                        return Err(RpcError::User(UserError { code: e.code(), message: e.message().to_owned(), data }));
                    }
                    Ok(Err(e)) => {
                        self.drop_link(generation).await;
                        Error::Unavailable(e.to_string())
                    }
                    Err(_) => {
                        self.drop_link(generation).await;
                        Error::Unavailable(format!("no answer within {:?}", self.0.limits.request))
                    }
                },
                // With one node, another chain is a mistake in the configuration: waiting does not mend it.
                Ok(Err(e @ Error::WrongGenesis { .. })) if self.0.endpoints.len() == 1 => return Err(RpcError::Client(Box::new(e))),
                Ok(Err(e @ Error::Disputed(_))) => return Err(RpcError::Client(Box::new(e))),
                Ok(Err(e)) => e,
                Err(_) => Error::Unavailable(format!("no connection within {:?}", self.0.limits.patience)),
            };
            if Instant::now() + pause >= deadline {
                return Err(RpcError::Client(Box::new(failure)));
            }
            tracing::debug!(error = %failure, ?pause, "trying again");
            sleep_until(Instant::now() + pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl RpcClientT for Transport {
    fn request_raw<'a>(&'a self, method: &'a str, params: Option<Box<RawValue>>) -> RawRpcFuture<'a, Box<RawValue>> {
        let method = method.to_owned();
        Box::pin(self.with_client(move |client| {
            let (method, params) = (method.clone(), Params(params.clone()));
            async move { client.request(&method, params).await }
        }))
    }

    fn subscribe_raw<'a>(&'a self, sub: &'a str, params: Option<Box<RawValue>>, unsub: &'a str) -> RawRpcFuture<'a, RawRpcSubscription> {
        let (sub, unsub) = (sub.to_owned(), unsub.to_owned());
        Box::pin(async move {
            let mut left = self.0.left.subscribe();
            let stream = self
                .with_client(move |client| {
                    let (sub, params, unsub) = (sub.clone(), Params(params.clone()), unsub.clone());
                    async move {
                        let stream = client.subscribe::<Box<RawValue>, _>(&sub, params, &unsub).await?;
                        // The stream lives as long as its client, and this one may be replaced.
                        Ok((client, stream))
                    }
                })
                .await?;
            let (client, stream) = stream;
            let stream = stream.map_err(|e| RpcError::Client(Box::new(e))).map(move |item| {
                let _alive = &client;
                item
            });
            // An error means that nobody is left who could leave it.
            let stream = stream.take_until(async move { left.changed().await.ok() });
            Ok(RawRpcSubscription { stream: stream.boxed(), id: None })
        })
    }
}
