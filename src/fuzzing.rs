//! The door to the parsers for `build-support/fuzz`; it is there only with `--cfg fuzzing`. Each function takes whatever
//! a stranger could send and panics where something is wrong with what was made of it.
#![allow(missing_docs, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Component, Path};

use url::Url;

use crate::cargo_config::CargoConfig;
use crate::digest::Content;
use crate::environment::Environment;
use crate::exchange::{Span, encodings};
use crate::gunzip::{Format, Gunzip};
use crate::lockfile::Lockfile;
use crate::manifest::Manifest;
use crate::mirror::Mirrors;
use crate::netrc::Netrc;
use crate::partial::{Record, Traces};
use crate::path::{ModelPath, collisions};
use crate::patience;
use crate::proxy::Proxies;
use crate::shortcut::{Short, shortened};
use crate::sniff;
use crate::source::{self, ModelUrl, Place};
use crate::verify;

/// No target inflates more.
const BOUND: u64 = 1 << 22;

pub fn manifest(bytes: &[u8]) {
    let entry = ModelPath::parse("model.json").unwrap();
    let manifest = match Manifest::parse(bytes, &entry) {
        Ok(manifest) => manifest,
        Err(error) => return drop(error.to_string()),
    };
    for shard in manifest.shards() {
        stays_below(shard);
        assert_ne!(shard.folded(), entry.folded());
    }
    let (least, total) = (verify::least_total(&manifest), verify::total(&manifest));
    assert!(total.is_none_or(|total| total == least));
}

/// The first byte says how many strings there are, the second how many bytes follow them, the third where the shards
/// are cut, and the rest is what is in them.
pub fn strings(bytes: &[u8]) {
    let [strings, bools, cut, content @ ..] = bytes else { return };
    let (first, second) = content.split_at(usize::from(*cut).min(content.len()));
    let files = BTreeMap::from([("a", first), ("b", second)]);
    let weights = format!(
        r#"{{"name": "s", "shape": [{strings}], "dtype": "string"}}, {{"name": "b", "shape": [{bools}], "dtype": "bool"}}"#
    );
    let json = format!(r#"[{{"paths": ["a", "b"], "weights": [{weights}]}}]"#);
    let manifest = Manifest::parse(json.as_bytes(), &ModelPath::parse("m").unwrap()).unwrap();
    let size = |path: &ModelPath| files[path.as_str()].len() as u64;
    let open = |path: &ModelPath| Ok(Cursor::new(files[path.as_str()]));
    let verdict = verify::groups(&manifest, size, open).unwrap();
    let mut rest = Some(content);
    for _ in 0..*strings {
        rest = rest.and_then(after_string);
    }
    let expected = rest.map(|rest| content.len() - rest.len() + usize::from(*bools));
    let fits = expected == Some(content.len());
    assert_eq!(fits, verdict == verify::Verdict::default());
    assert_eq!(
        verdict.surplus.is_some(),
        expected.is_some_and(|expected| expected < content.len())
    );
}

fn after_string(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(u32::from_le_bytes(*length) as usize..)
}

pub fn lockfile(text: &str) {
    match Lockfile::from_text(text) {
        Ok(read) => {
            assert_eq!(Lockfile::from_text(&read.to_string()).unwrap(), read);
            read.models().iter().flat_map(|model| model.paths()).for_each(stays_below);
        }
        Err(error) => drop(error.to_string()),
    }
}

/// A path a line.
pub fn model_path(text: &str) {
    let paths: Vec<ModelPath> =
        text.split('\n').filter_map(|line| ModelPath::parse(line).ok()).collect();
    paths.iter().for_each(stays_below);
    let paths: Vec<&ModelPath> = paths.iter().collect();
    if collisions(&paths).is_empty() {
        let mut spelt = BTreeMap::new();
        for path in paths {
            let other = spelt.insert(path.folded(), path);
            assert!(other.is_none_or(|other| other == path), "{path} and {other:?}");
        }
    }
}

fn stays_below(path: &ModelPath) {
    let joined = path.below(Path::new("out"));
    let mut below = joined.strip_prefix("out").unwrap().components();
    assert!(below.all(|part| matches!(part, Component::Normal(_))), "{path}");
    assert_eq!(ModelPath::parse(path.as_str()).as_ref(), Ok(path));
}

/// An address and, after the last line end, the path of a shard.
pub fn address(text: &str) {
    let (text, path) = text.rsplit_once('\n').unwrap_or((text, "a/b.bin"));
    let _ = source::shown_text(text);
    let Ok(model) = ModelUrl::parse(text) else { return };
    let recorded = ModelUrl::parse(model.recorded()).unwrap();
    assert_eq!(recorded.recorded(), model.recorded());
    let _ = (model.file_name(), model.short_name(), model.is_plain_http(), model.on_disk());
    if let Some(Ok(path)) = model.entry().vendored() {
        stays_below(&path);
    }
    let Ok(path) = ModelPath::parse(path) else { return };
    match (model.entry(), model.shard(&path)) {
        (Place::Host(entry), Ok(Place::Host(shard))) => assert_eq!(entry.origin(), shard.origin()),
        (_, shard) => drop(shard),
    }
}

/// What is inflated; the target compares it with what another crate makes of it.
pub fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    inflated(bytes, Format::Gzip)
}

pub fn deflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    inflated(bytes, Format::Zlib)
}

fn inflated(bytes: &[u8], format: Format) -> io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    Gunzip::new(bytes, format).take(BOUND).read_to_end(&mut inflated).map(|_| inflated)
}

pub fn sniff(bytes: &[u8]) {
    let head = &bytes[..bytes.len().min(sniff::HEAD)];
    let _ = sniff::binary_kind(head);
    for shorter in 0..head.len() {
        if let Some(found) = sniff::impostor(&head[..shorter]) {
            assert_eq!(sniff::impostor(head), Some(found));
        }
    }
}

/// The values of headers, a line each.
pub fn headers(text: &str) {
    for line in text.lines() {
        if let Some(span) = Span::parse(line) {
            assert!(span.first <= span.last && span.total.is_none_or(|total| span.last < total));
        }
        let waits = [patience::retry_after(line, Some(text)), patience::rate_limit(line)];
        assert!(waits.iter().all(|wait| patience::pause(1, 0, *wait) <= patience::LONGEST));
        let _ = patience::http_date(line);
    }
    assert!(encodings(text.lines()).iter().all(|name| !name.contains(',') && name != "identity"));
}

pub fn mirrors(text: &str) {
    match Mirrors::new("VENDOR_MODEL_MIRROR", text, &[]) {
        Ok(mirrors) => {
            let origin = Url::parse("https://user:password@h.example/a/b/model.json?x=1").unwrap();
            let sources = mirrors.sources(&origin);
            assert!((1..=2).contains(&sources.len()));
            let itself = sources.iter().filter(|source| **source == origin).count();
            assert!(itself == 1 || !sources[0].as_str().contains("password@"));
        }
        Err(error) => drop(error.to_string()),
    }
}

/// The first line is asked for, the rest is the file.
pub fn netrc(text: &str) {
    let (host, file) = text.split_once('\n').unwrap_or(("h", text));
    match Netrc::parse(file) {
        Ok(netrc) => {
            let logins = [netrc.of(host), netrc.of_others()];
            assert!(logins.iter().flatten().all(|login| file.len() >= login.password.len()));
        }
        Err(error) => drop(error.to_string()),
    }
}

/// A proxy, the hosts that are asked without it, and an address, a line each.
pub fn proxies(text: &str) {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let variables = [("ALL_PROXY", next()), ("NO_PROXY", next())];
    let url = Url::parse(next());
    match Proxies::new(&Environment::of(&variables), &CargoConfig::read(&[], None)) {
        Ok(proxies) => drop(url.map(|url| proxies.before(&url).map(ToString::to_string))),
        Err(error) => drop(error.to_string()),
    }
}

/// As cargo's configuration in `dir`, which is empty.
pub fn cargo_config(text: &str, dir: &Path) {
    fs::create_dir(dir.join(".cargo")).unwrap();
    fs::write(dir.join(".cargo/config.toml"), text).unwrap();
    let config = CargoConfig::read(&[dir.to_owned()], None);
    let _ = (config.offline(), config.retries(), config.timeout(), config.user_agent());
    let _ = (config.proxy(), config.certificates());
}

/// The text of a journal.
pub fn journal(bytes: &[u8]) {
    let Ok(record) = Record::parse(bytes) else { return };
    assert!(record.pieces.windows(2).all(|pair| pair[0].size < pair[1].size));
}

/// What a download that stopped has left in `dir`, which is empty: the first byte says how many pieces its journal
/// has, the next ones how large each is and, by their highest bit, whether its digest is right; the rest is what came.
pub fn partial(bytes: &[u8], dir: &Path) {
    let Some((count, rest)) = bytes.split_first() else { return };
    let Some((steps, content)) = rest.split_at_checked(usize::from(count % 16)) else { return };
    let (mut journal, mut end, mut trusted, mut right) = ("{}\n".to_owned(), 0, 0, true);
    for step in steps {
        end += 1 + usize::from(step & 127);
        let there = content.get(..end).filter(|_| step & 128 == 0);
        let digest = Content::of(there.unwrap_or(b"something else")).digest;
        journal += &format!("{end} {digest}\n");
        right &= there.is_some();
        trusted = if right { end } else { trusted };
    }
    fs::write(dir.join("key-1-1"), content).unwrap();
    fs::write(dir.join("key-1-1.journal"), journal).unwrap();
    let partial = Traces::new(dir.to_owned(), "key".to_owned()).adopt().unwrap();
    assert_eq!(partial.content(), Content::of(&content[..trusted]));
    assert!(fs::read(&partial.at).unwrap() == content[..trusted]);
}

/// What ureq is told of an answer differs from what came in its length alone.
pub fn answer(bytes: &[u8]) {
    let Some(Short { head, end, length }) = shortened(bytes) else { return };
    let lines = |head: &[u8]| {
        let head = String::from_utf8(head.to_vec()).unwrap();
        assert!(head.ends_with("\r\n\r\n") && head.matches("\r\n\r\n").count() == 1);
        let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
        let (lengths, others): (Vec<&str>, Vec<&str>) = head.lines().partition(is_length);
        let value = lengths[0].split_once(':').unwrap().1.trim().parse::<u64>().unwrap();
        assert_eq!(lengths.len(), 1);
        assert!(
            !others.iter().any(|line| line.to_ascii_lowercase().starts_with("transfer-encoding:"))
        );
        (value, others.join("\n"))
    };
    let ((told, others), (came, as_they_came)) = (lines(&head), lines(&bytes[..end]));
    assert_eq!((told, came, others), (1, length, as_they_came));
    assert!(length > 1);
}
