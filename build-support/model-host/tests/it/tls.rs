//! The host as an HTTPS client meets it.

use model_host::{Authority, Fault, Host};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

fn host() -> Host {
    Host::builder().file("/shard.bin", vec![7; 200_000]).tls().start()
}

fn agent(host: &Host) -> Agent {
    let certificate = Certificate::from_pem(host.certificate_pem().as_bytes()).unwrap();
    let roots = RootCerts::from(vec![certificate]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    Agent::config_builder().tls_config(tls).build().into()
}

#[test]
fn a_client_that_trusts_the_certificate_is_served() {
    let host = host();
    assert!(host.url("/shard.bin").starts_with("https://localhost:"));
    let agent = agent(&host);
    for _ in 0..2 {
        let mut response = agent.get(host.url("/shard.bin")).call().unwrap();
        assert_eq!(response.body_mut().read_to_vec().unwrap(), [7; 200_000]);
    }
    assert_eq!((host.connections(), host.requests().len()), (1, 2));
}

#[test]
fn a_client_that_does_not_trust_it_leaves_before_asking() {
    let (host, other) = (host(), host());
    assert!(agent(&other).get(host.url("/shard.bin")).call().is_err());
    assert_eq!(host.count("/shard.bin"), 0);
}

#[test]
fn hosts_of_one_authority_are_trusted_together_each_by_its_name() {
    let authority = Authority::generate();
    let start = |name| Host::builder().file("/a", name).tls_by(&authority, &[name]).start();
    let (one, misnamed) = (start("localhost"), start("models.example"));
    assert_eq!(
        (one.certificate_pem(), misnamed.certificate_pem()),
        (authority.pem(), authority.pem())
    );
    let agent = agent(&misnamed);
    assert_eq!(
        agent.get(one.url("/a")).call().unwrap().body_mut().read_to_string().unwrap(),
        "localhost"
    );
    let error = agent.get(misnamed.url("/a")).call().unwrap_err();
    assert!(error.to_string().contains("not valid for name \"localhost\""), "{error}");
}

#[test]
fn a_close_delimited_cut_looks_like_the_end_here_too() {
    let host = host();
    host.fault("/shard.bin", Fault::cut_close_delimited(4));
    let mut response = agent(&host).get(host.url("/shard.bin")).call().unwrap();
    assert_eq!(response.body_mut().read_to_vec().unwrap(), [7; 4]);
}

#[test]
#[should_panic(expected = "plain HTTP")]
fn a_plain_host_has_no_certificate() {
    Host::builder().start().certificate_pem();
}
