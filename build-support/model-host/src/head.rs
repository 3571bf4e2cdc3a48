//! The head of a request: its request line and headers, read and parsed.

use std::io::{BufRead, Read};

use crate::url_path;

/// The longest head that is read.
const LIMIT: u64 = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    version: Version,
}

#[derive(Debug, PartialEq)]
enum Version {
    Http10,
    Http11,
}

/// Why there is no head.
#[derive(Debug, PartialEq)]
pub(crate) enum Unreadable {
    Gone,
    Malformed,
    TooLarge,
}

impl Head {
    pub(crate) fn read(stream: &mut impl BufRead) -> Result<Head, Unreadable> {
        let block = read_block(stream)?;
        str::from_utf8(&block).ok().and_then(Head::parse).ok_or(Unreadable::Malformed)
    }

    fn parse(block: &str) -> Option<Head> {
        let mut lines = block.lines();
        let [method, target, version] = words(lines.next()?)?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let headers = lines.take_while(|line| !line.is_empty()).map(parse_header);
        Some(Head {
            method: token(method)?.to_owned(),
            path: Some(path).filter(|path| !path.is_empty())?.to_owned(),
            query,
            version: Version::parse(version)?,
            headers: headers.collect::<Option<_>>()?,
        })
    }

    pub(crate) fn decoded_path(&self) -> String {
        url_path::decoded(&self.path)
    }

    /// The path and the query as they were sent.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            None => self.path.clone(),
            Some(query) => format!("{}?{query}", self.path),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether it asks for a path, as one asks a host; a proxy is asked for URLs and hosts.
    pub(crate) fn is_for_a_path(&self) -> bool {
        self.path.starts_with('/')
    }

    /// Whether the connection ends with this request: by its own word, or because it brings a
    /// body, which this host does not read.
    pub(crate) fn is_last(&self) -> bool {
        self.version == Version::Http10
            || self.header("Connection").is_some_and(|it| it.eq_ignore_ascii_case("close"))
            || self.header("Content-Length").is_some_and(|length| length != "0")
            || self.header("Transfer-Encoding").is_some()
    }
}

impl Version {
    fn parse(text: &str) -> Option<Version> {
        match text {
            "HTTP/1.0" => Some(Version::Http10),
            "HTTP/1.1" => Some(Version::Http11),
            _ => None,
        }
    }
}

/// The value of the first header of this name, in any case.
pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let named = headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str())
}

/// Everything up to and including the empty line.
fn read_block(stream: &mut impl BufRead) -> Result<Vec<u8>, Unreadable> {
    let mut limited = stream.take(LIMIT);
    let mut block = Vec::new();
    while !block.ends_with(b"\n\r\n") && !block.ends_with(b"\n\n") {
        match limited.read_until(b'\n', &mut block) {
            Ok(0) if limited.limit() == 0 => return Err(Unreadable::TooLarge),
            Ok(0) | Err(_) => return Err(Unreadable::Gone),
            Ok(_) => {}
        }
    }
    Ok(block)
}

fn words(line: &str) -> Option<[&str; 3]> {
    line.split(' ').collect::<Vec<_>>().try_into().ok()
}

fn parse_header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((token(name)?.to_owned(), value.trim().to_owned()))
}

fn token(text: &str) -> Option<&str> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(valid))
}

#[cfg(test)]
mod tests {
    use super::{Head, LIMIT, Unreadable};

    fn read(text: &str) -> Result<Head, Unreadable> {
        Head::read(&mut text.as_bytes())
    }

    #[test]
    fn a_head_is_taken_apart() {
        let head =
            read("GET /a%20b?x=1?2 HTTP/1.1\r\nHost: h\r\nrange:  bytes=1- \r\n\r\n").unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str()), ("GET", "/a%20b"));
        assert_eq!(head.query.as_deref(), Some("x=1?2"));
        assert_eq!(head.header("Range"), Some("bytes=1-"));
        assert!(!head.is_last());
    }

    #[test]
    fn a_path_is_told_from_what_a_proxy_is_asked_for() {
        let is_for_a_path =
            |target| read(&format!("GET {target} HTTP/1.1\r\n\r\n")).unwrap().is_for_a_path();
        assert!(is_for_a_path("/a"));
        assert!(!is_for_a_path("http://h/a") && !is_for_a_path("h:443"));
    }

    #[test]
    fn the_last_request_is_known_by_its_head() {
        let last = ["Connection: Close", "Content-Length: 3", "Transfer-Encoding: chunked"];
        for header in last {
            assert!(read(&format!("GET / HTTP/1.1\r\n{header}\r\n\r\n")).unwrap().is_last());
        }
        assert!(read("GET / HTTP/1.0\r\n\r\n").unwrap().is_last());
    }

    #[test]
    fn what_is_no_head_is_told_apart() {
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(LIMIT as usize));
        let cases = [
            ("", Unreadable::Gone),
            ("GET / HTTP/1.1\r\nHost: h\r\n", Unreadable::Gone),
            ("\r\n\n\r\n", Unreadable::Malformed),
            ("GET /\r\n\r\n", Unreadable::Malformed),
            ("GET  / HTTP/1.1\r\n\r\n", Unreadable::Malformed),
            ("GET ?x HTTP/1.1\r\n\r\n", Unreadable::Malformed),
            ("GET / HTTP/2\r\n\r\n", Unreadable::Malformed),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", Unreadable::Malformed),
            ("GET / HTTP/1.1\r\nna me: x\r\n\r\n", Unreadable::Malformed),
            (&long, Unreadable::TooLarge),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap_err(), expected, "{:.40}", text);
        }
    }
}
