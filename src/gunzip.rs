//! A reader of gzip and zlib data, over `miniz_oxide`: the one fast inflater in an unoptimised build script.
//!
//! Checks the length of every gzip member, but not its CRC-32: what passes here is hashed with SHA-256 next, and a
//! table-driven CRC at opt-level 0 would cost a third of the inflating again.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// Data of RFC 1952 (gzip, any number of members) or RFC 1950 (zlib).
pub(crate) struct Gunzip<R> {
    input: BufReader<R>,
    state: Box<InflateState>,
    format: Format,
    /// Whether a member has begun and not ended.
    inside: bool,
    /// What the current member has given, modulo 2^32 as its trailer counts.
    given: u32,
    members: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zlib,
}

impl<R: Read> Gunzip<R> {
    pub fn new(input: R, format: Format) -> Gunzip<R> {
        let input = BufReader::with_capacity(64 * 1024, input);
        Gunzip {
            input,
            state: InflateState::new_boxed(DataFormat::Raw),
            format,
            inside: false,
            given: 0,
            members: 0,
        }
    }

    /// Reads the header of the next member; `false` at the end of the data.
    fn begin_member(&mut self) -> io::Result<bool> {
        if self.members > 0 && (self.format == Format::Zlib || self.input.fill_buf()?.is_empty()) {
            return Ok(false);
        }
        let wrapping = match self.format {
            Format::Gzip => DataFormat::Raw,
            Format::Zlib => DataFormat::Zlib,
        };
        if self.format == Format::Gzip {
            self.read_header()?;
        }
        self.state = InflateState::new_boxed(wrapping);
        (self.inside, self.given) = (true, 0);
        self.members += 1;
        Ok(true)
    }

    fn read_header(&mut self) -> io::Result<()> {
        const HEADER_CRC: u8 = 2;
        const EXTRA: u8 = 4;
        const NAME: u8 = 8;
        const COMMENT: u8 = 16;
        let header: [u8; 10] = self.bytes()?;
        let [0x1f, 0x8b, 8, flags, ..] = header else { return Err(corrupt("no gzip header")) };
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes(self.bytes()?);
            self.skip(length.into())?;
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                while self.bytes::<1>()? != [0] {}
            }
        }
        if flags & HEADER_CRC != 0 { self.skip(2) } else { Ok(()) }
    }

    fn end_member(&mut self) -> io::Result<()> {
        self.inside = false;
        if self.format == Format::Zlib {
            return Ok(());
        }
        let [_crc, length] = [u32::from_le_bytes(self.bytes()?), u32::from_le_bytes(self.bytes()?)];
        if length == self.given {
            Ok(())
        } else {
            Err(corrupt("the gzip trailer names another length"))
        }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self, n: u64) -> io::Result<()> {
        match io::copy(&mut self.input.by_ref().take(n), &mut io::sink())? {
            skipped if skipped == n => Ok(()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.inside && !self.begin_member()? {
                return Ok(0);
            }
            let input = self.input.fill_buf()?;
            let at_end = input.is_empty();
            let result = inflate(&mut self.state, input, output, MZFlush::None);
            self.input.consume(result.bytes_consumed);
            self.given = self.given.wrapping_add(result.bytes_written as u32);
            match result.status {
                Ok(MZStatus::StreamEnd) => self.end_member()?,
                Ok(_) | Err(MZError::Buf) if result.bytes_written > 0 || !at_end => {}
                Ok(_) | Err(MZError::Buf) => {
                    return Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "the compressed data was cut off",
                    ));
                }
                Err(_) => return Err(corrupt("the compressed data is damaged")),
            }
            if result.bytes_written > 0 {
                return Ok(result.bytes_written);
            }
        }
    }
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    fn text() -> Vec<u8> {
        (0..200_000_u32).flat_map(|n| n.wrapping_mul(n).to_le_bytes()).collect()
    }

    fn gzip(flags: u8, optional: &[u8], body: &[u8]) -> Vec<u8> {
        let header = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
        let trailer = [[0; 4], (body.len() as u32).to_le_bytes()].concat();
        [&header, optional, &compress_to_vec(body, 1), &trailer].concat()
    }

    fn read(format: Format, data: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Gunzip::new(data, format).read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn gzip_is_inflated_with_every_optional_header_and_member_by_member() {
        let text = text();
        assert_eq!(read(Format::Gzip, &gzip(0, b"", &text)).unwrap(), text);
        assert_eq!(
            read(Format::Gzip, &gzip(2 | 4 | 8 | 16, b"\x03\0abcname\0comment\0\x12\x34", &text))
                .unwrap(),
            text
        );
        assert_eq!(
            read(
                Format::Gzip,
                &[gzip(0, b"", b"one "), gzip(0, b"", b""), gzip(0, b"", b"two")].concat()
            )
            .unwrap(),
            b"one two"
        );
    }

    #[test]
    fn zlib_is_inflated() {
        assert_eq!(read(Format::Zlib, &compress_to_vec_zlib(&text(), 1)).unwrap(), text());
    }

    #[test]
    fn a_cut_at_any_place_is_an_error() {
        let whole = gzip(8, b"name\0", b"a short text, a short text, a short text");
        for length in 0..whole.len() {
            let error = read(Format::Gzip, &whole[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{length}");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let mut wrong_length = gzip(0, b"", b"text");
        *wrong_length.last_mut().unwrap() = 1;
        assert_eq!(read(Format::Gzip, &wrong_length).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(
            read(Format::Gzip, &[gzip(0, b"", b"text"), b"trailing garbage".to_vec()].concat())
                .unwrap_err()
                .kind(),
            ErrorKind::InvalidData
        );
        assert_eq!(
            read(Format::Gzip, b"no gzip at all").unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        let mut flipped = gzip(0, b"", &text());
        flipped[12] ^= 0xff;
        assert!(read(Format::Gzip, &flipped).is_err());
    }
}
