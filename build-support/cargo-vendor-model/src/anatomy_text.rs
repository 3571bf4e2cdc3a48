//! What is in a model, as tables.

use std::collections::BTreeMap;

use crate::anatomy::{Anatomy, GroupRecord, Layer, Shard, Tensor};
use crate::table::{Column, table, table_without};
use crate::talk::harmless;
use crate::words::{count, share, size, thousands};

pub fn text(anatomy: &Anatomy, width: Option<usize>) -> String {
    let shards = anatomy.groups.iter().map(|group| group.shards.len() as u64).sum();
    let head = format!(
        "{}\n{}, {}\n{}, {}, {}, {}\n",
        harmless(&anatomy.url),
        harmless(&anatomy.format),
        size(anatomy.size),
        count(anatomy.groups.len() as u64, "group"),
        count(shards, "shard"),
        count(anatomy.tensors().count() as u64, "tensor"),
        count(anatomy.parameters, "parameter"),
    );
    let tables = [
        groups(anatomy, width),
        types(anatomy, width),
        layers(anatomy, width),
        tensors(anatomy, width),
    ];
    let tables: Vec<String> = tables.into_iter().filter(|table| !table.is_empty()).collect();
    format!("{head}\n{}", tables.join("\n"))
}

fn groups(anatomy: &Anatomy, width: Option<usize>) -> String {
    let row = |(at, group): (usize, &GroupRecord)| {
        let shard = |shard: &Shard| (shard.path.clone(), size(shard.size));
        let mut shards = group.shards.iter().map(shard);
        let (first, first_size) = shards.next().unwrap_or_default();
        let head = vec![
            (at + 1).to_string(),
            group.tensors.len().to_string(),
            size(group.size),
            first,
            first_size,
        ];
        let blank = || [String::new(), String::new(), String::new()];
        let rest = shards.map(move |(path, size)| [&blank()[..], &[path, size]].concat());
        std::iter::once(head).chain(rest).collect::<Vec<_>>()
    };
    let columns = [
        Column::Right("GROUP"),
        Column::Right("TENSORS"),
        Column::Right("SIZE"),
        Column::Yields("SHARD"),
        Column::Right("SIZE"),
    ];
    rows(&columns, anatomy.groups.iter().enumerate().flat_map(row).collect(), width)
}

fn types(anatomy: &Anatomy, width: Option<usize>) -> String {
    let mut types: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    for tensor in anatomy.tensors() {
        let (tensors, parameters, bytes) = types.entry(kind(tensor)).or_default();
        *tensors += 1;
        *parameters += tensor.parameters;
        *bytes += tensor.size;
    }
    let row = |(kind, (tensors, parameters, bytes)): (String, (u64, u64, u64))| {
        let share = share(bytes, anatomy.weight_size);
        vec![kind, thousands(tensors), thousands(parameters), size(bytes), share]
    };
    let columns = [
        Column::Left("TYPE"),
        Column::Right("TENSORS"),
        Column::Right("PARAMETERS"),
        Column::Right("SIZE"),
        Column::Right("SHARE"),
    ];
    rows(&columns, types.into_iter().map(row).collect(), width)
}

fn layers(anatomy: &Anatomy, width: Option<usize>) -> String {
    let row = |layer: &Layer| {
        vec![
            layer.name.clone(),
            thousands(layer.tensors),
            thousands(layer.parameters),
            size(layer.size),
            share(layer.size, anatomy.weight_size),
            bar(layer.share),
        ]
    };
    let columns = [
        Column::Yields("LAYER"),
        Column::Right("TENSORS"),
        Column::Right("PARAMETERS"),
        Column::Right("SIZE"),
        Column::Right("SHARE"),
        Column::Left(""),
    ];
    let rows: Vec<Vec<String>> = anatomy.layers.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    // Layers that differ in the middle of their names only have to be told apart in few columns, too.
    table_without(&["PARAMETERS", "TENSORS"], &columns, &rows, width)
}

fn tensors(anatomy: &Anatomy, width: Option<usize>) -> String {
    let row = |tensor: &Tensor| {
        let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
        let shape = if shape.is_empty() { "scalar".to_owned() } else { shape.join("×") };
        vec![tensor.name.clone(), kind(tensor), shape, quantization(tensor), size(tensor.size)]
    };
    let columns = [
        Column::Yields("TENSOR"),
        Column::Left("TYPE"),
        Column::Left("SHAPE"),
        Column::Left("QUANTIZATION"),
        Column::Right("SIZE"),
    ];
    let mut table: Vec<Vec<String>> = anatomy.tensors().map(row).collect();
    let quantized = table.iter().any(|row| !row[3].is_empty());
    if quantized {
        return table_without(&["QUANTIZATION"], &columns, &table, width);
    }
    table.iter_mut().for_each(|row| drop(row.remove(3)));
    rows(&[&columns[..3], &columns[4..]].concat(), table, width)
}

fn rows(columns: &[Column], rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    if rows.is_empty() { String::new() } else { table(columns, &rows, width) }
}

/// `float32`, or `float32 as uint8` where it is quantized.
fn kind(tensor: &Tensor) -> String {
    match tensor.quantization {
        Some(_) => format!("{} as {}", tensor.dtype, tensor.stored()),
        None => tensor.dtype.to_owned(),
    }
}

/// `×0.0123 -1.5`: how a stored number becomes a value.
fn quantization(tensor: &Tensor) -> String {
    let Some(quantization) = &tensor.quantization else { return String::new() };
    match (quantization.scale, quantization.min) {
        (Some(scale), Some(min)) => format!("×{} {}", short(scale), signed(min)),
        (Some(scale), None) => format!("×{}", short(scale)),
        _ => String::new(),
    }
}

fn signed(number: f64) -> String {
    if number < 0.0 { format!("-{}", short(-number)) } else { format!("+{}", short(number)) }
}

/// Three digits that count.
fn short(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let magnitude = number.abs().log10().floor() as i32;
    match magnitude {
        -3..=4 => format!("{number:.*}", (2 - magnitude).max(0) as usize),
        _ => format!("{number:.2e}"),
    }
}

/// Up to ten columns, in eighths.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * 80.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.5, "0.500"),
            (0.00723, "0.00723"),
            (12.3456, "12.3"),
            (1234.5, "1234"),
            (0.0000123, "1.23e-5"),
            (1e9, "1.00e9"),
        ];
        for (number, expected) in cases {
            assert_eq!(short(number), expected);
        }
        assert_eq!([signed(-1.0), signed(0.25)], ["-1.00", "+0.250"]);
    }

    #[test]
    fn bars_are_as_long_as_the_share() {
        assert_eq!([bar(0.0), bar(0.5), bar(0.013), bar(1.0)], ["", "█████", "▏", "██████████"]);
    }
}
