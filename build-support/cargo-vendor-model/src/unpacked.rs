//! An archive -> a directory of its files: `.tar`, `.tar.gz` or `.tar.zst`, as their first bytes say.

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
    let mut head = Vec::new();
    file.by_ref().take(262).read_to_end(&mut head).map_err(failure)?;
    file.rewind().map_err(failure)?;
    let file = BufReader::new(file);
    let tar: Box<dyn Read> = match &head[..] {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(file).map_err(failure)?),
        head if head.ends_with(b"ustar") => Box::new(file),
        _ => return Ok(None),
    };
    let dir = temporary()?;
    unpack(tar, dir.path())
        .map_err(|error| Failure::io("read the archive", path, &error))
        .map(|()| Some(dir))
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
