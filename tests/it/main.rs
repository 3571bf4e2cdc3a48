//! What users rely on, a file a behaviour, in one program.
#![allow(
    clippy::disallowed_methods,
    reason = "the rules of the library's rooms are not the tests'"
)]

mod support;
#[path = "../../src/shared_folder.rs"]
mod shared_folder;

mod vendoring;
mod locking;
mod policy;
mod updates;
mod skipping;
mod vendored_directory;
mod beside;
mod cache;
mod resuming;
mod provisioning;
mod child;
mod crowds;
#[cfg(target_os = "linux")]
mod kills;
mod hosts;
mod network;
mod refusals;
mod faults;
mod hostile;
mod messages;
#[cfg(unix)]
mod disks;
mod cargo;
mod packaging;
mod reproducible;
mod progress;
mod module;
mod corpus;
mod client;
mod conversion;
mod example_app;
#[cfg(unix)]
mod real_servers;
#[cfg(unix)]
mod server;
mod tidy;
