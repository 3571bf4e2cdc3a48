//! Size and SHA-256 of bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::verdict::Content;

impl Content {
    pub fn of(bytes: &[u8]) -> Content {
        Content { size: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
    }

    pub fn of_file(path: &Path) -> Result<Content, Failure> {
        let read = File::open(path).and_then(hashed);
        read.map_err(|error| Failure::io("read", path, &error))
    }
}

fn hashed(mut file: File) -> io::Result<Content> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Content { size, sha256: hex::encode(hash.finalize()) }),
            n => {
                hash.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}
