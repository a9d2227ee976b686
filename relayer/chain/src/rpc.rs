//! JSON-RPC over a connection that mends itself: every request has a time limit, a dead connection is replaced, the next node of the list is
//! tried, and a node of another chain is never used.

use crate::Error;
use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, OnceLock},
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
    sync::Mutex,
    time::{Instant, sleep_until, timeout, timeout_at},
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
    urls: Vec<String>,
    limits: Limits,
    /// Set before the first connection, or by it: later ones must agree.
    genesis: OnceLock<String>,
    link: Mutex<Link>,
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

struct Params(Option<Box<RawValue>>);

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(self.0)
    }
}

impl Transport {
    pub(crate) fn new(urls: &[String], genesis: Option<[u8; 32]>, limits: Limits) -> Self {
        let known = OnceLock::new();
        if let Some(hash) = genesis {
            known.get_or_init(|| format!("0x{}", hex::encode(hash)));
        }
        Self(Arc::new(Inner { urls: urls.to_vec(), limits, genesis: known, link: Mutex::default() }))
    }

    /// The present connection, or a new one to the first node that answers and is of the right chain.
    async fn client(&self) -> Result<(Arc<WsClient>, u64), Error> {
        let mut link = self.0.link.lock().await;
        if let Some(client) = &link.client {
            return Ok((client.clone(), link.generation));
        }
        let mut last = Error::Unavailable("no URL was given".into());
        for _ in 0..self.0.urls.len() {
            let Some(url) = self.0.urls.get(link.next_url % self.0.urls.len()) else { break };
            match timeout(self.0.limits.connect, self.open(url)).await {
                Ok(Ok(client)) => {
                    let client = Arc::new(client);
                    link.client = Some(client.clone());
                    link.generation += 1;
                    match link.complaints.remove(url) {
                        Some(_) => tracing::info!(url, "connected again"),
                        None => tracing::debug!(url, generation = link.generation, "connected"),
                    }
                    return Ok((client, link.generation));
                }
                Ok(Err(e)) => last = e,
                Err(_) => last = Error::Unavailable(format!("{url}: no connection within {:?}", self.0.limits.connect)),
            }
            let complaint = last.to_string();
            match link.complaints.insert(url.clone(), complaint.clone()) {
                Some(before) if before == complaint => tracing::debug!(url, error = complaint, "still cannot use this node"),
                _ => tracing::warn!(url, error = complaint, "cannot use this node: trying again"),
            }
            link.next_url = link.next_url.wrapping_add(1);
        }
        Err(last)
    }

    async fn open(&self, url: &str) -> Result<WsClient, Error> {
        let unavailable = |e: JsonError| Error::Unavailable(format!("{url}: {e}"));
        let client = WsClientBuilder::default()
            .max_response_size(MAX_RESPONSE_BYTES)
            .max_request_size(MAX_RESPONSE_BYTES)
            .request_timeout(self.0.limits.request)
            .connection_timeout(self.0.limits.connect)
            .max_concurrent_requests(4096)
            .max_buffer_capacity_per_subscription(4096)
            .build(url)
            .await
            .map_err(unavailable)?;
        let found: String = client.request("chain_getBlockHash", [0u32]).await.map_err(unavailable)?;
        let expected = self.0.genesis.get_or_init(|| found.clone());
        if *expected != found {
            return Err(Error::WrongGenesis { url: url.into(), expected: expected.clone(), found });
        }
        Ok(client)
    }

    async fn drop_link(&self, generation: u64) {
        let mut link = self.0.link.lock().await;
        if link.generation == generation {
            link.client = None;
            link.next_url = link.next_url.wrapping_add(1);
        }
    }

    /// Does something with the connection, again on a new one when it breaks, until patience ends.
    ///
    /// Every request may be repeated: reads change nothing, and a signed transaction sent twice is known by its hash.
    async fn with_client<T, F, Fut>(&self, operation: F) -> Result<T, RpcError>
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
                Ok(Err(e @ Error::WrongGenesis { .. })) if self.0.urls.len() == 1 => return Err(RpcError::Client(Box::new(e))),
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
        Box::pin(self.with_client(move |client| {
            let params = Params(params.clone());
            async move { client.request(method, params).await }
        }))
    }

    fn subscribe_raw<'a>(&'a self, sub: &'a str, params: Option<Box<RawValue>>, unsub: &'a str) -> RawRpcFuture<'a, RawRpcSubscription> {
        Box::pin(async move {
            let stream = self
                .with_client(|client| {
                    let params = Params(params.clone());
                    async move {
                        let stream = client.subscribe::<Box<RawValue>, _>(sub, params, unsub).await?;
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
            Ok(RawRpcSubscription { stream: stream.boxed(), id: None })
        })
    }
}
