//! What a manifest says of one weight -> the bytes that it takes.
//!
//! Knows no groups and no shards.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

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

/// How many bytes a weight takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteLength {
    Fixed(u64),
    /// So many strings, each behind its length in four bytes, little-endian.
    Strings(u64),
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

#[derive(Deserialize)]
#[serde(expecting = "a weight, an object with `name`, `shape` and `dtype`")]
struct RawSpec<'a> {
    name: Lossy,
    shape: Shape,
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    #[serde(borrow)]
    quantization: Option<RawQuantization<'a>>,
}

/// A string of the manifest that may be no Unicode. What is not is replaced, as the client does.
pub(crate) struct Lossy(pub String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lossy, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Lossy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, text: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(text).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Text)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a quantization, an object with `dtype`")]
struct RawQuantization<'a> {
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    scale: Option<f64>,
    min: Option<f64>,
}

impl TryFrom<RawSpec<'_>> for WeightSpec {
    type Error = String;

    fn try_from(raw: RawSpec<'_>) -> Result<WeightSpec, String> {
        let RawSpec { name: Lossy(name), shape: Shape(shape), dtype, quantization } = raw;
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
    pub(crate) fn size(self) -> Option<u64> {
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
        // Not `any`, for which another crate's `arbitrary_precision` would make the number a map.
        deserializer.deserialize_f64(Integral)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(spec: &str) -> Result<ByteLength, String> {
        let specs = serde_json::from_str::<Vec<WeightSpec>>(&format!("[{spec}]"));
        specs.map(|specs| specs[0].length).map_err(|error| error.to_string())
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
    fn scales_are_read_to_the_last_bit() {
        for scale in ["0.10163621359011707", "-0.049052704958354724", "3e-05", "1", "-7"] {
            let json = format!(r#"{{"dtype": "uint8", "scale": {scale}, "min": 0}}"#);
            let raw: RawQuantization = serde_json::from_str(&json).unwrap();
            assert_eq!(Quantization::try_from(raw).unwrap().scale, Some(scale.parse().unwrap()));
        }
    }
}
