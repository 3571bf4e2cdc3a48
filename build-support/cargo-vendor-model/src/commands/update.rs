//! `update`: lets pins follow their hosts.

use clap::Args;

use crate::arguments::{AskingArgs, WritingArgs};
use crate::failure::{Failure, Outcome};
use crate::lock_file::LockFile;
use crate::moving;
use crate::talk::Talk;

/// Look upstream again, show what changed per file, and rewrite the pins
///
/// The only way in which a pin moves, with VENDOR_MODEL_LOCK=update in a build. Vendored directories follow with
/// `cargo vendor-model vendor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model update
  cargo vendor-model update https://models.example/digits/model.json
  cargo vendor-model update --dry-run --json
  cargo vendor-model update --locked    # in CI: fail when a host has something else than what is pinned")]
pub struct Update {
    /// The models to look at [default: all that are pinned]
    #[arg(value_name = "URL")]
    urls: Vec<String>,

    /// Show what changed, and leave the pins
    #[arg(long)]
    dry_run: bool,

    /// Print what changed as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    writing: WritingArgs,

    #[command(flatten)]
    asking: AskingArgs,
}

impl Update {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let config = self.asking.config(talk)?;
        let lock = LockFile::read(&self.writing.lock)?;
        let locked = self.writing.locked_by()?.filter(|_| !self.dry_run);
        let writes = !self.dry_run && locked.is_none();
        let moved = moving::look(&config, &lock, &self.urls)?;
        if writes {
            moved.write(&lock.path)?;
        }
        moved.tell(if writes { "Updated" } else { "Would update" }, talk);
        if self.json {
            talk.json(&moved);
        }
        locked.map_or(Ok(Outcome::Well), |by| moved.refuse_any(by))
    }
}
