//! What holds for every netrc file, list of hosts without a proxy and configuration of cargo: as `properties`, for what
//! is there before anything of ours.

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use url::Url;

use crate::cargo_config::CargoConfig;
use crate::environment::Environment;
use crate::netrc::Netrc;
use crate::properties::config;
use crate::proxy::Proxies;

/// What a netrc file says of one host.
#[derive(Clone, Debug)]
struct Entry {
    host: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

fn entry() -> impl Strategy<Value = Entry> {
    let value =
        || option::of(prop_oneof!["[a-z#\"\\\\]{1,4}", "\\PC{0,9}", Just("machine".to_owned())]);
    let host = option::weighted(0.9, "[a-c](\\.example)?");
    (host, value(), value()).prop_map(|(host, user, password)| Entry { host, user, password })
}

/// What may stand before a key.
const BLANKS: [&str; 6] =
    [" ", "\n", "\t", "\r\n", "\n# a comment with \"\n", "\nmacdef m\nlogin x\n\n"];

/// A value as it stands, or in quotation marks where it must or may.
fn written(value: &str, quoted: bool) -> String {
    let is_bare =
        !value.is_empty() && !value.starts_with('"') && !value.contains(char::is_whitespace);
    match is_bare && !quoted {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn direct(no_proxy: &str, url: &str) -> bool {
    let environment = Environment::of(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)]);
    let proxies = Proxies::new(&environment, &CargoConfig::read(&[], None)).unwrap();
    proxies.before(&Url::parse(url).unwrap()).is_none()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_login_is_that_of_the_first_entry_of_its_host_however_it_is_laid_out(
        entries in vec(entry(), 0..5),
        blanks in vec(select(&BLANKS[..]), 1..6),
        quoted: bool,
    ) {
        let mut text = String::new();
        let mut blanks = blanks.iter().cycle();
        for Entry { host, user, password } in &entries {
            let machine = |host: &String| format!("machine {}", written(host, quoted));
            text += &host.as_ref().map_or("default".to_owned(), machine);
            for (key, value) in [("login", user), ("password", password)] {
                if let Some(value) = value {
                    text += &format!("{}{key} {}", blanks.next().unwrap(), written(value, quoted));
                }
            }
            text += if blanks.next().unwrap().starts_with('\n') { "\n" } else { " " };
        }
        let netrc = Netrc::parse(&text).unwrap();
        for host in [None, Some("a"), Some("b"), Some("c.example")] {
            let entry = entries.iter().find(|entry| entry.host.as_deref() == host);
            let known = entry.filter(|entry| entry.user.is_some() || entry.password.is_some());
            let expected = known.map(|Entry { user, password, .. }| {
                (user.clone().unwrap_or_default(), password.clone().unwrap_or_default())
            });
            let found = host.map_or_else(|| netrc.of_others(), |host| netrc.of(host));
            let found = found.map(|login| (login.user.to_owned(), login.password.to_owned()));
            prop_assert_eq!(found, expected, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_a_netrc_panic_and_no_password_is_shown(
        text: String, words in vec("[a-z\"\\\\#\n ]{0,9}", 0..9),
    ) {
        for text in [text, words.join(" machine h login hunter2 password \"hunter2\" ")] {
            let shown = match Netrc::parse(&text) {
                Ok(netrc) => format!("{netrc:?}"),
                Err(problem) => problem.to_string(),
            };
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }

    #[test]
    fn a_net_has_the_addresses_that_begin_with_its_bits(net: u32, flipped in 0_u32..32, bits in 0_usize..33) {
        let binary = |address: u32| format!("{address:032b}");
        for address in [net, net ^ (1 << flipped), net.rotate_left(flipped)] {
            let entry = format!("{}/{bits}", Ipv4Addr::from(net));
            let url = format!("http://{}/", Ipv4Addr::from(address));
            let same = binary(address)[..bits] == binary(net)[..bits];
            prop_assert_eq!(direct(&entry, &url), same, "{} {}", entry, url);
        }
    }

    #[test]
    fn a_net_of_the_newer_kind_does_so_too(net: u128, flipped in 0_u32..128, bits in 0_usize..129) {
        let binary = |address: u128| format!("{address:0128b}");
        let address = net ^ (1 << flipped);
        let entry = format!("{}/{bits}", Ipv6Addr::from(net));
        let url = format!("http://[{}]/", Ipv6Addr::from(address));
        let same = binary(address)[..bits] == binary(net)[..bits];
        prop_assert_eq!(direct(&entry, &url), same, "{} {}", entry, url);
    }

    #[test]
    fn a_name_excepts_itself_and_what_ends_in_it_after_a_dot(
        name in "[ab]{1,2}(\\.[ab]){0,2}", host in "[ab]{1,2}(\\.[ab]){0,3}", before in select(vec!["", ".", "*."]),
    ) {
        let ends = format!(".{host}").ends_with(&format!(".{name}"));
        let url = format!("https://{host}/");
        prop_assert_eq!(direct(&format!("x, {before}{name}"), &url), ends);
        prop_assert_eq!(direct(&format!("{before}{}:443", name.to_uppercase()), &url), ends);
        let elsewhere = format!("{before}{name}:444");
        prop_assert!(!direct(&elsewhere, &url));
    }

    #[test]
    fn no_text_makes_a_proxy_panic_or_shows_its_password(text in "[^\0]*", more in "[a-z:/@\\[\\]%., *0-9]{0,20}") {
        let secret = [format!("http://user:hunter2@{more}"), format!("user:hunter2@{text}")];
        for proxy in [&text, &more, &secret[0], &secret[1]] {
            let variables = [("HTTPS_PROXY", proxy.as_str()), ("no_proxy", &more), ("NO_PROXY", &text)];
            let environment = Environment::of(&variables);
            let shown = match Proxies::new(&environment, &CargoConfig::read(&[], None)) {
                Ok(proxies) => {
                    let _ = proxies.before(&Url::parse("https://h.example/").unwrap());
                    format!("{proxies:?}")
                }
                Err(error) => error.to_string(),
            };
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }

    #[test]
    fn cargos_keys_are_read_in_every_way_of_writing_them(
        offline: bool, retries in 0_u64..1 << 63, proxy in "\\PC{0,9}", agent in "\\PC{0,9}", way in 0_usize..3,
    ) {
        let [proxy_text, agent_text] = [&proxy, &agent].map(|text| serde_json::to_string(text).unwrap());
        let (offline_is, retry_is) = (format!("offline = {offline}"), format!("retry = {retries}"));
        let (proxy_is, agent_is) = (format!("proxy = {proxy_text}"), format!("user-agent = {agent_text}"));
        let text = match way {
            0 => format!("[net]\n{offline_is}\n{retry_is}\n[http]\n{proxy_is}\n{agent_is}"),
            1 => format!("net.{offline_is}\nhttp.{proxy_is}\nnet.{retry_is}\nhttp.{agent_is}"),
            _ => format!("net = {{ {retry_is}, {offline_is} }}\r\nhttp = {{ {agent_is}, {proxy_is} }}"),
        };
        let read = read(&text);
        prop_assert_eq!((read.offline().unwrap(), read.retries().unwrap()), (offline, Some(retries)));
        prop_assert_eq!((read.proxy().unwrap(), read.user_agent().unwrap()), (Some(proxy), Some(agent)));
    }

    #[test]
    fn no_text_makes_a_configuration_panic(text: String, more in "[a-z\\[\\]{}=\".,'#\n 0-9_-]{0,60}") {
        for text in [&text, &more, &format!("[net]\noffline = {more}"), &format!("include = {text}\n{more}")] {
            let read = read(text);
            let _ = (read.offline(), read.retries(), read.timeout());
            let _ = (read.proxy(), read.user_agent(), read.certificates());
        }
    }
}

/// A configuration of this text.
fn read(text: &str) -> CargoConfig {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".cargo")).unwrap();
    let mut file = File::create(dir.path().join(".cargo/config.toml")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    CargoConfig::read(&[dir.path().to_owned()], None)
}
