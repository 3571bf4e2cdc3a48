//! Text <-> [`Lockfile`]: the models that are pinned, and the path, size and digest of each of their files.
//!
//! The same data gives the same bytes on every platform. Knows no disk; `pins` reads and `publish` writes it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::{Content, Digest};
use crate::path::{self, ModelPath, Names, PathProblem};

const VERSION: u32 = 1;

/// No address of a model begins so.
const REMAINS: &str = "remains of ";

/// The contents of a `models.lock`.
///
/// [`Lockfile::read`] or [`Lockfile::parse`] one; `to_string()` gives its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockfile {
    version: u32,
    models: Vec<LockedModel>,
}

/// A pinned model: its address, and its files with the entry first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedModel {
    pub(crate) url: String,
    pub(crate) format: String,
    /// Often copied, seldom changed, and there may be very many.
    pub(crate) files: Arc<Vec<LockedFile>>,
}

/// A pinned file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    pub(crate) path: ModelPath,
    pub(crate) size: u64,
    pub(crate) sha256: Digest,
    /// Only where it does not follow from the model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// Why a text is no lockfile.
#[derive(Debug)]
pub(crate) enum LockfileError {
    Json(serde_json::Error),
    MergeConflict,
    /// Written by a later version of this crate.
    Newer(String),
    TwiceTheSame(String),
    NoFiles(String),
    Paths(String, Vec<PathProblem>),
}

impl Default for Lockfile {
    fn default() -> Lockfile {
        Lockfile { version: VERSION, models: Vec::new() }
    }
}

impl Lockfile {
    pub(crate) fn from_text(text: &str) -> Result<Lockfile, LockfileError> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.lines().any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
            return Err(LockfileError::MergeConflict);
        }
        let Version { version } = serde_json::from_str(text).map_err(LockfileError::Json)?;
        if version > VERSION.into() {
            return Err(LockfileError::Newer(format!(
                "it has version {version}, this release knows {VERSION}"
            )));
        }
        let lockfile: Lockfile =
            serde_json::from_str(text).map_err(|error| match error.to_string() {
                text if text.starts_with("unknown field") => LockfileError::Newer(text),
                _ => LockfileError::Json(error),
            })?;
        lockfile.checked()
    }

    fn checked(mut self) -> Result<Lockfile, LockfileError> {
        let mut seen = HashSet::new();
        for model in &self.models {
            if !seen.insert(&model.url) {
                return Err(LockfileError::TwiceTheSame(model.url.clone()));
            }
            if model.files.is_empty() {
                return Err(LockfileError::NoFiles(model.url.clone()));
            }
            if let Some(path) = model.twice() {
                return Err(LockfileError::TwiceTheSame(format!("{path:?} of {}", model.url)));
            }
            let problems = path::collisions(&model.paths().collect::<Vec<_>>());
            if !problems.is_empty() {
                return Err(LockfileError::Paths(model.url.clone(), problems));
            }
        }
        self.models.sort_by(|a, b| a.url.cmp(&b.url));
        Ok(self)
    }

    /// The pinned models, sorted by address.
    pub fn models(&self) -> &[LockedModel] {
        &self.models
    }

    /// The model pinned under this address.
    pub fn model(&self, url: &str) -> Option<&LockedModel> {
        self.models.iter().find(|model| model.url == url)
    }

    /// Drops the model pinned under this address; `None` where there is none.
    pub fn remove(&mut self, url: &str) -> Option<LockedModel> {
        let at = self.models.iter().position(|model| model.url == url)?;
        Some(self.models.remove(at))
    }

    /// The other models that cannot share a directory with `model`, each with a path that it disputes.
    pub(crate) fn rivals<'a>(
        &'a self,
        model: &'a LockedModel,
    ) -> impl Iterator<Item = (&'a LockedModel, &'a ModelPath)> {
        let others = self.models.iter().filter(|other| other.url != model.url);
        let others = others.filter(|other| !other.url.starts_with(REMAINS));
        others.filter_map(|other| Some((other, model.disputed(other)?)))
    }

    /// Whether `other` pins all that this one pins, alike.
    pub(crate) fn is_within(&self, other: &Lockfile) -> bool {
        self.models.iter().all(|model| {
            other.model(&model.url).is_some_and(|later| model.changes(later).is_empty())
        })
    }

    /// Drops what models have left behind.
    pub(crate) fn drop_remains(&mut self) {
        self.models.retain(|model| !model.url.starts_with(REMAINS));
    }

    /// Pins a model, in place of what was pinned under its address.
    pub fn insert(&mut self, model: LockedModel) {
        self.remove(&model.url);
        let at = self.models.partition_point(|other| other.url < model.url);
        self.models.insert(at, model);
    }

    /// What `to_string()` gives, but made in one place.
    pub(crate) fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("texts and numbers can be written as JSON") + "\n"
    }
}

/// The text of the file, as it is committed.
impl fmt::Display for Lockfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl LockedModel {
    /// The address of the model, as the caller of `vendor_model` gives it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `tfjs-graph-model`, `tfjs-layers-model`, `tfjs-weights`, or what a later release may know.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// The entry (the manifest) first, then the shards in the manifest's order, extra files last.
    pub fn files(&self) -> &[LockedFile] {
        &self.files
    }

    pub(crate) fn by_path(&self) -> HashMap<&ModelPath, &LockedFile> {
        self.files.iter().map(|file| (&file.path, file)).collect()
    }

    fn twice(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        self.paths().find(|path| !seen.insert(*path)).map(ModelPath::as_str)
    }

    /// What became of this model's pins in `later`, a line for each file that moved or went.
    pub(crate) fn changes(&self, later: &LockedModel) -> Vec<String> {
        let later = later.by_path();
        let change = |old: &LockedFile| match later.get(&old.path) {
            Some(new) if new.content() == old.content() => None,
            Some(new) => Some(format!(
                "{:?} moved from sha256 {} ({} bytes) to {} ({} bytes)",
                old.path(),
                old.sha256,
                old.size,
                new.sha256,
                new.size
            )),
            None => Some(format!("{:?} is gone", old.path())),
        };
        self.files.iter().filter_map(change).collect()
    }

    /// The same, and a line for each file that only `later` has.
    pub(crate) fn news(&self, later: &LockedModel) -> Vec<String> {
        let known = self.by_path();
        let added = later.files.iter().filter(|file| !known.contains_key(&file.path));
        let added = added.map(|file| {
            format!("{:?} is new: sha256 {} ({} bytes)", file.path(), file.sha256, file.size)
        });
        self.changes(later).into_iter().chain(added).collect()
    }

    /// A path of this model that `other` has with different bytes, or under a name that clashes.
    fn disputed(&self, other: &LockedModel) -> Option<&ModelPath> {
        let mut names = Names::default();
        other.paths().for_each(|path| names.add(path));
        let theirs = other.by_path();
        let differs = |file: &LockedFile| {
            theirs.get(&file.path).is_some_and(|pinned| pinned.content() != file.content())
        };
        self.files
            .iter()
            .find(|file| differs(file) || names.clash(&file.path).is_some())
            .map(|file| &file.path)
    }

    /// What is left of it, in the record, until it is removed: the files that are not among `others`.
    pub(crate) fn remains(mut self, others: &HashSet<ModelPath>) -> Option<LockedModel> {
        Arc::make_mut(&mut self.files).retain(|file| !others.contains(&file.path));
        if !self.url.starts_with(REMAINS) {
            self.url.insert_str(0, REMAINS);
        }
        Some(self).filter(|remains| !remains.files.is_empty())
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &ModelPath> {
        self.files.iter().map(|file| &file.path)
    }
}

impl LockedFile {
    pub(crate) fn new(path: ModelPath, content: Content) -> LockedFile {
        LockedFile { path, size: content.size, sha256: content.digest, url: None }
    }

    /// Relative to `out_dir`, with `/`.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// 64 lower-case hexadecimal digits.
    pub fn sha256(&self) -> String {
        self.sha256.to_string()
    }

    pub(crate) fn content(&self) -> Content {
        Content { size: self.size, digest: self.sha256 }
    }
}

impl std::error::Error for LockfileError {}

impl fmt::Display for LockfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockfileError::Json(error) => write!(f, "{error}"),
            LockfileError::MergeConflict => f.write_str("it has the marks of a merge conflict"),
            LockfileError::Newer(sign) => write!(f, "a newer vendor-model wrote it ({sign})"),
            LockfileError::TwiceTheSame(url) => write!(f, "it pins {url} twice"),
            LockfileError::NoFiles(url) => write!(f, "it pins no file of {url}"),
            LockfileError::Paths(url, problems) => {
                write!(f, "it pins paths of {url} that cannot be vendored")?;
                problems.iter().try_for_each(|problem| write!(f, "\n    {problem}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(url: &str, paths: &[&str]) -> LockedModel {
        let file = |path: &&str| {
            LockedFile::new(ModelPath::parse(path).unwrap(), Content::of(path.as_bytes()))
        };
        LockedModel {
            url: url.to_owned(),
            format: "tfjs-graph-model".to_owned(),
            files: Arc::new(paths.iter().map(file).collect()),
        }
    }

    fn refusal(text: &str) -> String {
        Lockfile::from_text(text).unwrap_err().to_string()
    }

    #[test]
    fn the_text_is_the_contract() {
        let mut lockfile = Lockfile::default();
        lockfile.insert(model("https://h.example/m/model.json", &["model.json", "sub/a.bin"]));
        let expected = r#"{
  "version": 1,
  "models": [
    {
      "url": "https://h.example/m/model.json",
      "format": "tfjs-graph-model",
      "files": [
        {
          "path": "model.json",
          "size": 10,
          "sha256": "08449dfe8b6c265b9ec864ad13b8d86e7503428f935b9f3d01edab200f0eabd6"
        },
        {
          "path": "sub/a.bin",
          "size": 9,
          "sha256": "713b4f92600c7fe4d8e4b61e6c31f7fa14047ea1c9b7917a23db79da8466f15a"
        }
      ]
    }
  ]
}
"#;
        assert_eq!(lockfile.to_string(), expected);
    }

    #[test]
    fn models_are_sorted_by_url_however_they_come() {
        let mut lockfile = Lockfile::default();
        for url in ["https://c", "https://a", "https://b", "https://a"] {
            lockfile.insert(model(url, &["model.json"]));
        }
        let urls: Vec<&str> = lockfile.models().iter().map(LockedModel::url).collect();
        assert_eq!(urls, ["https://a", "https://b", "https://c"]);
        assert!(lockfile.remove("https://b").is_some() && lockfile.remove("https://b").is_none());
    }

    #[test]
    fn models_share_a_directory_unless_they_dispute_a_path() {
        let mut lockfile = Lockfile::default();
        lockfile.insert(model("https://a", &["model-stride16.json", "shard1", "shard2"]));
        let disputed = |other: &LockedModel| {
            lockfile.rivals(other).map(|(_, path)| path.to_string()).collect::<Vec<_>>()
        };
        let same_shards = model("https://b", &["model-stride32.json", "shard1", "shard2"]);
        assert!(disputed(&same_shards).is_empty());
        let mut other_bytes = same_shards.clone();
        Arc::make_mut(&mut other_bytes.files)[2].size += 1;
        assert_eq!(disputed(&other_bytes), ["shard2"]);
        assert_eq!(disputed(&model("https://b", &["m.json", "SHARD1"])), ["SHARD1"]);
        assert_eq!(disputed(&model("https://b", &["m.json", "shard1/a"])), ["shard1/a"]);
        assert!(disputed(&model("https://a", &["SHARD1"])).is_empty());
    }

    #[test]
    fn what_is_to_go_is_recorded_under_no_address_until_it_is_gone() {
        let new: HashSet<ModelPath> =
            model("https://a", &["m.json", "1"]).paths().cloned().collect();
        let old = model("https://a", &["m.json", "1", "2"]);
        let mut record = Lockfile::default();
        record.insert(model("https://b", &["n.json"]));
        let remains = old.remains(&new).unwrap();
        record.insert(remains.clone());
        assert_eq!(remains.paths().map(ModelPath::as_str).collect::<Vec<_>>(), ["2"]);
        assert!(record.model("https://a").is_none());
        assert_eq!(remains.clone().remains(&new), Some(remains), "it stays what it is");
        record.drop_remains();
        assert_eq!(record.models(), [model("https://b", &["n.json"])]);
        assert!(model("https://a", &["1"]).remains(&new).is_none());
    }

    #[test]
    fn what_git_does_to_line_ends_is_no_change() {
        let mut lockfile = Lockfile::default();
        lockfile.insert(model("https://a", &["model.json"]));
        let crlf = format!("\u{feff}{}", lockfile.to_string().replace('\n', "\r\n"));
        assert_eq!(Lockfile::from_text(&crlf).unwrap(), lockfile);
    }

    #[test]
    fn a_file_may_have_an_address_of_its_own() {
        let mut lockfile = Lockfile::default();
        let mut pinned = model("https://a", &["model.json"]);
        Arc::make_mut(&mut pinned.files)[0].url = Some("https://b/other.json".to_owned());
        lockfile.insert(pinned);
        assert_eq!(Lockfile::from_text(&lockfile.to_string()).unwrap(), lockfile);
    }

    #[test]
    fn damaged_lockfiles_are_refused_with_the_reason() {
        let pinned = |models: &[LockedModel]| {
            serde_json::to_string(&Lockfile { version: 1, models: models.to_vec() }).unwrap()
        };
        assert!(refusal("").contains("EOF"));
        assert!(refusal("<<<<<<< ours\n{}\n>>>>>>> theirs").contains("merge conflict"));
        assert!(
            refusal(r#"{"version": 2, "anything": []}"#)
                .contains("a newer vendor-model wrote it (it has version 2")
        );
        assert!(
            refusal(r#"{"version": 1, "models": [], "notes": 1}"#)
                .contains("a newer vendor-model wrote it (unknown field `notes`")
        );
        assert!(refusal(&pinned(&[model("https://a", &[])])).contains("no file of https://a"));
        assert!(
            refusal(&pinned(&[model("https://a", &["m"]), model("https://a", &["m"])]))
                .contains("https://a twice")
        );
        assert!(
            refusal(&pinned(&[model("https://a", &["m", "a", "a"])]))
                .contains("\"a\" of https://a twice")
        );
        assert!(refusal(&pinned(&[model("https://a", &["m", "a", "A"])])).contains("only in case"));
        assert!(
            refusal(&pinned(&[model("https://a", &["m"])]).replace("\"m\"", "\"../m\""))
                .contains("`.` or `..` segment")
        );
        assert!(
            refusal(
                &pinned(&[model("https://a", &["m"])]).replace("\"sha256\":\"", "\"sha256\":\"A")
            )
            .contains("64 lower-case")
        );
    }
}
