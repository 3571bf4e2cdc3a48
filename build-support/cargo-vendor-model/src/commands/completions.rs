//! `completions`: for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::{Failure, Outcome};
use crate::talk::Talk;

/// Print completions for a shell
///
/// They complete `cargo-vendor-model`, the name of the program itself.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model completions bash > ~/.local/share/bash-completion/completions/cargo-vendor-model
  cargo vendor-model completions fish > ~/.config/fish/completions/cargo-vendor-model.fish")]
pub struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let mut text = Vec::new();
        let mut command = Arguments::command().bin_name("cargo-vendor-model");
        clap_complete::generate(self.shell, &mut command, "cargo-vendor-model", &mut text);
        // For bash, clap_complete 4.6 calls a program with hyphens in its name by two names.
        let text = String::from_utf8_lossy(&text);
        talk.print(&text.replace("cargo__subcmd__vendor__subcmd__model", "cargo__vendor__model"));
        Ok(Outcome::Well)
    }
}
