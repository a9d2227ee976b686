//! # rivulet-http: what the relayer and the paywall share of HTTP
//!
//! - [`tls`]: HTTPS by certificate and key files, read again when told to; handshakes beside each other, with limits.
//! - [`trust`]: whose certificates are believed when *we* connect: the system's, and a file's.
//! - [`cors`]: which web pages of other origins may read the answers.
//!
//! ```
//! use rivulet_http::cors::{Origin, Shared};
//!
//! let app: Origin = "https://app.example".parse()?;
//! assert_eq!("https://app.example/".parse::<Origin>().unwrap_err().to_string().split(", got").next(), Some("expected an origin as browsers send it, \
//!     such as https://app.example or http://127.0.0.1:5173, or \"*\" for all of them"));
//! // No page may read, unless one is named.
//! assert!(Shared::with(&[]).is_none() && Shared::with(&[app]).is_some());
//! # Ok::<(), rivulet_http::cors::OriginError>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod cors;
pub mod tls;
pub mod trust;
