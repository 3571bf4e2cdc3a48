//! Which proxy is on the way to an address: by the scheme of the address, unless its host is excepted.
//!
//! Pure; what stands in `NO_PROXY` is read as curl reads it.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::cargo_config::CargoConfig;
use crate::environment::Environment;
use crate::error::Error;
use crate::secret::masked;

#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    pub http: Option<Proxy>,
    pub https: Option<Proxy>,
    excepted: Vec<Excepted>,
}

/// The address of a proxy. It may have a password, which is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy(Url);

/// Hosts that are asked without a proxy, on one port or on all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excepted {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name, and all names that end in it after a dot.
    Below(String),
    /// Addresses that begin with so many bits of this one.
    Net(IpAddr, u32),
}

impl Proxies {
    pub fn new(environment: &Environment, files: &CargoConfig) -> Result<Proxies, Error> {
        let proxy = |scheme: &str| match environment.proxy(scheme)? {
            Some((name, text)) => Proxy::parse(name, text).map(Some),
            None => {
                let text = files.proxy()?.filter(|text| !text.is_empty());
                text.map(|text| Proxy::parse("http.proxy", &text)).transpose()
            }
        };
        let entries = environment.no_proxy()?.unwrap_or_default();
        Ok(Proxies {
            http: proxy("http")?,
            https: proxy("https")?,
            excepted: entries
                .split([',', ' ', '\t'])
                .filter_map(|entry| Excepted::parse(entry.trim()))
                .collect(),
        })
    }

    /// The one between here and `url`.
    pub fn before(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.excepted.iter().any(|excepted| excepted.covers(url)))
    }
}

impl Proxy {
    fn parse(from: &str, text: &str) -> Result<Proxy, Error> {
        const SCHEMES: [&str; 7] =
            ["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"];
        let with_scheme = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let url = Url::parse(&with_scheme).ok().filter(|url| {
            SCHEMES.contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty())
        });
        let form = "http://host:port, https://host:port or socks5://host:port, with user:password@ where it is wanted";
        url.map(Proxy).ok_or_else(|| Error::setting(from, masked(text), form))
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether a request for an `http` address is handed to it, where others open a tunnel.
    pub fn forwards(&self, url: &Url) -> bool {
        url.scheme() == "http" && !self.0.scheme().starts_with("socks")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(masked(self.0.as_str()).trim_end_matches('/'))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Excepted {
    /// `None` for what names no host.
    fn parse(entry: &str) -> Option<Excepted> {
        if entry == "*" {
            return Some(Excepted { hosts: Hosts::All, port: None });
        }
        if let Some(hosts) = Hosts::net(entry) {
            return Some(Excepted { hosts, port: None });
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Some(hosts) = Hosts::net(name) {
            return Some(Excepted { hosts, port });
        }
        let name = name.strip_prefix('*').unwrap_or(name).trim_matches('.');
        let hosts = Hosts::Below(name.to_ascii_lowercase());
        (!name.is_empty()).then_some(Excepted { hosts, port })
    }

    fn covers(&self, url: &Url) -> bool {
        let is_of_port = self.port.is_none() || self.port == url.port_or_known_default();
        is_of_port && url.host().is_some_and(|host| self.hosts.covers(&host))
    }
}

impl Hosts {
    /// An address, in brackets or not, or one with the length of its prefix.
    fn net(text: &str) -> Option<Hosts> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(address).parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        Some(Hosts::Net(address, bits.unwrap_or(all))).filter(|_| bits.is_none_or(|n| n <= all))
    }

    fn covers(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Hosts::All, _) => true,
            (Hosts::Below(name), Host::Domain(host)) => {
                let host = host.trim_end_matches('.');
                host.strip_suffix(name.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            (Hosts::Net(IpAddr::V4(net), bits), Host::Ipv4(address)) => {
                (u32::from(*net) ^ u32::from(*address)).checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (Hosts::Net(IpAddr::V6(net), bits), Host::Ipv6(address)) => {
                (u128::from(*net) ^ u128::from(*address)).checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(set: &[(&'static str, &str)], url: &str) -> Option<String> {
        let files = CargoConfig::read(&[], None);
        let proxies = Proxies::new(&Environment::of(set), &files).unwrap();
        proxies.before(&Url::parse(url).unwrap()).map(Proxy::to_string)
    }

    #[test]
    fn the_scheme_of_the_address_chooses() {
        const HTTP: &str = "http://h.example/m.json";
        const HTTPS: &str = "https://h.example/m.json";
        let of = |set: &[(&'static str, &str)]| {
            [before(set, HTTP), before(set, HTTPS)].map(Option::unwrap_or_default)
        };
        type Case<'a> = (&'a [(&'static str, &'a str)], [&'a str; 2]);
        let cases: [Case<'_>; 12] = [
            (&[], ["", ""]),
            (&[("HTTPS_PROXY", "http://p:1")], ["", "http://p:1"]),
            (&[("HTTP_PROXY", "http://p:1")], ["http://p:1", ""]),
            (&[("ALL_PROXY", "p:1")], ["http://p:1", "http://p:1"]),
            (&[("ALL_PROXY", "p:1"), ("https_proxy", "q:1")], ["http://p:1", "http://q:1"]),
            // As with curl, the small letters come first.
            (&[("HTTPS_PROXY", "p:1"), ("https_proxy", "q:1")], ["", "http://q:1"]),
            (&[("all_proxy", "p:1"), ("HTTP_PROXY", "")], ["http://p:1", "http://p:1"]),
            // A web server says with HTTP_PROXY what a client's header `Proxy` was.
            (&[("HTTP_PROXY", "p:1"), ("REQUEST_METHOD", "GET")], ["", ""]),
            (&[("http_proxy", "p:1"), ("REQUEST_METHOD", "GET")], ["http://p:1", ""]),
            (&[("CARGO_HTTP_PROXY", "p:1"), ("ALL_PROXY", "q:1")], ["http://p:1", "http://p:1"]),
            (&[("ALL_PROXY", "socks5h://p:1")], ["socks5h://p:1", "socks5h://p:1"]),
            (&[("ALL_PROXY", "https://u:hunter2@p:1")], ["https://...@p:1", "https://...@p:1"]),
        ];
        for (set, expected) in cases {
            assert_eq!(of(set), expected, "{set:?}");
        }
    }

    #[test]
    fn whoever_is_excepted_is_asked_directly() {
        let cases = [
            ("*", "https://h.example/", true),
            ("h.example", "https://h.example/", true),
            ("h.example", "https://a.h.example/", true),
            ("h.example", "https://ah.example/", false),
            (".h.example", "https://h.example/", true),
            ("*.h.example", "https://a.h.example/", true),
            ("H.Example.", "https://h.example./", true),
            ("a.example, h.example", "https://h.example/", true),
            ("a.example h.example", "https://h.example/", true),
            ("h.example:443", "https://h.example/", true),
            ("h.example:8443", "https://h.example/", false),
            ("h.example:8443", "https://h.example:8443/", true),
            ("example", "https://h.example/", true),
            ("127.0.0.1", "http://127.0.0.1:8080/", true),
            ("127.0.0.1:80", "http://127.0.0.1:8080/", false),
            ("10.0.0.0/8", "http://10.1.2.3/", true),
            ("10.0.0.0/8", "http://11.1.2.3/", false),
            ("10.1.2.0/23", "http://10.1.3.4/", true),
            ("0.0.0.0/0", "http://11.1.2.3/", true),
            ("10.0.0.0/33", "http://10.0.0.0/", false),
            ("::1", "http://[::1]/", true),
            ("[::1]", "http://[::1]/", true),
            ("[::1]:80", "http://[::1]:8080/", false),
            ("fd00::/8", "http://[fd12::1]/", true),
            ("fd00::/8", "http://[fe12::1]/", false),
            ("0.0.1", "http://127.0.0.1/", false),
            ("", "https://h.example/", false),
            (",.,*.", "https://h.example/", false),
        ];
        for (entries, url, direct) in cases {
            let set = [("ALL_PROXY", "p:1"), ("NO_PROXY", entries)];
            assert_eq!(before(&set, url).is_none(), direct, "{entries:?} {url}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_named_without_its_password() {
        let files = CargoConfig::read(&[], None);
        for text in ["ftp://u:hunter2@p:1", "http://u:hunter2@p:99999", "http://", "u:hunter2@"] {
            let environment = Environment::of(&[("HTTPS_PROXY", text)]);
            let error = Proxies::new(&environment, &files).unwrap_err().to_string();
            assert!(error.starts_with("cannot read HTTPS_PROXY\n"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let proxy = Proxy::parse("P", "http://u:hunter2@p:1").unwrap();
        assert_eq!(format!("{proxy:?} {proxy}"), "http://...@p:1 http://...@p:1");
    }
}
