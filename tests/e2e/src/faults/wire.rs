//! Between clients and the relayer: requests and answers that get lost.

use crate::{Context, Result, story::plan::Dice};
use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Of a hundred pieces that come from clients, so many take the connection with them.
const REQUESTS_LOST: u64 = 2;
/// Of a hundred pieces that come from the relayer.
const ANSWERS_LOST: u64 = 4;

/// The relayer's HTTP as clients see it. Clones are the same.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    port: u16,
    open: watch::Sender<bool>,
    lost: AtomicU64,
    dice: Mutex<Dice>,
}

impl Wire {
    /// In front of the relayer at this port.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub async fn in_front_of(relayer_port: u16, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.doing("listening before the relayer")?;
        let port = listener.local_addr().doing("listening before the relayer")?.port();
        let inner = Inner { port, open: watch::channel(true).0, lost: AtomicU64::new(0), dice: Mutex::new(Dice(seed)) };
        let wire = Self(Arc::new(inner));
        let serving = wire.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let wire = serving.clone();
                tokio::spawn(async move { wire.serve(stream, relayer_port).await });
            }
        });
        Ok(wire)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    /// Lets clients through, or makes them wait: no new request reaches the relayer, and old connections are cut.
    pub fn set_open(&self, open: bool) {
        self.0.open.send_replace(open);
    }

    /// Requests and answers lost so far.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    async fn serve(&self, mut client: TcpStream, relayer_port: u16) -> Option<()> {
        let open = self.0.open.subscribe();
        becomes(open.clone(), true).await?;
        let mut relayer = TcpStream::connect((Ipv4Addr::LOCALHOST, relayer_port)).await.ok()?;
        let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                _ = becomes(open.clone(), false) => return None,
                read = client.read(&mut asked) => {
                    let read = read.ok().filter(|n| *n > 0)?;
                    relayer.write_all(asked.get(..read)?).await.ok()?;
                    self.lose(REQUESTS_LOST)?;
                }
                read = relayer.read(&mut answered) => {
                    let read = read.ok().filter(|n| *n > 0)?;
                    self.lose(ANSWERS_LOST)?;
                    client.write_all(answered.get(..read)?).await.ok()?;
                }
            }
        }
    }

    /// `None`: this one is lost.
    fn lose(&self, percent: u64) -> Option<()> {
        let thrown = self.0.dice.lock().unwrap_or_else(PoisonError::into_inner).below(100);
        if thrown < percent {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(())
    }
}

async fn becomes(mut open: watch::Receiver<bool>, wanted: bool) -> Option<()> {
    open.wait_for(|open| *open == wanted).await.ok().map(drop)
}
