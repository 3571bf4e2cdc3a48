//! What the library costs those who have it as a build dependency: everything compiled from nothing.

use std::collections::BTreeSet;

use crate::Result;
use crate::figures::Figures;
use crate::library::{build, cargo};
use crate::measure::{Contender, interleaved_from_the_start, output};
use crate::peers::{locked, provide};
use crate::place::{Place, empty};

const PACKAGES: [&str; 6] =
    ["vendor-model", "vendor-model-without-net", "ureq", "reqwest", "cached-path", "hf-hub"];

const ROUNDS: usize = 2;

pub fn compile(place: &Place) -> Result<Figures> {
    provide(&[("pkg-config", "pkg-config libssl-dev")])?;
    for name in PACKAGES {
        output(&mut cargo("fetch", place, name))?;
    }
    let series = interleaved_from_the_start(ROUNDS, &PACKAGES.map(|name| compiling(place, name)))?;
    let mut figures = Figures::new(series)?.note("`cargo build` of a package with nothing but this build dependency, dev profile, everything downloaded before.");
    for name in PACKAGES {
        let crates = crates(place, name)?;
        figures = figures.fact(&format!("crates of {name}"), crates.len() as f64).fact(
            &format!("C compilers of {name}"),
            crates.iter().filter(|name| name.starts_with("cc ")).count() as f64,
        );
    }
    Ok(figures)
}

fn compiling<'a>(place: &'a Place, name: &'static str) -> Contender<'a> {
    let target = place.work("compile");
    let version =
        locked(place, name).map_or(String::new(), |version| format!("{name} {version}; "));
    let features = match name {
        "vendor-model-without-net" => "default-features = false",
        "reqwest" | "hf-hub" => "the default features and `blocking`",
        _ => "the default features",
    };
    let to = target.clone();
    Contender {
        name,
        how: format!("{version}{features}"),
        prepare: Box::new(move || empty(&target)),
        command: Box::new(move || {
            let mut command = build(place, name, &to);
            command.arg("--offline").env("CARGO_INCREMENTAL", "0");
            command
        }),
        check: Box::new(|| Ok(())),
    }
}

/// All that is compiled for a package on this machine, but itself.
pub fn crates(place: &Place, name: &str) -> Result<BTreeSet<String>> {
    let mut command = cargo("tree", place, name);
    let text = output(command.args(["--edges", "normal,build", "--prefix", "none"]))?;
    let names = text.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
    Ok(names.filter(|name| !name.starts_with("with-") && !name.is_empty()).collect())
}
