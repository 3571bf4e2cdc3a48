//! `verify`: proves what is in a directory or a release.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{NetworkArgs, ReadingArgs};
use crate::audit::Audit;
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::talk::{Talk, width};
use crate::verdict::Verified;

/// Check vendored directories, output directories and release artifacts against the lock
///
/// Tells which of the locked files are there, whole and exact, and names each that is missing, different or
/// additional. PATH is a directory, an archive (.tar, .tar.gz, .tar.zst), or an executable, library or other file, in
/// which embedded bytes are looked for. In a directory or archive every copy of a model is checked, and every
/// executable is searched; one that has a models.lock of its own is checked against that, and must agree with the
/// package's. The vendored directory of the package must have all that its models.lock pins. To compare with what is
/// embedded, the files are taken from the vendored directory, the cache or, unless --offline, their hosts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model verify
  cargo vendor-model verify target/release/app
  cargo vendor-model verify target/release/app --weights-only
  cargo vendor-model verify dist/app-1.0.tar.gz --strict --json")]
pub struct Verify {
    /// What to check [default: vendor-models beside the lockfile]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Models that must be there [default: those that are, and at least one]
    #[arg(long, value_name = "URL")]
    model: Vec<String>,

    /// Take additional files for wrong
    #[arg(long)]
    strict: bool,

    /// The weights must be there, and nothing else: a program that reads only TENSORS has no manifest in it
    #[arg(long)]
    weights_only: bool,

    /// Print what was found as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reading: ReadingArgs,

    #[command(flatten)]
    network: NetworkArgs,
}

impl Verify {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let config = self.network.config(talk)?;
        let package = LockFile::place(&self.reading.lock)?;
        let paths = match self.paths.is_empty() {
            true => vec![LockFile::at(package.clone())?.vendor_models_if_there()?],
            false => self.paths,
        };
        let audit = Audit {
            config: &config,
            package,
            named: &self.model,
            strict: self.strict,
            weights_only: self.weights_only,
        };
        let targets = paths.iter().map(|path| audit.of(path)).collect::<Result<Vec<_>, _>>()?;
        let verified = Verified { ok: targets.iter().all(|target| target.ok), targets };
        match self.json {
            true => talk.json(&verified),
            false if verified.ok && talk.quiet => {}
            false => talk.print(&verified.text(width())),
        }
        Ok(if verified.ok { Outcome::Well } else { Outcome::Wrong })
    }
}
