//! Models, their lock, their sums and their licences as one archive: the same bytes on every machine.
//!
//! ```text
//! <prefix>LICENSES/<name>
//! <prefix>SHA256SUMS        of all other files
//! <prefix><host>/<path>     as a vendored directory has them
//! <prefix>models.lock
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use serde::Serialize;
use vendor_model::{Config, Lockfile};

use crate::content;
use crate::failure::Failure;
use crate::gauge::Gauge;
use crate::held::{Held, hold};
use crate::lock_file::{self, LockFile};
use crate::shelf::shelf;
use crate::talk::Talk;
use crate::verdict::Content;

/// The time of every entry, as `vendor-model` gives it to its outputs.
const TIME: u64 = 1_000_000_000;

/// What is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Tar,
    Gzip,
    Zstd,
}

/// An archive that was written.
#[derive(Debug, Serialize)]
pub struct Bundled {
    pub output: PathBuf,
    pub size: u64,
    pub sha256: String,
    pub models: Vec<String>,
    pub files: Vec<String>,
}

/// What goes with the models, and where to.
pub struct Parcel<'a> {
    pub licences: &'a [PathBuf],
    /// Of the name of every entry.
    pub prefix: &'a str,
    pub output: &'a Path,
}

enum Source {
    Disk(PathBuf),
    Text(String),
}

impl Packing {
    pub fn of(output: &Path) -> Result<Packing, Failure> {
        let name = output.to_string_lossy();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".tar.gz", ".tgz"]) {
            Ok(Packing::Gzip)
        } else if ends(&[".tar.zst", ".tzst"]) {
            Ok(Packing::Zstd)
        } else if ends(&[".tar"]) {
            Ok(Packing::Tar)
        } else {
            Err(Failure::usage("cannot tell what to pack by the name of --output")
                .fact("expected", "a name that ends in .tar.gz, .tar.zst or .tar")
                .fact("found", output.display()))
        }
    }
}

impl Parcel<'_> {
    /// Refuses what could not be packed whatever the models are.
    pub fn packing(&self) -> Result<Packing, Failure> {
        if self.prefix.starts_with('/') || self.prefix.split(['/', '\\']).any(|part| part == "..") {
            return Err(Failure::usage("cannot pack under this --prefix")
                .fact("expected", "a path without `..` that begins with no `/`")
                .fact("found", format!("{:?}", self.prefix)));
        }
        Packing::of(self.output)
    }
}

/// Packs the models that are pinned in `only`.
pub fn bundle(
    config: &Config,
    lock: &LockFile,
    only: &Lockfile,
    parcel: &Parcel<'_>,
    packing: Packing,
    talk: &Talk,
) -> Result<Bundled, Failure> {
    let Parcel { licences, prefix, output } = *parcel;
    shelf(only.models())?;
    let (mut entries, mut held) = (licence_entries(licences)?, Vec::new());
    for pinned in only.models() {
        let model = hold(config, lock, pinned)?;
        for file in pinned.files() {
            let from = Source::Disk(model.model.dir().join(file.path()));
            entries.insert(pinned.vendored_path(file)?, from);
        }
        held.push(model);
    }
    entries.insert("models.lock".to_owned(), Source::Text(only.to_string()));
    entries.insert("SHA256SUMS".to_owned(), Source::Text(sums(&entries)?));
    let gauge = Gauge::new(talk, "Packing", only.models().iter().map(lock_file::size).sum());
    write(&entries, parcel, packing, &gauge)?;
    drop(gauge);
    let Content { size, sha256 } = Content::of_file(output)?;
    Ok(Bundled {
        output: output.to_owned(),
        size,
        sha256,
        models: held.iter().map(|Held { model, .. }| model.url().to_owned()).collect(),
        files: entries.into_keys().map(|name| format!("{prefix}{name}")).collect(),
    })
}

fn licence_entries(licences: &[PathBuf]) -> Result<BTreeMap<String, Source>, Failure> {
    let mut entries = BTreeMap::new();
    for path in licences {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !path.is_file() {
            return Err(Failure::usage(format!("there is no licence {}", path.display())));
        }
        let entry = format!("LICENSES/{name}");
        if entries.insert(entry, Source::Disk(path.clone())).is_some() {
            return Err(Failure::usage(format!("two licences are called {name:?}"))
                .help("give one of the files another name"));
        }
    }
    Ok(entries)
}

/// As `sha256sum -c` reads them.
fn sums(entries: &BTreeMap<String, Source>) -> Result<String, Failure> {
    let line = |(name, source): (&String, &Source)| {
        let content = match source {
            Source::Disk(path) => Content::of_file(path)?,
            Source::Text(text) => Content::of(text.as_bytes()),
        };
        Ok(content::sum(&content.sha256, name))
    };
    entries.iter().map(line).collect()
}

/// Beside its name first, so that there is never half an archive.
fn write(
    entries: &BTreeMap<String, Source>,
    parcel: &Parcel<'_>,
    packing: Packing,
    gauge: &Gauge,
) -> Result<(), Failure> {
    let Parcel { prefix, output, .. } = *parcel;
    let pack = |to: &mut dyn Write| pack(entries, prefix, gauge, to);
    let failure = |error: io::Error| Failure::io("write", output, &error);
    let dir = output.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut staged = content::staged_in(dir).map_err(failure)?;
    let file = BufWriter::new(staged.as_file_mut());
    let packed = match packing {
        Packing::Tar => {
            let mut file = file;
            pack(&mut file).and_then(|()| file.flush())
        }
        Packing::Gzip => {
            let mut gzip = GzBuilder::new().write(file, Compression::default());
            pack(&mut gzip).and_then(|()| gzip.finish()?.flush())
        }
        Packing::Zstd => {
            const LEVEL: i32 = 15;
            let mut zstd = zstd::Encoder::new(file, LEVEL).map_err(failure)?;
            pack(&mut zstd).and_then(|()| zstd.finish()?.flush())
        }
    };
    packed.map_err(failure)?;
    staged.persist(output).map_err(|error| failure(error.error))?;
    Ok(())
}

fn pack(
    entries: &BTreeMap<String, Source>,
    prefix: &str,
    gauge: &Gauge,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut tar = tar::Builder::new(to);
    for (name, source) in entries {
        let (size, bytes): (u64, Box<dyn Read>) = match source {
            Source::Text(text) => (text.len() as u64, Box::new(text.as_bytes())),
            Source::Disk(path) => {
                let file = File::open(path)?;
                (file.metadata()?.len(), Box::new(gauge.metered(BufReader::new(file))))
            }
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, format!("{prefix}{name}"), bytes.take(size))?;
    }
    tar.finish()
}
