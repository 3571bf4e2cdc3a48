//! Which lockfile is used, and the models that are meant of those that it pins.

use std::env;
use std::path::{self, Path, PathBuf};

use url::Url;
use vendor_model::{LockedFile, LockedModel, Lockfile};

use crate::arguments::LockArgs;
use crate::failure::Failure;

const NAME: &str = "models.lock";

/// A lockfile that is there.
pub struct LockFile {
    pub path: PathBuf,
    pub pins: Lockfile,
}

impl LockFile {
    /// Beside the nearest `Cargo.toml` upward, else in the current directory, unless another is named. Absolute.
    pub fn place(args: &LockArgs) -> Result<PathBuf, Failure> {
        let here = env::current_dir()
            .map_err(|error| Failure::io("find", Path::new("the current directory"), &error))?;
        let near = here.ancestors().find(|dir| dir.join("Cargo.toml").is_file());
        let default = || near.unwrap_or(&here).join(NAME);
        let named = args.lockfile.as_deref().map(|named| here.join(named));
        let place = named.unwrap_or_else(default);
        path::absolute(&place).map_err(|error| Failure::io("find", &place, &error))
    }

    pub fn read(args: &LockArgs) -> Result<LockFile, Failure> {
        LockFile::at(LockFile::place(args)?)
    }

    pub fn at(path: PathBuf) -> Result<LockFile, Failure> {
        if !path.exists() {
            return Err(Failure::new(format!("there is no lockfile {}", path.display())).help(
                "pin a model with `cargo vendor-model lock <URL>`, or name a lockfile with --lockfile",
            ));
        }
        Ok(LockFile { pins: Lockfile::read(&path)?, path })
    }

    /// The lockfile that a directory of models has of its own.
    pub fn of_directory(dir: &Path) -> Result<Option<LockFile>, Failure> {
        let path = dir.join(NAME);
        if path.is_file() { LockFile::at(path).map(Some) } else { Ok(None) }
    }

    pub fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Where builds look for vendored models.
    pub fn vendor_models(&self) -> PathBuf {
        self.dir().join("vendor-models")
    }

    pub fn vendor_models_if_there(&self) -> Result<PathBuf, Failure> {
        let dir = self.vendor_models();
        match dir.is_dir() {
            true => Ok(dir),
            false => Err(Failure::new(format!("there is no vendored directory {}", dir.display()))
                .help("write it with `cargo vendor-model vendor`, or name what is to be checked")),
        }
    }

    /// The models that do not lie beside the lockfile.
    pub fn remote(&self) -> Vec<&LockedModel> {
        self.pins.models().iter().filter(|model| !model.url().starts_with("./")).collect()
    }

    /// The model that is called `name` on the command line.
    pub fn find(&self, name: &str) -> Option<&LockedModel> {
        self.pins.model(name.trim()).or_else(|| self.pins.model(&self.recorded(name)))
    }

    /// The models that are named, or all where none is.
    pub fn chosen(&self, names: &[String]) -> Result<Vec<&LockedModel>, Failure> {
        if names.is_empty() {
            return Ok(self.pins.models().iter().collect());
        }
        let found = |name: &String| self.find(name).ok_or_else(|| self.not_pinned(name));
        names.iter().map(found).collect()
    }

    /// The pins of the models that are named, or of all where none is.
    pub fn only(&self, names: &[String]) -> Result<Lockfile, Failure> {
        let mut only = Lockfile::default();
        self.chosen(names)?.into_iter().for_each(|model| only.insert(model.clone()));
        Ok(only)
    }

    /// How lockfiles record an address: a file below the lockfile's directory by its path from there.
    fn recorded(&self, name: &str) -> String {
        let file = Url::parse(&address(name)).ok().and_then(|url| url.to_file_path().ok());
        let below = file.and_then(|file| {
            let below = file.strip_prefix(self.dir()).ok()?;
            Some(format!("./{}", below.to_str()?.replace('\\', "/")))
        });
        below.unwrap_or_else(|| name.to_owned())
    }

    fn not_pinned(&self, name: &str) -> Failure {
        let failure = Failure::new(format!("{} does not pin this model", self.path.display()))
            .fact("url", name);
        let pinned = self.pins.models().iter();
        let failure = pinned.fold(failure, |failure, model| failure.fact("pinned", model.url()));
        failure.help("`cargo vendor-model list` shows what is pinned, `cargo vendor-model lock <URL>` pins more")
    }
}

/// A URL as it is given, or that of a file that is given by its path.
pub fn address(argument: &str) -> String {
    let is_url = Url::parse(argument.trim()).is_ok_and(|url| url.scheme().len() > 1);
    if is_url {
        return argument.to_owned();
    }
    let file = path::absolute(argument).ok().and_then(|path| Url::from_file_path(path).ok());
    file.map_or(argument.to_owned(), String::from)
}

/// The address to give to the library for a pinned model, whose lockfile is in `dir`.
pub fn url_of(model: &LockedModel, dir: &Path) -> String {
    match model.url().strip_prefix("./") {
        Some(path) => Url::from_file_path(dir.join(path)).map_or(path.to_owned(), String::from),
        None => model.url().to_owned(),
    }
}

/// The bytes of all files of a model.
pub fn size(model: &LockedModel) -> u64 {
    model.files().iter().map(LockedFile::size).sum()
}
