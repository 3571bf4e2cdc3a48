//! `vendor`: writes the vendored directory.

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

/// Write the vendored directory, from which builds need no network
///
/// DIR/<host>/<path>, with a models.lock of its own: to be committed, packaged, or served as a mirror by any web
/// server. What an earlier run put there and no pin names any more goes; other files stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model vendor
  cargo vendor-model vendor /srv/mirror --lockfile app/models.lock")]
pub struct Vendor {
    /// The vendored directory [default: vendor-models beside the lockfile, where builds look for it]
    dir: Option<PathBuf>,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reading: ReadingArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Serialize)]
struct Vendored {
    lockfile: PathBuf,
    directory: PathBuf,
    models: Vec<String>,
    report: ReportRecord,
}

impl Vendor {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let config = self.network.config(talk)?;
        let lock = LockFile::read(&self.reading.lock)?;
        let directory = self.dir.unwrap_or_else(|| lock.vendor_models());
        let report = config.vendor_to(&lock.pins, &directory).map_err(advice::on_pins)?;
        let models = lock.remote();
        let place = format!("into {}", directory.display());
        talk.status("Vendored", &brought(models.len(), &place, &report));
        if self.json {
            let models = models.iter().map(|model| model.url().to_owned()).collect();
            let report = (&report).into();
            talk.json(&Vendored { lockfile: lock.path, directory, models, report });
        }
        Ok(Outcome::Well)
    }
}
