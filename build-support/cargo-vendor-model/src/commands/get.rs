//! `get`: the one-shot for people without a build script.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vendor_model::LockMode;

use crate::advice;
use crate::arguments::{ModelArgs, NetworkArgs};
use crate::failure::{Failure, Outcome};
use crate::lock_file::address;
use crate::records::{FileRecord, ReportRecord};
use crate::subject;
use crate::talk::Talk;
use crate::words::{count, origins, size};

/// Download a model, verified, into a directory
///
/// DIR gets the manifest and all weight shards under the names that the manifest gives them, and a models.lock of its
/// own: a second run checks them and opens no socket.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model get https://models.example/digits/model.json public/digits
  cargo vendor-model get https://models.example/speech/model.json speech \\
    --extra-file metadata.json
  cargo vendor-model get https://models.example/digits/model.json digits \\
    --update")]
pub struct Get {
    /// The URL of the manifest
    url: String,

    /// Where the files go
    dir: PathBuf,

    /// Refuse what DIR's own models.lock does not pin
    #[arg(long)]
    locked: bool,

    /// Ask the host again, and take what it has now
    #[arg(long, conflicts_with_all = ["locked", "offline"])]
    update: bool,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Serialize)]
struct Got<'a> {
    url: &'a str,
    directory: PathBuf,
    entry: PathBuf,
    size: u64,
    files: Vec<FileRecord>,
    report: ReportRecord,
}

impl Get {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let mut config = self.network.config(talk)?;
        self.model.apply(&mut config);
        config.lock_mode(match (self.locked, self.update) {
            (true, _) => LockMode::Locked,
            (_, true) => LockMode::Update,
            _ => LockMode::Auto,
        });
        subject::refuse_shared(&self.dir)?;
        let model = config.vendor_model(address(&self.url), &self.dir).map_err(advice::on_own)?;
        let files = model.files();
        let told = format!(
            "{} into {} ({}, {}: {})",
            model.url(),
            self.dir.display(),
            count(files.len() as u64, "file"),
            size(model.total_size()),
            origins(model.report())
        );
        talk.status("Vendored", &told);
        if self.json {
            talk.json(&Got {
                url: model.url(),
                directory: model.dir().to_owned(),
                entry: model.entry().to_owned(),
                size: model.total_size(),
                files: files.iter().map(FileRecord::from).collect(),
                report: model.report().into(),
            });
        }
        Ok(Outcome::Well)
    }
}
