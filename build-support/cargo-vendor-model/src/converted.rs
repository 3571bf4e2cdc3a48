//! A safetensors file that was written: how large it is, and which weights are not in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

pub struct Converted {
    pub size: u64,
    /// By name, as its metadata has it.
    pub left_out: Vec<String>,
}

impl Converted {
    pub fn read(path: &Path) -> io::Result<Converted> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Converted { size, left_out: left_out(&mut file)? })
    }
}

/// The length of the header, and the header: JSON, whose metadata are texts.
fn left_out(file: &mut File) -> io::Result<Vec<String>> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length)).read_to_end(&mut header)?;
    let header: Value = serde_json::from_slice(&header)?;
    let noted = header["__metadata__"]["left_out"].as_str();
    Ok(noted.map_or(Ok(Vec::new()), serde_json::from_str)?)
}
