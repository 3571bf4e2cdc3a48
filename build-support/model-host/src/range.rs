//! `Range` headers: what they ask for, and whether the host obliges.

use std::ops::Range;

/// What a host does when it is asked for a range.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Ranges {
    #[default]
    Honoured,
    Ignored,
    Misplaced,
}

/// How much of a file a request is for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Whole,
    Part(Range<u64>),
    Unsatisfiable,
}

impl Ranges {
    pub(crate) fn read(self, header: &str, length: u64) -> Asked {
        match (self, read(header, length)) {
            (Ranges::Ignored, _) => Asked::Whole,
            (Ranges::Misplaced, Asked::Part(part)) => Asked::Part(misplace(part)),
            (_, asked) => asked,
        }
    }
}

/// One range of bytes; what is not one is ignored, as RFC 9110 has it.
fn read(header: &str, length: u64) -> Asked {
    let ends = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let Some((first, last)) = ends else { return Asked::Whole };
    let part = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..length.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..length,
        (Err(_), Ok(suffix)) if first.trim().is_empty() => length.saturating_sub(suffix)..length,
        _ => return Asked::Whole,
    };
    if part.is_empty() { Asked::Unsatisfiable } else { Asked::Part(part) }
}

/// A range of the same file that is not the one asked for.
fn misplace(part: Range<u64>) -> Range<u64> {
    match part.start {
        0 => 1..part.end,
        start => 0..part.end - start,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, misplace, read};

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        let cases = [
            ("bytes=0-", Asked::Part(0..10)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=2-5", Asked::Part(2..6)),
            ("bytes=2-99", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=9-18446744073709551615", Asked::Part(9..10)),
            ("bytes=10-", Asked::Unsatisfiable),
            ("bytes=12-15", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("lines=1-2", Asked::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(read(header, 10), expected, "{header}");
        }
    }

    #[test]
    fn a_misplaced_range_starts_elsewhere() {
        assert_eq!(misplace(4..10), 0..6);
        assert_eq!(misplace(0..10), 1..10);
    }
}
