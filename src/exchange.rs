//! What is asked of a host, and what its answer says. Pure; `http` carries it.

use std::io::Read;

use crate::partial::Promise;
use crate::validators::Validators;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask<'a> {
    Whole,
    /// The whole, unless it is still what these speak of.
    Unless(&'a Validators),
    /// What follows the first bytes of what was promised.
    From(u64, &'a Promise),
}

/// What the host answers.
pub(crate) enum Reply {
    /// It is what it was.
    Unchanged,
    /// What follows the bytes that are there, up to so many.
    Rest(Box<dyn Read>, u64),
    Whole(Whole),
    /// Another part than the one that was asked for, or none.
    Unfit,
}

/// A body from its first byte, decoded.
pub(crate) struct Whole {
    pub body: Box<dyn Read>,
    /// Kept where the host can be asked for the rest of it.
    pub promise: Option<Promise>,
    /// Whether its end can be told from a cut.
    pub has_end: bool,
}

/// `Content-Range: bytes 10-99/100`; of the total is nothing known where it is `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub first: u64,
    pub last: u64,
    pub total: Option<u64>,
}

impl Span {
    pub fn parse(text: &str) -> Option<Span> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (range, total) = rest.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = if total == "*" { None } else { Some(total.parse().ok()?) };
        let span = Span { first: first.parse().ok()?, last: last.parse().ok()?, total };
        let in_order = span.first <= span.last && total.is_none_or(|total| span.last < total);
        Some(span).filter(|_| unit.eq_ignore_ascii_case("bytes") && in_order)
    }

    /// Whether it is all that follows the first `from` bytes of what was promised.
    pub fn continues(&self, from: u64, promise: &Promise) -> bool {
        let total = self.total.or(promise.length);
        self.first == from
            && total.is_none_or(|total| self.last.checked_add(1) == Some(total))
            && promise.length.is_none_or(|length| total == Some(length))
    }
}

/// What hosts write into `Content-Encoding` that is none.
const NO_ENCODINGS: [&str; 6] = ["", "identity", "none", "binary", "utf-8", "utf8"];

/// In the order in which they were applied.
pub(crate) fn encodings<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names =
        values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !NO_ENCODINGS.contains(&name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_or_refused() {
        let span = |first, last, total| Some(Span { first, last, total });
        let cases = [
            ("bytes 10-99/100", span(10, 99, Some(100))),
            ("Bytes 0-0/1", span(0, 0, Some(1))),
            ("bytes 10-99/*", span(10, 99, None)),
            ("bytes */100", None),
            ("bytes 10-100/100", None),
            ("bytes 99-10/100", None),
            ("bytes -5-9/100", None),
            ("items 10-99/100", None),
            ("bytes 10-99/18446744073709551616", None),
            ("bytes 0-18446744073709551615/*", span(0, u64::MAX, None)),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Span::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_the_whole_rest_of_the_same_length_goes_on() {
        let continues = |text: &str, length| {
            let promise = Promise { length, ..Promise::default() };
            Span::parse(text).unwrap().continues(10, &promise)
        };
        assert!(continues("bytes 10-99/100", Some(100)));
        assert!(continues("bytes 10-99/*", Some(100)));
        assert!(continues("bytes 10-99/100", None));
        assert!(!continues("bytes 0-99/100", Some(100)), "from the start");
        assert!(!continues("bytes 11-99/100", Some(100)), "with a gap");
        assert!(!continues("bytes 10-98/100", Some(100)), "without the end");
        assert!(!continues("bytes 10-199/200", Some(100)), "of something else");
    }

    #[test]
    fn what_is_no_encoding_is_passed_over() {
        let read = |values: &[&str]| encodings(values.iter().copied());
        assert_eq!(read(&["gzip"]), ["gzip"]);
        assert_eq!(read(&["Deflate, GZIP"]), ["deflate", "gzip"]);
        assert!(read(&["identity", "none, utf-8", ""]).is_empty());
    }
}
