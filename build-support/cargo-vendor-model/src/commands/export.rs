//! `export`: pins in the words of other tools.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::LockArgs;
use crate::content::deliver;
use crate::export;
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::talk::Talk;

/// Write the lock for other tools: sha256sum, Nix or Bazel
///
/// Models that lie beside the lockfile have no address, and are left out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model export --format sha256sums --output SHA256SUMS
  cargo vendor-model export --format nix --output models.nix
  cargo vendor-model export --format bazel --output models.bzl")]
pub struct Export {
    /// For whom
    #[arg(long, value_enum)]
    format: Format,

    /// Models of the lockfile [default: all]
    #[arg(long, value_name = "URL")]
    model: Vec<String>,

    /// Where it goes [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    lock: LockArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What `sha256sum -c` reads in a vendored directory
    Sha256sums,
    /// A list of `fetchurl`, for `linkFarm`
    Nix,
    /// A function that declares an `http_file` for each file
    Bazel,
}

impl Export {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let lock = LockFile::read(&self.lock)?;
        let mut models = lock.chosen(&self.model)?;
        models.retain(|model| !model.url().starts_with("./"));
        let text = match self.format {
            Format::Sha256sums => export::sha256sums(&models),
            Format::Nix => export::nix(&models),
            Format::Bazel => export::bazel(&models),
        };
        deliver(&text?, self.output.as_deref(), talk)?;
        Ok(Outcome::Well)
    }
}
