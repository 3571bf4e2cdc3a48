//! 94 MB in a library crate: the module that we write, beside `include_bytes!` of each file.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::figures::Figures;
use crate::measure::{Contender, interleaved, output, run};
use crate::place::{Place, empty};
use crate::site;

const ROUNDS: usize = 5;

pub fn embed(place: &Place) -> Result<Figures> {
    let model = site::floats(place)?;
    let dir = place.empty("embed")?;
    let subject = std::env::current_exe()?.with_file_name("subject");
    let manifest = model.dir.join("model.json");
    run(Command::new(subject)
        .env("OUT_DIR", &dir)
        .arg("module")
        .arg(manifest)
        .arg(dir.join("model")))?;
    let statics = model.files()?.into_iter().enumerate().map(|(n, name)| {
        format!(
            "pub static F{n}: &[u8] = include_bytes!(\"{}\");\n",
            model.dir.join(name).display()
        )
    });
    fs::write(dir.join("plain.rs"), statics.collect::<String>())?;
    let ours = "pub mod model { include!(concat!(env!(\"OUT_DIR\"), \"/model.rs\")); }\n";
    fs::write(dir.join("ours.rs"), ours)?;
    let series = interleaved(
        ROUNDS,
        &[
            compiling(&dir, "vendor-model", "ours.rs", "the module that `write_module` writes"),
            compiling(&dir, "include_bytes!", "plain.rs", "a static for each file"),
        ],
    )?;
    fs::remove_dir_all(&dir)?;
    let version = output(Command::new("rustc").arg("--version"))?;
    Ok(Figures::new(series)?.note(format!("`rustc --crate-type lib`, {version}.")))
}

fn compiling<'a>(
    dir: &'a Path,
    name: &'static str,
    file: &'static str,
    how: &str,
) -> Contender<'a> {
    let to = dir.join("compiled");
    let prepared = to.clone();
    Contender {
        name,
        how: how.to_owned(),
        prepare: Box::new(move || empty(&prepared)),
        command: Box::new(move || {
            let mut command = Command::new("rustc");
            command.args(["--edition", "2024", "--crate-type", "lib", file, "--out-dir"]).arg(&to);
            command.current_dir(dir).env("OUT_DIR", dir);
            command
        }),
        check: Box::new(|| Ok(())),
    }
}
