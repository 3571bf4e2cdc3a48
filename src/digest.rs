//! SHA-256: the one way to compute, parse and print it, and a meter that hashes and counts what passes.
//!
//! With the `net` feature `ring` hashes, because TLS has compiled it anyway and its assembly is as fast in an
//! unoptimised build script as anywhere; without it, `sha2` does, in pure Rust.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How much is read, hashed and written at a time. Larger gains nothing; every connection owns one such buffer.
pub(crate) const CHUNK: usize = 128 * 1024;

/// A SHA-256 digest. Prints and parses as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u8; 32]);

/// Size and digest of some bytes: what a pin says and what a file is measured to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    pub size: u64,
    pub digest: Digest,
}

impl Content {
    pub fn of(bytes: &[u8]) -> Content {
        let mut meter = Meter::new();
        meter.pass(bytes);
        meter.content()
    }

    /// Reads the file at `path` to its end; `None` where there is none.
    pub fn of_file(path: &Path) -> io::Result<Option<Content>> {
        let Some(file) = Content::open(path)? else { return Ok(None) };
        Content::of_reader(file).map(Some)
    }

    pub fn of_reader(mut reader: impl Read) -> io::Result<Content> {
        let mut meter = Meter::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(meter.content()),
                n => meter.pass(&chunk[..n]),
            }
        }
    }

    /// The file at `path`, to be read; `None` where there is none.
    pub fn open(path: &Path) -> io::Result<Option<File>> {
        // A pipe would be opened only once somebody writes to it.
        match fs::metadata(path) {
            Err(error) if is_absence(&error) => Ok(None),
            Ok(found) if !found.is_file() => Ok(None),
            Err(error) => Err(error),
            Ok(_) => File::open(path).map(Some),
        }
    }
}

/// Whether opening failed because there is nothing under that name (a file where a directory should be included).
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Digest, &'static str> {
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lower => Ok(Digest(bytes)),
            _ => Err("a SHA-256 digest is 64 lower-case hexadecimal digits"),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Counts and hashes bytes as they pass. A clone goes on from the same place.
#[derive(Clone)]
pub(crate) struct Meter {
    hasher: Hasher,
    size: u64,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.content(), f)
    }
}

impl Meter {
    pub fn new() -> Meter {
        Meter { hasher: Hasher::new(), size: 0 }
    }

    pub fn pass(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// What has passed so far.
    pub fn content(&self) -> Content {
        Content { size: self.size, digest: self.hasher.clone().finish() }
    }
}

#[cfg(feature = "net")]
#[derive(Clone)]
struct Hasher(ring::digest::Context);

#[cfg(feature = "net")]
impl Hasher {
    fn new() -> Hasher {
        Hasher(ring::digest::Context::new(&ring::digest::SHA256))
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> Digest {
        let digest = self.0.finish();
        Digest(digest.as_ref().try_into().expect("a SHA-256 digest has 32 bytes"))
    }
}

#[cfg(not(feature = "net"))]
#[derive(Clone)]
struct Hasher(sha2::Sha256);

#[cfg(not(feature = "net"))]
impl Hasher {
    fn new() -> Hasher {
        Hasher(sha2::Digest::new())
    }

    fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }

    fn finish(self) -> Digest {
        Digest(sha2::Digest::finalize(self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle(bytes: &[u8]) -> String {
        hex::encode(<sha2::Sha256 as sha2::Digest>::digest(bytes))
    }

    #[test]
    fn digests_agree_with_an_independent_implementation() {
        for length in [0, 1, 55, 56, 63, 64, 65, 1000, CHUNK, CHUNK + 1] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 31 % 251) as u8).collect();
            assert_eq!(Content::of(&bytes).digest.to_string(), oracle(&bytes), "{length} bytes");
        }
    }

    #[test]
    fn digests_parse_what_they_print_and_nothing_else() {
        let digest = Content::of(b"weights").digest;
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let upper = digest.to_string().to_uppercase();
        for wrong in ["", "00", &upper, &"g".repeat(64), &"0".repeat(63), &"0".repeat(65)] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_meter_tells_what_has_passed_and_goes_on() {
        let mut meter = Meter::new();
        meter.pass(b"01234");
        assert_eq!(meter.content(), Content::of(b"01234"));
        meter.pass(b"56789");
        assert_eq!((meter.content(), meter.size()), (Content::of(b"0123456789"), 10));
    }
}
