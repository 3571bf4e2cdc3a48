//! `sbom`: a software bill of materials.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::LockArgs;
use crate::content::deliver;
use crate::failure::{Failure, Outcome};
use crate::licences::Licences;
use crate::lock_file::LockFile;
use crate::sbom::sbom;
use crate::talk::Talk;

/// Write a software bill of materials: CycloneDX 1.6, a machine-learning-model component per model
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model sbom > models.cdx.json
  cargo vendor-model sbom --licence Apache-2.0 --output models.cdx.json
  cargo vendor-model sbom \\
    --licence https://models.example/digits/model.json=MIT")]
pub struct Sbom {
    /// The licence of all models, or of one: an SPDX expression
    #[arg(long, alias = "license", value_name = "[URL=]EXPRESSION")]
    licence: Vec<String>,

    /// Models of the lockfile [default: all]
    #[arg(long, value_name = "URL")]
    model: Vec<String>,

    /// Where it goes [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    lock: LockArgs,
}

impl Sbom {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let lock = LockFile::read(&self.lock)?;
        let licences = Licences::parse(&self.licence, &lock)?;
        let text = sbom(&lock.chosen(&self.model)?, |url| licences.of(url))?;
        deliver(&text, self.output.as_deref(), talk)?;
        Ok(Outcome::Well)
    }
}
