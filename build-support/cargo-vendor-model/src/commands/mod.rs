//! One command a file: its arguments, and what it runs.

pub mod get;
pub mod lock;
pub mod update;
pub mod remove;
pub mod fetch;
pub mod vendor;
pub mod verify;
pub mod list;
pub mod inspect;
pub mod cache;
pub mod bundle;
pub mod sbom;
pub mod export;
pub mod mirror;
pub mod completions;
pub mod man;
