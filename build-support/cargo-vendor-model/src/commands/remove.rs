//! `remove`: drops pins.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vendor_model::Lockfile;

use crate::arguments::LockArgs;
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::talk::Talk;

/// Drop models from models.lock
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model remove https://models.example/digits/model.json")]
pub struct Remove {
    /// The models to drop
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    lock: LockArgs,
}

#[derive(Serialize)]
struct Removed {
    lockfile: PathBuf,
    removed: Vec<String>,
}

impl Remove {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let lock = LockFile::read(&self.lock)?;
        let chosen = lock.chosen(&self.urls)?;
        let removed: Vec<String> = chosen.iter().map(|model| model.url().to_owned()).collect();
        Lockfile::edit(&lock.path, |pins| removed.iter().for_each(|url| drop(pins.remove(url))))?;
        removed.iter().for_each(|url| talk.status("Removed", url));
        if self.json {
            talk.json(&Removed { lockfile: lock.path, removed });
        }
        Ok(Outcome::Well)
    }
}
