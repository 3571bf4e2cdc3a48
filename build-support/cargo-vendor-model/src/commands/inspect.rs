//! `inspect`: what is in a model.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use serde::Serialize;

use crate::anatomy::Anatomy;
use crate::anatomy_text;
use crate::arguments::{LockArgs, NetworkArgs};
use crate::converted::Converted;
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::subject::{Subject, subjects};
use crate::talk::{Talk, width};
use crate::treemap;
use crate::words::size;

/// Show what is in a model: groups, shards, tensors, and where its bytes go
///
/// A model that is pinned is the pinned one; any other is asked for, verified, and kept in the cache.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model inspect https://models.example/digits/model.json
  cargo vendor-model inspect vendor-models
  cargo vendor-model inspect public/digits --html digits.html
  cargo vendor-model inspect public/digits --safetensors digits.safetensors")]
pub struct Inspect {
    /// The URL of a manifest, its path, or a directory that has models
    #[arg(value_name = "URL or DIR")]
    subject: String,

    /// Write a page with a treemap of the weights, which needs nothing but itself
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the weights as one file that safetensors, candle and others read; texts are left out
    #[arg(long, value_name = "FILE")]
    safetensors: Option<PathBuf>,

    /// Write quantized weights as the numbers that they stand for, or, if false, as they are stored
    #[arg(long, value_name = "BOOL", requires = "safetensors", action = ArgAction::Set)]
    #[arg(default_value_t = true)]
    dequantize: bool,

    /// Print all as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Serialize)]
struct Inspected<'a> {
    models: &'a [Anatomy],
}

impl Inspect {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let config = self.network.config(talk)?;
        let subjects = subjects(&config, &LockFile::place(&self.lock)?, &self.subject)?;
        let models = subjects.iter().map(|subject| Anatomy::of(&subject.model));
        let models = models.collect::<Result<Vec<Anatomy>, Failure>>()?;
        if let Some(path) = &self.html {
            let written = fs::write(path, treemap::page(&models)?);
            written.map_err(|error| Failure::io("write", path, &error))?;
            talk.status("Drew", &path.display().to_string());
        }
        if let Some(path) = &self.safetensors {
            self.convert(&subjects, path, talk)?;
        }
        let texts = models.iter().map(|model| anatomy_text::text(model, width()));
        let is_written = self.html.is_some() || self.safetensors.is_some();
        match (self.json, is_written) {
            (true, _) => talk.json(&Inspected { models: &models }),
            (false, false) => talk.print(&texts.collect::<Vec<_>>().join("\n\n")),
            (false, true) => {}
        }
        Ok(Outcome::Well)
    }

    fn convert(&self, subjects: &[Subject], path: &Path, talk: &Talk) -> Result<(), Failure> {
        let [Subject { model, .. }] = subjects else {
            let failure = Failure::usage("cannot write several models as one safetensors file");
            let urls = subjects.iter().map(|subject| subject.model.url());
            let failure = urls.fold(failure, |failure, url| failure.fact("found", url));
            return Err(failure.help("name one of them by its URL"));
        };
        model.safetensors().dequantize(self.dequantize).write(path)?;
        let written = Converted::read(path).map_err(|error| Failure::io("read", path, &error))?;
        talk.status("Wrote", &format!("{} ({})", path.display(), size(written.size)));
        for name in &written.left_out {
            talk.warning(&format!("{name} is left out: the format has no strings"));
        }
        Ok(())
    }
}
