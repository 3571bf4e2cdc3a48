//! Where the tests find real models, and what they do where there are none. Of the unit tests and of `tests/it`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is under `name` in the folder beside the project, or in `$VENDOR_MODEL_CORPUS`; where it is not there, the
/// test has to do without.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not of the library")]
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("VENDOR_MODEL_CORPUS").map_or_else(beside, PathBuf::from);
    let found = folder.join(name);
    if found.exists() {
        return Some(found);
    }
    let advice = format!("set VENDOR_MODEL_CORPUS to the folder that has {name}");
    skip(&format!("{} is not there ({advice})", found.display()));
    None
}

/// Says what is left out and why, past the test runner's capture and into the file that test.sh reads, or fails where
/// nothing may be left out.
#[expect(clippy::disallowed_methods, reason = "switches of the tests, not of the library")]
pub fn skip(why: &str) {
    let all = std::env::var_os("REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!all, "REQUIRE_ALL=1, and {why}");
    let line = format!("{}: {why}\n", std::thread::current().name().unwrap_or("a test"));
    let _ = write!(std::io::stderr(), "\nskipped: {line}");
    if let Some(log) = std::env::var_os("SKIPPED") {
        let file = File::options().append(true).create(true).open(log);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
