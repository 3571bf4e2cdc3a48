//! Who we say we are, and to whom: each credential goes to the origin that it is for, and to no other.

use std::fs;

use ureq::http::{HeaderName, HeaderValue, header};
use url::Url;

use crate::access::Access;
use crate::error::ErrorKind;
use crate::failure::Failure;
use crate::netrc::{Login, Netrc};
use crate::secret::unshown;
use crate::source::{ModelUrl, Place, percent_decoded};

const HUGGING_FACE: &str = "huggingface.co";

pub(crate) struct Credentials {
    /// The model's address, with its user info.
    model: Option<Url>,
    /// For the origin of the model.
    headers: Vec<(HeaderName, HeaderValue)>,
    token: Option<HeaderValue>,
    netrc: Netrc,
}

impl Credentials {
    pub fn new(access: &Access, model: &ModelUrl) -> Result<Credentials, Failure> {
        let model = match model.entry() {
            Place::Host(url) => Some(url),
            Place::Disk(_) => None,
        };
        let (headers, token) = (access.headers.clone(), access.token.clone());
        Ok(Credentials { model, headers, token, netrc: netrc(access)? })
    }

    /// What the host of `url` is told, where nobody else hears it.
    pub fn headers(&self, url: &Url) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = if self.is_of_model(url) { self.headers.clone() } else { Vec::new() };
        if headers.iter().all(|(name, _)| *name != header::AUTHORIZATION) {
            headers.extend(self.authorization(url).map(|value| (header::AUTHORIZATION, value)));
        }
        headers
    }

    /// Whether somebody wants `url` to be asked with a credential, and not only its host with those that there are.
    pub fn are_asked_for(&self, url: &Url) -> bool {
        let by_model =
            || !self.headers.is_empty() || self.model.as_ref().is_some_and(has_user_info);
        has_user_info(url) || self.is_of_model(url) && by_model()
    }

    /// The nearest to the address wins. The default of a netrc file is for the model's own host only.
    fn authorization(&self, url: &Url) -> Option<HeaderValue> {
        let host = url.host_str()?;
        let model = self.model.as_ref().filter(|_| self.is_of_model(url));
        let token = self.token.as_ref().filter(|_| host == HUGGING_FACE && url.scheme() == "https");
        basic(url)
            .or_else(|| basic(model?))
            .or_else(|| token.cloned())
            .or_else(|| basic_of(self.netrc.of(host)?))
            .or_else(|| model.and_then(|_| basic_of(self.netrc.of_others()?)))
    }

    fn is_of_model(&self, url: &Url) -> bool {
        self.model.as_ref().is_some_and(|model| model.origin() == url.origin())
    }
}

/// What can be set where the host of `url` wants to know who asks.
pub(crate) fn advice(url: &Url) -> &'static str {
    match url.host_str() {
        Some(HUGGING_FACE) => {
            "set HF_TOKEN to a token of somebody who may read the model, and see whether its terms have to be accepted"
        }
        _ => {
            "if the host wants to know who asks, name it in a netrc file (NETRC, else ~/.netrc), write user:password@ \
             into its URL, or set Config::header, which all go over https only; or the address has expired"
        }
    }
}

/// Only a file that somebody has named has to be there.
fn netrc(access: &Access) -> Result<Netrc, Failure> {
    let Some(file) = &access.netrc else { return Ok(Netrc::default()) };
    let bytes = match fs::read(&file.path) {
        Ok(bytes) => bytes,
        Err(_) if !file.is_named => return Ok(Netrc::default()),
        Err(error) => {
            return Err(setting(format!("cannot read NETRC, {}: {error}", file.path.display())));
        }
    };
    Netrc::parse(&String::from_utf8_lossy(&bytes))
        .map_err(|problem| setting(format!("cannot read {}: {problem}", file.path.display())))
}

/// What whoever builds has to change.
fn setting(what: String) -> Failure {
    Failure { kind: ErrorKind::Config, ..Failure::lasting(what) }
}

/// A credential is asked for where others would hear it.
pub(crate) fn overheard(url: &Url) -> Failure {
    let host = url.host_str().unwrap_or_default();
    setting(format!("a password or a header is to go to {host} over plain http, where anybody on the way could read it"))
        .help("use https, or take the credential away")
}

fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The user info of a URL, as a header says it.
pub(crate) fn basic(url: &Url) -> Option<HeaderValue> {
    let user = percent_decoded(url.username());
    let password = percent_decoded(url.password().unwrap_or_default());
    has_user_info(url).then(|| Login { user: &user, password: &password }).and_then(basic_of)
}

fn basic_of(login: Login<'_>) -> Option<HeaderValue> {
    let text = format!("{}:{}", login.user, login.password);
    unshown(&format!("Basic {}", base64(text.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            match digit <= group.len() {
                true => text.push(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize].into()),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo_config::CargoConfig;
    use crate::config::Config;
    use crate::environment::Environment;
    use std::fs::File;
    use std::io::Write;

    /// The examples of RFC 4648.
    #[test]
    fn base64_is_that_of_the_standard() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, encoded) in cases {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    fn credentials(
        model: &str,
        set: &[(&'static str, &str)],
        header: Option<(&str, &str)>,
    ) -> Credentials {
        let mut config = Config::new();
        if let Some((name, value)) = header {
            config.header(name, value);
        }
        let files = CargoConfig::read(&[], None);
        let access = Access::new(&config, &Environment::of(set), &files).unwrap();
        Credentials::new(&access, &ModelUrl::parse(model).unwrap())
            .unwrap_or_else(|failure| panic!("{}", failure.what))
    }

    fn authorization(credentials: &Credentials, url: &str) -> Option<String> {
        let headers = credentials.headers(&Url::parse(url).unwrap());
        let (_, value) = headers.into_iter().find(|(name, _)| *name == header::AUTHORIZATION)?;
        Some(value.to_str().unwrap().to_owned())
    }

    fn basic_text(login: &str) -> Option<String> {
        Some(format!("Basic {}", base64(login.as_bytes())))
    }

    #[test]
    fn user_info_stays_with_its_origin() {
        let credentials = credentials("https://us:p%3Aw@h.example/m.json", &[], None);
        let to = |url: &str| authorization(&credentials, url);
        assert_eq!(to("https://us:p%3Aw@h.example/a.bin"), basic_text("us:p:w"));
        assert_eq!(to("https://h.example/elsewhere"), basic_text("us:p:w"));
        for other in ["https://h.example:8443/", "http://h.example/", "https://a.h.example/"] {
            assert_eq!(to(other), None, "{other}");
        }
        let header = &credentials.headers(&Url::parse("https://h.example/").unwrap())[0];
        assert_eq!(format!("{header:?}"), "(\"authorization\", Sensitive)");
    }

    #[test]
    fn a_header_of_config_is_for_the_origin_of_the_model() {
        let header = Some(("Authorization", "Bearer t"));
        let credentials = credentials("https://us:pw@h.example/m.json", &[], header);
        assert_eq!(
            authorization(&credentials, "https://h.example/a.bin"),
            Some("Bearer t".to_owned())
        );
        assert_eq!(authorization(&credentials, "https://m.example/a.bin"), None);
        assert!(credentials.are_asked_for(&Url::parse("https://h.example/").unwrap()));
        assert!(!credentials.are_asked_for(&Url::parse("https://m.example/").unwrap()));
        assert!(credentials.are_asked_for(&Url::parse("https://us@m.example/").unwrap()));
    }

    #[test]
    fn the_token_of_hugging_face_is_for_its_one_host() {
        let credentials = credentials(
            "https://huggingface.co/us/m/resolve/main/model.json",
            &[("HF_TOKEN", "hf_t")],
            None,
        );
        let to = |url: &str| authorization(&credentials, url);
        assert_eq!(to("https://huggingface.co/us/m/a.bin"), Some("Bearer hf_t".to_owned()));
        for other in [
            "http://huggingface.co/",
            "https://cdn-lfs.huggingface.co/",
            "https://huggingface.co.example/",
        ] {
            assert_eq!(to(other), None, "{other}");
        }
    }

    #[test]
    fn a_netrc_file_speaks_to_the_machines_that_it_names_and_by_default_to_the_models_host() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netrc");
        let text = "machine m.example login them password x\ndefault login us password pw";
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let set = [("NETRC", path.to_str().unwrap())];
        let credentials = credentials("https://h.example/m.json", &set, None);
        let to = |url: &str| authorization(&credentials, url);
        assert_eq!(to("https://h.example/a.bin"), basic_text("us:pw"));
        assert_eq!(to("https://m.example/a.bin"), basic_text("them:x"));
        assert_eq!(to("https://m.example:8443/a.bin"), basic_text("them:x"));
        assert_eq!(to("https://other.example/a.bin"), None);
        let huggable =
            self::credentials("https://huggingface.co/m.json", &[set[0], ("HF_TOKEN", "t")], None);
        assert_eq!(
            authorization(&huggable, "https://huggingface.co/a"),
            Some("Bearer t".to_owned())
        );
    }
}
