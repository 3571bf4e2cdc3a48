//! A manifest -> its weight groups: which shards hold them, and which of their bytes each tensor has.
//!
//! Pure: readers are asked of the caller.

use std::io::{self, Read};

use crate::manifest::{Manifest, WeightGroup};
use crate::path::ModelPath;
use crate::verify;
use crate::weights::{DType, Quantization, WeightSpec};

/// A weight of the model, as its manifest describes it, and where its bytes are.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tensor {
    /// As TensorFlow.js knows it.
    pub name: String,
    /// The type of its values.
    pub dtype: DType,
    /// Its dimensions; none for a scalar.
    pub shape: Vec<u64>,
    /// How its bytes were made smaller, if they were.
    pub quantization: Option<Quantization>,
    /// Its weight group, counted from 0.
    pub group: usize,
    /// How many bytes of its group lie before it.
    pub offset: u64,
    /// How many bytes it takes there.
    pub length: u64,
}

/// A weight group, an entry of `weightsManifest`: weights that lie back to back in the bytes of some shards in a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// Paths among [`Vendored::files`](crate::Vendored::files), in the order of their bytes. One that is listed twice
    /// counts twice.
    pub shards: Vec<String>,
    /// In the order of their bytes.
    pub tensors: Vec<Tensor>,
}

/// The groups of a manifest whose shards are known to hold all of their weights.
pub(crate) fn groups<R: Read>(
    manifest: Manifest,
    open: impl Fn(&ModelPath) -> io::Result<R>,
) -> io::Result<Vec<Group>> {
    let numbered = manifest.groups.into_iter().enumerate();
    numbered.map(|(number, group)| located(number, group, &open)).collect()
}

fn located<R: Read>(
    number: usize,
    group: WeightGroup,
    open: impl Fn(&ModelPath) -> io::Result<R>,
) -> io::Result<Group> {
    let lengths = verify::lengths(&group, open)?;
    let mut offset = 0;
    let tensors = group.weights.into_iter().zip(lengths).map(|(spec, length)| {
        let WeightSpec { name, dtype, shape, quantization, .. } = spec;
        let tensor = Tensor { name, dtype, shape, quantization, group: number, offset, length };
        offset += length;
        tensor
    });
    let tensors = tensors.collect();
    Ok(Group { shards: group.shards.iter().map(ModelPath::to_string).collect(), tensors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_lie_back_to_back_in_their_groups() {
        let text = br#"[
            {"paths": ["a", "b"], "weights": [
                {"name": "f", "shape": [2], "dtype": "float32"},
                {"name": "s", "shape": [2], "dtype": "string"},
                {"name": "e", "shape": [0], "dtype": "int32"},
                {"name": "q", "shape": [3], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}}]},
            {"paths": ["b"], "weights": [{"name": "i", "shape": [], "dtype": "int32"}]}]"#;
        let manifest = Manifest::parse(text, &ModelPath::parse("model.json").unwrap()).unwrap();
        let open = |path: &ModelPath| {
            Ok(match path.as_str() {
                "a" => &b"01234567\x02\0\0"[..],
                _ => &b"\0ab\0\0\0\0QQQ"[..],
            })
        };
        let groups = groups(manifest, open).unwrap();
        let places = groups.iter().flat_map(|group| &group.tensors);
        let places: Vec<_> = places
            .map(|tensor| (tensor.name.as_str(), tensor.group, tensor.offset, tensor.length))
            .collect();
        let expected =
            [("f", 0, 0, 8), ("s", 0, 8, 10), ("e", 0, 18, 0), ("q", 0, 18, 3), ("i", 1, 0, 4)];
        assert_eq!(places, expected);
        assert_eq!(groups[0].shards.len(), 2);
    }
}
