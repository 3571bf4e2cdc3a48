//! `fetch`: fills the cache.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::advice;
use crate::arguments::{NetworkArgs, ReadingArgs};
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::records::ReportRecord;
use crate::talk::Talk;
use crate::words::brought;

/// Bring everything that models.lock names into the cache
///
/// For CI and image builds: later builds with the same cache need no network.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model fetch
  VENDOR_MODEL_CACHE=/opt/models cargo vendor-model fetch --lockfile app/models.lock")]
pub struct Fetch {
    /// Models of the lockfile [default: all]
    #[arg(long, value_name = "URL")]
    model: Vec<String>,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reading: ReadingArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Serialize)]
struct Fetched {
    lockfile: PathBuf,
    cache: Option<PathBuf>,
    models: Vec<String>,
    report: ReportRecord,
}

impl Fetch {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let config = self.network.config(talk)?;
        let lock = LockFile::read(&self.reading.lock)?;
        let pins = lock.only(&self.model)?;
        let report = config.fetch_to_cache(&pins).map_err(advice::on_pins)?;
        let cache = config.cache()?.map(|cache| cache.dir().to_owned());
        let models = pins.models();
        let dir = cache.as_deref().map(|dir| dir.display().to_string()).unwrap_or_default();
        talk.status("Fetched", &brought(models.len(), &format!("in {dir}"), &report));
        if self.json {
            let models = models.iter().map(|model| model.url().to_owned()).collect();
            talk.json(&Fetched { lockfile: lock.path, cache, models, report: (&report).into() });
        }
        Ok(Outcome::Well)
    }
}
