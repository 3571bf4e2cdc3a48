//! `cargo vendor-model`: everything that happens around a build, over the public face of the crate vendor-model.

mod arguments;
mod commands;
mod pinning;
mod moving;
mod pinned;
mod stock;
mod treemap;
mod anatomy_text;
mod anatomy;
mod subject;
mod converted;
mod bundle;
mod sbom;
mod licences;
mod export;
mod shelf;
mod mirroring;
mod store;
mod gauge;
mod manual;
mod artifact;
mod recorded;
mod home;
mod release;
mod audit;
mod executable;
mod embedded;
mod claims;
mod sums;
mod held;
mod tree;
mod unpacked;
mod content;
mod verdict_text;
mod verdict;
mod records;
mod lock_file;
mod locked;
mod advice;
mod table;
mod words;
mod talk;
mod failure;
mod flags;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Outcome;

fn main() -> ExitCode {
    let arguments = Arguments::parse_from(words());
    let talk = arguments.talk();
    let outcome = match arguments.command {
        Command::Get(get) => get.run(&talk),
        Command::Lock(lock) => lock.run(&talk),
        Command::Update(update) => update.run(&talk),
        Command::Remove(remove) => remove.run(&talk),
        Command::Fetch(fetch) => fetch.run(&talk),
        Command::Vendor(vendor) => vendor.run(&talk),
        Command::Verify(verify) => verify.run(&talk),
        Command::List(list) => list.run(&talk),
        Command::Inspect(inspect) => inspect.run(&talk),
        Command::Bundle(bundle) => bundle.run(&talk),
        Command::Sbom(sbom) => sbom.run(&talk),
        Command::Export(export) => export.run(&talk),
        Command::Mirror(mirror) => mirror.run(&talk),
        Command::Cache(cache) => cache.run(&talk),
        Command::Completions(completions) => completions.run(&talk),
        Command::Man(man) => man.run(&talk),
    };
    match outcome {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong) => ExitCode::from(1),
        Err(failure) => {
            talk.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Cargo passes the name of the command that it was asked for as the first argument.
fn words() -> impl Iterator<Item = OsString> {
    let by_cargo = env::args_os().nth(1).is_some_and(|word| word == "vendor-model");
    env::args_os().enumerate().filter(move |(at, _)| !(by_cargo && *at == 1)).map(|(_, word)| word)
}
