//! `bundle`: models as one archive.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{NetworkArgs, ReadingArgs};
use crate::bundle::{Parcel, bundle};
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::talk::Talk;
use crate::words::{count, size};

/// Pack models with lock, SHA256SUMS and licences into a reproducible archive
///
/// The same bytes on every machine: sorted, with fixed times and owners. It unpacks to a vendored directory, from
/// which builds restore without a network, and `verify` and `sha256sum -c SHA256SUMS` check it. The files are taken
/// from the vendored directory, the cache or, unless --offline, their hosts; nothing is packed that is not what the
/// lock pins.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model bundle --output models.tar.gz
  cargo vendor-model bundle -o models.tar.zst --licence LICENSE-MODELS
  cargo vendor-model bundle -o models.tar --prefix app-models-1.0/")]
pub struct Bundle {
    /// The archive: its name ends in .tar.gz, .tar.zst or .tar
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// A licence text to pack, as LICENSES/<name>
    #[arg(long, alias = "license", value_name = "FILE")]
    licence: Vec<PathBuf>,

    /// What the name of every entry begins with, such as app-models-1.0/
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    prefix: String,

    /// Models of the lockfile [default: all]
    #[arg(long, value_name = "URL")]
    model: Vec<String>,

    /// Print what was packed as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reading: ReadingArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

impl Bundle {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let config = self.network.config(talk)?;
        let parcel = Parcel { licences: &self.licence, prefix: &self.prefix, output: &self.output };
        let packing = parcel.packing()?;
        let lock = LockFile::read(&self.reading.lock)?;
        let only = lock.only(&self.model)?;
        let bundled = bundle(&config, &lock, &only, &parcel, packing, talk)?;
        let told = format!(
            "{} into {} ({}, sha256 {})",
            count(bundled.models.len() as u64, "model"),
            bundled.output.display(),
            size(bundled.size),
            bundled.sha256
        );
        talk.status("Bundled", &told);
        if self.json {
            talk.json(&bundled);
        }
        Ok(Outcome::Well)
    }
}
