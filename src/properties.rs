//! What holds for every path, lockfile, address, rule and first bytes, tried on inputs that nobody thought of: with
//! `manifests`, and `answers` for the network. `PROPTEST_CASES` sets how many; a failure shows the smallest of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::digest::Content;
use crate::lockfile::{LockedFile, LockedModel, Lockfile};
use crate::mirror::Mirrors;
use crate::path::{ModelPath, RECORD, collisions};
use crate::sniff;
use crate::source::{self, ModelUrl, Place};

pub(crate) fn config() -> ProptestConfig {
    // What a run finds becomes a case of the room's own tests, not a file of seeds.
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Segments of paths, most of them good in themselves or nearly so.
fn segment() -> impl Strategy<Value = String> {
    const ODD: [&str; 24] = [
        "",
        ".",
        "..",
        "...",
        "a.",
        " a",
        "a ",
        "CON",
        "con.bin",
        "nul .x",
        "COM1",
        "com10",
        "LPT9.a.b",
        "aux",
        ".vendor-model-1",
        ".VENDOR-model-x",
        "%2e%2e",
        "..\\..",
        "C:",
        "models.lock",
        "model.json",
        "a\0b",
        "é",
        "\u{202e}",
    ];
    prop_oneof![
        4 => "[abAB]{1,2}",
        2 => "[A-Za-z0-9._~ +&=@,-]{1,12}",
        2 => select(&ODD[..]).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
        1 => Just("x".repeat(256)),
    ]
}

fn path_text() -> impl Strategy<Value = String> {
    let joined = (
        select(vec!["", "", "", "./", "/", "././"]),
        vec(segment(), 1..5),
        select(vec!["/", "/", "/", "\\", "//"]),
    );
    let joined =
        joined.prop_map(|(start, segments, slash)| format!("{start}{}", segments.join(slash)));
    prop_oneof![9 => joined, 1 => any::<String>()]
}

/// Paths that are accepted, many of which meet.
pub(crate) fn plain_path() -> impl Strategy<Value = ModelPath> {
    let meeting = vec("[abAB]", 1..4).prop_map(|segments| segments.join("/"));
    let any = vec("[A-Za-z0-9_~+&=@,-]{1,9}", 1..4).prop_map(|segments| segments.join("/"));
    let ours = select(vec![RECORD, "Models.LOCK", "models.lock/a", "Model.json"]);
    let text = prop_oneof![8 => meeting, 2 => any, 1 => ours.prop_map(str::to_owned)];
    text.prop_filter_map("a device name", |text| ModelPath::parse(&text).ok())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_accepted_path_stays_below_whatever_it_is_joined_to(text in path_text()) {
        let Ok(path) = ModelPath::parse(&text) else { return Ok(()) };
        for dir in ["/out", "out", ".", "/"].map(Path::new) {
            let joined = path.below(dir);
            let below: Vec<Component> = joined.strip_prefix(dir).unwrap().components().collect();
            prop_assert!(below.iter().all(|part| matches!(part, Component::Normal(_))));
            prop_assert_eq!(below.len(), path.as_str().split('/').count());
        }
    }

    #[test]
    fn an_accepted_path_means_the_same_when_it_is_read_again(text in path_text()) {
        let Ok(path) = ModelPath::parse(&text) else { return Ok(()) };
        prop_assert!(text.ends_with(path.as_str()));
        prop_assert_eq!(&ModelPath::parse(path.as_str()).unwrap(), &path);
        let json = serde_json::to_string(&path).unwrap();
        prop_assert_eq!(serde_json::from_str::<ModelPath>(&json).unwrap(), path);
    }

    #[test]
    fn a_refusal_names_the_path_and_shows_no_control_character(text in path_text()) {
        let Err(problem) = ModelPath::parse(&text) else { return Ok(()) };
        prop_assert_eq!(&problem.path, &text);
        prop_assert!(!problem.to_string().contains(char::is_control), "{}", problem);
    }

    #[test]
    fn paths_collide_exactly_where_a_disk_without_case_could_not_hold_them(paths in vec(plain_path(), 1..6)) {
        let accepted = collisions(&paths.iter().collect::<Vec<_>>()).is_empty();
        prop_assert_eq!(accepted, fit_on_a_disk(&paths), "{:?}", paths);
    }
}

/// Whether these files, of which the first is the entry, and the record can all be written to a disk without case.
fn fit_on_a_disk(paths: &[ModelPath]) -> bool {
    #[derive(PartialEq)]
    enum Node {
        File(String),
        Directory,
    }
    let mut disk = BTreeMap::from([(RECORD.to_owned(), Node::File(RECORD.to_owned()))]);
    let mut write = |name: &str, node: Node| match disk.entry(name.to_lowercase()) {
        std::collections::btree_map::Entry::Occupied(there) => *there.get() == node,
        std::collections::btree_map::Entry::Vacant(free) => {
            free.insert(node);
            true
        }
    };
    let mut fits = true;
    for (n, path) in paths.iter().enumerate() {
        fits &= path.parents().all(|parent| write(parent, Node::Directory));
        // The record and the entry are files of another kind than the shards, so that even the same spelling collides.
        let is_taken = path.as_str() == RECORD || n > 0 && *path == paths[0];
        fits &= !is_taken && write(path.as_str(), Node::File(path.as_str().to_owned()));
    }
    fits
}

#[test]
fn every_kind_of_refusal_is_met() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..5000 {
        let text = path_text().new_tree(&mut runner).unwrap().current();
        if let Err(problem) = ModelPath::parse(&text) {
            met.insert(problem.why.split('\'').next().unwrap().to_owned());
        }
    }
    let kinds = [
        "begins like our own staging folders",
        "has a `.` or `..` segment",
        "has a segment of more than 255 bytes",
        "has a segment that ends in a dot",
        "has a segment that is a device name on Windows",
        "has a segment with a space at its edge",
        "has an empty segment",
        "has the character ",
    ];
    assert_eq!(met.iter().map(String::as_str).collect::<Vec<_>>(), kinds);
}

fn lockfile() -> impl Strategy<Value = Lockfile> {
    let content = vec(any::<u8>(), 0..9).prop_map(|bytes| Content::of(&bytes));
    let file =
        (plain_path(), content, any::<u64>(), proptest::option::weighted(0.2, any::<String>()));
    let file = file.prop_map(|(path, content, size, url)| LockedFile {
        url,
        ..LockedFile::new(path, Content { size, ..content })
    });
    let model = (any::<String>(), any::<String>(), vec(file, 1..5))
        .prop_map(|(url, format, files)| LockedModel { url, format, files: files.into() });
    let apart = |model: &LockedModel| {
        let paths: Vec<&ModelPath> = model.files.iter().map(|file| &file.path).collect();
        collisions(&paths).is_empty() && paths.iter().collect::<BTreeSet<_>>().len() == paths.len()
    };
    vec(model.prop_filter("colliding paths", apart), 0..4).prop_map(|models| {
        let mut lockfile = Lockfile::default();
        models.into_iter().for_each(|model| lockfile.insert(model));
        lockfile
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_lockfile_is_read_as_it_was_written_whatever_git_and_editors_do_to_it(lockfile in lockfile()) {
        let text = lockfile.to_string();
        prop_assert_eq!(&Lockfile::from_text(&text).unwrap(), &lockfile);
        let crlf = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        prop_assert_eq!(&Lockfile::from_text(&crlf).unwrap(), &lockfile);
        let compact = serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
        prop_assert_eq!(&Lockfile::from_text(&compact).unwrap(), &lockfile);
    }

    #[test]
    fn a_damaged_lockfile_is_refused_or_says_something_that_can_be_written(
        lockfile in lockfile(), at in any::<prop::sample::Index>(), with in "\\PC{0,3}", cut: bool,
    ) {
        let text = lockfile.to_string();
        let at = at.index(text.len());
        let Some((before, after)) = text.split_at_checked(at) else { return Ok(()) };
        let after = after.chars().skip(1).collect::<String>();
        let damaged = format!("{before}{with}{}", if cut { "" } else { &after });
        if let Ok(read) = Lockfile::from_text(&damaged) {
            prop_assert_eq!(Lockfile::from_text(&read.to_string()).unwrap(), read);
        }
    }

    #[test]
    fn no_text_makes_the_lockfile_panic(text: String) {
        let _ = Lockfile::from_text(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn what_a_head_is_does_not_depend_on_what_follows_or_on_blanks_before(
        head in vec(prop_oneof![any::<u8>(), select(&b"<!doctyehtml?xr-version "[..])], 0..40),
        rest in vec(any::<u8>(), 0..20),
        blanks in "[ \t\r\n]{0,9}",
    ) {
        const KNOWN: [&[u8]; 6] = [
            b"", b"<!DOCTYPE html>", b"<?xml ", b"<Error>", b"version https://git-lfs",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        ];
        for known in KNOWN {
            let head = [known, &head].concat();
            let found = sniff::impostor(&head);
            prop_assert!(found.is_some() || known.is_empty());
            if found.is_some() {
                prop_assert_eq!(sniff::impostor(&[&head[..], &rest].concat()), found);
            }
            if found != Some(sniff::Impostor::Gzip) && !head.starts_with(b"\xef\xbb\xbf") {
                let text = [blanks.as_bytes(), &head].concat();
                prop_assert!(sniff::impostor(&text) == found || text.starts_with(b"\x1f\x8b"));
            }
            let _ = sniff::binary_kind(&head);
        }
    }

    #[test]
    fn no_json_is_taken_for_something_else(text in "[ \r\n\t]{0,5}[\\[{]\\PC{0,40}") {
        prop_assert_eq!(sniff::impostor(text.as_bytes()), None);
        prop_assert_eq!(sniff::binary_kind(text.as_bytes()), None);
    }

    #[test]
    fn a_shard_is_beside_its_model_whatever_its_path_and_the_query(
        host in "[a-z]{1,5}(\\.example)?(:[1-9][0-9]{0,3})?",
        dir in "(/[a-z%2 .~@:-]{1,6}){0,3}",
        query in "(\\?[a-z0-9=&%:@]{0,9}){0,1}",
        path in plain_path(),
    ) {
        let Ok(model) = ModelUrl::parse(&format!("https://{host}{dir}/model.json{query}")) else { return Ok(()) };
        let Place::Host(entry) = model.entry() else { panic!() };
        let Ok(Place::Host(shard)) = model.shard(&path) else { panic!() };
        prop_assert_eq!(shard.origin(), entry.origin());
        prop_assert_eq!(shard.query(), entry.query());
        let directory = |url: &url::Url| url.path()[..url.path().rfind('/').unwrap()].to_owned();
        let depth = path.as_str().matches('/').count();
        prop_assert_eq!(shard.path().matches('/').count(), entry.path().matches('/').count() + depth);
        prop_assert!(shard.path().starts_with(&directory(&entry)));
    }

    #[test]
    fn a_password_is_neither_recorded_nor_shown(
        blank in "[ \t]{0,2}", start in select(vec!["https://", "HTTP://", "http:", "http:/", "http:///", "https:\\\\"]),
        user in "[a-z@:%]{0,4}", host in "[a-z\\[\\] :@/?#]{0,6}", rest in "[/a-z?#@:=&]{0,9}(://h/)?",
    ) {
        let text = format!("{blank}{start}{user}:hunter2@{host}.example/{rest}");
        let Ok(model) = ModelUrl::parse(&text) else { return Ok(()) };
        let again = ModelUrl::parse(model.recorded()).unwrap();
        prop_assert_eq!(again.recorded(), model.recorded());
        let Place::Host(url) = model.entry() else { panic!() };
        if format!("{}{:?}", url.username(), url.password()).contains("hunter2") {
            for shown in [model.recorded(), &model.entry().to_string(), &source::shown_text(&text)] {
                prop_assert!(!shown.contains("hunter2"), "{}", shown);
            }
        }
    }

    #[test]
    fn no_text_makes_an_address_panic(text: String, path in plain_path()) {
        let _ = source::shown_text(&text);
        for start in ["", "https://", "http://h/", "file:///"] {
            if let Ok(model) = ModelUrl::parse(&format!("{start}{text}")) {
                let _ = (model.file_name(), model.short_name(), model.on_disk(), model.is_plain_http());
                let _ = (model.entry().vendored(), model.shard(&path));
            }
        }
    }
}

/// A rule for addresses that begin with `https://a/`, some letters `a` and `b`, and a mirror of its own.
fn rule() -> impl Strategy<Value = (String, bool)> {
    ("https://a/([ab]/){0,3}", any::<bool>())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_longest_prefix_decides_and_only_direct_asks_the_address_itself(
        rules in vec(rule(), 0..6), path in "([ab]/){0,4}m(\\?[ab/]{0,3})?",
    ) {
        let text = |(n, (prefix, direct)): (usize, &(String, bool))| {
            format!("{prefix}=http://mirror{n}/x{}", if *direct { ",direct" } else { "" })
        };
        let joined: Vec<String> = rules.iter().enumerate().map(text).collect();
        let mirrors = Mirrors::new("V", &joined.join(" \n"), &[]).unwrap();
        let origin = url::Url::parse(&format!("https://user:secret@a/{path}")).unwrap();
        let address = format!("https://a/{path}");
        let matching = rules.iter().enumerate().filter(|(_, (prefix, _))| address.starts_with(prefix));
        let longest = matching.rev().max_by_key(|(_, (prefix, _))| prefix.len());
        let expected: Vec<String> = match longest {
            None => vec![origin.to_string()],
            Some((n, (prefix, direct))) => {
                let mirror = format!("http://mirror{n}/x/{}", &address[prefix.len()..]);
                [mirror].into_iter().chain(direct.then(|| origin.to_string())).collect()
            }
        };
        let sources: Vec<String> = mirrors.sources(&origin).into_iter().map(String::from).collect();
        prop_assert_eq!(sources, expected);
    }

    #[test]
    fn no_text_makes_a_mirror_rule_panic(text: String, more in "[a-z:/=,@? \n]{0,40}") {
        let rules = [format!("https://h/=https://{more}"), format!("https://{more}/={text}")];
        for text in [text.as_str(), &more, &rules[0], &rules[1]] {
            if let Ok(mirrors) = Mirrors::new("V", text, &[]) {
                let sources = mirrors.sources(&url::Url::parse("https://h/a/b").unwrap());
                prop_assert!((1..=2).contains(&sources.len()));
            }
        }
    }
}
