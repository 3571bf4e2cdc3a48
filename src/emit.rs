//! What cargo is told. The only printer of `cargo:` lines.
//!
//! Single colons, because the double colon is an error in packages whose `rust-version` is below 1.77.

use std::io::{self, Write};
use std::path::Path;

/// Prints directives for cargo, or nothing outside a build script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Emit {
    on: bool,
}

impl Emit {
    pub fn new(on: bool) -> Emit {
        Emit { on }
    }

    pub fn rerun_if_changed(self, path: &Path) {
        self.line("rerun-if-changed", &path.to_string_lossy());
    }

    pub fn rerun_if_env_changed(self, name: &str) {
        self.line("rerun-if-env-changed", name);
    }

    pub fn warning(self, text: &str) {
        self.line("warning", text);
    }

    /// A value from the network or the disk stays on its line and cannot move the cursor.
    fn line(self, key: &str, value: &str) {
        if self.on {
            // Where cargo no longer listens there is nobody to tell.
            let _ = writeln!(io::stdout(), "cargo:{key}={}", harmless(value));
        }
    }
}

/// The text without its control characters.
pub(crate) fn harmless(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_begin_a_line_of_its_own_or_move_the_cursor() {
        assert_eq!(
            harmless("a\ncargo:rustc-link-lib=evil\r\u{1b}[2J"),
            "a\u{fffd}cargo:rustc-link-lib=evil\u{fffd}\u{fffd}[2J"
        );
    }
}
