//! Vendors machine-learning models from `build.rs`: downloads a TensorFlow.js model, checks every byte, pins it in a
//! lockfile, and embeds it in your program. From then on it builds without the network.
//!
//! A TensorFlow.js model is not one file: the URL that you know is that of a manifest, `model.json`, which names
//! weight shards beside it. [`vendor_model`] brings all of them.
//!
//! ```no_run
//! // build.rs
//! use std::{env, error::Error, path::PathBuf};
//!
//! const MODEL_URL: &str = "https://models.example/digits/model.json";
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
//!     let model = vendor_model::vendor_model(MODEL_URL, out.join("model"))?;
//!     model.write_module(out.join("model.rs"))?;
//!     Ok(())
//! }
//! ```
//!
//! ```ignore
//! // src/main.rs
//! mod model {
//!     include!(concat!(env!("OUT_DIR"), "/model.rs"));
//! }
//!
//! fn main() {
//!     for file in model::FILES {
//!         println!("{} {} bytes, sha256 {}", file.path, file.size, file.sha256);
//!     }
//!     let manifest = model::get(model::ENTRY).unwrap();
//!     assert!(manifest.bytes.starts_with(b"{"));
//! }
//! ```
//!
//! The first build downloads the model and writes `models.lock` beside `Cargo.toml`: commit it, as you commit
//! `Cargo.lock`. Every later build must get the same bytes, wherever they come from; one that has them opens no
//! socket and writes nothing.
//!
//! # What is checked
//!
//! In this order: the HTTP status; `Content-Encoding`, decoded even if nobody asked for it; that the bytes are no
//! error page and no Git LFS pointer; size and SHA-256, where they are pinned; the manifest, its weight specs and the
//! paths of its shards; and that every weight group has exactly the bytes that its specs describe. Nothing unverified
//! ever has its final name, and nothing is written outside `out_dir` but the lockfile and the cache.
//!
//! # Units
//!
//! Sizes are bytes, digests are SHA-256 as 64 lower-case hexadecimal digits, paths in lockfiles and generated code
//! have `/` on every system.
//!
//! # Environment
//!
//! Whoever builds wins over whoever wrote `build.rs` on where bytes come from; the stricter of the two wins on what is
//! allowed. A value that cannot be read is an error.
//!
//! | variable | meaning |
//! |---|---|
//! | `VENDOR_MODEL_LOCK` | `auto` (default), `locked` (make no new pin), `update` (ask the hosts again, and move the pins) |
//! | `VENDOR_MODEL_OFFLINE` | `1` or `true`: open no socket; `0` or `false`: do |
//! | `CARGO_NET_OFFLINE` | the same, where the one above is not set |
//! | `VENDOR_MODEL_DIR` | the directory of vendored models; default `vendor-models` beside `Cargo.toml` |
//! | `VENDOR_MODEL_CACHE` | a directory that keeps downloads for all projects, or `off`; default `vendor-model` in the user's cache directory |
//! | `VENDOR_MODEL_MIRROR` | rules `prefix=replacement`, separated by white space, see [`Config::mirror`] |
//! | `VENDOR_MODEL_SKIP`, `DOCS_RS` | `1` or `true`: open no socket and do without what is missing |
//! | `VENDOR_MODEL_PROGRESS` | `auto` (default), `tty`, `plain`, `never`; else as `CARGO_TERM_QUIET` and `CARGO_TERM_PROGRESS_WHEN` say |
//! | `CARGO_HTTP_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` | the proxy for `https` and `http` addresses, in this order; also in small letters, which come first |
//! | `NO_PROXY` | hosts without a proxy, separated by commas: names with all below them, addresses, networks such as `10.0.0.0/8`, each with a port or not; `*` is all |
//! | `CARGO_HTTP_CAINFO`, `SSL_CERT_FILE` | a PEM file of certificates to trust, in place of the built-in ones |
//! | `CARGO_HTTP_TIMEOUT` | how many seconds to wait for a connection and for the next bytes; 0 is for ever |
//! | `CARGO_NET_RETRY` | how often a download is tried again |
//! | `CARGO_HTTP_USER_AGENT` | what hosts are told about who asks |
//! | `NETRC` | a netrc file of logins; default `~/.netrc`, on Windows `~/_netrc` |
//! | `HF_TOKEN` | a token for huggingface.co |
//!
//! Where no variable speaks, `net.offline`, `net.retry`, `http.proxy`, `http.cainfo`, `http.timeout` and
//! `http.user-agent` of cargo's configuration files are heeded: in `.cargo/config.toml` of the directory in which cargo
//! was called (`$PWD`), of the package's, of all above them, and in `CARGO_HOME`. Cargo does not tell build scripts of
//! its flags `--offline`, `--locked`, `--frozen` and `--config`: set the variables.
//!
//! Proxies are `http`, `https` or `socks5` URLs, with `user:password@` where they want it. An `https` address is reached
//! through a tunnel, a plain one by handing the request to the proxy.
//!
//! Credentials go over https or to this machine only, and each to its own origin, never to where a redirect leads: the
//! user info of the model's URL and [`Config::header`] to the origin of that URL, a login of a netrc file to the machine
//! that it names and its `default` to the origin of the model's URL. A mirror is told what a netrc file, or the rule
//! itself, has for it. None is written to a lockfile or shown.
//!
//! # Features
//!
//! `net` (default) is everything that opens a socket. Without it the library verifies and restores from a vendored
//! directory or the cache, in pure Rust, with no TLS, no HTTP and no C compiler in its tree.
//!
//! `platform-verifier` asks the operating system which certificates are to be trusted, where no file is named.

#![cfg_attr(not(feature = "net"), allow(dead_code, reason = "some of it only downloads use"))]

// The story, and other ends than a build.
mod vendor;
mod provision;
mod tell;
mod embed;
mod safetensors;
mod vendored;

// Its stages.
mod assemble;
mod gather;
mod plan;
mod wanted;
mod address;
mod pins;

// Downloads.
mod fetch;
#[cfg(feature = "net")]
mod download;
#[cfg(not(feature = "net"))]
#[path = "download_absent.rs"]
mod download;
#[cfg(feature = "net")]
mod http;
#[cfg(feature = "net")]
mod agent;
#[cfg(feature = "net")]
mod credentials;
#[cfg(feature = "net")]
mod netrc;
#[cfg(feature = "net")]
mod wire;
#[cfg(feature = "net")]
mod shortcut;
#[cfg(feature = "net")]
mod gunzip;
#[cfg(feature = "net")]
mod exchange;
#[cfg(feature = "net")]
mod memory;
mod errand;
mod failure;

// Places on disk.
mod inventory;
mod cache;
#[cfg(feature = "net")]
mod partial;
mod publish;
mod turn;
mod draft;
mod staging;
mod copy;

// What a model is made of.
mod module;
mod blob;
mod decode;
mod tensors;
mod verify;

// What a run may do, and who says so.
mod policy;
mod mirror;
#[cfg(feature = "net")]
mod access;
#[cfg(feature = "net")]
mod proxy;
#[cfg(feature = "net")]
mod cargo_config;
#[cfg(not(feature = "net"))]
#[path = "cargo_config_absent.rs"]
mod cargo_config;
mod environment;
mod config;
mod secret;
mod package;
mod source;

// What is told.
mod progress;
mod meter;
mod screen;
mod emit;
mod error;

// Formats.
mod lockfile;
mod manifest;
mod weights;
mod path;
mod sniff;
mod digest;
#[cfg(feature = "net")]
mod validators;

// Several at once.
mod claim;
#[cfg(feature = "net")]
mod seats;
#[cfg(feature = "net")]
mod patience;
mod parallel;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(all(test, feature = "net"))]
mod answers;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod shared_folder;
#[cfg(all(test, feature = "net"))]
mod surroundings;

use std::path::Path;

pub use blob::Embed;
pub use cache::Cache;
pub use config::{Config, LockMode};
pub use embed::Module;
pub use error::{Error, ErrorKind};
pub use inventory::CachedFile;
pub use lockfile::{LockedFile, LockedModel, Lockfile};
pub use progress::Mode as ProgressMode;
pub use safetensors::Safetensors;
pub use tensors::{Group, Tensor};
pub use vendored::{Report, Vendored, VendoredFile};
pub use weights::{DType, Quantization};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Vendors the model whose manifest is at `url` into `out_dir`: `Config::new().vendor_model(url, out_dir)`.
///
/// Blocks until the manifest and all weight shards are in `out_dir`, under the names that the manifest gives them, and
/// are verified and pinned. Files that are right already are left alone, down to their modification times.
///
/// `url` is an `http`, `https` or `file` URL, exactly as TensorFlow.js would be given it; the URLs of the shards follow
/// from it as in the client, a query such as `?tfjs-format=file` included. `out_dir` is created if need be; below
/// `OUT_DIR` is the place for it in a build script.
///
/// # Errors
///
/// [`ErrorKind`] lists what can go wrong; the text of the [`Error`] says what to do. Until all files are verified, what
/// `out_dir` held is not touched.
pub fn vendor_model(url: impl AsRef<str>, out_dir: impl AsRef<Path>) -> Result<Vendored, Error> {
    Config::new().vendor_model(url, out_dir)
}
