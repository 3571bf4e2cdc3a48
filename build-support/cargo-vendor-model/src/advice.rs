//! What to type next, where the library does not know what was meant.

use vendor_model::{Error, ErrorKind};

use crate::failure::Failure;

/// On what went wrong while pinned files were brought.
pub fn on_pins(error: Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(error);
    match kind {
        ErrorKind::Digest => failure.help(
            "if the model was meant to change, `cargo vendor-model update` shows how and moves the pins",
        ),
        ErrorKind::Offline => {
            failure.fact("help", "or run `cargo vendor-model fetch` where there is a network")
        }
        _ => failure,
    }
}

/// On what went wrong while a directory was brought that has its own pins.
pub fn on_own(error: Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(error);
    match kind {
        ErrorKind::Digest => failure
            .help("if the model was meant to change, take what its host has now: `cargo vendor-model get --update`"),
        _ => failure,
    }
}
