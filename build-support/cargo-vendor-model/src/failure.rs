//! Why a command did not do what was asked, and the exit code that says so.

use std::fmt;
use std::io;
use std::path::Path;

use vendor_model::{Error, ErrorKind};

use crate::flags;

/// A failure in the library's words: what was tried, the facts, and what to type next.
#[derive(Debug)]
pub struct Failure {
    text: String,
    of_usage: bool,
}

/// What became of a command that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Well,
    /// It did what was asked, and what it found is wrong.
    Wrong,
}

impl Failure {
    /// Something is wrong with the models, the network or the disk.
    pub fn new(headline: impl fmt::Display) -> Failure {
        Failure { text: headline.to_string(), of_usage: false }
    }

    /// What was asked for cannot be done, whatever the models are.
    pub fn usage(headline: impl fmt::Display) -> Failure {
        Failure { text: headline.to_string(), of_usage: true }
    }

    pub fn io(act: &str, path: &Path, error: &io::Error) -> Failure {
        Failure::new(format!("cannot {act} {}", path.display())).fact("found", error)
    }

    pub fn fact(mut self, name: &str, value: impl fmt::Display) -> Failure {
        self.text += &format!("\n  {name}: {value}");
        self
    }

    /// The line that says what to type next, in place of one that is there.
    pub fn help(mut self, advice: impl fmt::Display) -> Failure {
        if let Some(at) = self.text.find("\n  help: ") {
            self.text.truncate(at);
        }
        self.fact("help", advice)
    }

    pub fn exit_code(&self) -> u8 {
        if self.of_usage { 2 } else { 1 }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let text = flags::in_place_of_settings(&error.to_string());
        Failure { text, of_usage: error.kind() == ErrorKind::Config }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_takes_the_place_of_the_librarys() {
        let failure = Failure::new("cannot").fact("found", "a").help("one").help("other");
        assert_eq!(failure.to_string(), "cannot\n  found: a\n  help: other");
    }
}
