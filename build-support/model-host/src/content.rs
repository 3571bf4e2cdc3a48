//! What one path holds: bytes in memory or a file on disk, with length, ETag and media type.

use std::fs::File;
use std::io;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::media_type;

#[derive(Clone, Debug)]
pub(crate) struct Content {
    stored: Stored,
    length: u64,
    etag: String,
    media_type: &'static str,
}

#[derive(Clone, Debug)]
enum Stored {
    Memory(Arc<[u8]>),
    Disk(PathBuf),
}

impl Content {
    pub(crate) fn of_bytes(path: &str, bytes: Vec<u8>) -> Content {
        Content {
            length: bytes.len() as u64,
            etag: etag(&bytes),
            media_type: media_type::of(path),
            stored: Stored::Memory(bytes.into()),
        }
    }

    /// A file too large to hash for every request has its ETag from its path, length and time.
    pub(crate) fn of_file(path: &Path) -> io::Result<Content> {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let identity = format!("{path:?} {} {:?}", metadata.len(), metadata.modified()?);
        Ok(Content {
            length: metadata.len(),
            etag: etag(identity.as_bytes()),
            media_type: media_type::of(&path.to_string_lossy()),
            stored: Stored::Disk(path.to_owned()),
        })
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn etag(&self) -> &str {
        &self.etag
    }

    pub(crate) fn media_type(&self) -> &'static str {
        self.media_type
    }

    pub(crate) fn read(&self, part: Range<u64>) -> io::Result<Box<dyn Read + Send>> {
        let length = part.end - part.start;
        match &self.stored {
            Stored::Memory(bytes) => {
                let mut cursor = Cursor::new(Arc::clone(bytes));
                cursor.set_position(part.start);
                Ok(Box::new(cursor.take(length)))
            }
            Stored::Disk(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(part.start))?;
                Ok(Box::new(file.take(length)))
            }
        }
    }
}

fn etag(identity: &[u8]) -> String {
    let digest = Sha256::digest(identity);
    format!("\"{}\"", hex::encode(&digest[..16]))
}
