//! Size and SHA-256 of bytes, and files that are whole before they have their names.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::talk::Talk;
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

/// A line of what `sha256sum -c` reads.
pub fn sum(sha256: &str, name: &str) -> String {
    format!("{sha256}  {name}\n")
}

/// Writes `text` to standard output, or to a file that is whole before it has its name.
pub fn deliver(text: &str, output: Option<&Path>, talk: &Talk) -> Result<(), Failure> {
    let Some(path) = output else {
        talk.print(text);
        return Ok(());
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = staged_in(dir).and_then(|mut staged| {
        staged.write_all(text.as_bytes())?;
        staged.persist(path).map_err(|error| error.error)
    });
    written.map_err(|error| Failure::io("write", path, &error))?;
    talk.status("Wrote", &path.display().to_string());
    Ok(())
}

/// A file that waits in `dir` for its name. Unlike other temporary files it is for others to read.
pub fn staged_in(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Whoever named the output knows nothing of the name that it has until then.
    builder.prefix(".cargo-vendor-model-").tempfile_in(dir).map_err(|error| error.kind().into())
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
