//! What holds for every manifest: its shards, the sizes of its weights, and whether its bytes fit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::emit::harmless;
use crate::error::Error;
use crate::manifest::{Manifest, WeightGroup};
use crate::path::{ModelPath, collisions};
use crate::properties::{config, plain_path};
use crate::verify;
use crate::weights::{ByteLength, WeightSpec};

fn entry() -> ModelPath {
    ModelPath::parse("model.json").unwrap()
}

/// A weight as the JSON of a manifest has it.
#[derive(Clone, Debug)]
struct Weight {
    shape: Vec<u64>,
    dtype: &'static str,
    quantization: Option<&'static str>,
}

const SIZES: [(&str, u64); 7] = [
    ("float32", 4),
    ("int32", 4),
    ("bool", 1),
    ("complex64", 8),
    ("uint8", 1),
    ("uint16", 2),
    ("float16", 2),
];

fn weight(dimension: impl Strategy<Value = u64>) -> impl Strategy<Value = Weight> {
    let dtype =
        prop_oneof![6 => select(&SIZES[..]).prop_map(|(name, _)| name), 1 => Just("string")];
    let quantization = proptest::option::weighted(0.3, select(vec!["uint8", "uint16", "float16"]));
    (vec(dimension, 0..5), dtype, quantization).prop_map(|(shape, dtype, quantization)| Weight {
        shape,
        dtype,
        quantization,
    })
}

fn any_dimension() -> impl Strategy<Value = u64> {
    prop_oneof![
        0_u64..4,
        0_u64..100_000,
        select(vec![1 << 31, 1 << 32, (1 << 53) + 1, u64::MAX / 2, u64::MAX]),
        any::<u64>()
    ]
}

impl Weight {
    fn json(&self) -> serde_json::Value {
        let mut json = json!({"name": "w", "shape": self.shape, "dtype": self.dtype});
        if let Some(dtype) = self.quantization {
            json["quantization"] = json!({"dtype": dtype, "scale": 0.1, "min": -1});
        }
        json
    }

    fn stored(&self) -> &'static str {
        self.quantization.unwrap_or(self.dtype)
    }

    /// Bytes, or strings, by a computation that cannot overflow: digits to the base 2^32, the lowest first.
    fn length(&self) -> Option<ByteLength> {
        let size = SIZES.iter().find(|(name, _)| *name == self.stored()).map(|(_, size)| *size);
        let mut digits = vec![1_u64];
        for factor in self.shape.iter().copied().chain(size) {
            digits = multiplied(&digits, factor);
        }
        let count = match digits[..] {
            [low] => low,
            [low, high] => high << 32 | low,
            _ => return None,
        };
        Some(if size.is_some() { ByteLength::Fixed(count) } else { ByteLength::Strings(count) })
    }

    /// As many bytes as a weight of this shape has, its strings being of 0 to 6 bytes.
    fn bytes(&self) -> Vec<u8> {
        match self.length().unwrap() {
            ByteLength::Fixed(n) => vec![0x81; n as usize],
            ByteLength::Strings(n) => (0..n as usize)
                .flat_map(|n| [(n as u32 % 7).to_le_bytes().to_vec(), vec![b's'; n % 7]].concat())
                .collect(),
        }
    }
}

fn multiplied(digits: &[u64], factor: u64) -> Vec<u64> {
    let mut sums = vec![0_u128; digits.len() + 2];
    for (at, digit) in digits.iter().enumerate() {
        sums[at] += u128::from(*digit) * u128::from(factor & 0xffff_ffff);
        sums[at + 1] += u128::from(*digit) * u128::from(factor >> 32);
    }
    let mut carry = 0;
    let mut product: Vec<u64> = sums
        .iter()
        .map(|sum| {
            let digit = sum + carry;
            carry = digit >> 32;
            (digit & 0xffff_ffff) as u64
        })
        .collect();
    while product.len() > 1 && product.last() == Some(&0) {
        product.pop();
    }
    product
}

fn manifest(groups: &[(Vec<String>, Vec<Weight>)]) -> Manifest {
    let group = |(paths, weights): &(Vec<String>, Vec<Weight>)| {
        let weights: Vec<_> = weights.iter().map(Weight::json).collect();
        json!({"paths": paths, "weights": weights})
    };
    let json = json!({"weightsManifest": groups.iter().map(group).collect::<Vec<_>>()});
    Manifest::parse(json.to_string().as_bytes(), &entry()).unwrap()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sizes_are_those_of_a_computation_without_bounds_or_refused(weight in weight(any_dimension())) {
        let read = serde_json::from_str::<WeightSpec>(&weight.json().to_string());
        match weight.length() {
            Some(expected) => prop_assert_eq!(read.unwrap().length, expected),
            None => prop_assert!(read.unwrap_err().to_string().contains("more than 2^64 bytes")),
        }
    }

    #[test]
    fn an_integer_may_be_written_with_a_fraction_or_an_exponent(n in 0_u64..1 << 40, tens in 0_u32..6) {
        let small = n >> 20;
        let written = [format!("{n}"), format!("{n}.0"), format!("{small}e{tens}"), format!("{small}E+{tens}")];
        let expected = [n, n, small * 10_u64.pow(tens), small * 10_u64.pow(tens)];
        for (text, expected) in written.iter().zip(expected) {
            let json = format!(r#"{{"name": "w", "shape": [{text}], "dtype": "bool"}}"#);
            let read = serde_json::from_str::<WeightSpec>(&json).unwrap();
            prop_assert_eq!(read.shape, [expected], "{}", text);
        }
    }

    #[test]
    fn totals_are_those_of_a_computation_without_bounds_or_the_most_that_can_be_said(
        groups in vec(vec(weight(any_dimension()), 0..4), 0..4),
    ) {
        let fits = |weights: &Vec<Weight>| weights.iter().all(|weight| weight.length().is_some());
        let groups: Vec<_> = groups.into_iter().filter(fits).map(|weights| (Vec::new(), weights)).collect();
        let manifest = manifest(&groups);
        let sum = |weights: &[Weight], string: Option<u128>| {
            weights.iter().try_fold(0_u128, |sum, weight| match weight.length()? {
                ByteLength::Fixed(n) => Some(sum + u128::from(n)),
                ByteLength::Strings(n) => Some(sum + u128::from(n) * string?),
            })
        };
        let capped = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        for (group, (_, weights)) in manifest.groups.iter().zip(&groups) {
            prop_assert_eq!(verify::fixed_bytes(group), sum(weights, None).map(capped));
        }
        let all: Vec<Weight> = groups.into_iter().flat_map(|(_, weights)| weights).collect();
        prop_assert_eq!(verify::total(&manifest), sum(&all, None).map(capped));
        prop_assert_eq!(verify::least_total(&manifest), sum(&all, Some(4)).map(capped).unwrap());
    }

    #[test]
    fn groups_fit_however_their_bytes_are_cut_and_not_with_a_byte_less_or_more(
        weights in vec(vec(weight(0_u64..5), 0..4), 1..4),
        cuts in vec(any::<prop::sample::Index>(), 0..4),
        strange in any::<prop::sample::Index>(),
    ) {
        let bytes = |weights: &Vec<Weight>| weights.iter().flat_map(Weight::bytes).collect::<Vec<u8>>();
        let bytes: Vec<Vec<u8>> = weights.iter().map(bytes).collect();
        let fits = |bytes: &[Vec<u8>]| {
            let (groups, files) = cut(&weights, bytes, &cuts);
            let size = |path: &ModelPath| files[path.as_str()].len() as u64;
            verify::groups(&manifest(&groups), size, |path| Ok(Cursor::new(&files[path.as_str()]))).unwrap()
        };
        prop_assert_eq!(fits(&bytes), verify::Verdict::default());

        let at = strange.index(bytes.len());
        let mut longer = bytes.clone();
        longer[at].push(0);
        let verdict = fits(&longer);
        let is_last = at + 1 == bytes.len();
        let found = if is_last { verdict.surplus.as_slice() } else { &verdict.misfits };
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!((found[0].group, found[0].found), (at + 1, longer[at].len() as u64));
        let mut shorter = bytes.clone();
        if shorter[at].pop().is_some() {
            let verdict = fits(&shorter);
            prop_assert_eq!(verdict.misfits.len(), 1);
            prop_assert_eq!((verdict.misfits[0].group, verdict.surplus), (at + 1, None));
        }
    }

    #[test]
    fn shards_come_in_the_order_of_the_groups_and_once(groups in vec(vec(plain_path(), 0..4), 0..4)) {
        let listed: Vec<ModelPath> = groups.iter().flatten().cloned().collect();
        let entry = entry();
        let all: Vec<&ModelPath> = std::iter::once(&entry).chain(&listed).collect();
        let paths = |group: &Vec<ModelPath>| json!({"paths": group, "weights": []});
        let json = json!(groups.iter().map(paths).collect::<Vec<_>>());
        let parsed = Manifest::parse(json.to_string().as_bytes(), &entry);
        prop_assert_eq!(parsed.is_ok(), collisions(&all).is_empty());
        let Ok(manifest) = parsed else { return Ok(()) };
        let shards = |group: &WeightGroup| group.shards.clone();
        prop_assert_eq!(manifest.groups.iter().map(shards).collect::<Vec<_>>(), groups);
        let once = manifest.shards();
        prop_assert_eq!(once.iter().collect::<BTreeSet<_>>().len(), once.len());
        prop_assert!(listed.iter().all(|path| once.contains(&path)));
    }

    #[test]
    fn what_a_manifest_says_cannot_begin_a_line_or_move_the_cursor(
        text in "(\\PC|[\n\r\t\u{1b}\u{7f}\u{9b}]){1,5}", which in 0_usize..4,
    ) {
        let said = |at: usize, good: &str| if at == which { text.clone() } else { good.to_owned() };
        // The name is said where something else is wrong.
        let dtype = if which == 1 { "int8" } else { "float32" };
        let json = json!({"weightsManifest": [{"paths": [said(0, "a")], "weights": [
            {"name": said(1, "w"), "shape": [1], "dtype": said(2, dtype), "quantization": {"dtype": said(3, "uint8")}},
        ]}]});
        let Err(error) = Manifest::parse(json.to_string().as_bytes(), &entry()) else { return Ok(()) };
        let shown = error.to_string();
        prop_assert_eq!(shown.split('\n').count(), if which == 0 { 2 } else { 1 }, "{}", shown);
        prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{}", shown);
        let error = Error::manifest("https://h/m", error).fact("found", &text).to_string();
        prop_assert!(!error.contains(|c: char| c.is_control() && c != '\n'), "{}", error);
        prop_assert!(!harmless(&text).contains(char::is_control));
    }

    #[test]
    fn no_bytes_make_the_manifest_panic(
        bytes in vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        const GOOD: &[u8] = br#"{"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": [
            {"paths": ["a", "b"], "weights": [{"name": "w", "shape": [2, 2], "dtype": "string",
            "quantization": {"dtype": "uint8", "scale": 0.1, "min": -1e3}}]}]}"#;
        let _ = Manifest::parse(&bytes, &entry());
        let mut damaged = GOOD.to_vec();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let _ = Manifest::parse(&damaged, &entry()).map_err(|error| error.to_string());
        let _ = Manifest::parse(&damaged[..at], &entry()).map_err(|error| error.to_string());
    }
}

type Groups = Vec<(Vec<String>, Vec<Weight>)>;

/// Each group's bytes in shards that end wherever `cuts` say, of which some are empty.
fn cut(
    weights: &[Vec<Weight>],
    bytes: &[Vec<u8>],
    cuts: &[prop::sample::Index],
) -> (Groups, BTreeMap<String, Vec<u8>>) {
    let mut files = BTreeMap::new();
    let mut groups = Vec::new();
    for (weights, bytes) in weights.iter().zip(bytes) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        ends.extend([0, bytes.len()]);
        ends.sort_unstable();
        let shard = |part: &[usize]| {
            let name = format!("shard{}", files.len());
            files.insert(name.clone(), bytes[part[0]..part[1]].to_vec());
            name
        };
        groups.push((ends.windows(2).map(shard).collect(), weights.clone()));
    }
    (groups, files)
}
