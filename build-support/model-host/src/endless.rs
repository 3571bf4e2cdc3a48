//! Bodies without an end: zeros, and what decompresses to them.

use std::io;
use std::io::{Cursor, Read};

use flate2::{Compress, Compression, FlushCompress};

/// So many zeros are compressed, and their block repeated.
const ZEROS: usize = 1 << 20;

/// The header of a gzip member without name and time.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

pub(crate) fn zeros() -> impl Read + Send {
    io::repeat(0)
}

/// One gzip member of zeros, a thousandth of their number in length.
pub(crate) fn zeros_in_gzip() -> impl Read + Send {
    Cursor::new(HEADER).chain(Repeated { bytes: block(), at: 0 })
}

/// A deflate block after which the same block may follow: a full flush forgets what came before.
fn block() -> Vec<u8> {
    let mut block = Vec::with_capacity(ZEROS);
    let status = Compress::new(Compression::best(), false).compress_vec(
        &vec![0; ZEROS],
        &mut block,
        FlushCompress::Full,
    );
    status.expect("there is room");
    block
}

struct Repeated {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.bytes[self.at..]).read(buffer)?;
        self.at = (self.at + read) % self.bytes.len();
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::{ZEROS, zeros_in_gzip};

    #[test]
    fn a_little_gzip_is_many_zeros_and_more_is_always_to_come() {
        let mut start = zeros_in_gzip().take(1 << 16);
        let mut decoded = GzDecoder::new(&mut start);
        let mut zeros = vec![1; 40 * ZEROS];
        decoded.read_exact(&mut zeros).unwrap();
        assert!(zeros.iter().all(|&byte| byte == 0));
        assert!(start.limit() > 0);
    }
}
