//! What people would use instead: installed here, and run with flags that are in the table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::library;
use crate::measure::{Contender, output, shell};
use crate::place::{Place, empty, size_below};
use crate::site::Model;

/// Installs the Debian packages of these commands where one is missing.
pub fn provide(commands: &[(&str, &str)]) -> Result<()> {
    let missing = |command: &str| {
        let line = format!("PATH=$PATH:/usr/sbin command -v {command}");
        output(Command::new("sh").args(["-c", &line])).is_err()
    };
    let packages: Vec<&str> = commands
        .iter()
        .filter(|(command, _)| missing(command))
        .map(|(_, package)| *package)
        .collect();
    if packages.is_empty() {
        return Ok(());
    }
    let line = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends";
    output(Command::new("sh").args(["-c", &format!("{line} {}", packages.join(" "))])).map(drop)
}

/// The digests of a model's files, as `sha256sum` writes them.
pub fn sums(place: &Place, model: &Model) -> Result<PathBuf> {
    let sums = place.work(&format!("{}.sha256", model.name));
    let line = format!("sha256sum {}", model.files()?.join(" "));
    fs::write(&sums, output(&mut shell(&line, &model.dir))? + "\n")?;
    Ok(sums)
}

/// The first line of what a command says of its version.
pub fn version(line: &str) -> Result<String> {
    let text = output(Command::new("sh").args(["-c", line]))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// A line of shell that fills an empty directory with a model.
pub fn filling<'a>(
    place: &Place,
    name: &'static str,
    how: String,
    model: &'a Model,
    line: String,
) -> Contender<'a> {
    let dir = place.work(&format!("peer/{}", name.replace(' ', "-")));
    let (to, at) = (dir.clone(), dir.clone());
    Contender {
        name,
        how,
        prepare: Box::new(move || empty(&dir)),
        command: Box::new(move || shell(&line, &to)),
        check: Box::new(move || filled(&at, model)),
    }
}

/// What keeps a cache has files of its own beside those of the model.
fn filled(dir: &Path, model: &Model) -> Result<()> {
    match size_below(dir)? {
        (bytes, files) if bytes >= model.size.0 && files >= model.size.1 => Ok(()),
        found => Err(format!("{found:?} in place of {:?}", model.size).into()),
    }
}

/// curl, all files at once, and then what `hash` makes of them. With `flags` for curl.
pub fn curl<'a>(
    place: &Place,
    name: &'static str,
    flags: &str,
    url: &str,
    model: &'a Model,
    hash: &str,
) -> Result<Contender<'a>> {
    let shards = model.size.1 - 1;
    let base = format!("{url}/{}", model.name);
    let flags = if flags.is_empty() { String::new() } else { format!(" {flags}") };
    let fetch = format!("curl -sS --fail --parallel{flags} --remote-name-all");
    let line = format!(
        "{fetch} {base}/model.json '{base}/group1-shard[1-{shards}]of{shards}.bin' && {hash}"
    );
    let how = format!(
        "{}; {}; `{fetch} URLS && {}`",
        version("curl --version")?.split(" (").next().unwrap_or_default(),
        version(if hash.starts_with("openssl") {
            "openssl version"
        } else {
            "sha256sum --version"
        })?,
        hash.replace(&place.work.display().to_string(), "."),
    );
    Ok(filling(place, name, how, model, line))
}

pub fn sha256sum(sums: &Path) -> String {
    format!("sha256sum --check --quiet {}", sums.display())
}

pub const OPENSSL: &str = "openssl dgst -sha256 * >/dev/null";

pub fn aria2c<'a>(
    place: &Place,
    url: &str,
    model: &'a Model,
    sums: &Path,
) -> Result<Contender<'a>> {
    let text = fs::read_to_string(sums)?;
    let lines = text
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, file)| format!("{url}/{}/{file}\n checksum=sha-256={digest}\n", model.name));
    let list = place.work("aria2.list");
    fs::write(&list, lines.collect::<String>())?;
    let flags = format!("-q -j {} --file-allocation=none", model.size.1);
    let how = format!(
        "{}; `aria2c {flags} -i LIST`, each file with its checksum",
        version("aria2c --version")?
    );
    let line = format!("aria2c {flags} -i {}", list.display());
    Ok(filling(place, "aria2c", how, model, line))
}

pub fn node<'a>(place: &Place, url: &str, model: &'a Model) -> Result<Contender<'a>> {
    let dir = place.work("node");
    fs::create_dir_all(&dir)?;
    for name in ["package.json", "package-lock.json", "fetch.mjs"] {
        fs::copy(place.own("peers/node").join(name), dir.join(name))?;
    }
    output(&mut shell("npm ci --no-audit --no-fund --loglevel=error", &dir))?;
    let how = format!(
        "Node {}, node-fetch 3.3.2; all shards at once, nothing is checked",
        version("node --version")?
    );
    let line = format!(
        "node {} {url}/{}/model.json model.json",
        dir.join("fetch.mjs").display(),
        model.name
    );
    Ok(filling(place, "Node script", how, model, line))
}

pub fn pooch<'a>(place: &Place, url: &str, model: &'a Model, sums: &Path) -> Result<Contender<'a>> {
    let dir = place.work("python");
    let requirements = place.own("peers/python/requirements.txt");
    if !dir.join("bin/pip").exists() {
        output(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
    }
    output(Command::new(dir.join("bin/pip")).args(["install", "-q", "-r"]).arg(requirements))?;
    let python = dir.join("bin/python");
    let how = format!(
        "{}, pooch 1.9.0; known hashes, one file after the other",
        version(&format!("{} --version", python.display()))?
    );
    let (script, sums) = (place.own("peers/python/fetch.py"), sums.display());
    let line = format!("{} {} {url} {sums} .", python.display(), script.display());
    Ok(filling(place, "pooch", how, model, line))
}

/// A crate that brings files, in a build script.
pub fn in_build_script<'a>(
    place: &Place,
    name: &'static str,
    url: &str,
    model: &'a Model,
) -> Result<Contender<'a>> {
    let script = library::build_script(place, name)?;
    let files = model.files()?.join(" ");
    let how =
        format!("{name} {}; in a build script, one file after the other", locked(place, name)?);
    let line = format!(
        "HF_HUB_DISABLE_XET=1 MODEL_HOST={url} MODEL_FILES='{files}' OUT_DIR=$PWD {}",
        script.display()
    );
    Ok(filling(place, name, how, model, line))
}

/// The version of a crate that the lockfile of its own peer names.
pub fn locked(place: &Place, name: &str) -> Result<String> {
    let text = fs::read_to_string(place.own(&format!("peers/{name}/Cargo.lock")))?;
    let (_, rest) = text.split_once(&format!("name = \"{name}\"\nversion = \"")).ok_or(name)?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}
