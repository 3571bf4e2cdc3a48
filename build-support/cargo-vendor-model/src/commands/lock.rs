//! `lock`: pins models.

use clap::Args;

use crate::arguments::{ModelArgs, NetworkArgs, WritingArgs};
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::pinning;
use crate::talk::Talk;

/// Pin models into models.lock
///
/// Downloads each model, verifies it, and writes down the size and SHA-256 of each of its files. A model that is
/// pinned already stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model lock https://models.example/digits/model.json
  cargo vendor-model lock https://models.example/speech/model.json --extra-file metadata.json
  cargo vendor-model lock models/local/model.json")]
pub struct Lock {
    /// The URL of the manifest of a model, or its path below the directory of the lockfile
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    writing: WritingArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

impl Lock {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let mut config = self.network.config(talk)?;
        self.model.apply(&mut config);
        let path = LockFile::place(&self.writing.lock)?;
        let pinned = pinning::pin(
            &mut config,
            &path,
            &self.urls,
            &self.model.extra_file,
            self.writing.locked_by()?,
        )?;
        pinned.tell(talk);
        if self.json {
            talk.json(&pinned);
        }
        Ok(Outcome::Well)
    }
}
