//! A vendored model -> one `.safetensors` file: [`Safetensors`].
//!
//! ```text
//! 8 bytes       length of the header, little-endian
//! the header    JSON: data type, shape and place of every tensor, and `__metadata__`
//! the values    of one tensor behind the other, the widest first, so that each lies at a multiple of its width
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::decode::Decoding;
use crate::digest::CHUNK;
use crate::draft;
use crate::error::{Error, ErrorKind};
use crate::lockfile::LockedFile;
use crate::tensors::{Group, Tensor};
use crate::vendored::Vendored;
use crate::verify;
use crate::weights::{DType, Quantization};

/// A `.safetensors` file of a vendored model, about to be written: its weights, as the crates `safetensors`, `candle`,
/// `burn` and others read them.
///
/// Data types become `F32`, `I32`, `BOOL`, `C64`, `U8`, `U16` and `F16`; `candle` takes no `BOOL` and no `C64`. The
/// format has no strings: weights that are strings are left out, and their names are in the metadata under `left_out`,
/// as a JSON array. Of weights of one name the last counts, as in TensorFlow.js.
#[derive(Clone, Copy, Debug)]
pub struct Safetensors<'a> {
    vendored: &'a Vendored,
    dequantize: bool,
}

impl Vendored {
    /// Writes the weights as one `.safetensors` file, dequantized: `safetensors().write(path)`.
    ///
    /// # Errors
    ///
    /// As of [`Safetensors::write`].
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.safetensors().write(path)
    }

    /// A `.safetensors` file of the weights, to be written with [`Safetensors::write`].
    pub fn safetensors(&self) -> Safetensors<'_> {
        Safetensors { vendored: self, dequantize: true }
    }
}

impl Safetensors<'_> {
    /// Whether quantized weights become the numbers that TensorFlow.js makes of them, `F32` or `I32`, bit for bit;
    /// default true, because no reader knows its quantization. Those of one byte take four times as much then.
    ///
    /// If not, they stay as small as they are, `U8`, `U16` or `F16`, and the metadata has a JSON object under
    /// `quantization`: by name, the `scale` and `min` of `value = byte * scale + min`, where they have one.
    pub fn dequantize(&mut self, dequantize: bool) -> &mut Self {
        self.dequantize = dequantize;
        self
    }

    /// Writes the file to `path`. The same model gives the same bytes; no more than a piece of them is held in memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Digest`] where placeholders stand for files; [`ErrorKind::Manifest`] where it has a weight that the
    /// format has no room for, or, if it is to be dequantized, that TensorFlow.js refuses; [`ErrorKind::Io`] if its
    /// files cannot be read or `path` cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let groups = self.vendored.groups()?;
        let (strings, tensors): (Vec<&Tensor>, Vec<&Tensor>) =
            last_of_each_name(&groups).into_iter().partition(|tensor| is_strings(tensor));
        let entries = self.entries(&tensors)?;
        let header = self.header(&entries, &strings);
        let files = self.vendored.locked().files.iter();
        let pins = files.map(|file| (file.path(), file)).collect();
        let rows: Vec<Row> = groups.iter().map(|group| self.row(group, &pins)).collect();
        draft::write_with(path, self.vendored.stamp(), |file| {
            let failed = |error| Error::io("write", path, error);
            file.write_all(&header).map_err(failed)?;
            for entry in &entries {
                let row = &rows[entry.tensor.group];
                entry.values(row, |values| file.write_all(values).map_err(failed))?;
            }
            Ok(())
        })?;
        self.vendored.made(path);
        Ok(())
    }

    /// In the order of the file. Names decide between those of one width, as in the crate `safetensors`.
    fn entries<'t>(&self, tensors: &[&'t Tensor]) -> Result<Vec<Entry<'t>>, Error> {
        let entries = tensors.iter().map(|tensor| Entry::new(tensor, self.dequantize));
        let (entries, problems): (Vec<_>, Vec<_>) = entries.partition(Result::is_ok);
        if !problems.is_empty() {
            let url = self.vendored.url();
            let headline = format!("cannot write the weights of {url} as safetensors");
            let error = Error::new(ErrorKind::Manifest, headline);
            let problems = problems.into_iter().filter_map(Result::err);
            let error = problems.fold(error, |error, problem| error.fact("found", problem));
            return Err(match tensors.iter().any(|tensor| tensor.name == METADATA) {
                true => error.help("give that weight another name, and convert the model again"),
                false => {
                    error.help("`dequantize(false)` writes quantized weights as they are stored")
                }
            });
        }
        let mut entries: Vec<Entry> = entries.into_iter().flatten().collect();
        entries.sort_by_key(|entry| (Reverse(entry.dtype.size()), &entry.tensor.name));
        Ok(entries)
    }

    /// With the eight bytes before it.
    fn header(&self, entries: &[Entry], strings: &[&Tensor]) -> Vec<u8> {
        let mut tensors = BTreeMap::new();
        let mut end = 0;
        for Entry { tensor, dtype, size, .. } in entries {
            let data_offsets = [end, end + size];
            end += size;
            let info = Info { dtype: name(*dtype), shape: &tensor.shape, data_offsets };
            tensors.insert(tensor.name.as_str(), info);
        }
        let mut metadata = BTreeMap::from([("url", self.vendored.url().to_owned())]);
        if !strings.is_empty() {
            let names: Vec<&str> = strings.iter().map(|tensor| tensor.name.as_str()).collect();
            metadata.insert("left_out", json(&names));
        }
        let quantized: BTreeMap<&str, Scaling> =
            entries.iter().filter_map(|entry| entry.scaling()).collect();
        if !quantized.is_empty() {
            metadata.insert("quantization", json(&quantized));
        }
        let mut text = json(&Header { metadata, tensors });
        // The values are to lie at a multiple of eight.
        text += &" ".repeat(text.len().next_multiple_of(8) - text.len());
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    }

    fn row(&self, group: &Group, pins: &HashMap<&str, &LockedFile>) -> Row {
        let pinned = group.shards.iter().map(|shard| pins[shard.as_str()]);
        let mut end = 0;
        let placed = pinned.map(|pin| {
            end += pin.size();
            (pin.path.below(self.vendored.dir()), end)
        });
        Row { shards: placed.collect() }
    }
}

/// The bytes of a weight group.
struct Row {
    /// Each with the place in the group where it ends.
    shards: Vec<(PathBuf, u64)>,
}

impl Row {
    /// For an error.
    fn place(&self) -> &Path {
        self.shards.first().map_or(Path::new(""), |(path, _)| path)
    }

    fn read(&self, tensor: &Tensor) -> impl Read {
        let (begin, end) = (tensor.offset, tensor.offset + tensor.length);
        let first = self.shards.partition_point(|(_, end)| *end <= begin);
        let mut at = if first == 0 { 0 } else { self.shards[first - 1].1 };
        let mut pieces = Vec::new();
        for (path, shard_end) in &self.shards[first..] {
            if at >= end {
                break;
            }
            let skipped = begin.saturating_sub(at);
            pieces.push((path, skipped, end.min(*shard_end) - at - skipped));
            at = *shard_end;
        }
        verify::in_a_row(pieces, |(path, skipped, length)| {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(skipped))?;
            Ok(file.take(length))
        })
    }
}

/// The name that is none of a tensor.
const METADATA: &str = "__metadata__";

/// A tensor in the file.
struct Entry<'a> {
    tensor: &'a Tensor,
    decoding: Decoding,
    /// Of its values there.
    dtype: DType,
    /// In bytes.
    size: u64,
}

impl Entry<'_> {
    fn new(tensor: &Tensor, dequantize: bool) -> Result<Entry<'_>, String> {
        if tensor.name == METADATA {
            return Err(format!(
                "a weight of the name {METADATA:?}, which the format keeps for itself"
            ));
        }
        let stored = tensor.quantization.map_or(tensor.dtype, |quantization| quantization.dtype);
        let decoding = if dequantize { Decoding::of(tensor)? } else { Decoding::AsStored };
        let dtype = if decoding == Decoding::AsStored { stored } else { tensor.dtype };
        let (from, to) = decoding.widths();
        Ok(Entry { tensor, decoding, dtype, size: tensor.length / from * to })
    }

    fn scaling(&self) -> Option<(&str, Scaling)> {
        let quantization =
            self.tensor.quantization.filter(|_| self.decoding == Decoding::AsStored)?;
        let Quantization { scale, min, .. } = quantization;
        Some((&self.tensor.name, Scaling { scale, min }))
    }

    /// Gives the values to `write`, piece by piece.
    fn values(
        &self,
        row: &Row,
        mut write: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut bytes = row.read(self.tensor);
        let (mut stored, mut values) = (vec![0; CHUNK], Vec::new());
        let mut left = self.tensor.length;
        while left > 0 {
            let piece = &mut stored[..left.min(CHUNK as u64) as usize];
            bytes.read_exact(piece).map_err(|error| Error::io("read", row.place(), error))?;
            values.clear();
            self.decoding.decode(piece, &mut values);
            write(&values)?;
            left -= piece.len() as u64;
        }
        Ok(())
    }
}

/// What is written as it is and cannot be understood without.
#[derive(Serialize)]
struct Scaling {
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
}

#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'a str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<&'a str, Info<'a>>,
}

#[derive(Serialize)]
struct Info<'a> {
    dtype: &'static str,
    shape: &'a [u64],
    data_offsets: [u64; 2],
}

fn json(value: &impl Serialize) -> String {
    // Maps with text for keys can always be written.
    serde_json::to_string(value).unwrap_or_default()
}

/// In the order of their names.
fn last_of_each_name(groups: &[Group]) -> Vec<&Tensor> {
    let tensors = groups.iter().flat_map(|group| &group.tensors);
    let by_name: BTreeMap<&str, &Tensor> =
        tensors.map(|tensor| (tensor.name.as_str(), tensor)).collect();
    by_name.into_values().collect()
}

fn is_strings(tensor: &Tensor) -> bool {
    tensor.dtype == DType::String && tensor.quantization.is_none()
}

/// What the format calls it. It has none for strings.
fn name(dtype: DType) -> &'static str {
    match dtype {
        DType::Float32 => "F32",
        DType::Int32 => "I32",
        DType::Bool => "BOOL",
        DType::Complex64 => "C64",
        DType::Uint8 | DType::String => "U8",
        DType::Uint16 => "U16",
        DType::Float16 => "F16",
    }
}
