//! What one path holds: bytes in memory or a file on disk, with length, version and media type.

use std::fs::File;
use std::io;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::media_type;

#[derive(Clone, Debug)]
pub(crate) struct Content {
    stored: Stored,
    length: u64,
    version: String,
    modified: SystemTime,
    media_type: &'static str,
}

/// When the files in memory were made, whenever that was: 2020-02-02 02:02:02 UTC.
const MADE: Duration = Duration::from_secs(1_580_608_922);

#[derive(Clone, Debug)]
enum Stored {
    Memory(Arc<[u8]>),
    Disk(PathBuf),
}

impl Content {
    pub(crate) fn of_bytes(path: &str, bytes: Vec<u8>) -> Content {
        Content {
            length: bytes.len() as u64,
            version: version(&bytes),
            modified: SystemTime::UNIX_EPOCH + MADE,
            media_type: media_type::of(path),
            stored: Stored::Memory(bytes.into()),
        }
    }

    /// These bytes instead, a second later if they are others.
    pub(crate) fn replaced(&self, path: &str, bytes: Vec<u8>) -> Content {
        let new = Content::of_bytes(path, bytes);
        let passed = Duration::from_secs((new.version != self.version).into());
        Content { modified: self.modified + passed, ..new }
    }

    /// A file too large to hash for every request has its version from its path, length and time.
    pub(crate) fn of_file(path: &Path) -> io::Result<Content> {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let modified = metadata.modified()?;
        let identity = format!("{path:?} {} {modified:?}", metadata.len());
        Ok(Content {
            length: metadata.len(),
            version: version(identity.as_bytes()),
            modified,
            media_type: media_type::of(&path.to_string_lossy()),
            stored: Stored::Disk(path.to_owned()),
        })
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The same for the same bytes: what an ETag is made of.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn modified(&self) -> SystemTime {
        self.modified
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

fn version(identity: &[u8]) -> String {
    hex::encode(&Sha256::digest(identity)[..16])
}
