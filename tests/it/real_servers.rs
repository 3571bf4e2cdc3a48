//! What the tests show over hosts of our own holds over nginx, and through squid.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use model_host::{Authority, Certified};
use tempfile::TempDir;
use vendor_model::{Config, Lockfile};

use crate::server::Server;
use crate::support::{Project, Ran, assert_holds, contents, host_of, manifest, model};

type Files = BTreeMap<String, Vec<u8>>;

const SHARD: usize = 3 << 20;

/// A model of 30 MiB in ten shards, of bytes that do not repeat.
fn large_model() -> Files {
    let names: Vec<String> = (1..=10).map(|n| format!("group1-shard{n}of10.bin")).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let manifest = manifest(&paths, 10 * SHARD).into_bytes();
    let word = |n: usize| (n as u32).wrapping_mul(2_654_435_761).to_le_bytes();
    let shard = |n: usize| (n * SHARD / 4..(n + 1) * SHARD / 4).flat_map(word).collect();
    let shards = names.into_iter().enumerate().map(|(n, name)| (name, shard(n)));
    shards.chain([("model.json".to_owned(), manifest)]).collect()
}

/// nginx with `files` below `/m/`.
fn nginx_with(files: &Files, lines: &str) -> Option<Server> {
    let server = Server::nginx(lines)?;
    let dir = server.root().join("m");
    fs::create_dir(&dir).unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).unwrap());
    Some(server)
}

fn url(server: &Server) -> String {
    format!("http://127.0.0.1:{}/m/model.json", server.port())
}

/// A package that vendors and embeds nothing, so that its build takes no longer than that.
fn project(url: &str) -> Project {
    let build = format!("vendor_model::vendor_model({url:?}, out.join(\"model\"))?;");
    Project::new(&build, "fn main() {}\n")
}

/// A request that nginx has answered.
struct Asked {
    status: u16,
    sent: u64,
    path: String,
}

fn asked(server: &Server) -> Vec<Asked> {
    let read = |line: String| {
        let mut fields = line.split(' ');
        let mut next = || fields.next().unwrap();
        Asked {
            status: next().parse().unwrap(),
            sent: next().parse().unwrap(),
            path: next().to_owned(),
        }
    };
    server.log().into_iter().map(read).collect()
}

/// Waits until the build is in the middle of its downloads.
fn wait_for_the_middle(cache: &Path, build: &ScopedJoinHandle<'_, Ran>) {
    while size_below(cache) < 8 << 20 {
        assert!(!build.is_finished(), "it has ended before");
        thread::yield_now();
    }
}

/// What was cut is not sent again from the start.
#[track_caller]
fn assert_went_on(server: &Server) {
    let asked = asked(server);
    let cut = asked
        .iter()
        .filter(|it| it.status == 200 && it.path.ends_with(".bin") && it.sent < SHARD as u64)
        .count();
    let resumed = asked.iter().filter(|it| it.status == 206).count();
    assert!(cut > 0 && resumed > 0, "{cut} cut, {resumed} gone on with");
    let sent: u64 = asked.iter().map(|it| it.sent).sum();
    assert!(sent < 15 * SHARD as u64, "{sent} bytes sent");
}

/// The bytes of all files below `dir`, which may come and go meanwhile.
fn size_below(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_below(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

#[test]
fn nginx_sends_a_model_once_and_confirms_it_from_then_on() {
    for files in [model(), large_model()] {
        let Some(mut server) = nginx_with(&files, "") else { return };
        let cache = TempDir::new().unwrap();
        let variables = [("VENDOR_MODEL_CACHE", cache.path().to_str().unwrap())];
        for _ in 0..2 {
            let project = project(&url(&server));
            project.cargo("build", &variables).succeeded();
            assert_holds(&project.out_dir().join("model"), &files);
        }
        server.stop();
        let statuses: Vec<u16> = asked(&server).iter().map(|it| it.status).collect();
        let expected = [vec![200; files.len()], vec![304; files.len()]].concat();
        assert_eq!(statuses, expected);
    }
}

#[test]
fn nginx_that_compresses_is_not_asked_to_and_is_understood_if_it_does_all_the_same() {
    const COMPRESSES: &str = "gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;";
    let Some(mut origin) = nginx_with(&large_model(), COMPRESSES) else { return };
    let asks = "proxy_http_version 1.1; proxy_set_header Accept-Encoding gzip;";
    let before = format!("location / {{ proxy_pass http://127.0.0.1:{}; {asks} }}", origin.port());
    let Some(between) = Server::nginx(&before) else { return };
    for server in [&origin, &between] {
        let project = project(&url(server));
        project.build().succeeded();
        assert_holds(&project.out_dir().join("model"), &large_model());
    }
    origin.stop();
    let asked = asked(&origin);
    let shards = asked.iter().filter(|it| it.path.ends_with(".bin"));
    let (plain, compressed): (Vec<_>, Vec<_>) = shards.partition(|it| it.sent == SHARD as u64);
    assert_eq!((plain.len(), compressed.len()), (10, 10));
}

#[test]
fn nginx_is_trusted_with_the_certificate_of_its_authority_only() {
    let Some(mut server) = nginx_with(&model(), "") else { return };
    let authority = Authority::generate();
    let Certified { certificate_pem, key_pem } = authority.certify(&["localhost"]);
    fs::write(server.path("host.pem"), certificate_pem).unwrap();
    fs::write(server.path("host.key"), key_pem).unwrap();
    fs::write(server.path("ca.pem"), authority.pem()).unwrap();
    let plain = format!("127.0.0.1:{};", server.port());
    let secure = "ssl; ssl_certificate host.pem; ssl_certificate_key host.key;";
    server.reconfigure(&plain, &plain.replace(";", &format!(" {secure}")));
    server.stop();
    server.start_again();

    let project = project(&format!("https://localhost:{}/m/model.json", server.port()));
    let ca = server.path("ca.pem");
    let refused = project.build().failed();
    assert!(refused.stderr.contains("CARGO_HTTP_CAINFO or SSL_CERT_FILE"), "{}", refused.stderr);
    project.cargo("build", &[("CARGO_HTTP_CAINFO", ca.to_str().unwrap())]).succeeded();
    assert_holds(&project.out_dir().join("model"), &model());
}

#[test]
fn nginx_that_wants_fewer_requests_is_given_time() {
    let Some(mut server) = nginx_with(
        &large_model(),
        "limit_req zone=requests burst=2 nodelay; limit_req_status 429;",
    ) else {
        return;
    };
    let project = project(&url(&server));
    project.build().succeeded();
    assert_holds(&project.out_dir().join("model"), &large_model());
    server.stop();
    let refused = asked(&server).iter().filter(|it| it.status == 429).count();
    assert!(refused > 0, "nothing was refused");
}

#[test]
fn nginx_may_be_slow_as_long_as_it_is_steady() {
    let model = [
        ("model.json".to_owned(), manifest(&["a.bin"], 400_000).into_bytes()),
        ("a.bin".to_owned(), large_model()["group1-shard1of10.bin"][..400_000].to_vec()),
    ];
    let Some(server) = nginx_with(&model.clone().into(), "limit_rate 100k;") else { return };
    let project = project(&url(&server));
    let began = Instant::now();
    project.cargo("build", &[("CARGO_HTTP_TIMEOUT", "2"), ("CARGO_NET_RETRY", "0")]).succeeded();
    assert!(began.elapsed() > Duration::from_secs(2), "it was not slow");
    assert_holds(&project.out_dir().join("model"), &model.into());
}

#[test]
fn nginx_that_has_a_vendored_directory_is_a_mirror() {
    let Some(mut server) = Server::nginx("") else { return };
    let origin = host_of(&large_model()).start();
    let (address, dir) = (origin.url("/m/model.json"), TempDir::new().unwrap());
    let mut config = Config::new();
    config.cache_dir(dir.path().join("cache"));
    let pinned = config.pin(&address).unwrap();
    let lock =
        format!(r#"{{"version": 1, "models": [{}]}}"#, serde_json::to_string(&pinned).unwrap());
    config.vendor_to(&Lockfile::parse(&lock).unwrap(), server.root()).unwrap();

    let asked = origin.requests().len();
    let shelf = origin.addr().to_string().replace(':', "_");
    let rule = format!("{}=http://127.0.0.1:{}/{shelf}/", origin.url("/"), server.port());
    let project = project(&address);
    project.cargo("build", &[("VENDOR_MODEL_MIRROR", &rule)]).succeeded();
    assert_holds(&project.out_dir().join("model"), &large_model());
    let lockfile = Lockfile::read(project.path("models.lock")).unwrap();
    assert_eq!(lockfile.models(), [pinned], "the lock says nothing of mirrors");
    assert_eq!(origin.requests().len(), asked);
    server.stop();
    assert_eq!(server.log().len(), 11);
}

#[test]
fn nginx_may_be_reloaded_in_the_middle() {
    let Some(mut server) = nginx_with(&large_model(), "limit_rate 2m;") else { return };
    let (project, cache) = (project(&url(&server)), TempDir::new().unwrap());
    let variables = [("VENDOR_MODEL_CACHE", cache.path().to_str().unwrap())];
    thread::scope(|scope| {
        let build = scope.spawn(|| project.cargo("build", &variables));
        wait_for_the_middle(cache.path(), &build);
        server.reconfigure("limit_rate 2m;", "");
        server.signal("HUP");
        build.join().unwrap().succeeded();
    });
    assert_holds(&project.out_dir().join("model"), &large_model());
    server.stop();
    assert_went_on(&server);
}

#[test]
fn nginx_may_be_stopped_in_the_middle_and_the_next_build_goes_on() {
    let Some(mut server) = nginx_with(&large_model(), "limit_rate 2m;") else { return };
    let (project, cache) = (project(&url(&server)), TempDir::new().unwrap());
    let variables = [("VENDOR_MODEL_CACHE", cache.path().to_str().unwrap())];
    thread::scope(|scope| {
        let build = scope.spawn(|| project.cargo("build", &variables));
        wait_for_the_middle(cache.path(), &build);
        server.stop();
        build.join().unwrap().failed();
    });
    assert!(contents(&project.out_dir()).is_empty(), "something has a final name");
    server.reconfigure("limit_rate 2m;", "");
    server.start_again();
    project.cargo("build", &variables).succeeded();
    assert_holds(&project.out_dir().join("model"), &large_model());
    server.stop();
    assert_went_on(&server);
}

/// What squid needs to ask for a password; see [`Server::squid`].
const PASSWORD: &str = "
auth_param basic program /bin/sh {dir}/ask
acl known proxy_auth REQUIRED
http_access deny !known";

#[test]
fn squid_is_asked_for_what_no_proxy_does_not_name() {
    let authority = Authority::generate();
    let host = host_of(&model()).tls_by(&authority, &["localhost", "models.example"]).start();
    let Some(mut squid) = Server::squid("") else { return };
    fs::write(squid.path("ca.pem"), authority.pem()).unwrap();
    let ca = squid.path("ca.pem");
    let proxy = format!("http://127.0.0.1:{}", squid.port());
    let build = |host: &str| {
        let project = project(&format!("https://{host}/m/model.json"));
        let variables = [
            ("HTTPS_PROXY", proxy.as_str()),
            ("NO_PROXY", "localhost"),
            ("CARGO_HTTP_CAINFO", ca.to_str().unwrap()),
        ];
        project.cargo("build", &variables).succeeded();
        assert_holds(&project.out_dir().join("model"), &model());
    };
    let port = host.addr().port();
    build(&format!("models.example:{port}"));
    let connections = host.connections();
    build(&format!("localhost:{port}"));
    assert!(host.connections() > connections);
    squid.stop();
    let tunnel = format!("CONNECT models.example:{port} 200 -");
    let log = squid.log();
    assert!(!log.is_empty() && log.iter().all(|line| *line == tunnel), "{log:?}");
}

#[test]
fn squid_is_told_the_password_that_it_wants() {
    let authority = Authority::generate();
    let host = host_of(&model()).tls_by(&authority, &["models.example"]).start();
    let Some(mut squid) = Server::squid(PASSWORD) else { return };
    fs::write(squid.path("ca.pem"), authority.pem()).unwrap();
    let ca = squid.path("ca.pem");
    let project = project(&format!("https://models.example:{}/m/model.json", host.addr().port()));
    let build = |user: &str| {
        let proxy = format!("http://{user}127.0.0.1:{}", squid.port());
        let ca = ca.to_str().unwrap();
        project.cargo("build", &[("HTTPS_PROXY", &proxy), ("CARGO_HTTP_CAINFO", ca)])
    };
    let unknown = build("").failed();
    assert!(unknown.stderr.contains("407"), "{}", unknown.stderr);
    let wrong = build("ann:hunter3@").failed();
    assert!(wrong.stderr.contains("407") && !wrong.stderr.contains("hunter3"), "{}", wrong.stderr);
    assert_eq!(host.connections(), 0);
    build("ann:hunter2@").succeeded();
    assert_holds(&project.out_dir().join("model"), &model());
    squid.stop();
    assert!(squid.log().iter().any(|line| line.ends_with(" 200 ann")), "{:?}", squid.log());
}

#[test]
fn squid_forwards_what_is_not_secret() {
    let host = host_of(&model()).start();
    let Some(mut squid) = Server::squid(PASSWORD) else { return };
    let address = format!("http://models.example:{}/m/", host.addr().port());
    let project = project(&format!("{address}model.json"));
    let proxy = format!("http://ann:hunter2@127.0.0.1:{}", squid.port());
    project.cargo("build", &[("HTTP_PROXY", &proxy)]).succeeded();
    assert_holds(&project.out_dir().join("model"), &model());
    squid.stop();
    let mut log = squid.log();
    log.sort();
    let forwarded = model().into_keys().map(|name| format!("GET {address}{name} 200 ann"));
    assert_eq!(log, forwarded.collect::<Vec<_>>());
}
