//! Where bytes come from, and who we say we are: as whoever builds says by variables and by cargo's files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use model_host::{Asked, Authority, Builder, Fault, Host, Proxy};
use tempfile::TempDir;

use crate::support::{Project, Ran, assert_holds, contents, host_of, model};

/// Runs of one build script, each as cargo runs it, and with no variable but those that are given.
pub struct Package {
    dir: TempDir,
}

impl Package {
    pub fn new() -> Package {
        let package = Package { dir: TempDir::new().unwrap() };
        fs::create_dir(package.path("out")).unwrap();
        package
    }

    /// With a certificate in `ca.pem`.
    fn trusting(pem: &str) -> Package {
        let package = Package::new();
        fs::write(package.path("ca.pem"), pem).unwrap();
        package
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Cargo's configuration of the directory in which cargo was called.
    fn configure(&self, text: &str) {
        fs::create_dir_all(self.path(".cargo")).unwrap();
        fs::write(self.path(".cargo/config.toml"), text).unwrap();
    }

    pub fn vendor(&self, url: &str, variables: &[(&str, &str)]) -> Ran {
        let mut script = Command::new(script());
        script.env_clear().current_dir(self.dir.path());
        // Without it Windows opens no socket.
        script.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        let own = [("OUT_DIR", "out"), ("CARGO_MANIFEST_DIR", "."), ("HOME", "home"), ("PWD", ".")];
        for (name, path) in own {
            script.env(name, self.path(path));
        }
        script.envs([("CARGO_PKG_NAME", "app"), ("VENDOR_MODEL_CACHE", "off"), ("URL", url)]);
        let ran = Ran::from(script.envs(variables.iter().copied()).output().unwrap());
        if ran.ok && fs::read_to_string(self.path("out/model/model.json")).unwrap().contains("node")
        {
            assert_holds(&self.path("out/model"), &model());
        }
        ran
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path("models.lock")).unwrap()
    }
}

/// A build script that vendors `$URL`, compiled once.
fn script() -> &'static PathBuf {
    static SCRIPT: OnceLock<PathBuf> = OnceLock::new();
    SCRIPT.get_or_init(|| {
        let project = Project::new(BUILD, "fn main() {}");
        let built = project.build().succeeded();
        let ran = built.stderr.lines().find_map(|line| {
            let path = line.trim().strip_prefix("Running `")?.strip_suffix('`')?;
            let is_ours = path.contains(&project.name()) && path.contains("build-script-build");
            is_ours.then(|| PathBuf::from(path))
        });
        ran.expect("cargo -v says what it runs")
    })
}

const BUILD: &str = r#"let Ok(url) = env::var("URL") else { return Ok(()) };
    let mut config = vendor_model::Config::new();
    if let Ok(header) = env::var("HEADER") {
        let (name, value) = header.split_once(": ").unwrap();
        config.header(name, value);
    }
    config.vendor_model(url, out.join("model"))?;"#;

/// A host of a model that is one file.
fn small() -> Builder {
    Host::builder().file("/m/model.json", r#"{"format": "layers-model", "weightsManifest": []}"#)
}

fn asked(method: &str, target: &str, authorised: bool) -> Asked {
    Asked { method: method.to_owned(), target: target.to_owned(), authorised }
}

#[track_caller]
fn assert_says(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(ran.stderr.contains(part), "no {part:?} in:\n{}", ran.stderr);
    }
}

#[test]
fn cargos_configuration_names_certificates_beside_itself() {
    let host = host_of(&model()).tls().start();
    let package = Package::trusting(host.certificate_pem());
    let url = host.url("/m/model.json");
    let unknown = package.vendor(&url, &[]).failed();
    assert_says(&unknown, &["UnknownIssuer", "CARGO_HTTP_CAINFO", "SSL_CERT_FILE", "http.cainfo"]);
    package.configure("[http]\ncainfo = 'ca.pem'");
    package.vendor(&url, &[]).succeeded();
}

#[test]
fn https_goes_through_the_tunnel_of_a_proxy_that_knows_the_password() {
    let host = host_of(&model()).tls().start();
    let proxy = Proxy::with_password("us", "hunter@2");
    let package = Package::trusting(host.certificate_pem());
    let url = host.url("/m/model.json");
    let target = host.url("/m/").replace("https://", "").replace("/m/", "");
    let with = |user_info: &str| {
        let address = format!("http://{user_info}{}", proxy.addr());
        let file = package.path("ca.pem");
        let variables = [("CARGO_HTTP_CAINFO", file.to_str().unwrap()), ("HTTPS_PROXY", &address)];
        package.vendor(&url, &variables)
    };
    let nobody = with("").failed();
    assert_says(&nobody, &["407", &format!("through the proxy {}", proxy.url()), "user:password@"]);
    assert_eq!(proxy.asked(), [asked("CONNECT", &target, false)]);
    let wrong = with("us:hunter3@").failed();
    assert_says(&wrong, &["407"]);
    assert!(!wrong.stderr.contains("hunter3"), "{}", wrong.stderr);
    assert_eq!(host.connections(), 0);
    with("us:hunter%402@").succeeded();
    assert!(proxy.asked().iter().skip(2).all(|one| *one == asked("CONNECT", &target, true)));
}

#[test]
fn http_is_handed_to_the_proxy_that_cargos_configuration_names() {
    let host = host_of(&model()).start();
    let proxy = Proxy::with_password("us", "hunter2");
    proxy.route("models.example", host.addr());
    let package = Package::new();
    package.configure(&format!("http.proxy = 'us:hunter2@{}'", proxy.addr()));
    package.vendor("http://models.example/m/model.json", &[]).succeeded();
    let mut urls: Vec<String> = proxy.asked().into_iter().map(|one| one.target).collect();
    urls.sort();
    let mut expected: Vec<String> =
        model().keys().map(|name| format!("http://models.example/m/{name}")).collect();
    expected.sort();
    assert_eq!(urls, expected);
    assert!(proxy.asked().iter().all(|one| one.method == "GET" && one.authorised));
    assert!(host.requests().iter().all(|one| one.header("proxy-authorization").is_none()));

    let fresh = Package::new();
    let wrong = format!("http://us:hunter3@{}", proxy.addr());
    let refused =
        fresh.vendor("http://models.example/m/model.json", &[("HTTP_PROXY", &wrong)]).failed();
    assert_says(&refused, &["407", "user:password@", &format!("...@{}", proxy.addr())]);
}

#[test]
fn a_proxy_is_of_one_scheme_and_not_for_whoever_is_excepted() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let proxy = Proxy::start();
    let of = |name| (name, proxy.url());
    let direct = [
        vec![of("HTTPS_PROXY")],
        vec![of("ALL_PROXY"), ("NO_PROXY", "127.0.0.0/8".to_owned())],
        vec![of("CARGO_HTTP_PROXY"), ("no_proxy", format!("127.0.0.1:{}", host.addr().port()))],
    ];
    for variables in direct {
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Package::new().vendor(&url, &variables).succeeded();
        assert_eq!(proxy.asked(), [], "{variables:?}");
    }
    Package::new().vendor(&url, &[("all_proxy", &proxy.url())]).succeeded();
    assert_eq!(proxy.asked().len(), 4);
}

#[test]
fn a_proxy_that_does_not_answer_is_named() {
    let url = "https://models.example/m/model.json";
    let gone = Proxy::start().url();
    let variables = [("HTTPS_PROXY", gone.as_str()), ("CARGO_NET_RETRY", "0")];
    let failed = Package::new().vendor(url, &variables).failed();
    assert_says(&failed, &[url, &format!("through the proxy {gone}")]);

    let lost = Proxy::start();
    let variables = [("HTTPS_PROXY", lost.url()), ("CARGO_NET_RETRY", "0".to_owned())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let failed = Package::new().vendor(url, &variables).failed();
    assert_says(&failed, &["502", &format!("through the proxy {}", lost.url())]);
}

/// Through TLS and a tunnel, so that every layer of the connection is seen to keep to it.
#[test]
fn the_head_of_an_answer_is_waited_for_longer_than_the_next_bytes_of_a_body() {
    let late = small().delay(Duration::from_millis(1200)).tls().start();
    let stuck = small().fault("/m/model.json", Fault::stall_after(9).always()).tls().start();
    let proxy = Proxy::start();
    let run = |host: &Host| {
        let package = Package::trusting(host.certificate_pem());
        let file = package.path("ca.pem");
        let variables = [
            ("SSL_CERT_FILE", file.to_str().unwrap()),
            ("HTTPS_PROXY", &proxy.url()),
            ("CARGO_HTTP_TIMEOUT", "1"),
            ("CARGO_NET_RETRY", "0"),
        ];
        package.vendor(&host.url("/m/model.json"), &variables)
    };
    let (late, stuck) = std::thread::scope(|runs| {
        let late = runs.spawn(|| run(&late));
        (late.join().unwrap(), run(&stuck))
    });
    late.succeeded();
    assert_says(&stuck.failed(), &["the transfer broke off after 9 of", "bytes: timeout"]);
}

#[test]
fn whoever_builds_says_how_often_to_try_and_who_asks() {
    let host = small().fault("/m/model.json", Fault::status(500)).start();
    let package = Package::new();
    let url = host.url("/m/model.json");
    package.configure("[net]\nretry = 0\n[http]\nuser-agent = 'our builds'");
    assert_says(&package.vendor(&url, &[]).failed(), &["500"]);
    package.vendor(&url, &[]).succeeded();
    assert!(host.requests().iter().all(|one| one.header("user-agent") == Some("our builds")));
    host.clear_log();
    Package::new().vendor(&url, &[]).succeeded();
    let name = concat!("vendor-model/", env!("CARGO_PKG_VERSION"));
    assert_eq!(host.requests()[0].header("user-agent"), Some(name));
}

#[test]
fn cargos_configuration_keeps_a_build_offline() {
    let host = host_of(&model()).start();
    let package = Package::new();
    package.configure("net.offline = true");
    let url = host.url("/m/model.json");
    let offline = package.vendor(&url, &[]).failed();
    assert_says(&offline, &["offline", "VENDOR_MODEL_OFFLINE=0 cargo build -p app"]);
    assert_eq!(host.connections(), 0);
    package.vendor(&url, &[("VENDOR_MODEL_OFFLINE", "0")]).succeeded();
}

#[test]
fn a_value_of_cargos_configuration_that_cannot_be_read_is_named_where_it_is_needed() {
    let host = host_of(&model()).start();
    let package = Package::new();
    package.configure("http.timeout = '9'");
    let url = host.url("/m/model.json");
    let failed = package.vendor(&url, &[]).failed();
    assert_says(&failed, &["cannot read http.timeout in", "config.toml", "found: \"9\""]);
    package.vendor(&url, &[("CARGO_HTTP_TIMEOUT", "9")]).succeeded();
    package.vendor(&url, &[("VENDOR_MODEL_OFFLINE", "1")]).succeeded();
}

#[test]
fn a_mirror_delivers_what_the_origin_would_under_the_same_lock() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let plain = Package::new();
    plain.vendor(&url, &[]).succeeded();
    host.clear_log();

    let files = model().into_iter();
    let mirror = files.fold(Host::builder(), |host, (name, bytes)| {
        host.file(&format!("/all/origin/{name}"), bytes)
    });
    let mirror = mirror.start();
    let mirrored = Package::new();
    let rule = format!("{}={}", host.url("/m/"), mirror.url("/all/origin/"));
    mirrored.vendor(&url, &[("VENDOR_MODEL_MIRROR", &rule)]).succeeded();
    assert_eq!((host.requests().len(), mirror.requests().len()), (0, 4));
    assert_eq!(mirrored.lock(), plain.lock());

    // A directory of vendored models is a mirror.
    let dir = TempDir::new().unwrap();
    model().iter().for_each(|(name, bytes)| fs::write(dir.path().join(name), bytes).unwrap());
    let rule = format!("{}={}", host.url("/m/"), crate::support::file_url(dir.path()));
    let local = Package::new();
    local.vendor(&url, &[("VENDOR_MODEL_MIRROR", &rule)]).succeeded();
    assert_eq!((host.requests().len(), local.lock()), (0, plain.lock()));
}

#[test]
fn a_closed_mirror_never_falls_back_and_a_direct_one_does() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let empty = Host::builder().start();
    let closed = format!("{}={}", host.url("/"), empty.url("/"));
    let package = Package::new();
    let missed = package.vendor(&url, &[("VENDOR_MODEL_MIRROR", &closed)]).failed();
    assert_says(&missed, &["404", &empty.url("/m/model.json")]);
    assert_eq!(host.requests().len(), 0);
    assert!(contents(&package.path("out")).is_empty());
    let direct = format!("{closed},direct");
    package.vendor(&url, &[("VENDOR_MODEL_MIRROR", &direct)]).succeeded();
    assert_eq!((host.requests().len(), empty.requests().len()), (4, 5));
}

/// What each request said of who asks.
fn authorizations(host: &Host) -> Vec<Option<String>> {
    host.requests().iter().map(|one| one.header("authorization").map(str::to_owned)).collect()
}

/// `us:hunter2`, as a header says it.
const BASIC: &str = "Basic dXM6aHVudGVyMg==";

#[test]
fn a_netrc_file_says_who_we_are_to_the_machines_that_it_names() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let package = Package::new();
    fs::create_dir(package.path("home")).unwrap();
    let usual = if cfg!(windows) { "home/_netrc" } else { "home/.netrc" };
    fs::write(package.path(usual), "machine 127.0.0.1 login us password hunter2").unwrap();
    package.vendor(&url, &[]).succeeded();
    assert_eq!(authorizations(&host), vec![Some(BASIC.to_owned()); 4]);

    host.clear_log();
    let package = Package::new();
    let file = package.path("netrc");
    let named = [("NETRC", file.to_str().unwrap())];
    assert_says(&package.vendor(&url, &named).failed(), &["cannot read NETRC, ", "netrc: "]);
    fs::write(&file, "machine other\n password hunter 2").unwrap();
    let malformed = package.vendor(&url, &named).failed();
    assert_says(&malformed, &["netrc: line 2: a word that is none of machine"]);
    assert!(!malformed.stderr.contains("hunter"), "{}", malformed.stderr);
    assert_eq!(host.requests().len(), 0);
    fs::write(&file, "machine other login them password x").unwrap();
    package.vendor(&url, &named).succeeded();
    assert_eq!(authorizations(&host), vec![None; 4]);
}

#[test]
fn a_credential_of_the_address_stays_with_its_origin_and_out_of_the_lock() {
    let elsewhere = host_of(&model()).start();
    let mut host = Host::builder().file("/m/model.json", model()["model.json"].clone());
    for name in model().into_keys().filter(|name| name != "model.json") {
        host = host.redirect(&format!("/m/{name}"), &elsewhere.url(&format!("/m/{name}")));
    }
    let host = host.start();
    let with_user = host.url("/m/model.json").replace("http://", "http://us:hunter2@");
    let package = Package::new();
    package.vendor(&with_user, &[]).succeeded();
    assert_eq!(authorizations(&host), vec![Some(BASIC.to_owned()); 4]);
    assert_eq!(authorizations(&elsewhere), vec![None; 3]);
    assert!(!package.lock().contains("hunter2"), "{}", package.lock());

    host.clear_log();
    elsewhere.clear_log();
    let header = [("HEADER", "X-Token: hunter2")];
    Package::new().vendor(&host.url("/m/model.json"), &header).succeeded();
    assert!(host.requests().iter().all(|one| one.header("x-token") == Some("hunter2")));
    assert!(elsewhere.requests().iter().all(|one| one.header("x-token").is_none()));
}

#[test]
fn a_mirror_is_told_only_what_is_meant_for_it() {
    let mirror = host_of(&model()).start();
    let url = "https://us:hunter3@models.example/m/model.json";
    let rule = format!("https://models.example/={}", mirror.url("/"));
    let package = Package::new();
    let header = ("HEADER", "Authorization: hunter4");
    package
        .vendor(url, &[header, ("VENDOR_MODEL_MIRROR", &rule), ("HF_TOKEN", "hunter5")])
        .succeeded();
    assert_eq!(authorizations(&mirror), vec![None; 4]);

    mirror.clear_log();
    let package = Package::new();
    let file = package.path("netrc");
    fs::write(&file, "machine 127.0.0.1 login us password hunter2").unwrap();
    let netrc = ("NETRC", file.to_str().unwrap());
    package.vendor(url, &[header, ("VENDOR_MODEL_MIRROR", &rule), netrc]).succeeded();
    assert_eq!(authorizations(&mirror), vec![Some(BASIC.to_owned()); 4]);

    mirror.clear_log();
    let rule = rule.replace("=http://", "=http://us:hunter2@");
    Package::new().vendor(url, &[("VENDOR_MODEL_MIRROR", &rule)]).succeeded();
    assert_eq!(authorizations(&mirror), vec![Some(BASIC.to_owned()); 4]);
}

#[test]
fn no_credential_goes_over_plain_http() {
    let package = Package::new();
    let header = [("HEADER", "X-Token: hunter2")];
    for (url, variables) in [
        ("http://models.example/m/model.json", &header[..]),
        ("http://us:hunter2@models.example/m/model.json", &[]),
    ] {
        let refused = package.vendor(url, variables).failed();
        assert_says(&refused, &["to go to models.example over plain http", "use https"]);
        assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    }
}

#[test]
fn whoever_is_not_let_in_is_told_what_to_set() {
    let host = small().fault("/m/model.json", Fault::status(401).always()).start();
    let refused = Package::new().vendor(&host.url("/m/model.json"), &[]).failed();
    assert_says(&refused, &["401", "NETRC", "~/.netrc", "Config::header"]);
}

#[test]
fn the_token_of_hugging_face_goes_to_its_host_and_no_further() {
    let authority = Authority::generate();
    let name = "cdn-lfs.huggingface.co";
    let cdn = host_of(&model()).tls_by(&authority, &[name]).start();
    let hub = Host::builder()
        .redirect("/us/model/resolve/main/", &format!("https://{name}/m/"))
        .tls_by(&authority, &["huggingface.co"])
        .start();
    let proxy = Proxy::start();
    proxy.route(name, cdn.addr());
    proxy.route("huggingface.co", hub.addr());
    let package = Package::trusting(authority.pem());
    let file = package.path("ca.pem");
    let variables = [
        ("SSL_CERT_FILE", file.to_str().unwrap()),
        ("HTTPS_PROXY", &proxy.url()),
        ("HF_TOKEN", "hf_token"),
    ];
    let url = "https://huggingface.co/us/model/resolve/main/model.json";
    package.vendor(url, &variables).succeeded();
    assert_eq!(authorizations(&hub), vec![Some("Bearer hf_token".to_owned()); 4]);
    assert_eq!(authorizations(&cdn), vec![None; 4]);

    hub.fault("/us/model/resolve/main/model.json", Fault::status(403));
    let refused = Package::trusting(authority.pem()).vendor(url, &variables).failed();
    assert_says(&refused, &["403", "set HF_TOKEN"]);
}
