//! A certificate authority, made by a test and trusted by nobody else.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// An authority that certifies hosts: those of [`Builder::tls_by`](crate::Builder::tls_by), and by
/// [`certify`](Authority::certify) any server that reads PEM files.
///
/// A client that trusts [`pem`](Authority::pem) trusts all of them.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The certificate of a host and its key, as PEM.
#[derive(Debug)]
pub struct Certified {
    /// The certificate, signed by the authority.
    pub certificate_pem: String,
    /// Its private key.
    pub key_pem: String,
}

impl Authority {
    /// An authority with a key of its own.
    pub fn generate() -> Authority {
        let key = KeyPair::generate().expect("ring makes keys");
        let mut params = params(&[], "model-host authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).expect("the key can sign").pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// Its own certificate, as PEM: what a client must trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for hosts of these names or addresses.
    ///
    /// # Panics
    ///
    /// If one is not a host name.
    pub fn certify(&self, names: &[&str]) -> Certified {
        let key = KeyPair::generate().expect("ring makes keys");
        let mut params = params(names, "model-host");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority can sign");
        Certified { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

fn params(names: &[&str], common_name: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("host names are ASCII");
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}
