//! `inspect`: what is in a model.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::anatomy::Anatomy;
use crate::anatomy_text;
use crate::arguments::{LockArgs, NetworkArgs};
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::subject::subjects;
use crate::talk::{Talk, width};
use crate::treemap;

/// Show what is in a model: groups, shards, tensors, and where its bytes go
///
/// A model that is pinned is the pinned one; any other is asked for, verified, and kept in the cache.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model inspect https://models.example/digits/model.json
  cargo vendor-model inspect vendor-models
  cargo vendor-model inspect public/digits --html digits.html")]
pub struct Inspect {
    /// The URL of a manifest, its path, or a directory that has models
    #[arg(value_name = "URL or DIR")]
    subject: String,

    /// Write a page with a treemap of the weights, which needs nothing but itself
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

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
        let texts = models.iter().map(|model| anatomy_text::text(model, width()));
        match (self.json, &self.html) {
            (true, _) => talk.json(&Inspected { models: &models }),
            (false, None) => talk.print(&texts.collect::<Vec<_>>().join("\n\n")),
            (false, Some(_)) => {}
        }
        Ok(Outcome::Well)
    }
}
