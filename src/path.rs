//! Text from a manifest, a lockfile or a build script -> [`ModelPath`]: a path below `out_dir` that every file
//! system, web server and TensorFlow.js loader reads alike. One that leaves `out_dir` cannot be built.
//!
//! Knows nothing of disks and URLs.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, de};

/// The name of the record that a run leaves in `out_dir`.
pub(crate) const RECORD: &str = "models.lock";

/// What the names of our own staging folders begin with.
pub(crate) const STAGING_PREFIX: &str = ".vendor-model-";

/// Where a file of a model lies, relative to `out_dir`: `/`-separated plain names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct ModelPath(String);

/// A path that breaks the rule, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathProblem {
    pub path: String,
    pub why: String,
}

impl ModelPath {
    /// Leading `./` is dropped: TensorFlow.js in the browser writes it, and it changes no URL.
    pub fn parse(text: &str) -> Result<ModelPath, PathProblem> {
        let mut plain = text;
        while let Some(rest) = plain.strip_prefix("./") {
            plain = rest;
        }
        match plain.split('/').find_map(segment_problem) {
            Some(why) => Err(PathProblem { path: text.to_owned(), why }),
            None => Ok(ModelPath(plain.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As file systems that ignore case compare it.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The path on this system's disk, below `dir`.
    pub fn below(&self, dir: &Path) -> PathBuf {
        dir.join(self.0.split('/').collect::<PathBuf>())
    }

    /// The directories that lead to the file, outermost first: `a` and `a/b` for `a/b/c`.
    pub fn parents(&self) -> impl DoubleEndedIterator<Item = &str> {
        let ends: Vec<usize> = self.0.match_indices('/').map(|(at, _)| at).collect();
        ends.into_iter().map(|end| &self.0[..end])
    }
}

impl fmt::Display for ModelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ModelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ModelPath, D::Error> {
        let text = String::deserialize(deserializer)?;
        ModelPath::parse(&text).map_err(de::Error::custom)
    }
}

impl fmt::Display for PathProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.path, self.why)
    }
}

/// A relative path of this system, with `/`; `None` where it is no Unicode.
pub(crate) fn slashed(path: &Path) -> Option<String> {
    let segments: Option<Vec<&str>> = path.iter().map(|segment| segment.to_str()).collect();
    segments.map(|segments| segments.join("/"))
}

/// Whether one directory can hold all of `paths`, the first being the entry. The same path twice is no problem.
pub(crate) fn collisions(paths: &[&ModelPath]) -> Vec<PathProblem> {
    let Some((entry, others)) = paths.split_first() else { return Vec::new() };
    let mut names = Names::default();
    names.files.insert(RECORD.to_owned(), RECORD.to_owned());
    let mut problems = Vec::new();
    if entry.folded() == RECORD {
        problems.push(problem(entry, "is the name of the lockfile".to_owned()));
    } else if let Some(why) = names.clash(entry) {
        problems.push(problem(entry, why));
    }
    names.add(entry);
    for path in others {
        if path.folded() == RECORD {
            problems.push(problem(path, "is the name of the lockfile".to_owned()));
        } else if path.folded() == entry.folded() {
            problems.push(problem(path, "is the name of the manifest".to_owned()));
        } else if let Some(why) = names.clash(path) {
            problems.push(problem(path, why));
        } else {
            names.add(path);
        }
    }
    problems
}

/// File and directory names that are taken, without case; the values are the paths as they were written.
#[derive(Default)]
pub(crate) struct Names {
    files: HashMap<String, String>,
    directories: HashMap<String, String>,
}

impl Names {
    /// Why `path` cannot lie beside what was added; the same path can.
    pub fn clash(&self, path: &ModelPath) -> Option<String> {
        match self.files.get(&path.folded()) {
            Some(other) if *other == path.0 => return None,
            Some(other) => return Some(format!("differs from {other:?} only in case")),
            None => {}
        }
        if let Some(other) = self.directories.get(&path.folded()) {
            return Some(format!("is also the directory of {other:?}"));
        }
        path.parents().find_map(|parent| {
            let parent = parent.to_ascii_lowercase();
            let other = self.files.get(&parent);
            other.map(|other| format!("lies below {other:?}, which is a file"))
        })
    }

    pub fn add(&mut self, path: &ModelPath) {
        self.files.insert(path.folded(), path.0.clone());
        for parent in path.parents() {
            self.directories.insert(parent.to_ascii_lowercase(), path.0.clone());
        }
    }
}

fn problem(path: &ModelPath, why: String) -> PathProblem {
    PathProblem { path: path.0.clone(), why }
}

fn segment_problem(segment: &str) -> Option<String> {
    if let Some(odd) = segment.chars().find(|&c| !is_plain(c)) {
        return Some(format!(
            "has the character {odd:?}, which servers and file systems read differently"
        ));
    }
    let why = match segment {
        "" => "has an empty segment",
        "." | ".." => "has a `.` or `..` segment",
        _ if segment.len() > 255 => "has a segment of more than 255 bytes",
        _ if segment.starts_with(' ') || segment.ends_with(' ') => {
            "has a segment with a space at its edge"
        }
        _ if segment.ends_with('.') => "has a segment that ends in a dot",
        _ if is_reserved_on_windows(segment) => "has a segment that is a device name on Windows",
        _ if has_prefix(segment, STAGING_PREFIX) => "begins like our own staging folders",
        _ => return None,
    };
    Some(why.to_owned())
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._~- +&=@,".contains(c)
}

fn has_prefix(segment: &str, prefix: &str) -> bool {
    segment.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn is_reserved_on_windows(segment: &str) -> bool {
    let stem =
        segment.split('.').next().unwrap_or(segment).trim_end_matches(' ').to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => {
            stem.len() == 4
                && (stem.starts_with("COM") || stem.starts_with("LPT"))
                && stem.ends_with(|c: char| c.is_ascii_digit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ModelPath {
        ModelPath::parse(text).unwrap()
    }

    #[test]
    fn plain_paths_are_taken_as_they_are() {
        for text in [
            "a.bin",
            "group1-shard1of23.bin",
            "sub/dir/a",
            "a b.bin",
            "a+b&c=4.bin",
            "a~@,_",
            ".hidden",
            "COM10",
            "nulls",
        ] {
            assert_eq!(path(text).as_str(), text);
        }
        assert_eq!(path(&"x".repeat(255)).as_str().len(), 255);
    }

    #[test]
    fn leading_dot_slash_is_dropped() {
        assert_eq!(path("./a.bin").as_str(), "a.bin");
        assert_eq!(path("././a/b").as_str(), "a/b");
    }

    #[test]
    fn every_disguise_of_a_way_out_is_refused() {
        let long = "x".repeat(256);
        let wrong = [
            "",
            ".",
            "..",
            "./",
            "../a",
            "a/../b",
            "a/..",
            "a/./b",
            "/a",
            "//a",
            "a//b",
            "a/",
            "..\\a",
            "a\\b",
            "C:\\a",
            "c:a",
            "\\\\host\\share",
            "%2e%2e/a",
            "a%20b",
            "a?b",
            "a#b",
            "a:b",
            "a\0b",
            "a\nb",
            "a\tb",
            "a\u{1b}[2J",
            "é",
            "дані",
            "a|b",
            "a*b",
            "\"a\"",
            "<a>",
            "a;b",
            "a$b",
            " a",
            "a ",
            "a/ b",
            "a.",
            "a./b",
            "CON",
            "con.bin",
            "aux",
            "NUL.tar.gz",
            "com1",
            "LPT9.bin",
            "COM0",
            "nul .bin",
            &long,
            ".vendor-model-x",
            ".Vendor-Model-1/a",
        ];
        for text in wrong {
            assert!(ModelPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn parents_lead_from_the_outside_in() {
        assert_eq!(path("a/b/c").parents().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path("a").parents().count(), 0);
    }

    #[test]
    fn collisions_are_found_without_case() {
        let check = |paths: &[&str]| {
            let parsed: Vec<ModelPath> = paths.iter().map(|text| path(text)).collect();
            let found = collisions(&parsed.iter().collect::<Vec<_>>());
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(check(&["model.json", "a", "b", "a"]), "");
        assert_eq!(
            check(&["model.json", "a.bin", "A.bin"]),
            r#""A.bin": differs from "a.bin" only in case"#
        );
        assert_eq!(check(&["model.json", "a", "A/b"]), r#""A/b": lies below "a", which is a file"#);
        assert_eq!(check(&["model.json", "a/b", "A"]), r#""A": is also the directory of "a/b""#);
        assert_eq!(
            check(&["model.json", "Model.JSON"]),
            r#""Model.JSON": is the name of the manifest"#
        );
        assert_eq!(
            check(&["model.json", "model.json/a"]),
            r#""model.json/a": lies below "model.json", which is a file"#
        );
        assert_eq!(
            check(&["model.json", "MODELS.lock"]),
            r#""MODELS.lock": is the name of the lockfile"#
        );
        assert_eq!(
            check(&["model.json", "Models.lock/a"]),
            r#""Models.lock/a": lies below "models.lock", which is a file"#
        );
        assert_eq!(check(&["models.lock"]), r#""models.lock": is the name of the lockfile"#);
        assert_eq!(
            check(&["models.lock/a"]),
            r#""models.lock/a": lies below "models.lock", which is a file"#
        );
    }
}
