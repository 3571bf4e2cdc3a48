//! Our side: a build script that vendors a model, run as cargo runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::measure::output;
use crate::place::Place;

/// Compiles the package of this peer and gives the path of its build script, which cargo builds without optimisation.
pub fn build_script(place: &Place, name: &str) -> Result<PathBuf> {
    let mut command = build(place, name, &place.work(&format!("build/{name}")));
    let text = output(command.arg("--message-format=json"))?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let package = format!("with-{name}");
    let mut scripts = messages.filter(|message| {
        message["target"]["kind"][0] == "custom-build"
            && message["package_id"].as_str().is_some_and(|id| id.contains(&package))
    });
    let script = scripts.find_map(|message| Some(message["filenames"][0].as_str()?.into()));
    Ok(script.ok_or_else(|| format!("cargo names no build script of {package}"))?)
}

/// Compiles a peer's package into `target`.
pub fn build(place: &Place, name: &str, target: &Path) -> Command {
    let mut command = cargo("build", place, name);
    command.arg("--quiet").arg("--target-dir").arg(target);
    command.env_remove("MODEL_URL").env_remove("MODEL_FILES");
    command
}

/// What cargo does with a peer's package, which has its own lockfile; ours have that of the workspace.
pub fn cargo(act: &str, place: &Place, name: &str) -> Command {
    let dir = place.own(&format!("peers/{name}"));
    let mut command = Command::new("cargo");
    command.arg(act).arg("--manifest-path").arg(dir.join("Cargo.toml"));
    match name.starts_with("vendor-model") {
        // Where it cannot be copied cargo says which lockfile is missing.
        true => drop(fs::copy(place.root.join("Cargo.lock"), dir.join("Cargo.lock"))),
        false => drop(command.arg("--locked")),
    }
    command
}

/// A package that vendors the model at `url`, in a directory of its own.
pub struct Package {
    pub dir: PathBuf,
    script: PathBuf,
    url: String,
    cache: Option<PathBuf>,
}

impl Package {
    pub fn new(dir: PathBuf, script: &Path, url: &str, cache: Option<PathBuf>) -> Package {
        Package { dir, script: script.to_owned(), url: url.to_owned(), cache }
    }

    /// As it was before its first build, but for the cache.
    pub fn clear(&self) -> Result<()> {
        crate::place::empty(&self.dir)?;
        fs::create_dir(self.dir.join("out"))?;
        fs::write(self.dir.join("Cargo.toml"), "[package]\nname = \"app\"\n")?;
        Ok(())
    }

    /// And the cache.
    pub fn clear_all(&self) -> Result<()> {
        self.cache.iter().try_for_each(|cache| crate::place::empty(cache))?;
        self.clear()
    }

    /// What is vendored goes, its pins stay.
    pub fn clear_output(&self) -> Result<()> {
        crate::place::empty(&self.dir.join("out"))
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.script);
        for name in ["LOCK", "OFFLINE", "DIR", "MIRROR", "SKIP", "PROGRESS"] {
            command.env_remove(format!("VENDOR_MODEL_{name}"));
        }
        let cache = self.cache.as_deref().unwrap_or(Path::new("off"));
        command.env("VENDOR_MODEL_CACHE", cache).env("MODEL_URL", &self.url).current_dir(&self.dir);
        command.env("OUT_DIR", self.dir.join("out")).env("CARGO_MANIFEST_DIR", &self.dir);
        command.env("CARGO_PKG_NAME", "app");
        command
    }

    /// Whether `bytes` in `files` are vendored.
    pub fn check(&self, (bytes, files): (u64, usize)) -> Result<()> {
        match crate::place::size_below(&self.dir.join("out"))? {
            found if found == (bytes, files) => Ok(()),
            found => Err(format!("{found:?} in place of {bytes} bytes in {files} files").into()),
        }
    }
}
