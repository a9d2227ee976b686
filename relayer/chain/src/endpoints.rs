//! Several nodes of one chain, looked at side by side: how far each is, and whether they say the same. [`rivulet_rules::endpoint`] judges.

use crate::{
    Error, Limits,
    rpc::{Params, connect},
};
use rivulet_rules::{
    chain::BlockRef,
    endpoint::{Disputes, EndpointReport, EndpointState, Judgement, Seen, Sight, Tolerance, judge},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use subxt::ext::{
    futures::future::join_all,
    jsonrpsee::{core::client::ClientT, ws_client::WsClient},
};
use tokio::time::{Instant, timeout};

/// A node that is slower than this is not asked to testify: nobody waits for it.
const TESTIMONY: Duration = Duration::from_secs(5);
/// `Timestamp.Now`: twox128 of both names.
const NOW_KEY: &str = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";

/// What is remembered of one node.
struct Endpoint {
    url: String,
    name: String,
    client: Option<Arc<WsClient>>,
    head: Option<Head>,
    state: EndpointState,
    /// It did not answer, and does again: the next look asks it.
    is_back: bool,
}

#[derive(Clone, Copy)]
struct Head {
    block: BlockRef,
    /// Its time (Unix milliseconds).
    at_ms: Option<u64>,
    /// When it was first seen.
    since: Instant,
}

impl Head {
    fn age_secs(&self) -> Option<u64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        self.at_ms.map(|at| u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(at) / 1_000)
    }
}

/// The nodes.
pub(crate) struct Endpoints {
    list: Mutex<Vec<Endpoint>>,
    limits: Limits,
    tolerance: Tolerance,
    /// Set before the first connection, or by it: later ones must agree.
    genesis: OnceLock<String>,
    recorded: Mutex<Option<BlockRef>>,
    disputes: Mutex<Disputes>,
    /// The one whose connection serves requests: it is asked on that.
    in_use: Mutex<Option<(usize, Arc<WsClient>)>>,
    /// One look at a time: the second would learn nothing else.
    looking: tokio::sync::Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here can panic halfway: what a poisoned lock guards is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Scheme, host and port: a path, a query or a password may be a key that nobody else may read.
fn name_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

impl Endpoints {
    pub(crate) fn new(urls: &[String], genesis: Option<[u8; 32]>, limits: Limits, tolerance: Tolerance) -> Self {
        let known = OnceLock::new();
        if let Some(hash) = genesis {
            known.get_or_init(|| format!("0x{}", hex::encode(hash)));
        }
        let mut times = HashMap::<String, usize>::new();
        let endpoint = |url: &String| {
            let name = name_of(url);
            let nth = times.entry(name.clone()).and_modify(|n| *n += 1).or_insert(1);
            let name = if *nth == 1 { name } else { format!("{name} ({nth})") };
            Endpoint { url: url.clone(), name, client: None, head: None, state: EndpointState::default(), is_back: false }
        };
        let list = Mutex::new(urls.iter().map(endpoint).collect());
        let (recorded, disputes, in_use) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { list, limits, tolerance, genesis: known, recorded, disputes, in_use, looking: tokio::sync::Mutex::default() }
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.list).len()
    }

    /// A node's URL, and what messages call it.
    pub(crate) fn url(&self, index: usize) -> (String, String) {
        lock(&self.list).get(index).map_or_else(Default::default, |e| (e.url.clone(), e.name.clone()))
    }

    /// Those that may be used, the one at `first` and its followers before the rest, those that lag last.
    pub(crate) fn order(&self, first: usize) -> Vec<usize> {
        let list = lock(&self.list);
        let mut order: Vec<_> = (0..list.len()).map(|i| first.wrapping_add(i) % list.len()).collect();
        let state = |i: &usize| list.get(*i).map(|e| &e.state);
        order.retain(|i| state(i).is_some_and(|s| !s.is_refused()));
        order.sort_by_key(|i| matches!(state(i), Some(EndpointState::Lagging(_))));
        order
    }

    /// Why none may be used.
    pub(crate) fn refusal(&self) -> Error {
        let list = lock(&self.list);
        if list.is_empty() {
            return Error::Unavailable("no URL was given".into());
        }
        Error::Disputed(list.iter().filter_map(|e| e.state.reason().map(|why| format!("{}: {why}", e.name))).collect::<Vec<_>>().join("; "))
    }

    pub(crate) fn set_in_use(&self, serving: Option<(usize, Arc<WsClient>)>) {
        *lock(&self.in_use) = serving;
    }

    /// True when another node should serve: this one is refused, or lags while another does not.
    pub(crate) fn is_to_be_left(&self) -> bool {
        let Some(index) = lock(&self.in_use).as_ref().map(|(index, _)| *index) else { return false };
        let list = lock(&self.list);
        match list.get(index).map(|e| &e.state) {
            Some(state) if state.is_refused() => true,
            Some(EndpointState::Lagging(_)) => list.iter().any(|e| e.state == EndpointState::Good && e.head.is_some()),
            _ => false,
        }
    }

    /// From now on nodes are held against this block too.
    pub(crate) fn record(&self, block: BlockRef) {
        *lock(&self.recorded) = Some(block);
    }

    /// Whether this is the chain that all others are of.
    pub(crate) fn check_genesis(&self, name: &str, found: String) -> Result<(), Error> {
        let expected = self.genesis.get_or_init(|| found.clone());
        match *expected == found {
            true => Ok(()),
            false => Err(Error::WrongGenesis { url: name.into(), expected: expected.clone(), found }),
        }
    }

    pub(crate) fn reports(&self) -> Vec<EndpointReport> {
        let used = lock(&self.in_use).as_ref().map(|(index, _)| *index);
        let report = |(i, e): (usize, &Endpoint)| EndpointReport {
            name: e.name.clone(),
            is_used: used == Some(i),
            state: e.state.clone(),
            block_number: e.head.map(|h| h.block.number),
            head_age_secs: e.head.and_then(|h| h.age_secs()),
        };
        lock(&self.list).iter().enumerate().map(report).collect()
    }

    /// Asks those that did not answer the last time whether they do again. Nobody else waits for them.
    pub(crate) async fn knock(&self) {
        let silent = (0..self.len()).filter(|i| self.is_silent(*i));
        let knocks = silent.map(|i| async move {
            if self.head(i).await.is_ok()
                && let Some(endpoint) = lock(&self.list).get_mut(i)
            {
                endpoint.is_back = true;
            }
        });
        join_all(knocks).await;
    }

    /// Asks every node that answers where it is, and each for its block at every other's head, at what was recorded, at earlier disputes and at `at`.
    pub(crate) async fn look(&self, at: Option<u64>) -> Judgement {
        let _one = self.looking.lock().await;
        let count = self.len();
        let asked: Vec<_> = (0..count).filter(|i| !self.is_silent(*i)).collect();
        let heads = join_all(asked.iter().map(|i| self.head(*i))).await;
        let mut found: BTreeMap<usize, Result<BlockRef, EndpointState>> = asked.into_iter().zip(heads).collect();
        let recorded = *lock(&self.recorded);
        let mut heights: BTreeSet<u64> = found.values().flatten().map(|block| block.number).collect();
        heights.extend(at.into_iter().chain(recorded.map(|block| block.number)));
        heights.extend(lock(&self.disputes).keys());
        let answered = found.iter().filter_map(|(i, head)| head.as_ref().ok().map(|head| (*i, *head)));
        let hashes = join_all(answered.map(|(i, head)| {
            let wanted: Vec<_> = heights.range(..=head.number).copied().collect();
            async move { (i, self.hashes(i, head, wanted).await) }
        }));
        let mut hashes: BTreeMap<_, _> = hashes.await.into_iter().collect();
        let sights: Vec<_> = (0..count).map(|i| self.sight(i, found.remove(&i), hashes.remove(&i))).collect();
        let judgement = judge(&sights, recorded, &mut lock(&self.disputes), &self.tolerance);
        self.tell(&judgement);
        judgement
    }

    fn is_silent(&self, index: usize) -> bool {
        lock(&self.list).get(index).is_some_and(|e| matches!(e.state, EndpointState::Unreachable(_)) && !e.is_back)
    }

    fn sight(
        &self,
        index: usize,
        head: Option<Result<BlockRef, EndpointState>>,
        hashes: Option<Result<BTreeMap<u64, [u8; 32]>, EndpointState>>,
    ) -> Sight {
        let list = lock(&self.list);
        let endpoint = list.get(index);
        let state = endpoint.map(|e| e.state.clone()).unwrap_or_default();
        let seen = match (head, hashes, endpoint.and_then(|e| e.head)) {
            (Some(Ok(block)), Some(Ok(hashes)), Some(head)) => {
                Ok(Seen { head: block, head_age_secs: head.age_secs(), still_secs: head.since.elapsed().as_secs(), hashes })
            }
            (Some(Err(why)), ..) | (_, Some(Err(why)), _) => Err(why),
            // Not asked: as before.
            _ => Err(state),
        };
        Sight { name: endpoint.map(|e| e.name.clone()).unwrap_or_default(), seen }
    }

    /// Remembers each node's state, and says once what changed.
    fn tell(&self, judgement: &Judgement) {
        for (endpoint, state) in lock(&self.list).iter_mut().zip(&judgement.states) {
            let before = std::mem::replace(&mut endpoint.state, state.clone());
            endpoint.is_back = false;
            if before.word() == state.word() {
                continue;
            }
            let (node, reason) = (&endpoint.name, state.reason().unwrap_or_default());
            match state {
                EndpointState::Good => tracing::info!(node, was = before.word(), "this node is good again"),
                EndpointState::Unreachable(_) => tracing::info!(node, reason, "this node does not answer"),
                EndpointState::Lagging(_) => tracing::warn!(node, reason, "this node lags: another is used if there is a better one"),
                EndpointState::OtherChain(_) | EndpointState::Lying(_) => tracing::error!(node, reason, "this node cannot be believed: not used"),
            }
        }
    }

    /// A node's connection: the one in use, its own, or a new one.
    async fn client(&self, index: usize) -> Result<Arc<WsClient>, EndpointState> {
        if let Some((_, client)) = lock(&self.in_use).as_ref().filter(|(i, client)| *i == index && client.is_connected()) {
            return Ok(client.clone());
        }
        let kept = lock(&self.list).get(index).and_then(|e| e.client.clone()).filter(|c| c.is_connected());
        if let Some(client) = kept {
            return Ok(client);
        }
        let (url, name) = self.url(index);
        let client = match connect(&url, &name, &self.limits, |found| self.check_genesis(&name, found)).await {
            Ok(client) => Arc::new(client),
            Err(Error::WrongGenesis { expected, found, .. }) => {
                return Err(EndpointState::OtherChain(format!("its genesis is {found}, expected {expected}")));
            }
            Err(e) => return Err(EndpointState::Unreachable(e.to_string())),
        };
        if let Some(endpoint) = lock(&self.list).get_mut(index) {
            endpoint.client = Some(client.clone());
        }
        Ok(client)
    }

    async fn ask<T: for<'d> Deserialize<'d> + Send>(&self, index: usize, method: &str, params: serde_json::Value) -> Result<T, EndpointState> {
        let asking = async {
            let client = self.client(index).await?;
            let params = Params::of(&params);
            client.request(method, params).await.map_err(|e| EndpointState::Unreachable(format!("{method}: {e}")))
        };
        let limit = TESTIMONY.min(self.limits.request);
        timeout(limit, asking).await.unwrap_or_else(|_| Err(EndpointState::Unreachable(format!("no answer within {limit:?}"))))
    }

    /// A node's finalized head; remembers since when it is this one.
    async fn head(&self, index: usize) -> Result<BlockRef, EndpointState> {
        #[derive(Deserialize)]
        struct Header {
            number: String,
        }
        let hash: String = self.ask(index, "chain_getFinalizedHead", serde_json::json!([])).await?;
        let header: Header = self.ask(index, "chain_getHeader", serde_json::json!([hash])).await?;
        let number = u64::from_str_radix(header.number.trim_start_matches("0x"), 16);
        let number = number.map_err(|_| EndpointState::Unreachable(format!("a block number that is none: {}", header.number)))?;
        let block = BlockRef { number, hash: bytes(&hash)? };
        let is_known = lock(&self.list).get(index).and_then(|e| e.head).is_some_and(|h| h.block == block);
        if !is_known {
            // Only to know its age: a node that cannot tell is none the worse.
            let now: Option<String> = self.ask(index, "state_getStorage", serde_json::json!([NOW_KEY, hash])).await.ok();
            let at_ms = now.and_then(|text| hex::decode(text.trim_start_matches("0x")).ok()?.try_into().ok()).map(u64::from_le_bytes);
            if let Some(endpoint) = lock(&self.list).get_mut(index) {
                endpoint.head = Some(Head { block, at_ms, since: Instant::now() });
            }
        }
        Ok(block)
    }

    /// A node's blocks at these heights, none above its finalized head.
    async fn hashes(&self, index: usize, head: BlockRef, heights: Vec<u64>) -> Result<BTreeMap<u64, [u8; 32]>, EndpointState> {
        let mut hashes = BTreeMap::from([(head.number, head.hash)]);
        let below: Vec<_> = heights.into_iter().filter(|n| *n != head.number).collect();
        let found = join_all(below.iter().map(|n| self.ask::<Option<String>>(index, "chain_getBlockHash", serde_json::json!([n])))).await;
        for (number, hash) in below.into_iter().zip(found) {
            // None: it was made from a snapshot and has no older blocks.
            if let Some(hash) = hash? {
                hashes.insert(number, bytes(&hash)?);
            }
        }
        Ok(hashes)
    }
}

fn bytes(hash: &str) -> Result<[u8; 32], EndpointState> {
    let bytes = hex::decode(hash.trim_start_matches("0x")).ok().and_then(|b| b.try_into().ok());
    bytes.ok_or_else(|| EndpointState::Unreachable(format!("a block hash that is none: {hash}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_secrets_of_urls_and_differ() {
        let urls = ["wss://user:pass@node.example:443/key-123?x=y", "wss://node.example:443/other", "ws://127.0.0.1:9944"].map(str::to_owned);
        let names: Vec<_> = Endpoints::new(&urls, None, Limits::default(), Tolerance::default()).reports().into_iter().map(|r| r.name).collect();
        assert_eq!(names, ["wss://node.example:443", "wss://node.example:443 (2)", "ws://127.0.0.1:9944"]);
    }
}
