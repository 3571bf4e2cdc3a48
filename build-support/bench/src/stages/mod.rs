//! The stages, by name, and what several of them share.

mod compile;
mod downloads;
mod embed;
mod far;
mod growth;
pub mod guard;
mod held;
mod memory;
mod parse;

use std::path::Path;

use crate::Result;
use crate::figures::Figures;
use crate::library::Package;
use crate::measure::Contender;
use crate::place::Place;
use crate::site::Model;

type Stage = fn(&Place) -> Result<Figures>;

const STAGES: [(&str, Stage); 11] = [
    ("cold", downloads::cold),
    ("tls", downloads::tls),
    ("gzip", downloads::gzip),
    ("noop", held::noop),
    ("warm", held::warm),
    ("far", far::far),
    ("memory", memory::memory),
    ("growth", growth::growth),
    ("parse", parse::parse),
    ("compile", compile::compile),
    ("embed", embed::embed),
];

/// Those that are named, or all.
pub fn chosen(names: &[String]) -> Result<Vec<(&'static str, Stage)>> {
    let unknown = names
        .iter()
        .find(|name| *name != "report" && STAGES.iter().all(|(stage, _)| stage != name));
    if let Some(name) = unknown {
        return Err(format!("there is no stage {name:?}; see bench --help").into());
    }
    let chosen = |stage: &str| names.is_empty() || names.iter().any(|name| name == stage);
    Ok(STAGES.into_iter().filter(|(stage, _)| chosen(stage)).collect())
}

/// In the order in which they are measured.
pub fn names() -> impl Iterator<Item = &'static str> {
    STAGES.into_iter().map(|(name, _)| name)
}

/// Our build script in a package that never vendored anything.
fn cold<'a>(
    name: &'static str,
    how: &str,
    package: &'a Package,
    model: &'a Model,
    trust: Option<&'a Path>,
) -> Contender<'a> {
    Contender {
        name,
        how: how.to_owned(),
        prepare: Box::new(|| package.clear_all()),
        command: Box::new(move || {
            let mut command = package.command();
            trust.map(|file| command.env("CARGO_HTTP_CAINFO", file));
            command
        }),
        check: Box::new(|| package.check(model.size)),
    }
}
