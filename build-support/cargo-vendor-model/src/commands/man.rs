//! `man`: manual pages.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::arguments::Arguments;
use crate::failure::{Failure, Outcome};
use crate::manual;
use crate::talk::Talk;

/// Print the manual page, or write those of all commands into a directory
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model man | man -l -
  cargo vendor-model man ~/.local/share/man/man1")]
pub struct Man {
    /// Where the pages go, as cargo-vendor-model-<command>.1
    dir: Option<PathBuf>,
}

impl Man {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let command = Arguments::command();
        match self.dir {
            None => talk.print(&manual::page(command)?),
            Some(dir) => {
                manual::write(command, &dir)?;
                talk.status("Wrote", &format!("the manual pages into {}", dir.display()));
            }
        }
        Ok(Outcome::Well)
    }
}
