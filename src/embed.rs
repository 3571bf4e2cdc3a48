//! A vendored model -> a Rust module that embeds it: [`Module`].
//!
//! Finds out what `module` is to say: where the model lies for rustc, and what each weight group has.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use crate::blob::{Anchor, Blob, Embed};
use crate::digest::Content;
use crate::draft;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::lockfile::LockedFile;
use crate::manifest;
use crate::module::{self, Bytes};
use crate::parallel;
use crate::path::ModelPath;
use crate::pins;
use crate::tensors::Group;
use crate::vendored::Vendored;
use crate::verify;

/// Compilers and linkers address what is in a program by 31 bits, and need a few times its size in memory.
const MOST: u64 = 1 << 30;

/// A Rust module that embeds a vendored model, about to be written.
///
/// It is included with `include!(concat!(env!("OUT_DIR"), "/model.rs"))`, needs no crate and no `std`, and has
///
/// - `URL`, `PLACEHOLDER`, `ENTRY` (the path of the manifest),
/// - `FILES`: path, media type, size, digest and bytes of each file, and `fn get(path) -> Option<&'static File>`,
/// - `TENSORS`: name, data type, shape, quantization and bytes of each weight.
///
/// Every weight group is embedded once and aligned to 64 bytes; its shards and its tensors are slices of it, also where
/// a tensor lies in two shards. The same model gives the same text.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    vendored: &'a Vendored,
    embed: Embed,
}

impl Vendored {
    /// Writes a Rust module that embeds every file: `module().write(path)`.
    ///
    /// # Errors
    ///
    /// As of [`Module::write`].
    pub fn write_module(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.module().write(path)
    }

    /// A Rust module that embeds every file, to be written with [`Module::write`].
    pub fn module(&self) -> Module<'_> {
        Module { vendored: self, embed: Embed::Auto }
    }
}

impl Module<'_> {
    /// How the program gets at the bytes; default [`Embed::Auto`].
    pub fn embed(&mut self, embed: Embed) -> &mut Self {
        self.embed = embed;
        self
    }

    /// Writes the module to `path`. One that says the same is left alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the model lies below neither `OUT_DIR` nor the package, so that no path that is the
    /// same on every machine leads to it, or has more than 1 GiB; [`ErrorKind::Io`] if its files cannot be read or
    /// `path` cannot be written; [`ErrorKind::Manifest`] and [`ErrorKind::Digest`] if its files were changed meanwhile.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let (path, model) = (path.as_ref(), self.vendored.locked());
        let bytes = if self.vendored.is_whole() { Some(self.bytes()?) } else { None };
        let text = module::text(&model.url, &model.files, bytes.as_ref());
        draft::write(path, &text, self.vendored.stamp())?;
        self.vendored.made(path);
        Ok(())
    }

    fn bytes(&self) -> Result<Bytes, Error> {
        let size = self.vendored.total_size();
        if size > MOST {
            let url = self.vendored.url();
            let headline = format!("cannot embed {url}: it is too large for a program");
            let most =
                format!("at most {MOST}, because what is in a program is addressed by 31 bits");
            let advice = "ship its directory beside the program, and read it from there with `Vendored::beside_program`, which verifies it";
            return Err(Error::new(ErrorKind::Config, headline)
                .fact("found", format!("{size} bytes"))
                .fact("expected", most)
                .help(advice));
        }
        let anchor = self.anchor()?;
        let groups = self.groups()?;
        let files = self.vendored.locked().files.iter();
        let pins = files.map(|file| (file.path(), file)).collect();
        let blobs = parallel::each(&groups, parallel::cores(), |group| self.blob(group, &pins))?;
        let (blobs, homes) = once(blobs);
        let tensors = groups.into_iter().flat_map(|group| group.tensors).collect();
        Ok(Bytes { anchor, embed: self.possible(), blobs, homes, tensors })
    }

    fn anchor(&self) -> Result<Anchor, Error> {
        let dir = self.vendored.dir();
        let environment = Environment::of_this_process();
        let below = |variable: &'static str| {
            let dir = pins::below(dir, &environment.path(variable)?)?;
            Some(Anchor { variable, dir })
        };
        below("OUT_DIR").or_else(|| below("CARGO_MANIFEST_DIR")).ok_or_else(|| {
            let headline = format!("cannot embed the model in {}", dir.display());
            Error::new(ErrorKind::Config, headline)
                .fact("expected", "a directory below OUT_DIR, or below the package")
                .help("vendor into a directory below OUT_DIR")
        })
    }

    /// An assembler reads quotes and backslashes in its own way, and nothing in the text can tell whether the path has
    /// some.
    fn possible(&self) -> Embed {
        let dir = self.vendored.dir().to_string_lossy();
        if dir.contains(['"', '\\', '\n', '\r']) { Embed::IncludeBytes } else { self.embed }
    }

    /// None of a format that a later release may know.
    fn groups(&self) -> Result<Vec<Group>, Error> {
        match manifest::FORMATS.contains(&self.vendored.locked().format()) {
            true => self.vendored.groups(),
            false => Ok(Vec::new()),
        }
    }

    fn blob(&self, group: &Group, pins: &HashMap<&str, &LockedFile>) -> Result<Blob, Error> {
        let pinned = group.shards.iter().map(|shard| pins[shard.as_str()]);
        let shards: Vec<(ModelPath, Content)> =
            pinned.map(|pin| (pin.path.clone(), pin.content())).collect();
        let size = shards.iter().map(|(_, content)| content.size).sum();
        let found = match shards[..] {
            [(_, content)] => content,
            _ => self.measured(&shards)?,
        };
        if found.size != size {
            let dir = self.vendored.dir().display();
            let headline = format!("the shards in {dir} are not what models.lock pins");
            return Err(Error::new(ErrorKind::Digest, headline)
                .fact("expected", format!("{size} bytes"))
                .fact("found", format!("{} bytes", found.size))
                .help("build again"));
        }
        Ok(Blob { digest: found.digest, size, shards })
    }

    fn measured(&self, shards: &[(ModelPath, Content)]) -> Result<Content, Error> {
        let dir = self.vendored.dir();
        let bytes = verify::in_a_row(shards, |(path, _)| File::open(path.below(dir)));
        Content::of_reader(bytes).map_err(|error| Error::io("read the shards in", dir, error))
    }
}

/// Each blob where it comes first, and for every blob the number of its like there.
fn once(blobs: Vec<Blob>) -> (Vec<Option<Blob>>, Vec<usize>) {
    let mut first = HashMap::new();
    let numbered = blobs.iter().enumerate();
    let homes: Vec<usize> =
        numbered.map(|(at, blob)| *first.entry(blob.digest).or_insert(at)).collect();
    let is_first = |at: usize, blob: &Blob| homes[at] == at && blob.size > 0;
    let blobs = blobs.into_iter().enumerate();
    let blobs = blobs.map(|(at, blob)| is_first(at, &blob).then_some(blob)).collect();
    (blobs, homes)
}
