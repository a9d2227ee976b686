//! HTTPS by certificate and key files.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rivulet_http::tls::{Tls, TlsListener};
//! use std::{path::Path, sync::Arc};
//!
//! let tls = Arc::new(Tls::load(Path::new("fullchain.pem"), Path::new("privkey.pem"))?);
//! let listener = TlsListener::new(tokio::net::TcpListener::bind("127.0.0.1:8443").await?, Arc::clone(&tls))?;
//! axum::serve(listener, axum::Router::new()).await?;
//! # Ok(()) }
//! ```

use axum::serve::Listener;
use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

/// A client that does not finish its handshake in this time is left.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes under way at once.
const AT_ONCE: usize = 256;

/// Why the files cannot be used. What is in them is not repeated.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path}: expected {expected} in PEM")]
    Content {
        /// Which.
        path: String,
        /// What should be in it.
        expected: &'static str,
    },
    /// Both can be read, and do not go together.
    #[error("the certificate and its key cannot be used together: {0}")]
    Pair(String),
    /// No certificate would be believed.
    #[error("no certificate to check a server by: {0}. Install ca-certificates, or name a file with your own")]
    Nobody(String),
}

/// A certificate and its key, read again when told to.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read { path: path.display().to_string(), source })
}

fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let content = |path: &Path, expected| TlsError::Content { path: path.display().to_string(), expected };
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if chain.is_empty() {
        return Err(content(certificate, "a certificate chain"));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| content(key, "a private key"))?;
    let pair = |e: tokio_rustls::rustls::Error| TlsError::Pair(e.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().map_err(pair)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = RwLock::new(load(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), config })
    }

    /// Reads them again, for connections from now on. When they cannot be used, those read before stay.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = load(&self.certificate, &self.key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Reads them again each time that it is told to, for ever.
    pub async fn reload_when_told(&self, told: &Notify) {
        loop {
            told.notified().await;
            match self.reload() {
                Ok(()) => tracing::info!("certificate read again"),
                Err(e) => tracing::error!(error = %e, "cannot use the new certificate: the old one stays"),
            }
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

/// Connections whose handshake is done.
pub struct TlsListener {
    done: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    /// Takes connections and shakes hands, beside each other: a slow client holds up nobody.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn new(listener: TcpListener, tls: Arc<Tls>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, done) = mpsc::channel(AT_ONCE);
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let accepting = tokio::spawn(async move {
            while let Ok(turn) = Arc::clone(&turns).acquire_owned().await {
                let (stream, peer) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(e) => {
                        // Out of file descriptors, most likely: those in use come back.
                        tracing::warn!(error = %e, "cannot take a connection");
                        sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                // Small answers are not held back for more.
                let _ = stream.set_nodelay(true);
                let (acceptor, tell) = (tls.acceptor(), tell.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        // An error means that the listener is gone.
                        let _ = tell.send((stream, peer)).await;
                    }
                    drop(turn);
                });
            }
        });
        Ok(Self { done, address, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.done.recv().await {
            Some(connection) => connection,
            // The accepting task never ends by itself.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
