//! An archive -> a directory of its files: `.tar`, `.tar.gz` or `.tar.zst`, as their first bytes say; and which archives
//! are not read.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use tempfile::TempDir;

use crate::failure::Failure;
use crate::held::temporary;

/// The files of an archive, or `None` where the file at `path` is no archive.
pub fn unpacked(path: &Path) -> Result<Option<TempDir>, Failure> {
    let failure = |error: io::Error| Failure::io("read", path, &error);
    let mut file = File::open(path).map_err(failure)?;
    let head = head(&mut file).map_err(failure)?;
    file.rewind().map_err(failure)?;
    let file = BufReader::new(file);
    let tar: Box<dyn Read> = match packing(&head) {
        Some("gzip") => Box::new(MultiGzDecoder::new(file)),
        Some("zstd") => Box::new(zstd::Decoder::new(file).map_err(failure)?),
        Some("tar") => Box::new(file),
        _ => return Ok(None),
    };
    let dir = temporary()?;
    unpack(tar, dir.path())
        .map_err(|error| Failure::io("read the archive", path, &error))
        .map(|()| Some(dir))
}

/// How the file is packed, if it is; what is in it is not seen without unpacking it.
pub fn packed(path: &Path) -> Result<Option<&'static str>, Failure> {
    let head = File::open(path).and_then(|mut file| head(&mut file));
    head.map(|head| packing(&head)).map_err(|error| Failure::io("read", path, &error))
}

/// As far as the sign of a tar goes, which is the last.
fn head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(262).read_to_end(&mut head).map(|_| head)
}

fn packing(head: &[u8]) -> Option<&'static str> {
    const SIGNS: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"!<arch>\ndebian-binary", "deb"),
        (b"\xed\xab\xee\xdb", "rpm"),
        (b"hsqs", "squashfs"),
    ];
    let sign = SIGNS.iter().find(|(sign, _)| head.starts_with(sign)).map(|(_, name)| *name);
    sign.or(head.get(257..).filter(|rest| *rest == b"ustar").map(|_| "tar"))
}

/// Regular files only, and none outside `dir`.
fn unpack(tar: impl Read, dir: &Path) -> io::Result<()> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path()?.into_owned();
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !name.components().all(plain) {
            let problem = format!("{name:?} leads out of the archive");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let to = dir.join(name);
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        io::copy(&mut entry, &mut File::create(to)?)?;
    }
    Ok(())
}
