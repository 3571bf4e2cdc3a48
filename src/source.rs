//! The address of a model -> where the bytes of each of its files may come from.
//!
//! Holds the one rule by which TensorFlow.js forms the URL of a shard. Pure: opens nothing.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::path::{ModelPath, PathProblem};

/// The address of a model, as its caller wrote it.
#[derive(Clone)]
pub(crate) struct ModelUrl {
    given: String,
    /// What stands in a lockfile: the same without user info.
    recorded: String,
    parsed: Url,
}

/// Where bytes are read from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Host(Url),
    Disk(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host(url) => f.write_str(&shown(url)),
            Place::Disk(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Place {
    /// Where a vendored directory keeps what is here: `<host>/<path>`; `None` for a file of this machine.
    pub fn vendored(&self) -> Option<Result<ModelPath, PathProblem>> {
        let Place::Host(url) = self else { return None };
        let host = url.host_str()?;
        let host = url.port().map_or(host.to_owned(), |port| format!("{host}_{port}"));
        Some(ModelPath::parse(&format!("{host}{}", percent_decoded(url.path()))))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ModelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.recorded)
    }
}

impl ModelUrl {
    /// The error says what is wrong with the address.
    pub fn parse(text: &str) -> Result<ModelUrl, String> {
        let given = text.trim().to_owned();
        let parsed = Url::parse(&given).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => {
                "it is no absolute URL, such as https://host/dir/model.json or file:///dir/model.json".to_owned()
            }
            error => error.to_string(),
        })?;
        match parsed.scheme() {
            "http" | "https" => names_a_file(&given, &parsed)?,
            "file" if given.contains(":/") && parsed.to_file_path().is_ok() => {}
            "file" => return Err("it names no file on this machine".to_owned()),
            other => {
                return Err(format!(
                    "the scheme {other:?} is not supported; http, https and file are"
                ));
            }
        }
        match secret(&parsed) {
            Some(key) => Err(format!(
                "its query carries a secret ({key}), which would be written to models.lock: send it in a header \
                 (Config::header), or name a login in a netrc file"
            )),
            None => Ok(ModelUrl { recorded: without_user_info(&given), given, parsed }),
        }
    }

    /// What stands in a lockfile: the address as it was given, without user info.
    pub fn recorded(&self) -> &str {
        &self.recorded
    }

    /// The last segment of the address, decoded: the name of the entry unless the caller gives another.
    pub fn file_name(&self) -> String {
        let last =
            self.parsed.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or("");
        if last.is_empty() { "model.json".to_owned() } else { percent_decoded(last) }
    }

    /// What a line of text calls it: its last two segments.
    pub fn short_name(&self) -> String {
        let segments: Vec<&str> = self.parsed.path_segments().into_iter().flatten().collect();
        percent_decoded(&segments[segments.len().saturating_sub(2)..].join("/"))
    }

    /// Where the entry is.
    pub fn entry(&self) -> Place {
        self.parsed.clone().into()
    }

    /// Where a shard or an extra file is.
    pub fn shard(&self, path: &ModelPath) -> Result<Place, url::ParseError> {
        shard_url(&self.given, path.as_str(), None, None).map(Place::from)
    }

    /// Whether anybody on the way could change the bytes: plain http, and not from this machine.
    pub fn is_plain_http(&self) -> bool {
        is_plain_http(&self.parsed)
    }

    /// The file that a `file:` address names.
    pub fn on_disk(&self) -> Option<PathBuf> {
        self.parsed.to_file_path().ok().filter(|_| self.parsed.scheme() == "file")
    }
}

pub(crate) fn is_plain_http(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !loopback
}

/// The client takes an address for text, so that it has to be written out as one: `https://host/...`.
fn names_a_file(given: &str, parsed: &Url) -> Result<(), String> {
    let after_scheme = after_scheme(given).map_or("", |(_, rest)| rest);
    if after_scheme.is_empty()
        || after_scheme.starts_with(['/', '\\'])
        || given.contains(char::is_control)
    {
        return Err(format!("it is not written as {}://host/dir/model.json", parsed.scheme()));
    }
    match after_scheme.contains('/') {
        true => Ok(()),
        false => Err("it names a host only, not the file of a model".to_owned()),
    }
}

/// The scheme and what follows its `://`. Where something else stands before the first one, as in
/// `http:user:password@host/https://`, that is not the scheme's.
fn after_scheme(text: &str) -> Option<(&str, &str)> {
    text.split_once("://").filter(|(scheme, _)| !scheme.contains(':'))
}

/// Cuts what lies between `://` and the last `@` of the authority.
fn without_user_info(text: &str) -> String {
    let Some((scheme, rest)) = after_scheme(text) else { return text.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => text.to_owned(),
    }
}

impl From<Url> for Place {
    fn from(mut url: Url) -> Place {
        url.set_fragment(None);
        match url.scheme() {
            "file" => Place::Disk(url.to_file_path().unwrap_or_default()),
            _ => Place::Host(url),
        }
    }
}

/// The URL of a shard, as the TensorFlow.js client forms it: the text of the model's URL up to its last `/`, the path,
/// and what follows the last `?`, joined as text and only then parsed. That is no `Url::join`: the query of the model
/// goes to every shard, and a redirect of the model moves none.
///
/// `prefix` and `converter` are the client's `weightPathPrefix` and `weightUrlConverter`.
pub(crate) fn shard_url(
    model_url: &str,
    path: &str,
    prefix: Option<&str>,
    converter: Option<&dyn Fn(&str) -> String>,
) -> Result<Url, url::ParseError> {
    let text = match converter {
        Some(convert) => convert(path),
        None => {
            let slash = model_url.rfind('/');
            let directory = &model_url[..slash.unwrap_or(0)];
            let suffix = model_url
                .rfind('?')
                .filter(|&mark| slash.is_none_or(|slash| mark > slash))
                .map_or("", |mark| &model_url[mark..]);
            match prefix.filter(|prefix| !prefix.is_empty()) {
                Some(prefix) => format!("{prefix}{path}{suffix}"),
                None => format!("{directory}/{path}{suffix}"),
            }
        }
    };
    let mut url = Url::parse(&text)?;
    url.set_fragment(None);
    Ok(url)
}

/// A URL as a request names it: without user info and fragment.
pub(crate) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    // Both fail only for URLs that cannot have user info.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_fragment(None);
    bare
}

/// A URL as it may be shown: without user info, and without its query where something in it authorises.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = bare(url);
    if secret(url).is_some() {
        shown.set_query(Some("..."));
    }
    shown.to_string()
}

/// An address as it may be shown before it is known to be one: as it was given, if nothing in it can be a secret.
pub(crate) fn shown_text(text: &str) -> String {
    match Url::parse(text.trim()) {
        Ok(url) if url.has_authority() => match text.contains('@') || secret(&url).is_some() {
            true => shown(&url),
            false => text.to_owned(),
        },
        // Whatever it is meant to be, nothing that could be a secret of it is shown.
        _ => {
            let (path, query) = text.split_once('?').map_or((text, ""), |(path, _)| (path, "?..."));
            match path.rsplit_once('@') {
                Some((_, rest)) => format!("...@{rest}{query}"),
                None => format!("{path}{query}"),
            }
        }
    }
}

/// The query parameter that signs or authorises the request, if there is one.
fn secret(url: &Url) -> Option<String> {
    const ALWAYS: [&str; 8] = [
        "x-amz-credential",
        "x-amz-signature",
        "x-amz-security-token",
        "x-goog-credential",
        "x-goog-signature",
        "x-goog-security-token",
        "signature",
        "access_token",
    ];
    let is = |key: &str, name: &str| key.eq_ignore_ascii_case(name);
    let expires = url.query_pairs().any(|(key, _)| is(&key, "se"));
    let secret = |key: &str| ALWAYS.iter().any(|name| is(key, name)) || expires && is(key, "sig");
    url.query_pairs().map(|(key, _)| key.into_owned()).find(|key| secret(key))
}

pub(crate) fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match rest {
            [b'%', high, low, ..] => hex::decode([*high, *low]).ok(),
            _ => None,
        };
        rest = if escape.is_some() { &rest[3..] } else { tail };
        decoded.extend(escape.unwrap_or_else(|| vec![*first]));
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(url: &str) -> ModelUrl {
        ModelUrl::parse(url).unwrap()
    }

    fn path(text: &str) -> ModelPath {
        ModelPath::parse(text).unwrap()
    }

    /// The facts of `../shared/data/url-vectors.json` that differ from `Url::join`, so that the rule is tested
    /// where that file is absent; `tests/it/corpus.rs` has them all.
    #[test]
    fn shard_urls_are_formed_as_the_client_forms_them() {
        let cases = [
            (
                "https://h.example/m/model.json?tfjs-format=file",
                "a.bin",
                "https://h.example/m/a.bin?tfjs-format=file",
            ),
            (
                "https://h.example/m/model.json?p=a/b",
                "a.bin",
                "https://h.example/m/model.json?p=a/a.bin",
            ),
            (
                "https://h.example/m/model.json?p=a/b?q=1",
                "a.bin",
                "https://h.example/m/model.json?p=a/a.bin?q=1",
            ),
            ("https://h.example/m/model.json?x=1?y=2", "a.bin", "https://h.example/m/a.bin?y=2"),
            ("https://h.example/m/model.json#fr/ag", "a.bin", "https://h.example/m/model.json"),
            ("https://h.example/m/model.json?x=1#frag", "a.bin", "https://h.example/m/a.bin?x=1"),
            ("https://h.example/m/", "a.bin", "https://h.example/m/a.bin"),
            ("https://h.example/m/model.json", "./a b.bin", "https://h.example/m/a%20b.bin"),
            (
                "https://h.example/m/model.json",
                "https://cdn.example/a.bin",
                "https://h.example/m/https://cdn.example/a.bin",
            ),
            ("https://h.example/m/model.json", "..\\a.bin", "https://h.example/a.bin"),
            (
                "https://u:p@h.example:8443/m/model.json",
                "a.bin",
                "https://u:p@h.example:8443/m/a.bin",
            ),
        ];
        for (url, path, wire) in cases {
            assert_eq!(shard_url(url, path, None, None).unwrap().as_str(), wire, "{url} {path}");
        }
    }

    #[test]
    fn prefix_and_converter_replace_what_the_client_lets_them_replace() {
        let url = "https://h.example/m/model.json?x=1";
        let with_prefix = |prefix| shard_url(url, "a.bin", Some(prefix), None).unwrap().to_string();
        assert_eq!(with_prefix("https://cdn.example/w"), "https://cdn.example/wa.bin?x=1");
        assert_eq!(with_prefix(""), "https://h.example/m/a.bin?x=1");
        let converted =
            shard_url(url, "a.bin", None, Some(&|name| format!("https://cdn.example/{name}")));
        assert_eq!(converted.unwrap().as_str(), "https://cdn.example/a.bin");
    }

    #[test]
    fn addresses_that_name_no_model_are_refused() {
        let refusal = |url: &str| ModelUrl::parse(url).unwrap_err();
        assert!(refusal("model.json").contains("no absolute URL"));
        assert!(refusal("").contains("no absolute URL"));
        assert!(refusal("ftp://h.example/model.json").contains("\"ftp\" is not supported"));
        assert!(refusal("https://h.example").contains("a host only"));
        assert!(refusal("file:model.json").contains("names no file"));
        assert!(
            refusal("https://b.example/m.json?X-Goog-Signature=abc").contains("X-Goog-Signature")
        );
        assert!(refusal("https://b.example/m.json?se=2026&sig=abc").contains("(sig)"));
        assert!(ModelUrl::parse("https://b.example/m.json?sig=abc").is_ok());
    }

    #[test]
    fn the_recorded_address_is_the_given_one_without_user_info() {
        assert_eq!(
            model("https://u:p@h.example:8443/m/../n/model.json?a=b@c").recorded(),
            "https://h.example:8443/m/../n/model.json?a=b@c"
        );
        assert_eq!(
            model(" https://h.example/a@b/model.json ").recorded(),
            "https://h.example/a@b/model.json"
        );
    }

    #[test]
    fn no_way_of_writing_an_address_gets_a_password_into_the_lock() {
        for url in [
            "http:/u:hunter2@h/m.json",
            "http:///u:hunter2@h/m.json",
            "http:\\\\u:hunter2@h/m.json",
            "ht\ntp://u:hunter2@h/m.json",
            "http:u:hunter2@h/m.json",
            "http:u:hunter2@h/https://h/m.json",
            "http:/u:hunter2@h/m.json?://h/m.json",
        ] {
            assert!(ModelUrl::parse(url).is_err(), "{url:?}");
        }
        for url in [
            "http://u:hunter2@h:99999/m.json",
            "http://u:hunter2@h h/m.json",
            "http://u:hunter2@h/m.json",
        ] {
            assert!(!shown_text(url).contains("hunter2"), "{}", shown_text(url));
        }
        assert_eq!(model("http://u:p@x@h.example/m.json").recorded(), "http://h.example/m.json");
    }

    #[test]
    fn the_entry_is_named_by_the_last_segment() {
        assert_eq!(
            model("https://h.example/m/model-stride16.json?x=1").file_name(),
            "model-stride16.json"
        );
        assert_eq!(model("https://h.example/m/my%20model.json").file_name(), "my model.json");
        assert_eq!(model("https://h.example/m/").file_name(), "model.json");
        assert_eq!(model("https://h.example/o/m%2Fmodel.json").file_name(), "m/model.json");
    }

    #[test]
    fn a_vendored_directory_has_plain_names() {
        let at = |url: &str, shard: &str| {
            let place = model(url).shard(&path(shard)).unwrap();
            place.vendored().unwrap().ok().map(|path| path.to_string())
        };
        assert_eq!(
            at("https://h.example/m/model.json?x=1", "s/a.bin").as_deref(),
            Some("h.example/m/s/a.bin")
        );
        assert_eq!(
            at("http://127.0.0.1:8080/my%20m/model.json", "a").as_deref(),
            Some("127.0.0.1_8080/my m/a")
        );
        assert_eq!(at("https://h.example/m%3A/model.json", "a"), None);
        assert_eq!(at("https://h.example//m/model.json", "a"), None);
        assert_eq!(at("http://[::1]/m/model.json", "a"), None);
        assert_eq!(Place::Disk("/m/model.json".into()).vendored(), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = |text: &str| super::shown(&Url::parse(text).unwrap());
        assert_eq!(shown("https://u:p@h.example/a?x=1#f"), "https://h.example/a?x=1");
        assert_eq!(shown("https://h.example/a?X-Amz-Signature=abc&x=1"), "https://h.example/a?...");
    }
}
