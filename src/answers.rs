//! What holds for everything that a host can answer, and for what is written down of it: as `properties`, for the
//! rooms that only a build with the network has.

use std::io::{Cursor, Read, Write};
use std::time::Duration;

use flate2::write::{DeflateEncoder, ZlibEncoder};
use flate2::{Compression, GzBuilder};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::digest::Content;
use crate::exchange::{Span, encodings};
use crate::gunzip::{Format, Gunzip};
use crate::partial::{Promise, Record};
use crate::patience::{self, LONGEST};
use crate::properties::config;

/// No test inflates more.
const BOUND: u64 = 1 << 22;

/// Reads as a network gives: so many bytes at a time, over and over.
struct Pieces {
    bytes: Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.turn += 1;
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len());
        self.bytes.read(&mut buffer[..size])
    }
}

fn inflated(format: Format, bytes: &[u8], sizes: &[usize]) -> std::io::Result<Vec<u8>> {
    let pieces = Pieces { bytes: Cursor::new(bytes.to_vec()), sizes: sizes.to_vec(), turn: 0 };
    let mut inflated = Vec::new();
    Gunzip::new(pieces, format).take(BOUND).read_to_end(&mut inflated).map(|_| inflated)
}

/// Bytes that compress well, and bytes that do not.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let runs = vec((any::<u8>(), 0_usize..4000), 0..6)
        .prop_map(|runs| runs.into_iter().flat_map(|(byte, n)| vec![byte; n]).collect());
    prop_oneof![vec(any::<u8>(), 0..1500), runs, vec(select(&b"abcd"[..]), 0..3000)]
}

/// A member of gzip data with any of the fields that its header can have.
fn member() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = option::of("[a-z]{0,9}");
    let extra = option::of(vec(any::<u8>(), 0..300));
    (body(), 0_u32..10, name.clone(), name, extra, any::<u32>()).prop_map(
        |(body, level, name, comment, extra, time)| {
            let mut header = GzBuilder::new().mtime(time);
            header = name.into_iter().fold(header, GzBuilder::filename);
            header = comment.into_iter().fold(header, GzBuilder::comment);
            header = extra.into_iter().fold(header, GzBuilder::extra);
            let mut encoder = header.write(Vec::new(), Compression::new(level));
            encoder.write_all(&body).unwrap();
            (body, encoder.finish().unwrap())
        },
    )
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1_usize..9, 1_usize..100_000], 1..4)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn gzip_is_read_as_another_crate_wrote_it(
        members in vec(member(), 1..4), sizes in sizes(), padding in vec(Just(0), 0..9),
    ) {
        let (bodies, compressed): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        let compressed = [compressed.concat(), padding].concat();
        prop_assert!(inflated(Format::Gzip, &compressed, &sizes).unwrap() == bodies.concat());
    }

    #[test]
    fn deflate_is_read_with_its_header_and_without(body in body(), level in 0_u32..10, sizes in sizes()) {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(level));
        zlib.write_all(&body).unwrap();
        prop_assert!(inflated(Format::Zlib, &zlib.finish().unwrap(), &sizes).unwrap() == body);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::new(level));
        raw.write_all(&body).unwrap();
        prop_assert!(inflated(Format::Zlib, &raw.finish().unwrap(), &sizes).unwrap() == body);
    }

    #[test]
    fn damaged_gzip_is_an_error_or_no_damage(
        (body, mut compressed) in member(), at: Index, bit in 0_u8..8, sizes in sizes(),
    ) {
        let at = at.index(compressed.len());
        compressed[at] ^= 1 << bit;
        if let Ok(inflated) = inflated(Format::Gzip, &compressed, &sizes) {
            prop_assert!(inflated == body, "a bit of byte {} was passed over", at);
        }
    }

    #[test]
    fn cut_gzip_is_an_error((_, compressed) in member(), at: Index, sizes in sizes()) {
        let kept = at.index(compressed.len() - 1) + 1;
        prop_assert!(inflated(Format::Gzip, &compressed[..kept], &sizes).is_err());
    }

    #[test]
    fn no_bytes_make_the_inflater_panic_or_go_on_for_ever(bytes in vec(any::<u8>(), 0..300), sizes in sizes()) {
        let _ = inflated(Format::Zlib, &bytes, &sizes);
        let _ = inflated(Format::Gzip, &bytes, &sizes);
        let header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";
        let _ = inflated(Format::Gzip, &[&header[..], &bytes].concat(), &sizes);
    }

    #[test]
    fn a_range_is_read_as_it_is_written(first: u64, more: u64, beyond: u64, case: bool) {
        let last = first.saturating_add(more).min(u64::MAX - 1);
        let total = last.saturating_add(1).saturating_add(beyond);
        let unit = if case { "bytes" } else { "BYTES" };
        let read = |total: &str| Span::parse(&format!("{unit} {first}-{last}/{total}"));
        prop_assert_eq!(read(&total.to_string()), Some(Span { first, last, total: Some(total) }));
        prop_assert_eq!(read("*"), Some(Span { first, last, total: None }));
        prop_assert_eq!(read(&last.to_string()), None);
    }

    #[test]
    fn only_what_ends_where_the_whole_ends_goes_on(
        from in 0_u64..9, first in 0_u64..9, last in 0_u64..9,
        total in option::of(0_u64..9), length in option::of(0_u64..9),
    ) {
        let promise = Promise { length, ..Promise::default() };
        let shown = total.map_or("*".to_owned(), |total| total.to_string());
        let Some(span) = Span::parse(&format!("bytes {first}-{last}/{shown}")) else { return Ok(()) };
        if span.continues(from, &promise) {
            prop_assert_eq!(first, from);
            for whole in [total, length].into_iter().flatten() {
                prop_assert_eq!(last + 1, whole);
            }
        } else {
            let agrees = |whole: u64| whole == last + 1;
            prop_assert!(first != from || ![total, length].into_iter().flatten().all(agrees));
        }
    }

    #[test]
    fn no_header_makes_a_reader_panic(text: String, other: String) {
        let _ = Span::parse(&text);
        let _ = Span::parse(&format!("bytes {text}"));
        let _ = encodings([text.as_str(), other.as_str()].into_iter());
        let _ = patience::retry_after(&text, Some(&other));
        let _ = patience::rate_limit(&text);
        let _ = patience::http_date(&format!("Sun, 06 {text} GMT"));
    }

    #[test]
    fn encodings_are_in_their_order_and_without_what_is_none(
        names in vec(select(vec!["gzip", "deflate", "br", "identity", "none", ""]), 0..6), at: Index,
    ) {
        let (before, after) = names.split_at(at.index(names.len() + 1));
        let values = [before.join(", "), after.join(" ,").to_uppercase()];
        let named = |name: &&str| !["identity", "none", ""].contains(name);
        let expected: Vec<&str> = names.iter().copied().filter(named).collect();
        prop_assert_eq!(encodings(values.iter().map(String::as_str)), expected);
    }

    #[test]
    fn nobody_waits_longer_than_the_bound_or_shorter_than_he_was_asked_to(
        failures: u32, chance: u64, asked in option::of(any::<u64>()),
    ) {
        let asked = asked.map(Duration::from_secs);
        let pause = patience::pause(failures, chance, asked);
        prop_assert!(pause <= LONGEST);
        prop_assert!(pause >= Duration::from_millis(125));
        prop_assert!(asked.is_none_or(|asked| pause >= asked.min(LONGEST)));
        prop_assert!(asked.is_some() || pause <= Duration::from_secs(10));
    }

    #[test]
    fn dates_are_read_as_another_crate_writes_them(seconds in 0_u64..253_402_300_800, later in 0_u64..1_000_000) {
        let date = |seconds| httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
        prop_assert_eq!(patience::http_date(&date(seconds)), Some(seconds));
        let until = (seconds + later).min(253_402_300_799);
        let wait = patience::retry_after(&date(until), Some(&date(seconds)));
        prop_assert_eq!(wait, Some(Duration::from_secs(until - seconds)));
    }

    #[test]
    fn a_journal_is_read_up_to_where_it_is_damaged(steps in vec(1_u64..1000, 0..6), at: Index, byte: u8) {
        let ends: Vec<u64> = steps.iter().scan(0, |end, step| { *end += step; Some(*end) }).collect();
        let piece = |size: &u64| Content { size: *size, ..Content::of(&size.to_le_bytes()) };
        let line = |piece: Content| format!("{} {}\n", piece.size, piece.digest);
        let pieces: Vec<Content> = ends.iter().map(piece).collect();
        let text = format!("{{}}\n{}", pieces.iter().copied().map(line).collect::<String>());
        prop_assert_eq!(Record::parse(text.as_bytes()).unwrap().pieces, pieces.clone());
        let mut damaged = text.into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        if let Ok(record) = Record::parse(&damaged[..]) {
            prop_assert!(record.pieces.windows(2).all(|pair| pair[0].size < pair[1].size));
            let whole = damaged[..at].iter().filter(|byte| **byte == b'\n').count();
            let mut pairs = record.pieces.iter().zip(&pieces).take(whole.saturating_sub(1));
            prop_assert!(pairs.all(|(read, written)| read == written));
        }
    }

    #[test]
    fn no_bytes_make_a_journal_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Record::parse(&bytes[..]);
        let _ = Record::parse(&[&b"{\"length\": 9}\n"[..], &bytes].concat()[..]);
    }
}
