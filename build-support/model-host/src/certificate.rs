//! What a TLS host shows its clients: a certificate signed by an authority, ready for use.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::authority::{Authority, Certified};

#[derive(Debug)]
pub(crate) struct Certificate {
    authority_pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    pub(crate) fn signed_by(authority: &Authority, names: &[&str]) -> Certificate {
        let Certified { certificate_pem, key_pem } = authority.certify(names);
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("just written");
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.expect("just written")], key)
            .expect("the key is the certificate's own");
        Certificate { authority_pem: authority.pem().to_owned(), config: Arc::new(config) }
    }

    /// The certificate of its authority.
    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    pub(crate) fn connection(&self) -> ServerConnection {
        ServerConnection::new(Arc::clone(&self.config)).expect("the configuration is complete")
    }
}
