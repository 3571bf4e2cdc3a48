//! One executable, library or other file -> which files of a model are embedded in it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use vendor_model::{LockedFile, LockedModel};

use crate::embedded::{self, TELLING};
use crate::verdict::{Content, Finding, Model, Place, State};

/// What is found of the model, whose files have these bytes.
pub fn searched(haystack: &[u8], name: &str, model: &LockedModel, bytes: &[Vec<u8>]) -> Model {
    let object = object::File::parse(haystack).ok();
    let finding = |(file, hit): (&LockedFile, Option<embedded::Hit>)| {
        let Some(hit) = hit else {
            let short = (file.size() as usize) < TELLING;
            return Finding::new(file, if short { State::TooShort } else { State::Missing });
        };
        let section = object.as_ref().and_then(|object| embedded::section(object, hit.offset));
        let at = Place {
            file: name.to_owned(),
            offset: Some(hit.offset as u64),
            section_offset: section.as_ref().map(|section| section.offset),
            section: section.map(|section| section.name),
        };
        let state = if hit.differs_at.is_some() { State::Different } else { State::Exact };
        let differs_at = hit.differs_at.map(|at| at as u64);
        let there = haystack[hit.offset..].get(..file.size() as usize);
        let found = there.filter(|_| state == State::Different).map(Content::of);
        Finding { at: Some(at), found, differs_at, ..Finding::new(file, state) }
    };
    let hits = embedded::find(haystack, bytes);
    let findings = model.files().iter().zip(hits).map(finding).collect();
    Model::new(model, Some(name.to_owned()), findings)
}

/// By its first bytes: ELF, PE, Mach-O, WebAssembly, or an archive of objects.
pub fn is_executable(path: &Path) -> bool {
    const SIGNS: [&[u8]; 8] = [
        b"\x7fELF",
        b"MZ",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa",
        b"\0asm",
        b"!<arch>\n",
    ];
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(8).read_to_end(&mut head));
    read.is_ok() && SIGNS.iter().any(|sign| head.starts_with(sign))
}
