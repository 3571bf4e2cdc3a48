//! `cache`: the user's cache.

use clap::{Args, Subcommand};

use crate::arguments;
use crate::failure::{Failure, Outcome};
use crate::stock::Stock;
use crate::talk::{Talk, width};

/// Look after the cache that all projects share
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model cache dir
  cargo vendor-model cache list
  cargo vendor-model cache gc --unused-for 30d")]
pub struct Cache {
    #[command(subcommand)]
    act: Act,

    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Print where it is
    Dir,
    /// Show what is in it: digest, size, and when a build took it last
    List,
    /// Read everything in it, and drop what is damaged
    Verify,
    /// Remove what no build has taken for long
    Gc {
        /// For how long, such as 12h, 30d or 8w
        #[arg(long, value_name = "TIME", default_value = "90d")]
        unused_for: String,
    },
}

impl Cache {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let stock = Stock::open(&arguments::config(talk))?;
        match self.act {
            Act::Dir => stock.dir().show(talk, self.json),
            Act::List => stock.list()?.show(talk, self.json, width()),
            Act::Verify => stock.verify()?.show(talk, self.json),
            Act::Gc { unused_for } => stock.gc(&unused_for)?.show(talk, self.json),
        }
    }
}
