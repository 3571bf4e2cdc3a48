//! `list`: what is pinned.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::arguments::ReadingArgs;
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::pinned;
use crate::records::ModelRecord;
use crate::talk::{Talk, width};

/// Show what is pinned
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model list
  cargo vendor-model list --files
  cargo vendor-model list --json")]
pub struct List {
    /// Show every file with its size and SHA-256
    #[arg(long)]
    files: bool,

    /// Print all as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reading: ReadingArgs,
}

#[derive(Serialize)]
struct Listed {
    lockfile: PathBuf,
    models: Vec<ModelRecord>,
}

impl List {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let lock = LockFile::read(&self.reading.lock)?;
        let models = lock.pins.models();
        match (self.json, self.files) {
            (true, _) => {
                let models = models.iter().map(ModelRecord::from).collect();
                talk.json(&Listed { lockfile: lock.path, models });
            }
            (false, true) => talk.print(&pinned::files(models, width())),
            (false, false) => talk.print(&pinned::models(models, width())),
        }
        Ok(Outcome::Well)
    }
}
