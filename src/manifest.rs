//! Text of a TensorFlow.js manifest -> [`Manifest`]: its weight groups, their shards and their weight specs.
//!
//! Takes what the TensorFlow.js client takes (`model.json` of graph and layers models, bare `weightsManifest`
//! arrays) and refuses by its name what only looks like a manifest. The topology is skipped, not read.
//! Knows no URL and no disk. A weight group here is an entry of `weightsManifest`, as in the file;
//! the client's own `WeightGroup` (model or optimizer) is something else.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::path::{self, ModelPath, PathProblem};
use crate::sniff;

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

/// What a manifest says of one weight.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawSpec<'_>")]
pub(crate) struct WeightSpec {
    pub name: String,
    pub shape: Vec<u64>,
    pub dtype: DType,
    pub quantization: Option<Quantization>,
    /// Follows from the three above.
    pub length: ByteLength,
}

/// The data types that TensorFlow.js has a size for. All of them are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// 4 bytes.
    Float32,
    /// 4 bytes.
    Int32,
    /// 1 byte, 0 or 1.
    Bool,
    /// UTF-8, each string behind its length in 4 bytes.
    String,
    /// 8 bytes: real and imaginary part, float32 each.
    Complex64,
    /// 1 byte; TensorFlow.js reads it only as a quantization.
    Uint8,
    /// 2 bytes; TensorFlow.js reads it only as a quantization.
    Uint16,
    /// 2 bytes; TensorFlow.js reads it only as a quantization.
    Float16,
}

/// How the bytes of a weight became smaller: `value = byte * scale + min` for the integers, as it is for float16.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Quantization {
    /// The type of the bytes: [`DType::Uint8`], [`DType::Uint16`] or [`DType::Float16`].
    pub dtype: DType,
    /// The distance of two neighbouring values.
    pub scale: Option<f64>,
    /// The value of zero.
    pub min: Option<f64>,
}

/// How many bytes a weight takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteLength {
    Fixed(u64),
    /// So many strings, each behind its length in four bytes, little-endian.
    Strings(u64),
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
    head.trim_ascii().is_empty().then(|| "empty".to_owned())
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

#[derive(Deserialize)]
struct ModelJson {
    format: Option<String>,
    #[serde(rename = "modelTopology")]
    topology: Option<Topology>,
    #[serde(rename = "weightsManifest")]
    weights_manifest: Option<Vec<RawGroup>>,
}

impl ModelJson {
    fn format(&self) -> &'static str {
        match (self.format.as_deref(), &self.topology) {
            (Some("graph-model"), _) => GRAPH_MODEL,
            (Some("layers-model"), _) => LAYERS_MODEL,
            (_, Some(Topology::Graph)) => GRAPH_MODEL,
            (_, Some(Topology::Layers)) => LAYERS_MODEL,
            _ => WEIGHTS,
        }
    }
}

/// The one thing that is asked of a topology: whose it is.
enum Topology {
    Graph,
    Layers,
    Unknown,
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
                let mut found = Topology::Unknown;
                while let Some(Key(whose)) = map.next_key()? {
                    map.next_value::<IgnoredAny>()?;
                    found = whose.unwrap_or(found);
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

struct Key(Option<Topology>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_bytes<E>(self, key: &[u8]) -> Result<Key, E> {
                Ok(Key(match key {
                    b"node" => Some(Topology::Graph),
                    b"model_config" | b"class_name" => Some(Topology::Layers),
                    _ => None,
                }))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[derive(Deserialize)]
struct RawGroup {
    paths: Vec<String>,
    weights: Vec<WeightSpec>,
}

#[derive(Deserialize)]
struct RawSpec<'a> {
    name: String,
    shape: Shape,
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    #[serde(borrow)]
    quantization: Option<RawQuantization<'a>>,
}

#[derive(Deserialize)]
struct RawQuantization<'a> {
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    scale: Option<f64>,
    min: Option<f64>,
}

impl TryFrom<RawSpec<'_>> for WeightSpec {
    type Error = String;

    fn try_from(raw: RawSpec<'_>) -> Result<WeightSpec, String> {
        let RawSpec { name, shape: Shape(shape), dtype, quantization } = raw;
        let Some(dtype) = DType::named(&dtype) else {
            return Err(format!(
                "weight {name:?} has the unknown dtype {dtype:?}; known are {}",
                DType::NAMES
            ));
        };
        let quantization = match quantization.map(Quantization::try_from).transpose() {
            Ok(quantization) => quantization,
            Err(why) => return Err(format!("weight {name:?} has {why}")),
        };
        match byte_length(&shape, quantization.map_or(dtype, |quantization| quantization.dtype)) {
            Some(length) => Ok(WeightSpec { name, shape, dtype, quantization, length }),
            None => Err(format!("weight {name:?} of shape {shape:?} has more than 2^64 bytes")),
        }
    }
}

impl TryFrom<RawQuantization<'_>> for Quantization {
    type Error = String;

    fn try_from(raw: RawQuantization<'_>) -> Result<Quantization, String> {
        match DType::named(&raw.dtype) {
            Some(dtype @ (DType::Uint8 | DType::Uint16 | DType::Float16)) => {
                Ok(Quantization { dtype, scale: raw.scale, min: raw.min })
            }
            _ => Err(format!(
                "the unknown quantization dtype {:?}; known are uint8, uint16 and float16",
                raw.dtype
            )),
        }
    }
}

impl DType {
    const NAMES: &str = "float32, int32, bool, string, complex64, uint8, uint16 and float16";

    fn named(name: &str) -> Option<DType> {
        Some(match name {
            "float32" => DType::Float32,
            "int32" => DType::Int32,
            "bool" => DType::Bool,
            "string" => DType::String,
            "complex64" => DType::Complex64,
            "uint8" => DType::Uint8,
            "uint16" => DType::Uint16,
            "float16" => DType::Float16,
            _ => return None,
        })
    }

    /// Bytes of one element; strings have no fixed size.
    fn size(self) -> Option<u64> {
        match self {
            DType::Complex64 => Some(8),
            DType::Float32 | DType::Int32 => Some(4),
            DType::Uint16 | DType::Float16 => Some(2),
            DType::Uint8 | DType::Bool => Some(1),
            DType::String => None,
        }
    }
}

/// `getWeightBytelength` of TensorFlow.js, for the type in which the weight is stored; `None` where it overflows.
/// A zero anywhere in the shape makes it zero, whatever the other dimensions multiply to.
fn byte_length(shape: &[u64], stored: DType) -> Option<ByteLength> {
    let elements = if shape.contains(&0) {
        0
    } else {
        shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n))?
    };
    Some(match stored.size() {
        Some(size) => ByteLength::Fixed(elements.checked_mul(size)?),
        None => ByteLength::Strings(elements),
    })
}

struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
        let dimensions = Vec::<Dimension>::deserialize(deserializer)?;
        Ok(Shape(dimensions.into_iter().map(|Dimension(n)| n).collect()))
    }
}

/// JavaScript has one kind of number, so that `3.0` and `1e1` are integers too.
struct Dimension(u64);

impl<'de> Deserialize<'de> for Dimension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dimension, D::Error> {
        struct Integral;
        impl Visitor<'_> for Integral {
            type Value = Dimension;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a dimension, a non-negative integer")
            }

            fn visit_u64<E>(self, n: u64) -> Result<Dimension, E> {
                Ok(Dimension(n))
            }

            fn visit_f64<E: de::Error>(self, n: f64) -> Result<Dimension, E> {
                const EXACT: f64 = 9_007_199_254_740_992.0;
                if n.fract() == 0.0 && (0.0..=EXACT).contains(&n) {
                    Ok(Dimension(n as u64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(n), &self))
                }
            }
        }
        deserializer.deserialize_any(Integral)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: impl AsRef<[u8]>) -> Result<Manifest, String> {
        let entry = ModelPath::parse("model.json").unwrap();
        Manifest::parse(text.as_ref(), &entry).map_err(|error| error.to_string())
    }

    fn length(spec: &str) -> Result<ByteLength, String> {
        let text = format!(r#"[{{"paths": ["a"], "weights": [{spec}]}}]"#);
        Ok(parse(text)?.groups[0].weights[0].length)
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
    fn bytes_follow_from_dtype_shape_and_quantization() {
        let cases = [
            (r#"{"name": "w", "shape": [3, 3, 2], "dtype": "float32"}"#, ByteLength::Fixed(72)),
            (r#"{"name": "w", "shape": [], "dtype": "int32"}"#, ByteLength::Fixed(4)),
            (r#"{"name": "w", "shape": [3], "dtype": "bool"}"#, ByteLength::Fixed(3)),
            (r#"{"name": "w", "shape": [2], "dtype": "complex64"}"#, ByteLength::Fixed(16)),
            (r#"{"name": "w", "shape": [2, 0, 7], "dtype": "float32"}"#, ByteLength::Fixed(0)),
            (r#"{"name": "w", "shape": [3.0, 1e1], "dtype": "uint8"}"#, ByteLength::Fixed(30)),
            (r#"{"name": "w", "shape": [2, 2], "dtype": "string"}"#, ByteLength::Strings(4)),
            (
                r#"{"name": "w", "shape": [6], "dtype": "int32", "quantization": {"dtype": "uint8", "min": -1, "scale": 0.1}}"#,
                ByteLength::Fixed(6),
            ),
            (
                r#"{"name": "w", "shape": [6], "dtype": "float32", "quantization": {"dtype": "float16"}}"#,
                ByteLength::Fixed(12),
            ),
            (
                r#"{"name": "w", "shape": [6], "dtype": "string", "quantization": {"dtype": "uint16"}}"#,
                ByteLength::Fixed(12),
            ),
            (
                r#"{"name": "w", "shape": [6], "dtype": "float32", "quantization": null, "group": "optimizer"}"#,
                ByteLength::Fixed(24),
            ),
            (
                r#"{"name": "w", "shape": [4294967296, 4294967296, 0], "dtype": "float32"}"#,
                ByteLength::Fixed(0),
            ),
        ];
        for (spec, expected) in cases {
            assert_eq!(length(spec), Ok(expected), "{spec}");
        }
    }

    #[test]
    fn impossible_specs_are_refused_by_the_name_of_the_weight() {
        let cases = [
            (
                r#"{"name": "w", "shape": [3], "dtype": "int16"}"#,
                r#"weight "w" has the unknown dtype "int16""#,
            ),
            (
                r#"{"name": "w", "shape": [3], "dtype": "float32", "quantization": {"dtype": "int8"}}"#,
                r#"unknown quantization dtype "int8""#,
            ),
            (
                r#"{"name": "w", "shape": [1000000000, 1000000000, 1000000000], "dtype": "bool"}"#,
                "more than 2^64 bytes",
            ),
            (
                r#"{"name": "w", "shape": [9223372036854775807], "dtype": "float32"}"#,
                "more than 2^64 bytes",
            ),
            (r#"{"name": "w", "shape": [-1], "dtype": "float32"}"#, "a non-negative integer"),
            (r#"{"name": "w", "shape": [1.5], "dtype": "float32"}"#, "a non-negative integer"),
            (r#"{"name": "w", "shape": ["2"], "dtype": "float32"}"#, "a non-negative integer"),
            (r#"{"name": "w", "shape": [null], "dtype": "float32"}"#, "a non-negative integer"),
            (r#"{"name": "w", "dtype": "float32"}"#, "missing field `shape`"),
        ];
        for (spec, expected) in cases {
            let error = length(spec).unwrap_err();
            assert!(error.contains(expected) && error.contains("line 1"), "{spec}: {error}");
        }
    }

    #[test]
    fn what_only_looks_like_a_manifest_is_refused_by_its_name() {
        let cases: [(&[u8], &str); 11] = [
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
