//! How hosts are reached: as whoever builds says in the environment, else in cargo's files.

use std::path::PathBuf;
use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue};

use crate::cargo_config::CargoConfig;
use crate::config::Config;
use crate::environment::Environment;
use crate::error::Error;
use crate::proxy::Proxies;
use crate::secret::{Secret, unshown};

#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub proxies: Proxies,
    /// A PEM file of certificates to trust in place of the built-in ones.
    pub certificates: Option<PathBuf>,
    pub timeouts: Timeouts,
    pub user_agent: String,
    /// How often a download is tried again.
    pub retries: u32,
    /// For the origin of the model's URL.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For Hugging Face.
    pub token: Option<HeaderValue>,
    pub netrc: Option<NetrcFile>,
}

#[derive(Clone, Debug)]
pub(crate) struct NetrcFile {
    pub path: PathBuf,
    /// Whether whoever builds has named it.
    pub is_named: bool,
}

/// How long is waited for a host; none is on the whole of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub connect: Option<Duration>,
    /// For the head of an answer, which a host may have to fetch the file for.
    pub head: Option<Duration>,
    /// For the next bytes of a body.
    pub body: Option<Duration>,
}

impl Default for Access {
    fn default() -> Access {
        Access {
            proxies: Proxies::default(),
            certificates: None,
            timeouts: Timeouts::new(None),
            user_agent: concat!("vendor-model/", env!("CARGO_PKG_VERSION")).to_owned(),
            retries: 3,
            headers: Vec::new(),
            token: None,
            netrc: None,
        }
    }
}

impl Access {
    pub fn new(
        config: &Config,
        environment: &Environment,
        files: &CargoConfig,
    ) -> Result<Access, Error> {
        let timeout = either(environment.number("CARGO_HTTP_TIMEOUT")?, || files.timeout())?;
        let retries = either(environment.number("CARGO_NET_RETRY")?, || files.retries())?;
        Ok(Access {
            proxies: Proxies::new(environment, files)?,
            certificates: certificates(environment, files)?,
            timeouts: Timeouts::new(timeout),
            user_agent: match user_agent(environment, files)? {
                Some(name) => name,
                None => Access::default().user_agent,
            },
            retries: match retries {
                Some(retries) => u32::try_from(retries).unwrap_or(u32::MAX),
                None => config.retries.unwrap_or(Access::default().retries),
            },
            headers: headers(config)?,
            token: token(environment)?,
            netrc: environment.netrc().map(|(path, is_named)| NetrcFile { path, is_named }),
        })
    }
}

impl Timeouts {
    /// As so many seconds mean it to cargo: for connecting and for standing still; 0 is for ever.
    fn new(seconds: Option<u64>) -> Timeouts {
        const HEAD: u64 = 120;
        let wait = |seconds| (seconds > 0).then(|| Duration::from_secs(seconds));
        match seconds {
            Some(0) => Timeouts { connect: None, head: None, body: None },
            Some(n) => {
                Timeouts { connect: wait(n), head: wait(n.saturating_mul(4)), body: wait(n) }
            }
            None => Timeouts { connect: wait(15), head: wait(HEAD), body: wait(30) },
        }
    }
}

/// What the environment says, else what the files say.
fn either<T>(
    said: Option<T>,
    by_files: impl FnOnce() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    said.map_or_else(by_files, |value| Ok(Some(value)))
}

fn certificates(environment: &Environment, files: &CargoConfig) -> Result<Option<PathBuf>, Error> {
    let named = environment.path("CARGO_HTTP_CAINFO").or_else(|| environment.path("SSL_CERT_FILE"));
    either(named, || files.certificates())
}

fn user_agent(environment: &Environment, files: &CargoConfig) -> Result<Option<String>, Error> {
    const NAME: &str = "CARGO_HTTP_USER_AGENT";
    let said = environment.text(NAME)?.map(str::to_owned);
    let name = either(said, || files.user_agent())?;
    match name {
        Some(name) if !name.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
            let from = format!("{NAME} or http.user-agent");
            Err(Error::setting(&from, name, "printable ASCII"))
        }
        name => Ok(name),
    }
}

fn headers(config: &Config) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let parsed = config.headers.iter().map(|(name, value)| {
        let header = HeaderName::try_from(name).ok().zip(unshown(value.text()));
        let form = "the name of a header, and a value of printable ASCII";
        header.ok_or_else(|| Error::setting("Config::header", name, form))
    });
    parsed.collect()
}

fn token(environment: &Environment) -> Result<Option<HeaderValue>, Error> {
    const NAME: &str = "HF_TOKEN";
    let Some(token) = environment.text(NAME)? else { return Ok(None) };
    let value = unshown(&format!("Bearer {}", token.trim()));
    value.map(Some).ok_or_else(|| Error::setting(NAME, Secret::new(token), "printable ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(set: &[(&'static str, &str)]) -> Result<Access, String> {
        let files = CargoConfig::read(&[], None);
        Access::new(Config::new().retries(5), &Environment::of(set), &files)
            .map_err(|error| error.to_string())
    }

    fn access_error(set: &[(&'static str, &str)]) -> String {
        access(set).unwrap_err()
    }

    #[test]
    fn the_timeout_of_cargo_is_for_connecting_and_for_standing_still() {
        let seconds = |set: &[(&'static str, &str)]| {
            let Timeouts { connect, head, body } = access(set).unwrap().timeouts;
            [connect, head, body].map(|wait| wait.map(|wait| wait.as_secs()))
        };
        assert_eq!(seconds(&[]), [Some(15), Some(120), Some(30)]);
        assert_eq!(seconds(&[("CARGO_HTTP_TIMEOUT", "5")]), [Some(5), Some(20), Some(5)]);
        assert_eq!(seconds(&[("CARGO_HTTP_TIMEOUT", "300")]), [Some(300), Some(1200), Some(300)]);
        assert_eq!(seconds(&[("CARGO_HTTP_TIMEOUT", "0")]), [None; 3]);
        assert!(access(&[("CARGO_HTTP_TIMEOUT", "5s")]).is_err_and(|error| error.contains("5s")));
    }

    #[test]
    fn whoever_builds_says_how_often_to_try_again() {
        let retries = |set: &[(&'static str, &str)]| access(set).unwrap().retries;
        assert_eq!(retries(&[]), 5);
        assert_eq!(retries(&[("CARGO_NET_RETRY", "0")]), 0);
        assert_eq!(retries(&[("CARGO_NET_RETRY", "")]), 5);
    }

    #[test]
    fn cargos_certificates_come_before_everybodys() {
        let file = |set: &[(&'static str, &str)]| access(set).unwrap().certificates;
        assert_eq!(file(&[]), None);
        assert_eq!(file(&[("SSL_CERT_FILE", "/s")]), Some("/s".into()));
        let both = [("SSL_CERT_FILE", "/s"), ("CARGO_HTTP_CAINFO", "/c")];
        assert_eq!(file(&both), Some("/c".into()));
    }

    #[test]
    fn no_secret_is_shown() {
        let mut config = Config::new();
        config.header("Authorization", "hunter2").mirror("https://h/", "https://u:hunter2@m/");
        let set = [("HF_TOKEN", "hunter2"), ("ALL_PROXY", "http://u:hunter2@p:1")];
        let files = CargoConfig::read(&[], None);
        let access = Access::new(&config, &Environment::of(&set), &files).unwrap();
        let shown = format!("{access:?} {config:?}");
        assert!(shown.contains("authorization") && !shown.contains("hunter2"), "{shown}");
        let error = access_error(&[("HF_TOKEN", "hunter2\n3")]);
        assert!(error.contains("HF_TOKEN") && !error.contains("hunter2"), "{error}");
        config.header("X Y", "hunter2");
        let error = Access::new(&config, &Environment::of(&[]), &files).unwrap_err().to_string();
        assert!(error.contains("\"X Y\"") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_user_agent_is_printable() {
        let name =
            |value| access(&[("CARGO_HTTP_USER_AGENT", value)]).map(|found| found.user_agent);
        assert_eq!(name("ci (build 7)"), Ok("ci (build 7)".to_owned()));
        assert!(name("").unwrap().starts_with("vendor-model/"));
        assert!(name("a\nb").is_err());
    }
}
