//! Whose certificates are believed when we are the client: those of the system, and those of a file besides. Names are always checked.

use crate::tls::{TlsError, read};
use std::{path::Path, sync::Arc};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// For connections to servers whose certificates the system believes, or that are signed by one in this file (PEM).
///
/// # Errors
///
/// When the file cannot be used, or there is nobody to believe at all.
pub fn client(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        let content = || TlsError::Content { path: path.display().to_string(), expected: "certificates" };
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(&read(path)?) {
            roots.add(certificate.map_err(|_| content())?).map_err(|_| content())?;
            count += 1;
        }
        if count == 0 {
            return Err(content());
        }
    }
    if roots.is_empty() {
        let because = system.errors.first().map_or_else(|| "the system has none".to_owned(), ToString::to_string);
        return Err(TlsError::Nobody(because));
    }
    trusting(roots)
}

/// For connections that are not encrypted: nobody is believed.
///
/// # Errors
///
/// Never, as long as the cipher suites of ring know TLS 1.2 or 1.3.
pub fn nobody() -> Result<ClientConfig, TlsError> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| TlsError::Pair(e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
