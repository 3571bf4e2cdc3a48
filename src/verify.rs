//! The bytes of every weight group against what its weight specs say.
//!
//! Pure: sizes and readers are asked of the caller.

use std::fmt;
use std::io::{self, BufReader, Read};

use crate::error::{Error, ErrorKind};
use crate::manifest::{Manifest, WeightGroup};
use crate::path::ModelPath;
use crate::weights::ByteLength;

/// A weight group whose shards do not have the bytes that its specs describe.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Counted from 1, as converters name shards.
    pub group: usize,
    pub shards: Vec<ModelPath>,
    pub expected: Expected,
    pub found: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Bytes(u64),
    /// The group ends inside this weight, whose length only its strings tell.
    UpTo(String),
    /// More than can be counted.
    Overflow,
}

/// What the groups of a model were found to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub misfits: Vec<Misfit>,
    /// Bytes after the last weight of the last group, which TensorFlow.js ignores.
    pub surplus: Option<Misfit>,
}

impl Verdict {
    /// The error that lists every misfit.
    pub fn refusal(&self, url: &str) -> Option<Error> {
        if self.misfits.is_empty() {
            return None;
        }
        let error = Error::new(
            ErrorKind::Manifest,
            format!("the shards of {url} do not have the bytes that its weight specs describe"),
        );
        let listed = self.misfits.iter().fold(error, |error, misfit| error.fact("found", misfit));
        let advice = "the shards belong to another manifest, or were cut or damaged: look for the model elsewhere, or convert it \
                      again; TensorFlow.js would load wrong weights, or fail with `byte length of Float32Array should be a \
                      multiple of 4`";
        Some(listed.help(advice))
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards: Vec<String> =
            self.shards.iter().take(3).map(|shard| format!("{:?}", shard.as_str())).collect();
        let more = if self.shards.len() > 3 { ", ..." } else { "" };
        write!(
            f,
            "weight group {} ({}{more}) has {} bytes, ",
            self.group,
            shards.join(", "),
            self.found
        )?;
        match &self.expected {
            Expected::Bytes(n) => write!(f, "its specs say {n}"),
            Expected::UpTo(weight) => write!(f, "which end inside the weight {weight:?}"),
            Expected::Overflow => f.write_str("its specs say more than 2^64"),
        }
    }
}

/// `size` and `open` are asked for the manifest's shards only.
pub(crate) fn groups<R: Read>(
    manifest: &Manifest,
    size: impl Fn(&ModelPath) -> u64,
    open: impl Fn(&ModelPath) -> io::Result<R>,
) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    for (at, group) in manifest.groups.iter().enumerate() {
        let found = group.shards.iter().map(&size).sum();
        let expected = expected(group, found, &open)?;
        let is_last = at + 1 == manifest.groups.len();
        if expected == Expected::Bytes(found) {
            continue;
        }
        let misfit = Misfit { group: at + 1, shards: group.shards.clone(), expected, found };
        match misfit.expected {
            Expected::Bytes(n) if n < found && is_last => verdict.surplus = Some(misfit),
            _ => verdict.misfits.push(misfit),
        }
    }
    Ok(verdict)
}

/// The bytes of a group without strings, whatever its shards have.
pub(crate) fn fixed_bytes(group: &WeightGroup) -> Option<u64> {
    group.weights.iter().try_fold(0, |total: u64, weight| match weight.length {
        ByteLength::Fixed(n) => Some(total.saturating_add(n)),
        ByteLength::Strings(_) => None,
    })
}

/// The bytes of all groups, where none has strings.
pub(crate) fn total(manifest: &Manifest) -> Option<u64> {
    manifest
        .groups
        .iter()
        .try_fold(0, |total: u64, group| Some(total.saturating_add(fixed_bytes(group)?)))
}

/// The bytes that a manifest is known to need before any is there: strings take at least their lengths.
pub(crate) fn least_total(manifest: &Manifest) -> u64 {
    let weights = manifest.groups.iter().flat_map(|group| &group.weights);
    weights.fold(0, |total: u64, weight| match weight.length {
        ByteLength::Fixed(n) => total.saturating_add(n),
        ByteLength::Strings(n) => total.saturating_add(n.saturating_mul(4)),
    })
}

/// The bytes of each weight of a group that is known to hold all of them; strings are walked.
pub(crate) fn lengths<R: Read>(
    group: &WeightGroup,
    open: impl Fn(&ModelPath) -> io::Result<R>,
) -> io::Result<Vec<u64>> {
    let mut lengths = Vec::with_capacity(group.weights.len());
    match walk(group, u64::MAX, open, |length| lengths.push(length))? {
        Expected::Bytes(_) => Ok(lengths),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn expected<R: Read>(
    group: &WeightGroup,
    found: u64,
    open: impl Fn(&ModelPath) -> io::Result<R>,
) -> io::Result<Expected> {
    walk(group, found, open, |_| ())
}

/// Tells the length of each weight of a group whose shards have `found` bytes.
fn walk<R: Read>(
    group: &WeightGroup,
    found: u64,
    open: impl Fn(&ModelPath) -> io::Result<R>,
    mut tell: impl FnMut(u64),
) -> io::Result<Expected> {
    let mut bytes = Concatenation { shards: group.shards.iter(), current: None, open };
    let mut at = 0_u64;
    let mut read = 0_u64;
    for weight in &group.weights {
        let length = match weight.length {
            ByteLength::Fixed(n) => n,
            ByteLength::Strings(n) => {
                if at > found {
                    return Ok(Expected::UpTo(weight.name.clone()));
                }
                skip(&mut bytes, at - read)?;
                let Some(length) = strings(&mut bytes, n)? else {
                    return Ok(Expected::UpTo(weight.name.clone()));
                };
                read = at + length;
                length
            }
        };
        match at.checked_add(length) {
            Some(end) => at = end,
            None => return Ok(Expected::Overflow),
        }
        tell(length);
    }
    Ok(Expected::Bytes(at))
}

/// Walks over `n` strings and gives their bytes, lengths included; `None` where the data ends before they do.
fn strings(bytes: &mut impl Read, n: u64) -> io::Result<Option<u64>> {
    let mut total = 0_u64;
    for _ in 0..n {
        let mut length = [0; 4];
        match bytes.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
        let length = u32::from_le_bytes(length).into();
        if skip(bytes, length)? < length {
            return Ok(None);
        }
        total += 4 + length;
    }
    Ok(Some(total))
}

fn skip(bytes: &mut impl Read, n: u64) -> io::Result<u64> {
    io::copy(&mut bytes.take(n), &mut io::sink())
}

/// The bytes of all of these in a row.
pub(crate) fn in_a_row<T, R: Read>(
    pieces: impl IntoIterator<Item = T>,
    open: impl Fn(T) -> io::Result<R>,
) -> impl Read {
    Concatenation { shards: pieces.into_iter(), current: None, open }
}

/// The shards of a group, one behind the other, opened as they are reached.
struct Concatenation<I, R, O> {
    shards: I,
    current: Option<BufReader<R>>,
    open: O,
}

impl<T, I: Iterator<Item = T>, R: Read, O: Fn(T) -> io::Result<R>> Read for Concatenation<I, R, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(current) = &mut self.current {
                match current.read(buffer)? {
                    0 => self.current = None,
                    n => return Ok(n),
                }
            }
            match self.shards.next() {
                Some(shard) => self.current = Some(BufReader::new((self.open)(shard)?)),
                None => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F32: &str = r#"{"name": "f", "shape": [2], "dtype": "float32"}"#;
    const TEXT: &str = r#"{"name": "s", "shape": [2], "dtype": "string"}"#;

    /// Groups of shards and specs; every shard's name is its content.
    fn verdict(groups: &[(&[&[u8]], &[&str])]) -> Verdict {
        let mut files = Vec::new();
        let mut json = Vec::new();
        for (shards, specs) in groups {
            let mut names = Vec::new();
            for shard in *shards {
                names.push(format!("\"shard{}\"", files.len()));
                files.push(shard.to_vec());
            }
            json.push(format!(
                r#"{{"paths": [{}], "weights": [{}]}}"#,
                names.join(","),
                specs.join(",")
            ));
        }
        let entry = ModelPath::parse("model.json").unwrap();
        let manifest = Manifest::parse(format!("[{}]", json.join(",")).as_bytes(), &entry).unwrap();
        let content = |path: &ModelPath| {
            files[path.as_str()["shard".len()..].parse::<usize>().unwrap()].clone()
        };
        super::groups(
            &manifest,
            |path| content(path).len() as u64,
            |path| Ok(io::Cursor::new(content(path))),
        )
        .unwrap()
    }

    fn fits(groups: &[(&[&[u8]], &[&str])]) -> bool {
        verdict(groups) == Verdict::default()
    }

    #[test]
    fn shards_may_cut_weights_anywhere() {
        assert!(fits(&[(&[b"01234567"], &[F32])]));
        assert!(fits(&[(&[b"012", b"", b"34567"], &[F32])]));
        assert!(fits(&[
            (&[b"01234567", b"01234567"], &[F32, F32]),
            (&[], &[]),
            (&[b"01234567"], &[F32])
        ]));
    }

    #[test]
    fn strings_are_walked_across_the_borders_of_shards() {
        let strings = b"01234567\x02\0\0\0ab\x00\0\0\x0001234567";
        assert!(fits(&[(&[strings], &[F32, TEXT, F32])]));
        for cut in 0..strings.len() {
            assert!(fits(&[(&[&strings[..cut], &strings[cut..]], &[F32, TEXT, F32])]), "{cut}");
        }
        assert!(fits(&[(&[b"\x00\0\0\0\x01\0\0\0a", b"\x00\0\0\0\x00\0\0\0"], &[TEXT, TEXT])]));
    }

    #[test]
    fn too_few_bytes_are_a_misfit_in_every_group() {
        let found = verdict(&[(&[b"0123456"], &[F32]), (&[b"0123"], &[F32])]);
        let numbers: Vec<(usize, u64)> =
            found.misfits.iter().map(|misfit| (misfit.group, misfit.found)).collect();
        assert_eq!(numbers, [(1, 7), (2, 4)]);
        assert_eq!(found.misfits[0].expected, Expected::Bytes(8));
    }

    #[test]
    fn strings_that_never_end_are_a_misfit() {
        for cut in [&b""[..], b"\x02\0\0", b"\x02\0\0\0a", b"\x02\0\0\0ab", b"\xff\xff\xff\xff"] {
            assert_eq!(
                verdict(&[(&[cut], &[TEXT])]).misfits[0].expected,
                Expected::UpTo("s".to_owned()),
                "{cut:?}"
            );
        }
        assert_eq!(
            verdict(&[(&[b"0"], &[F32, TEXT])]).misfits[0].expected,
            Expected::UpTo("s".to_owned())
        );
    }

    #[test]
    fn too_many_bytes_are_forgiven_only_after_the_last_weight() {
        let last = verdict(&[(&[b"01234567"], &[F32]), (&[b"01234567more"], &[F32])]);
        assert!(last.misfits.is_empty());
        assert_eq!(
            last.surplus.map(|misfit| (misfit.group, misfit.expected, misfit.found)),
            Some((2, Expected::Bytes(8), 12))
        );
        let first = verdict(&[(&[b"01234567more"], &[F32]), (&[b"01234567"], &[F32])]);
        assert_eq!(first.misfits.len(), 1);
    }

    #[test]
    fn sums_do_not_overflow() {
        let huge = r#"{"name": "f", "shape": [18446744073709551615], "dtype": "bool"}"#;
        assert_eq!(verdict(&[(&[b"0"], &[huge, huge])]).misfits[0].expected, Expected::Overflow);
    }
}
