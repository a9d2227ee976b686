//! Between the relayer and its node: answers that come late, twice or not at all, and dry runs that fail.

use crate::{Context, Result};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// A node's JSON-RPC as the relayer sees it. Clones are the same.
#[derive(Clone)]
pub struct Rpc(Arc<Inner>);

struct Inner {
    port: u16,
    delay_ms: AtomicU64,
    /// Of a hundred answers, so many come twice. That ends the connection: jsonrpsee takes no answer that it does not wait for.
    twice_percent: AtomicU64,
    no_dry_runs: AtomicBool,
    /// Of a hundred requests, so many are handed on, and then the connection is cut before the answer.
    cut_percent: AtomicU64,
    passed: AtomicU64,
    failed_dry_runs: AtomicU64,
    cuts: watch::Sender<u64>,
}

/// What a request is told whose dry run is to fail, as a node says it whose runtime trapped.
fn trapped(id: &Value) -> Message {
    let error = json!({ "code": 4003, "message": "Client error: Execution failed: Execution aborted due to trap: a test says so" });
    Message::text(json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string())
}

impl Rpc {
    /// In front of the node at this port.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub async fn in_front_of(node_port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.doing("listening before the node")?;
        let port = listener.local_addr().doing("listening before the node")?.port();
        let inner = Inner {
            port,
            delay_ms: AtomicU64::new(0),
            twice_percent: AtomicU64::new(0),
            no_dry_runs: AtomicBool::new(false),
            cut_percent: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            failed_dry_runs: AtomicU64::new(0),
            cuts: watch::channel(0).0,
        };
        let rpc = Self(Arc::new(inner));
        let serving = rpc.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let rpc = serving.clone();
                // A connection that breaks is what this is for.
                tokio::spawn(async move { rpc.serve(stream, node_port).await });
            }
        });
        Ok(rpc)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.0.port)
    }

    /// Every answer comes so much later.
    pub fn delay(&self, ms: u64) {
        self.0.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// So many of a hundred answers come twice.
    pub fn answer_twice(&self, percent: u64) {
        self.0.twice_percent.store(percent, Ordering::Relaxed);
    }

    /// Dry runs fail.
    pub fn fail_dry_runs(&self, on: bool) {
        self.0.no_dry_runs.store(on, Ordering::Relaxed);
    }

    /// So many of a hundred requests reach the node, and the connection breaks before the answer.
    pub fn lose_answers(&self, percent: u64) {
        self.0.cut_percent.store(percent, Ordering::Relaxed);
    }

    /// The node's troubles end.
    pub fn heal(&self) {
        self.delay(0);
        self.answer_twice(0);
        self.fail_dry_runs(false);
        self.lose_answers(0);
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.0.cuts.send_modify(|n| *n += 1);
    }

    /// Connections cut so far.
    pub fn cuts(&self) -> u64 {
        *self.0.cuts.borrow()
    }

    /// Dry runs that were made to fail so far.
    pub fn failed_dry_runs(&self) -> u64 {
        self.0.failed_dry_runs.load(Ordering::Relaxed)
    }

    async fn serve(&self, stream: TcpStream, node_port: u16) -> Option<()> {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let relayer: WebSocketStream<TcpStream> = accept_async_with_config(stream, Some(config)).await.ok()?;
        let (node, _) = connect_async_with_config(format!("ws://127.0.0.1:{node_port}"), Some(config), true).await.ok()?;
        let ((mut to_relayer, mut of_relayer), (mut to_node, mut of_node)) = (relayer.split(), node.split());
        let mut cuts = self.0.cuts.subscribe();
        loop {
            tokio::select! {
                _ = cuts.changed() => return None,
                asked = of_relayer.next() => {
                    let message = asked?.ok()?;
                    if let Some(refused) = self.refuse(&message) {
                        to_relayer.send(refused).await.ok()?;
                        continue;
                    }
                    to_node.send(message).await.ok()?;
                    if self.is_one_of(&self.0.cut_percent) {
                        self.0.cuts.send_modify(|n| *n += 1);
                        return None;
                    }
                }
                answered = of_node.next() => {
                    let message = answered?.ok()?;
                    sleep(Duration::from_millis(self.0.delay_ms.load(Ordering::Relaxed))).await;
                    if self.is_one_of(&self.0.twice_percent) {
                        to_relayer.send(message.clone()).await.ok()?;
                    }
                    to_relayer.send(message).await.ok()?;
                }
            }
        }
    }

    fn refuse(&self, message: &Message) -> Option<Message> {
        let Message::Text(text) = message else { return None };
        if !self.0.no_dry_runs.load(Ordering::Relaxed) || !text.contains("ReviveApi_") {
            return None;
        }
        let request: Value = serde_json::from_str(text).ok()?;
        self.0.failed_dry_runs.fetch_add(1, Ordering::Relaxed);
        Some(trapped(request.get("id")?))
    }

    fn is_one_of(&self, percent: &AtomicU64) -> bool {
        let percent = percent.load(Ordering::Relaxed);
        // Spread evenly: as many as asked for, none by chance.
        let n = self.0.passed.fetch_add(1, Ordering::Relaxed);
        percent > 0 && (n * percent) % 100 < percent
    }
}
