//! The self-signed certificate of a TLS host, made when it starts.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};

#[derive(Debug)]
pub(crate) struct Certificate {
    pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    pub(crate) fn generate() -> Certificate {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).expect("both names are valid");
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .expect("the key is the certificate's own");
        Certificate { pem: cert.pem(), config: Arc::new(config) }
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn connection(&self) -> ServerConnection {
        ServerConnection::new(Arc::clone(&self.config)).expect("the configuration is complete")
    }
}
