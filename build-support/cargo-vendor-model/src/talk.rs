//! What is told: results on standard output, and on standard error what is being done and what went wrong.

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Effects, Style};
use clap::ValueEnum;
use serde::Serialize;
use vendor_model::ProgressMode;

use crate::failure::Failure;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub quiet: bool,
    pub color: Color,
}

const VERB: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const WARNING: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
const ERROR: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

impl Talk {
    /// A line of what was done, set as cargo sets its own.
    pub fn status(&self, verb: &str, text: &str) {
        if !self.quiet {
            self.say(&format!("{VERB}{verb:>12}{VERB:#} {}", harmless(text)));
        }
    }

    pub fn warning(&self, text: &str) {
        if !self.quiet {
            self.say(&format!("{WARNING}warning{WARNING:#}: {}", harmless(text)));
        }
    }

    /// Not silenced: who hears nothing takes it that all is well.
    pub fn failure(&self, failure: &Failure) {
        self.say(&format!("{ERROR}error{ERROR:#}: {}", harmless(&failure.to_string())));
    }

    /// A result, with styles that are dropped where they are not wanted.
    pub fn print(&self, text: &str) {
        // Where nobody reads on, as after `| head`, there is nobody to tell.
        let _ = AutoStream::new(io::stdout(), self.choice()).write_all(text.as_bytes());
    }

    /// A result for programs.
    pub fn json(&self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// Where the library is to show its downloads.
    pub fn progress(&self) -> ProgressMode {
        match (self.quiet, io::stderr().is_terminal()) {
            (true, _) => ProgressMode::Never,
            (false, true) => ProgressMode::Tty,
            (false, false) => ProgressMode::Plain,
        }
    }

    /// Whether standard error has colours.
    pub fn is_coloured(&self) -> bool {
        AutoStream::new(io::stderr(), self.choice()).current_choice()
            != anstream::ColorChoice::Never
    }

    fn say(&self, line: &str) {
        let _ = writeln!(AutoStream::new(io::stderr(), self.choice()), "{line}");
    }

    fn choice(&self) -> anstream::ColorChoice {
        match self.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
    }
}

/// Text from the network, from a disk or from a lockfile moves no cursor.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// The columns of the terminal that results go to; `None` where they go elsewhere.
pub fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}
