//! A web server as a creator has one: Debian's nginx, with files in a folder.

use super::{process::Process, relayer::free_port};
use crate::{Context, Error, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const START: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);

/// What a server speaks TLS with, in PEM, and what its clients check it by. For the name `localhost`.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Who signed the certificate.
    pub ca: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A running nginx.
pub struct Nginx {
    _process: Process,
    folder: PathBuf,
    origin: String,
}

/// With TLS it also passes on what is for a relayer: as a proxy that speaks TLS in front of one.
fn config(port: u16, root: &Path, tls: Option<(&TlsFiles, &str)>) -> String {
    let (ssl, more) = match tls {
        Some((TlsFiles { certificate, key, .. }, relayer)) => {
            let (certificate, key) = (certificate.display(), key.display());
            (" ssl", format!("ssl_certificate {certificate}; ssl_certificate_key {key}; location /v1/ {{ proxy_pass {relayer}; }}"))
        }
        None => ("", String::new()),
    };
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port}{ssl};
    root {};
    {more}
    # Answers that say themselves who may read them.
    location /shared/ {{ add_header Access-Control-Allow-Origin https://own.example; add_header Access-Control-Allow-Credentials true; }}
    location = /broken/article {{ return 503 'out of order'; }}
    # What reaches the web server, for who wants to see it.
    location = /seen {{
      default_type text/plain;
      return 200 'host=$http_host for=$http_x_forwarded_for proto=$http_x_forwarded_proto fhost=$http_x_forwarded_host payer=$http_x_rivulet_payer payment=$http_payment_signature upgrade=$http_upgrade';
    }}
    # 40 kB a second: what is live comes no faster.
    location /live/ {{ limit_rate 40k; }}
  }}
}}
",
        root.display()
    )
}

impl Nginx {
    /// Starts it on a free port, with the files of `folder`/www.
    ///
    /// # Errors
    ///
    /// When it is not installed (`scripts/setup test` does that), or does not answer.
    pub async fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, None).await
    }

    /// As [`Nginx::start`], by HTTPS, with the routes of a relayer that is at this URL.
    ///
    /// # Errors
    ///
    /// As [`Nginx::start`].
    pub async fn start_tls(folder: &Path, files: &TlsFiles, relayer: &str) -> Result<Self> {
        Self::start_with(folder, Some((files, relayer))).await
    }

    async fn start_with(folder: &Path, tls: Option<(&TlsFiles, &str)>) -> Result<Self> {
        let folder = folder.join("web");
        let root = folder.join("www");
        fs::create_dir_all(&root).doing("making a folder for web pages")?;
        let port = free_port()?;
        let path = folder.join("nginx.conf");
        fs::write(&path, config(port, &root, tls)).doing("writing nginx's configuration")?;
        let mut command = Command::new("nginx");
        // Debian has it where only root looks.
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        command.arg("-p").arg(&folder).arg("-c").arg(&path);
        let mut process = Process::start("nginx", command, &folder.join("nginx.log"))?;
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if process.ended().is_some() || begun.elapsed() > START {
                return Err(Error::new(format!("nginx did not start:\n{}", process.tail())));
            }
            tokio::time::sleep(GLANCE).await;
        }
        let origin = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        Ok(Self { _process: process, folder, origin })
    }

    /// Puts a file on it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        let path = self.folder.join("www").join(path.trim_start_matches('/'));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).doing("making a folder for web pages")?;
        }
        fs::write(&path, content).doing(format!("writing {}", path.display()))
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.origin.clone()
    }
}
