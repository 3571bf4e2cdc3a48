//! The command line: what every command shares. Each command has its own arguments in `commands`.

use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{Args, Parser, Subcommand};
use vendor_model::Config;

use crate::commands::bundle::Bundle;
use crate::commands::cache::Cache;
use crate::commands::completions::Completions;
use crate::commands::export::Export;
use crate::commands::fetch::Fetch;
use crate::commands::get::Get;
use crate::commands::inspect::Inspect;
use crate::commands::list::List;
use crate::commands::lock::Lock;
use crate::commands::man::Man;
use crate::commands::mirror::Mirror;
use crate::commands::remove::Remove;
use crate::commands::sbom::Sbom;
use crate::commands::update::Update;
use crate::commands::vendor::Vendor;
use crate::commands::verify::Verify;
use crate::failure::Failure;
use crate::locked::LockedBy;
use crate::talk::{Color, Talk};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// Vendors machine-learning models: pins them in models.lock, brings them, checks them, and ships them.
///
/// A model is named by the URL of its manifest, as TensorFlow.js loads it. What `lock` pins is what a build script
/// with the crate vendor-model gets, byte by byte, and what `verify` proves of a release.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-vendor-model",
    bin_name = "cargo vendor-model",
    version,
    styles = STYLES,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,

    /// Print results and errors only
    #[arg(long, short, global = true, help_heading = "Output")]
    quiet: bool,

    /// Use colours
    #[arg(long, value_enum, value_name = "WHEN", global = true, help_heading = "Output")]
    #[arg(env = "CARGO_TERM_COLOR", hide_env = true, default_value = "auto")]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  cargo vendor-model lock https://models.example/digits/model.json
  cargo vendor-model vendor
  cargo vendor-model verify target/release/app
  cargo vendor-model inspect https://models.example/digits/model.json

Exit status: 0 all is well, 1 something is wrong with the models or the network, 2 wrong usage.
The environment variables of the crate vendor-model are heeded: VENDOR_MODEL_CACHE,
VENDOR_MODEL_MIRROR, VENDOR_MODEL_OFFLINE, VENDOR_MODEL_LOCK, and those of proxies, certificates and
credentials.";

#[derive(Debug, Subcommand)]
pub enum Command {
    Get(Get),
    Lock(Lock),
    Update(Update),
    Remove(Remove),
    Fetch(Fetch),
    Vendor(Vendor),
    Verify(Verify),
    List(List),
    Inspect(Inspect),
    Bundle(Bundle),
    Sbom(Sbom),
    Export(Export),
    Mirror(Mirror),
    Cache(Cache),
    Completions(Completions),
    Man(Man),
}

impl Arguments {
    pub fn talk(&self) -> Talk {
        Talk { quiet: self.quiet, color: self.color }
    }
}

/// Which lockfile is meant.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// The lockfile [default: models.lock beside the nearest Cargo.toml upward, else in the current directory]
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<PathBuf>,
}

/// What is always so in commands that only read the lockfile.
#[derive(Debug, Args)]
pub struct ReadingArgs {
    #[command(flatten)]
    pub lock: LockArgs,

    /// Leave models.lock as it is; this command always does
    #[arg(long = "locked")]
    _locked: bool,
}

/// Whether pins may be made and moved.
#[derive(Debug, Args)]
pub struct WritingArgs {
    #[command(flatten)]
    pub lock: LockArgs,

    /// Fail rather than write to models.lock
    #[arg(long)]
    locked: bool,
}

/// How hosts are asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Do without the network
    #[arg(long)]
    pub offline: bool,

    #[command(flatten)]
    pub asking: AskingArgs,
}

/// How hosts are asked that must be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct AskingArgs {
    /// A request header for the host of the model, such as 'Authorization: Bearer ...'
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,

    /// Refuse a model whose files have more bytes together [default: 16 GiB]
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
}

/// What a manifest does not tell of its model.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A file beside the shards that no manifest lists, such as metadata.json
    #[arg(long, value_name = "PATH")]
    pub extra_file: Vec<String>,

    /// The local name of the manifest [default: the last segment of its URL]
    #[arg(long, value_name = "NAME")]
    entry_name: Option<String>,
}

impl NetworkArgs {
    pub fn config(&self, talk: &Talk) -> Result<Config, Failure> {
        let mut config = self.asking.config(talk)?;
        config.offline(self.offline);
        Ok(config)
    }
}

impl AskingArgs {
    pub fn config(&self, talk: &Talk) -> Result<Config, Failure> {
        let mut config = config(talk);
        if let Some(bytes) = self.max_bytes {
            config.max_bytes(bytes);
        }
        for header in &self.header {
            let Some((name, value)) = header.split_once(':') else {
                return Err(Failure::usage("cannot read --header")
                    .fact("expected", "'Name: value'")
                    .fact("found", "a text without a colon"));
            };
            config.header(name.trim(), value.trim());
        }
        Ok(config)
    }
}

impl WritingArgs {
    pub fn locked_by(&self) -> Result<Option<LockedBy>, Failure> {
        let by_environment = LockedBy::environment()?;
        Ok(if self.locked { Some(LockedBy::Flag) } else { by_environment })
    }
}

impl ModelArgs {
    pub fn apply(&self, config: &mut Config) {
        for path in &self.extra_file {
            config.extra_file(path);
        }
        if let Some(name) = &self.entry_name {
            config.entry_name(name);
        }
    }
}

/// What the library goes by, as far as it shows something.
pub fn config(talk: &Talk) -> Config {
    let mut config = Config::new();
    config.progress(talk.progress()).color(talk.is_coloured());
    config
}
