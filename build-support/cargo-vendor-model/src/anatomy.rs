//! What is in a model: groups, shards and tensors, and the share of each layer in the whole.

use std::collections::HashMap;

use serde::Serialize;
use vendor_model::{DType, Group, Lockfile, Quantization, Vendored};

use crate::failure::Failure;

/// A model as `--json` has it.
#[derive(Debug, Serialize)]
pub struct Anatomy {
    pub url: String,
    pub format: String,
    /// Of all files.
    pub size: u64,
    /// Of all tensors.
    pub weight_size: u64,
    pub parameters: u64,
    pub groups: Vec<GroupRecord>,
    /// The largest first.
    pub layers: Vec<Layer>,
}

#[derive(Debug, Serialize)]
pub struct GroupRecord {
    pub size: u64,
    pub shards: Vec<Shard>,
    pub tensors: Vec<Tensor>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Shard {
    pub path: String,
    pub size: u64,
}

#[derive(Debug, Serialize)]
pub struct Tensor {
    pub name: String,
    pub dtype: &'static str,
    pub shape: Vec<u64>,
    pub parameters: u64,
    pub quantization: Option<QuantizationRecord>,
    /// The bytes of its group before it.
    pub offset: u64,
    /// As it is stored.
    pub size: u64,
    /// Those that have a part of it.
    pub shards: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct QuantizationRecord {
    pub dtype: &'static str,
    pub scale: Option<f64>,
    pub min: Option<f64>,
}

/// The tensors whose names differ only behind the last slash.
#[derive(Clone, Debug, Serialize)]
pub struct Layer {
    pub name: String,
    pub tensors: u64,
    pub parameters: u64,
    pub size: u64,
    /// Of the weights, from 0 to 1.
    pub share: f64,
}

impl Anatomy {
    pub fn of(model: &Vendored) -> Result<Anatomy, Failure> {
        let sizes: HashMap<&str, u64> =
            model.files().iter().map(|file| (file.path(), file.size())).collect();
        let groups: Vec<GroupRecord> =
            model.groups()?.into_iter().map(|group| record(group, &sizes)).collect();
        let tensors = || groups.iter().flat_map(|group| &group.tensors);
        let weight_size = tensors().map(|tensor| tensor.size).sum();
        Ok(Anatomy {
            url: model.url().to_owned(),
            format: format(model)?,
            size: model.total_size(),
            weight_size,
            parameters: tensors().map(|tensor| tensor.parameters).sum(),
            layers: layers(tensors(), weight_size),
            groups,
        })
    }

    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.groups.iter().flat_map(|group| &group.tensors)
    }
}

impl Tensor {
    /// The type of its bytes.
    pub fn stored(&self) -> &'static str {
        self.quantization.as_ref().map_or(self.dtype, |quantization| quantization.dtype)
    }

    pub fn layer(&self) -> &str {
        self.name.rsplit_once('/').map_or(&self.name, |(layer, _)| layer)
    }
}

fn format(model: &Vendored) -> Result<String, Failure> {
    let record = Lockfile::read(model.dir().join("models.lock"))?;
    Ok(record.model(model.url()).map(|model| model.format().to_owned()).unwrap_or_default())
}

fn record(group: Group, sizes: &HashMap<&str, u64>) -> GroupRecord {
    let shard = |path: &String| Shard {
        size: sizes.get(path.as_str()).copied().unwrap_or(0),
        path: path.clone(),
    };
    let shards: Vec<Shard> = group.shards.iter().map(shard).collect();
    let tensors = group.tensors.into_iter().map(|found| tensor(found, &shards)).collect();
    GroupRecord { size: shards.iter().map(|shard| shard.size).sum(), shards, tensors }
}

fn tensor(found: vendor_model::Tensor, shards: &[Shard]) -> Tensor {
    Tensor {
        dtype: name(found.dtype),
        parameters: match found.shape.contains(&0) {
            true => 0,
            false => found.shape.iter().product(),
        },
        quantization: found.quantization.map(quantization),
        shards: overlapping(shards, found.offset, found.length),
        name: found.name,
        shape: found.shape,
        offset: found.offset,
        size: found.length,
    }
}

fn quantization(quantization: Quantization) -> QuantizationRecord {
    let Quantization { dtype, scale, min, .. } = quantization;
    QuantizationRecord { dtype: name(dtype), scale, min }
}

fn overlapping(shards: &[Shard], offset: u64, size: u64) -> Vec<String> {
    let mut start = 0;
    let overlaps = |shard: &&Shard| {
        let (from, to) = (start, start + shard.size);
        start = to;
        offset < to && from < offset + size
    };
    shards.iter().filter(overlaps).map(|shard| shard.path.clone()).collect()
}

fn layers<'a>(tensors: impl Iterator<Item = &'a Tensor>, whole: u64) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for tensor in tensors {
        let at = *places.entry(tensor.layer()).or_insert(layers.len());
        if at == layers.len() {
            let name = tensor.layer().to_owned();
            layers.push(Layer { name, tensors: 0, parameters: 0, size: 0, share: 0.0 });
        }
        let layer = &mut layers[at];
        layer.tensors += 1;
        layer.parameters += tensor.parameters;
        layer.size += tensor.size;
    }
    for layer in &mut layers {
        layer.share = layer.size as f64 / whole.max(1) as f64;
    }
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.size));
    layers
}

fn name(dtype: DType) -> &'static str {
    match dtype {
        DType::Float32 => "float32",
        DType::Int32 => "int32",
        DType::Bool => "bool",
        DType::String => "string",
        DType::Complex64 => "complex64",
        DType::Uint8 => "uint8",
        DType::Uint16 => "uint16",
        DType::Float16 => "float16",
        _ => "unknown",
    }
}
