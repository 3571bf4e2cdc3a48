//! The models that are served: made once, the same each time.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Result;
use crate::measure::{output, shell};
use crate::place::{Place, size_below};

/// As in the converter of TensorFlow.js.
pub const SHARD: u64 = 4 << 20;

/// The size of ResNet50 BodyPix.
pub const BODYPIX: u64 = 94_000_000;

pub struct Model {
    pub dir: PathBuf,
    /// Its name below the host's root.
    pub name: String,
    /// Bytes and files.
    pub size: (u64, usize),
}

impl Model {
    /// The names of its files, the manifest first.
    pub fn files(&self) -> Result<Vec<String>> {
        let manifest: Value = serde_json::from_slice(&fs::read(self.dir.join("model.json"))?)?;
        let paths = manifest["weightsManifest"][0]["paths"].as_array().ok_or("no paths")?;
        let paths = paths.iter().filter_map(Value::as_str).map(str::to_owned);
        Ok(["model.json".to_owned()].into_iter().chain(paths).collect())
    }
}

/// Random floats between -1 and 1 in shards of 4 MiB.
pub fn floats(place: &Place) -> Result<Model> {
    made(place, "m", |dir| {
        let mut random = 1_u64;
        shards(dir, BODYPIX, SHARD, |mut file, bytes| {
            for _ in 0..bytes / 4 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let value = (random >> 40) as f32 / (1 << 23) as f32 - 1.0;
                file.write_all(&value.to_le_bytes())?;
            }
            file.flush()
        })
    })
}

/// Zeros, which take no room on the host's disk, in shards of so many bytes.
pub fn zeros(place: &Place, name: &str, bytes: u64, shard: u64) -> Result<Model> {
    made(place, name, |dir| shards(dir, bytes, shard, |file, bytes| file.get_ref().set_len(bytes)))
}

/// The same files with `.gz` at the end of their names, as a host keeps them that sends nothing else.
pub fn gzipped(place: &Place, model: &Model) -> Result<Model> {
    let (dir, name) = (root(place).join("gzipped"), "gzipped".to_owned());
    let line = "for file in *; do gzip -6 -c $file >../gzipped/$file.gz; done";
    if !dir.exists() {
        fs::create_dir(&dir)?;
        output(&mut shell(line, &model.dir))?;
    }
    Ok(Model { dir, name, size: model.size })
}

/// A manifest of so many bytes, mostly topology: nodes as a converter writes them.
pub fn topology(place: &Place, name: &str, size: usize) -> Result<Model> {
    made(place, name, |dir| {
        let node = |n: usize| {
            json!({
                "name": format!("StatefulPartitionedCall/resnet50/conv{n}_block1/Conv2D"),
                "op": "_FusedConv2D",
                "input": [format!("resnet50/conv{}_block1/Relu", n.max(1) - 1), format!("resnet50/conv{n}/kernel")],
                "attr": {
                    "T": {"type": "DT_FLOAT"}, "padding": {"s": "U0FNRQ=="}, "epsilon": {"f": 0.0},
                    "strides": {"list": {"i": ["1", "1", "1", "1"]}},
                    "fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdQ=="]}},
                },
            })
        };
        let mut nodes = Vec::new();
        let mut bytes = 0;
        while bytes < size {
            let node = node(nodes.len());
            bytes += node.to_string().len() + 1;
            nodes.push(node);
        }
        fs::write(dir.join("a.bin"), [0; 4])?;
        manifest(dir, json!({"node": nodes}), &["a.bin".to_owned()], &[("w".to_owned(), 1)])
    })
}

/// A manifest of so many weight specs: 294,000 are 20 MB.
pub fn specs(place: &Place, name: &str, count: usize) -> Result<Model> {
    made(place, name, |dir| {
        let weights: Vec<_> = (0..count).map(|n| (format!("model/layer_{n}/kernel"), 1)).collect();
        File::create(dir.join("a.bin"))?.set_len(4 * count as u64)?;
        manifest(dir, json!({"node": []}), &["a.bin".to_owned()], &weights)
    })
}

/// Where all of them lie.
pub fn root(place: &Place) -> PathBuf {
    place.work("site")
}

fn made(place: &Place, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<Model> {
    let dir = root(place).join(name);
    if !dir.join("model.json").exists() {
        fs::create_dir_all(&dir)?;
        make(&dir)?;
    }
    let size = size_below(&dir)?;
    Ok(Model { dir, name: name.to_owned(), size })
}

fn shards(
    dir: &Path,
    bytes: u64,
    shard: u64,
    mut fill: impl FnMut(BufWriter<File>, u64) -> std::io::Result<()>,
) -> Result<()> {
    let count = bytes.div_ceil(shard);
    let names: Vec<String> = (1..=count).map(|n| format!("group1-shard{n}of{count}.bin")).collect();
    for (n, name) in (0..).zip(&names) {
        fill(BufWriter::new(File::create(dir.join(name))?), shard.min(bytes - n * shard))?;
    }
    manifest(dir, json!({"node": []}), &names, &[("w".to_owned(), bytes / 4)])
}

/// Written last: its presence says that the model is whole.
fn manifest(
    dir: &Path,
    topology: Value,
    paths: &[String],
    weights: &[(String, u64)],
) -> Result<()> {
    let weights: Vec<Value> = weights
        .iter()
        .map(|(name, n)| json!({"name": name, "shape": [n], "dtype": "float32"}))
        .collect();
    let groups = json!([{"paths": paths, "weights": weights}]);
    let text =
        json!({"format": "graph-model", "modelTopology": topology, "weightsManifest": groups});
    Ok(fs::write(dir.join("model.json"), text.to_string())?)
}
