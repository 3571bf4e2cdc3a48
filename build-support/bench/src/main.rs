//! `bench [STAGE]...`: measures, keeps the figures of each stage, and writes RESULTS.md and its chart from all of them.

mod chart;
mod figures;
mod library;
mod measure;
mod nginx;
mod peers;
mod place;
mod report;
mod site;
mod stages;
mod verdict;

use std::env;
use std::process::ExitCode;

use crate::place::Place;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const HELP: &str = "\
Measures vendor-model beside what people would use instead of it.

Usage: bench [STAGE]...

Stages, all of them if none is named:
    cold     94 MB over http, nothing there yet, beside every peer
    tls      the same over https
    noop     nothing to do
    warm     out of the cache, on ext4 and on XFS, which shares blocks
    far      a host 50 ms away that sends 4 MB/s a connection
    gzip     a host that always compresses
    memory   the peak, for many files and for a large one
    growth   from 1 MB to 4 GB, and from 1 to 10,000 files
    parse    manifests of 20 MB
    compile  the library as a build dependency
    embed    94 MB in a program
    guard    counts, each with a budget; fails where one is over it
    report   measures nothing, only writes RESULTS.md again

Installs what it measures, as root with apt-get; everything else is below target/bench.
";

fn main() -> ExitCode {
    let names: Vec<String> = env::args().skip(1).collect();
    if names.iter().any(|name| name.starts_with('-')) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(names: &[String]) -> Result<()> {
    let place = Place::new()?;
    if names == ["guard"] {
        return stages::guard::run(&place);
    }
    for (name, stage) in stages::chosen(names)? {
        eprintln!("== {name}");
        let mut figures = stage(&place)?;
        figures.stage = name.to_owned();
        figures.keep(&place)?;
    }
    report::write(&place)
}
