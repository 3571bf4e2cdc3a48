//! Text of a TensorFlow.js manifest -> [`Manifest`]: its weight groups, their shards and their weight specs.
//!
//! Takes what the TensorFlow.js client takes (`model.json` of graph and layers models, bare `weightsManifest`
//! arrays) and refuses by its name what only looks like a manifest. The topology is skipped, not read.
//! Knows no URL and no disk. A weight group here is an entry of `weightsManifest`, as in the file;
//! the client's own `WeightGroup` (model or optimizer) is something else.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::path::{self, ModelPath, PathProblem};
use crate::sniff;
use crate::weights::{Lossy, WeightSpec};

/// What a manifest says, as far as vendoring needs it.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub format: &'static str,
    pub groups: Vec<WeightGroup>,
}

/// Weights that lie back to back in the concatenation of some shards.
#[derive(Debug)]
pub(crate) struct WeightGroup {
    /// In the order of their bytes. One that is listed twice counts twice.
    pub shards: Vec<ModelPath>,
    pub weights: Vec<WeightSpec>,
}

/// Why a text is no manifest that can be vendored.
#[derive(Debug)]
pub(crate) enum ManifestError {
    /// It is something else, and this is what.
    Other(String),
    /// It is not the JSON of a manifest.
    Json(serde_json::Error),
    /// It lists paths that cannot be kept below `out_dir`: all of them.
    Paths(Vec<PathProblem>),
}

pub(crate) const GRAPH_MODEL: &str = "tfjs-graph-model";
pub(crate) const LAYERS_MODEL: &str = "tfjs-layers-model";
pub(crate) const WEIGHTS: &str = "tfjs-weights";
/// Those that this release knows.
pub(crate) const FORMATS: [&str; 3] = [GRAPH_MODEL, LAYERS_MODEL, WEIGHTS];

impl Manifest {
    /// `entry` is the name that the manifest itself will have on disk, which no shard may take.
    pub fn parse(bytes: &[u8], entry: &ModelPath) -> Result<Manifest, ManifestError> {
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let Some(name) = name_of_other(json) {
            return Err(ManifestError::Other(name));
        }
        let (format, groups) = match json.trim_ascii_start().first() {
            Some(b'[') => {
                (WEIGHTS, Some(serde_json::from_slice(json).map_err(ManifestError::Json)?))
            }
            _ => {
                let model: ModelJson = serde_json::from_slice(json).map_err(ManifestError::Json)?;
                if model.topology.is_none() && model.weights_manifest.is_none() {
                    return Err(ManifestError::Other(name_of_other_json(json)));
                }
                (model.format(), model.weights_manifest)
            }
        };
        let groups = checked_paths(groups.unwrap_or_default(), entry)?;
        Ok(Manifest { format, groups })
    }

    /// Every shard once, in the order in which the groups name them.
    pub fn shards(&self) -> Vec<&ModelPath> {
        let mut seen = HashSet::new();
        let listed = self.groups.iter().flat_map(|group| &group.shards);
        listed.filter(|path| seen.insert(*path)).collect()
    }
}

impl std::error::Error for ManifestError {}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ManifestError::Other(name) => write!(f, "it is {name}"),
            ManifestError::Json(error) => write!(f, "{error}"),
            ManifestError::Paths(problems) => {
                write!(f, "{} of its shard paths cannot be vendored", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n    {problem}"))
            }
        }
    }
}

/// The raw groups with their paths parsed, or every path that breaks the rule or meets another.
fn checked_paths(raw: Vec<RawGroup>, entry: &ModelPath) -> Result<Vec<WeightGroup>, ManifestError> {
    let mut problems = Vec::new();
    let mut groups = Vec::with_capacity(raw.len());
    for group in raw {
        let mut shards = Vec::with_capacity(group.paths.len());
        for path in group.paths {
            match ModelPath::parse(&path) {
                Ok(path) => shards.push(path),
                Err(problem) => problems.push(problem),
            }
        }
        groups.push(WeightGroup { shards, weights: group.weights });
    }
    let listed = groups.iter().flat_map(|group| &group.shards);
    let paths: Vec<&ModelPath> = std::iter::once(entry).chain(listed).collect();
    problems.extend(path::collisions(&paths));
    if problems.is_empty() { Ok(groups) } else { Err(ManifestError::Paths(problems)) }
}

/// What the bytes are, where they are not even meant to be the JSON of a model.
fn name_of_other(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(sniff::HEAD)];
    if let Some(impostor) = sniff::impostor(head) {
        return Some(impostor.to_string());
    }
    if let Some(kind) = sniff::binary_kind(head) {
        return Some(kind.to_owned());
    }
    match head.trim_ascii_start().first() {
        Some(b'{' | b'[') => None,
        None => Some("empty".to_owned()),
        Some(_) => {
            let beginning: String =
                String::from_utf8_lossy(head).trim_start().chars().take(40).collect();
            Some(format!("no JSON; it begins with {beginning:?}"))
        }
    }
}

/// What a JSON object is that has neither topology nor weights manifest.
fn name_of_other_json(json: &[u8]) -> String {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only whether the keys are there counts")]
    struct Keras {
        class_name: IgnoredAny,
        config: IgnoredAny,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only whether the keys are there counts")]
    struct DeeplearnVariable {
        filename: String,
        shape: Vec<IgnoredAny>,
    }
    let deeplearn = serde_json::from_slice::<HashMap<String, DeeplearnVariable>>(json);
    if deeplearn.is_ok_and(|variables| !variables.is_empty()) {
        "a deeplearn.js checkpoint manifest, which TensorFlow.js no longer reads".to_owned()
    } else if serde_json::from_slice::<Keras>(json).is_ok() {
        "Keras JSON without weights (convert the whole model with tensorflowjs_converter)"
            .to_owned()
    } else {
        "JSON with neither `modelTopology` nor `weightsManifest`, so not a TensorFlow.js model"
            .to_owned()
    }
}

/// The three keys that vendoring needs. As in JavaScript, the last of two alike wins and the others do not matter.
#[derive(Default)]
struct ModelJson {
    format: Option<Format>,
    topology: Option<Topology>,
    weights_manifest: Option<Vec<RawGroup>>,
}

impl<'de> Deserialize<'de> for ModelJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ModelJson, D::Error> {
        struct Model;
        impl<'de> Visitor<'de> for Model {
            type Value = ModelJson;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model, an object or an array of weight groups")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ModelJson, A::Error> {
                let mut model = ModelJson::default();
                while let Some(Lossy(key)) = map.next_key()? {
                    match key.as_str() {
                        "format" => model.format = map.next_value()?,
                        "modelTopology" => model.topology = map.next_value()?,
                        "weightsManifest" => model.weights_manifest = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(model)
            }
        }
        deserializer.deserialize_map(Model)
    }
}

impl ModelJson {
    fn format(&self) -> &'static str {
        let said = self.format.as_ref().and_then(|Format(name)| *name);
        let seen = self.topology.as_ref().and_then(|Topology(name)| *name);
        said.or(seen).unwrap_or(WEIGHTS)
    }
}

/// What the `format` key says. No loader looks at it, so that it may be anything.
struct Format(Option<&'static str>);

/// The one thing that is asked of a topology: which format it shows.
struct Topology(Option<&'static str>);

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Format, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Format;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a format")
            }

            fn visit_str<E>(self, text: &str) -> Result<Format, E> {
                Ok(Format(match text {
                    "graph-model" => Some(GRAPH_MODEL),
                    "layers-model" => Some(LAYERS_MODEL),
                    _ => None,
                }))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Format, E> {
                Ok(Format(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Format, E> {
                Ok(Format(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Format, E> {
                Ok(Format(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Format, E> {
                Ok(Format(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Format, A::Error> {
                IgnoredAny.visit_seq(seq).map(|_| Format(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Format, A::Error> {
                IgnoredAny.visit_map(map).map(|_| Format(None))
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

/// Looks at the top-level keys and skips every value without building or decoding it, however deep and
/// however spelt: a topology may hold bytes that are no Unicode.
impl<'de> Deserialize<'de> for Topology {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Topology, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Topology;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model topology")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Topology, A::Error> {
                let mut found = None;
                while let Some(Lossy(key)) = map.next_key()? {
                    map.next_value::<IgnoredAny>()?;
                    match key.as_str() {
                        "node" => found = Some(GRAPH_MODEL),
                        "model_config" | "class_name" => found = Some(LAYERS_MODEL),
                        _ => {}
                    }
                }
                Ok(Topology(found))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a weight group, an object with `paths` and `weights`")]
struct RawGroup {
    paths: Vec<String>,
    weights: Vec<WeightSpec>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: impl AsRef<[u8]>) -> Result<Manifest, String> {
        let entry = ModelPath::parse("model.json").unwrap();
        Manifest::parse(text.as_ref(), &entry).map_err(|error| error.to_string())
    }

    fn refusal(text: impl AsRef<[u8]>) -> String {
        parse(text).unwrap_err()
    }

    const GROUP: &str = r#"[{"paths": ["a", "./b", "a"], "weights": [{"name": "w", "shape": [2], "dtype": "float32"}]}]"#;

    #[test]
    fn formats_are_told_by_key_or_by_topology() {
        let format = |json: &str| parse(json).unwrap().format;
        assert_eq!(format(r#"{"format": "graph-model", "weightsManifest": []}"#), GRAPH_MODEL);
        assert_eq!(
            format(r#"{"format": "layers-model", "modelTopology": null, "weightsManifest": []}"#),
            LAYERS_MODEL
        );
        assert_eq!(format(r#"{"modelTopology": {"node": [], "versions": {}}}"#), GRAPH_MODEL);
        assert_eq!(
            format(r#"{"modelTopology": {"keras_version": "2", "model_config": {}}}"#),
            LAYERS_MODEL
        );
        assert_eq!(format(r#"{"modelTopology": {"class_name": "Sequential"}}"#), LAYERS_MODEL);
        assert_eq!(format(r#"{"modelTopology": {}, "weightsManifest": null}"#), WEIGHTS);
        assert_eq!(format(GROUP), WEIGHTS);
        assert_eq!(format("[]"), WEIGHTS);
    }

    #[test]
    fn shards_keep_their_order_and_are_listed_once() {
        let manifest = parse(GROUP).unwrap();
        assert_eq!(manifest.groups[0].shards.len(), 3);
        assert_eq!(
            manifest.shards().iter().map(|path| path.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn what_the_client_tolerates_is_tolerated() {
        let tolerated = [
            format!("\u{feff}{GROUP}"),
            GROUP.replace(' ', "\r\n"),
            format!(
                r#"{{"weightsManifest": {GROUP}, "_comment": "x", "ml5Specs": {{"a": [1]}}, "convertedBy": null}}"#
            ),
            r#"{"modelTopology": {"node": []}}"#.to_owned(),
            r#"{"weightsManifest": [{"paths": [], "weights": []}]}"#.to_owned(),
            format!(
                r#"{{"modelTopology": {{"node": {}1{}}}, "weightsManifest": []}}"#,
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
            r#"{"\ud800": 1, "format": {"a": 1}, "format": 1, "weightsManifest": []}"#.to_owned(),
            format!(
                r#"{{"format": {}1{}, "weightsManifest": []}}"#,
                "[".repeat(1000),
                "]".repeat(1000)
            ),
            format!(r#"{{"weightsManifest": [], "weightsManifest": {GROUP}}}"#),
            GROUP.replace(r#""w""#, r#""\ud800""#),
            r#"{"modelTopology": {"\ud800": "\ud800", "node": 1}, "weightsManifest": []}"#
                .to_owned(),
        ];
        for text in tolerated {
            assert!(
                parse(&text).is_ok(),
                "{:?}: {:?}",
                text.chars().take(60).collect::<String>(),
                parse(&text)
            );
        }
        assert!(
            parse(
                b"{\"modelTopology\": {\"\xff\": \"\xfe\", \"node\": 1}, \"weightsManifest\": []}"
            )
            .is_ok()
        );
    }

    #[test]
    fn what_only_looks_like_a_manifest_is_refused_by_its_name() {
        let cases: [(&[u8], &str); 13] = [
            (b"<!DOCTYPE html><html>", "it is an HTML page"),
            (b"<?xml version='1.0'?><Error/>", "it is an XML document"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "it is a Git LFS pointer"),
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "it is gzip data"),
            (b"\n\x0b\n\x05const\x00\x00", "TensorFlow .pb"),
            (b"", "it is empty"),
            (br#"{"conv/weights": {"filename": "conv_weights", "shape": [3, 3]}}"#, "deeplearn.js"),
            (br#"{"class_name": "Sequential", "config": {"layers": []}, "backend": "tensorflow"}"#, "Keras JSON without weights"),
            (br#"{"labels": ["a"], "imageSize": 224}"#, "neither `modelTopology` nor `weightsManifest`"),
            (br#"{}"#, "neither `modelTopology` nor `weightsManifest`"),
            (br#"{"weightsManifest": []} trailing"#, "trailing characters"),
            (b"Not found", "it is no JSON; it begins with \"Not found\""),
            (br#"["cat", "dog"]"#, "expected a weight group"),
        ];
        for (text, expected) in cases {
            let error = refusal(text);
            assert!(error.contains(expected), "{:?}: {error}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn every_bad_path_is_listed_and_no_other() {
        let text = r#"[{"paths": ["a.bin", "../b.bin", "c%20.bin"], "weights": []}, {"paths": ["/d", "A.bin", "model.json"], "weights": []}]"#;
        let error = refusal(text);
        assert!(error.starts_with("5 of its shard paths cannot be vendored\n"), "{error}");
        for path in ["\"../b.bin\":", "\"c%20.bin\":", "\"/d\":", "\"A.bin\":", "\"model.json\":"] {
            assert!(error.contains(path), "{path} in {error}");
        }
    }
}
