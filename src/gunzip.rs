//! A reader of gzip and zlib data, over `miniz_oxide`: the one fast inflater in an unoptimised build script.
//!
//! Length and CRC-32 of every gzip member are checked: at a first download nothing else would notice damage at the host.

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
    /// What the current member has given, as its trailer tells it: the length modulo 2^32, and the CRC.
    given: u32,
    crc: Crc32,
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
            crc: Crc32::new(),
            members: 0,
        }
    }

    /// Reads the header of the next member; `false` at the end of the data.
    fn begin_member(&mut self) -> io::Result<bool> {
        let first = self.members == 0;
        let wrapping = match (self.format, self.peek()?) {
            (_, []) => return Ok(false),
            (Format::Gzip, [0x1f, ..]) => DataFormat::Raw,
            // Padding, or whatever a host lets follow: clients pass over it.
            (Format::Gzip, _) if !first => return Ok(false),
            (Format::Gzip, _) => return Err(corrupt("no gzip header")),
            (Format::Zlib, _) if !first => return Ok(false),
            (Format::Zlib, [method, ..]) if method & 0x0f == 8 => DataFormat::Zlib,
            // What some hosts call `deflate` has no header. No block of it begins like one.
            (Format::Zlib, _) => DataFormat::Raw,
        };
        if self.format == Format::Gzip {
            self.read_header()?;
        }
        self.state = InflateState::new_boxed(wrapping);
        (self.inside, self.given, self.crc) = (true, 0, Crc32::new());
        self.members += 1;
        Ok(true)
    }

    fn peek(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
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
        let (crc, length) = (u32::from_le_bytes(self.bytes()?), u32::from_le_bytes(self.bytes()?));
        match (crc == self.crc.value(), length == self.given) {
            (true, true) => Ok(()),
            (false, _) => Err(corrupt("the compressed data is damaged: its CRC-32 is another")),
            (true, false) => Err(corrupt("the compressed data is damaged: its length is another")),
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
            if self.format == Format::Gzip {
                self.crc.update(&output[..result.bytes_written]);
            }
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

/// The checksum of RFC 1952, eight bytes at a time: unoptimised, each step costs far more than its arithmetic.
#[derive(Clone, Copy)]
struct Crc32(u32);

/// What a byte does to the checksum, and what it does with so many bytes after it.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut n = 0;
    while n < 256 {
        let mut entry = n as u32;
        let mut bit = 0;
        while bit < 8 {
            entry = if entry & 1 == 1 { 0xedb8_8320 ^ (entry >> 1) } else { entry >> 1 };
            bit += 1;
        }
        tables[0][n] = entry;
        n += 1;
    }
    let mut after = 1;
    while after < 8 {
        let mut n = 0;
        while n < 256 {
            let entry = tables[after - 1][n];
            tables[after][n] = tables[0][(entry & 0xff) as usize] ^ (entry >> 8);
            n += 1;
        }
        after += 1;
    }
    tables
}

impl Crc32 {
    fn new() -> Crc32 {
        Crc32(!0)
    }

    fn update(&mut self, bytes: &[u8]) {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
        let at = |byte: u8| usize::from(byte);
        let mut state = self.0;
        let (eights, rest) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in eights {
            let [p, q, r, s] = (state ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
            state = t7[at(p)] ^ t6[at(q)] ^ t5[at(r)] ^ t4[at(s)];
            state ^= t3[at(e)] ^ t2[at(f)] ^ t1[at(g)] ^ t0[at(h)];
        }
        for &byte in rest {
            state = t0[at(state as u8 ^ byte)] ^ (state >> 8);
        }
        self.0 = state;
    }

    fn value(self) -> u32 {
        !self.0
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
        let mut crc = Crc32::new();
        crc.update(body);
        let trailer = [crc.value().to_le_bytes(), (body.len() as u32).to_le_bytes()].concat();
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
    fn deflate_is_inflated_with_its_header_and_without() {
        assert_eq!(read(Format::Zlib, &compress_to_vec_zlib(&text(), 1)).unwrap(), text());
        assert_eq!(read(Format::Zlib, &compress_to_vec(&text(), 1)).unwrap(), text());
    }

    #[test]
    fn a_cut_at_any_place_is_an_error() {
        let whole = gzip(8, b"name\0", b"a short text, a short text, a short text");
        for length in 1..whole.len() {
            let error = read(Format::Gzip, &whole[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{length}");
        }
    }

    #[test]
    fn nothing_is_nothing_and_padding_is_passed_over() {
        assert_eq!(read(Format::Gzip, b"").unwrap(), b"");
        assert_eq!(read(Format::Zlib, b"").unwrap(), b"");
        assert_eq!(
            read(Format::Gzip, &[&gzip(0, b"", b"text")[..], &[0; 9]].concat()).unwrap(),
            b"text"
        );
        let cut = [&gzip(0, b"", b"text")[..], &[0x1f]].concat();
        assert_eq!(read(Format::Gzip, &cut).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        let mut crc = Crc32::new();
        crc.update(b"123456789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }

    #[test]
    fn damage_is_an_error() {
        let mut wrong_crc = gzip(0, b"", b"text");
        let crc = wrong_crc.len() - 8;
        wrong_crc[crc] ^= 1;
        assert!(read(Format::Gzip, &wrong_crc).unwrap_err().to_string().contains("CRC-32"));
        let mut wrong_length = gzip(0, b"", b"text");
        *wrong_length.last_mut().unwrap() = 1;
        assert_eq!(read(Format::Gzip, &wrong_length).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(
            read(Format::Gzip, b"no gzip at all").unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        let mut flipped = gzip(0, b"", &text());
        flipped[12] ^= 0xff;
        assert!(read(Format::Gzip, &flipped).is_err());
    }
}
