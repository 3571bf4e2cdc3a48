//! A real HTTP/1.1 host on 127.0.0.1, for tests, benches and demos: see [`Host`]. And what stands
//! before hosts: a [`Proxy`], and an [`Authority`] that certifies them.
//!
//! Faults are scripted per path and count, never random, and every request is logged. Paths are
//! URL paths that start with a slash; `/a b` and `/a%20b` are the same path.

mod host;
mod builder;
mod fault;
mod request;
mod gate;
mod proxy;
mod authority;

mod service;
mod behaviour;
mod script;
mod site;
mod url_path;
mod content;
mod media_type;
mod range;
mod validators;
mod response;
mod endless;

mod listener;
mod roster;
mod connection;
mod stream;
mod certificate;
mod head;
mod delivery;
mod pace;
mod log;

use std::time::Duration;

/// How long a test waits for a client: time for a cold `cargo build` on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

pub use authority::{Authority, Certified};
pub use builder::Builder;
pub use fault::Fault;
pub use gate::Gate;
pub use host::Host;
pub use proxy::{Asked, Proxy};
pub use request::Request;
