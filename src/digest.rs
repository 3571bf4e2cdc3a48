//! SHA-256: the one way to compute, parse and print it, and a reader that hashes, counts and bounds what passes.
//!
//! With the `net` feature `ring` hashes, because TLS has compiled it anyway and its assembly is as fast in an
//! unoptimised build script as anywhere; without it, `sha2` does, in pure Rust.

use std::fmt;
use std::fs::File;
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
    #[cfg(test)]
    pub fn of(bytes: &[u8]) -> Content {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        Content { size: bytes.len() as u64, digest: hasher.finish() }
    }

    /// Reads the file at `path` to its end; `None` where there is none.
    pub fn of_file(path: &Path) -> io::Result<Option<Content>> {
        let file = match File::open(path) {
            Err(error) if is_absence(&error) => return Ok(None),
            opened => opened?,
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut metered = Metered::new(file, u64::MAX);
        let mut chunk = vec![0; CHUNK];
        while metered.read(&mut chunk)? > 0 {}
        Ok(Some(metered.finish()))
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

/// Passes bytes on from `inner`, hashing and counting them, and fails where there are more than `limit`.
pub(crate) struct Metered<R> {
    inner: R,
    hasher: Hasher,
    size: u64,
    limit: u64,
}

impl<R: Read> Metered<R> {
    pub fn new(inner: R, limit: u64) -> Metered<R> {
        Metered { inner, hasher: Hasher::new(), size: 0, limit }
    }

    pub fn finish(self) -> Content {
        Content { size: self.size, digest: self.hasher.finish() }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        self.size += n as u64;
        if self.size > self.limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TooLong { limit: self.limit }));
        }
        Ok(n)
    }
}

/// The error inside the [`io::Error`] of a [`Metered`] reader that met its limit.
#[derive(Debug)]
pub(crate) struct TooLong {
    pub limit: u64,
}

impl std::error::Error for TooLong {}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "longer than {} bytes", self.limit)
    }
}

#[cfg(feature = "net")]
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
    fn a_metered_reader_counts_and_hashes_what_passes() {
        let mut reader = Metered::new(&b"0123456789"[..], 10);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!(reader.finish(), Content::of(b"0123456789"));
    }

    #[test]
    fn a_metered_reader_fails_past_its_limit() {
        let mut reader = Metered::new(&b"0123456789"[..], 9);
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "longer than 9 bytes");
    }
}
