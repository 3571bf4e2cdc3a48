//! The proxy, between a client and hosts.

use std::io::ErrorKind;
use std::net::TcpStream;

use model_host::{Asked, Authority, Host, Proxy};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::client::Client;

fn asked(method: &str, target: &str, authorised: bool) -> Asked {
    Asked { method: method.to_owned(), target: target.to_owned(), authorised }
}

fn agent(proxy_url: &str, authority: &Authority) -> Agent {
    let certificate = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::from(vec![certificate])).build();
    let proxy = ureq::Proxy::new(proxy_url).unwrap();
    Agent::config_builder().tls_config(tls).proxy(Some(proxy)).build().into()
}

#[test]
fn a_plain_request_is_forwarded_and_logged() {
    let host = Host::builder().file("/a b", "0123456789").start();
    let proxy = Proxy::start();
    let target = host.url("/a%20b?x=1");
    let headers = [("Range", "bytes=4-"), ("Proxy-Connection", "keep-alive")];
    let answer = Client::at(proxy.addr()).send("GET", &target, &headers);
    assert_eq!((answer.status, answer.body.as_slice()), (206, &b"456789"[..]));
    assert_eq!(answer.header("Connection"), Some("close"));
    assert_eq!(proxy.asked(), [asked("GET", &target, true)]);

    let [request] = host.requests().try_into().unwrap();
    assert_eq!((request.path.as_str(), request.query.as_deref()), ("/a%20b", Some("x=1")));
    assert_eq!((request.header("Host"), request.header("Proxy-Connection")), (Some("host"), None));
}

#[test]
fn a_tunnel_carries_whatever_the_client_says() {
    let host = Host::builder().file("/a", "a").file("/b", "b").start();
    let proxy = Proxy::start();
    let mut client = Client::at(proxy.addr());
    let target = host.addr().to_string();
    client.write(&format!("CONNECT {target} HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\n"));
    assert_eq!(client.read_head().status, 200);
    let head = client.read_head();
    assert_eq!(client.read_body(head).body, b"a");
    assert_eq!(client.send("GET", "/b", &[]).body, b"b");
    assert_eq!(proxy.asked(), [asked("CONNECT", &target, true)]);
    assert_eq!(host.connections(), 1);
}

#[test]
fn who_does_not_know_the_password_gets_407_and_no_further() {
    let host = Host::builder().file("/a", "a").start();
    let proxy = Proxy::with_password("ann", "hunter2");
    let target = host.url("/a");
    let ask = |headers: &[_]| Client::at(proxy.addr()).send("GET", &target, headers);

    let refused = ask(&[]);
    assert_eq!(refused.status, 407);
    assert_eq!(refused.header("Proxy-Authenticate"), Some("Basic realm=\"proxy\""));
    assert_eq!(ask(&[("Proxy-Authorization", "Basic b3RoZXI6")]).status, 407);
    let mut tunnel = Client::at(proxy.addr());
    tunnel.write(&format!("CONNECT {} HTTP/1.1\r\n\r\n", host.addr()));
    assert_eq!(tunnel.read_head().status, 407);
    assert_eq!(host.connections(), 0);

    assert_eq!(ask(&[("Proxy-Authorization", "Basic YW5uOmh1bnRlcjI=")]).body, b"a");
    let authorised = proxy.asked().iter().map(|it| it.authorised).collect::<Vec<_>>();
    assert_eq!(authorised, [false, false, false, true]);
    assert_eq!(host.requests()[0].header("Proxy-Authorization"), None);
}

#[test]
fn a_host_can_have_any_name_behind_the_proxy_and_a_certificate_for_it() {
    let authority = Authority::generate();
    let secure = Host::builder().file("/a", "secure").tls_by(&authority, &["models.example"]);
    let (secure, plain) = (secure.start(), Host::builder().file("/a", "plain").start());
    let proxy = Proxy::with_password("ann", "hunter2");
    let url = proxy.url().replace("//", "//ann:hunter2@");
    let get = |url: &str, agent: &Agent| agent.get(url).call()?.body_mut().read_to_string();
    let agent = agent(&url, &authority);

    proxy.route("models.example", secure.addr());
    assert_eq!(get("https://models.example/a", &agent).unwrap(), "secure");
    proxy.route("models.example", plain.addr());
    assert_eq!(get("http://models.example/a", &agent).unwrap(), "plain");
    assert!(proxy.asked().iter().all(|it| it.authorised));
}

#[test]
fn a_host_elsewhere_is_502() {
    let proxy = Proxy::start();
    let answer = Client::at(proxy.addr()).send("GET", "http://models.example/a", &[]);
    assert_eq!((answer.status, answer.body.as_slice()), (502, &b"502 Bad Gateway\n"[..]));
}

#[test]
fn what_one_asks_a_host_is_400_at_a_proxy_and_the_other_way_round() {
    let (host, proxy) = (Host::builder().file("/a", "a").start(), Proxy::start());
    assert_eq!(Client::at(proxy.addr()).send("GET", "/a", &[]).status, 400);
    assert_eq!(
        Client::at(proxy.addr()).send("GET", &host.url("/a").replace("http", "ftp"), &[]).status,
        400
    );
    assert_eq!(Client::of(&host).send("GET", &host.url("/a"), &[]).status, 400);
}

#[test]
fn a_dropped_proxy_is_gone_at_once_with_its_tunnels() {
    let host = Host::builder().file("/paced", [7; 3000]).pace(1).start();
    let proxy = Proxy::start();
    let addr = proxy.addr();
    let mut client = Client::at(addr);
    client.write(&format!("CONNECT {} HTTP/1.1\r\n\r\n", host.addr()));
    client.read_head();
    client.write("GET /paced HTTP/1.1\r\n\r\n");
    client.read_head();

    drop(proxy);
    assert!(client.read_rest().len() < 3000);
    assert_eq!(TcpStream::connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
