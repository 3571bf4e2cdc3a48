//! First bytes -> what they are, for the things that hosts send in place of a model.
//!
//! Knows no URL and decides nothing.

use std::fmt;

/// How many first bytes a look needs.
pub(crate) const HEAD: usize = 512;

/// Something that is no weight shard and no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Impostor {
    Html,
    Xml,
    LfsPointer,
    Gzip,
}

impl Impostor {
    /// Whether a file of this name is meant to be such a thing.
    pub fn is_named_by(self, path: &str) -> bool {
        let extensions: &[&str] = match self {
            Impostor::Html => &[".html", ".htm"],
            Impostor::Xml => &[".xml", ".svg"],
            Impostor::LfsPointer => &[],
            Impostor::Gzip => &[".gz", ".tgz"],
        };
        let path = path.to_ascii_lowercase();
        extensions.iter().any(|extension| path.ends_with(extension))
    }
}

impl fmt::Display for Impostor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Impostor::Html => "an HTML page",
            Impostor::Xml => "an XML document, as object stores send for errors",
            Impostor::LfsPointer => {
                "a Git LFS pointer, not the file it points to (GitHub has that below media.githubusercontent.com)"
            }
            Impostor::Gzip => "gzip data that the host did not declare with `Content-Encoding`",
        })
    }
}

/// Weights are arbitrary bytes: what is found here is long enough not to be met by chance.
pub(crate) fn impostor(head: &[u8]) -> Option<Impostor> {
    if is_gzip(head) {
        return Some(Impostor::Gzip);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |word: &str| {
        text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") || begins("<head") || begins("<!--") {
        Some(Impostor::Html)
    } else if begins("<?xml") || begins("<error>") || begins("<ListBucketResult") {
        Some(Impostor::Xml)
    } else if begins("version https://git-lfs") {
        Some(Impostor::LfsPointer)
    } else {
        None
    }
}

/// A file of another kind that people try in place of `model.json`.
pub(crate) fn binary_kind(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'H', b'D', b'F', ..] => {
            Some("a Keras HDF5 file (convert it with tensorflowjs_converter)")
        }
        [b'P', b'K', 3, 4, ..] => {
            Some("a zip archive, as .keras files are (convert it with tensorflowjs_converter)")
        }
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Some("a TensorFlow Lite model"),
        _ if head.iter().any(is_in_no_text) => {
            Some("binary data, such as a TensorFlow .pb (convert it with tensorflowjs_converter)")
        }
        _ => None,
    }
}

/// JSON may hold no control byte but white space, and neither may any text.
fn is_in_no_text(byte: &u8) -> bool {
    *byte < b' ' && !byte.is_ascii_whitespace()
}

/// RFC 1952: magic, deflate, no reserved flag, and a known operating system.
fn is_gzip(head: &[u8]) -> bool {
    match head {
        [0x1f, 0x8b, 8, flags, _, _, _, _, _, system, ..] => {
            flags & 0xe0 == 0 && (*system <= 13 || *system == 255)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impostors_are_known_by_their_first_bytes() {
        let cases: [(&[u8], Option<Impostor>); 12] = [
            (b"<!DOCTYPE html>\n<title>404</title>", Some(Impostor::Html)),
            (b"\xef\xbb\xbf\r\n  <HTML><body>", Some(Impostor::Html)),
            (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", Some(Impostor::Xml)),
            (b"<Error><Code>NoSuchKey</Code>", Some(Impostor::Xml)),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:",
                Some(Impostor::LfsPointer),
            ),
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03rest", Some(Impostor::Gzip)),
            (b"\x1f\x8b\x08\xff\x00\x00\x00\x00\x00\x03", None),
            (b"\x1f\x8b\x08", None),
            (b"{\"format\":\"graph-model\"}", None),
            (b"", None),
            (b"<\x00\x00\x80?\x00\x00\x80?", None),
            (b"version 2", None),
        ];
        for (head, expected) in cases {
            assert_eq!(impostor(head), expected, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn other_model_files_are_named() {
        assert!(binary_kind(b"\x89HDF\r\n\x1a\n").unwrap().contains("HDF5"));
        assert!(binary_kind(b"\x1c\0\0\0TFL3").unwrap().contains("Lite"));
        assert!(binary_kind(b"\n\x0b\n\x05const\x00").unwrap().contains(".pb"));
        assert!(binary_kind(b"\n\x3a\n\x05input\x12\x0bPlaceholder*").unwrap().contains(".pb"));
        assert_eq!(binary_kind(b"{\r\n\t\"a\": 1}"), None);
        assert_eq!(binary_kind(b"{}"), None);
    }
}
