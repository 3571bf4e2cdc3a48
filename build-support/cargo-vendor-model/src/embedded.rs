//! Known bytes in an executable, a library or any other file: whether they are in it, whole and exact, and where.
//!
//! Files that were embedded together mostly lie one behind the other, as slices of one blob; so the next is looked for
//! where the last one ends. Else it is looked for by a telling window of its bytes, and then compared as a whole.

use std::collections::HashMap;

use memchr::memmem;
use object::{Object, ObjectSection};

/// What is shorter may be there by chance.
pub const TELLING: usize = 64;

/// Where bytes were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub offset: usize,
    /// The first byte that is another, if one is.
    pub differs_at: Option<usize>,
}

/// Where in the file, as its format divides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    /// Of what was found, in the section.
    pub offset: u64,
}

/// Looks for each of `needles`, which are mostly neighbours in this order; `None` also for what is too short to tell.
pub fn find(haystack: &[u8], needles: &[Vec<u8>]) -> Vec<Option<Hit>> {
    let candidates = Candidates::of(haystack, needles);
    let mut after = 0;
    let mut hit = |(needle, starts): (&Vec<u8>, Starts)| {
        let hit = match needle.len() {
            ..TELLING => None,
            _ => find_one(haystack, needle, after, starts),
        };
        after = match hit {
            Some(hit) => hit.offset + needle.len(),
            // What is too short to tell takes its place all the same.
            None => after + needle.len(),
        };
        hit
    };
    needles.iter().zip(candidates.0).map(&mut hit).collect()
}

/// The section that has what is at `offset`, where the file is an object that has sections.
pub fn section(file: &object::File<'_>, offset: usize) -> Option<Section> {
    let offset = offset as u64;
    file.sections().find_map(|section| {
        let (start, size) = section.file_range()?;
        let name = section.name().ok()?.to_owned();
        (start..start + size).contains(&offset).then(|| Section { name, offset: offset - start })
    })
}

fn find_one(haystack: &[u8], needle: &[u8], hint: usize, starts: Starts) -> Option<Hit> {
    let mut best: Option<(usize, usize)> = None;
    // Zeros are everywhere: that they are alike tells nothing.
    let common = commonest(needle);
    let telling = needle.iter().filter(|byte| **byte != common).count();
    for start in std::iter::once(hint).chain(starts.places) {
        let Some(found) = haystack.get(start..).and_then(|rest| rest.get(..needle.len())) else {
            continue;
        };
        if found == needle {
            return Some(Hit { offset: start, differs_at: None });
        }
        let equal = found.iter().zip(needle).filter(|(a, b)| a == b && **b != common).count();
        if equal * 2 > telling && best.is_none_or(|(most, _)| equal > most) {
            best = Some((equal, start));
        }
    }
    let whole = if starts.overflowed { memmem::find(haystack, needle) } else { None };
    if let Some(offset) = whole {
        return Some(Hit { offset, differs_at: None });
    }
    let (_, offset) = best?;
    let differs_at = needle.iter().zip(&haystack[offset..]).position(|(a, b)| a != b);
    Some(Hit { offset, differs_at })
}

/// For each needle, where it may begin, by its windows: one of them finds what is whole, the others what is damaged.
struct Candidates(Vec<Starts>);

#[derive(Clone, Default)]
struct Starts {
    places: Vec<usize>,
    /// A window is so often there that it tells nothing.
    overflowed: bool,
}

impl Candidates {
    /// In one pass, however many windows there are: a filter keeps out nearly all places by their first eight bytes.
    fn of(haystack: &[u8], needles: &[Vec<u8>]) -> Candidates {
        const MOST: usize = 256;
        let slot = |key: u64| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize;
        let mut starts = vec![Starts::default(); needles.len()];
        let mut filter = vec![false; 1 << 16];
        let mut windows: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
        for (needle, bytes) in needles.iter().enumerate() {
            for at in self::windows(bytes) {
                let key = key(&bytes[at..]);
                filter[slot(key)] = true;
                windows.entry(key).or_default().push((needle, at));
            }
        }
        for place in 0..haystack.len().saturating_sub(TELLING - 1) {
            let key = key(&haystack[place..]);
            if !filter[slot(key)] {
                continue;
            }
            for &(needle, at) in windows.get(&key).into_iter().flatten() {
                let Starts { places, overflowed } = &mut starts[needle];
                let window = &needles[needle][at..at + TELLING];
                match place.checked_sub(at) {
                    Some(_) if places.len() == MOST => *overflowed = true,
                    Some(start) if haystack[place..].starts_with(window) => places.push(start),
                    _ => {}
                }
            }
        }
        starts.iter_mut().for_each(|starts| starts.places.dedup());
        Candidates(starts)
    }
}

fn key(bytes: &[u8]) -> u64 {
    let mut key = [0; 8];
    key.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(key)
}

/// The places of the windows that tell most in each eighth of the needle.
fn windows(needle: &[u8]) -> Vec<usize> {
    const PARTS: usize = 8;
    let Some(last) = needle.len().checked_sub(TELLING) else { return Vec::new() };
    let mut places: Vec<usize> = (0..PARTS)
        .map(|part| {
            let from = last * part / PARTS;
            let places = (from..=last.min(from + 16 * TELLING)).step_by(TELLING);
            places.max_by_key(|&at| variety(&needle[at..at + TELLING])).unwrap_or(from)
        })
        .collect();
    places.dedup();
    places
}

/// How many different bytes there are.
fn variety(window: &[u8]) -> usize {
    counts(window).iter().filter(|count| **count > 0).count()
}

fn commonest(bytes: &[u8]) -> u8 {
    let counts = counts(bytes);
    (0..=255).max_by_key(|&byte| counts[usize::from(byte)]).unwrap_or(0)
}

fn counts(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that look like weights, and are others for another seed.
    fn bytes(seed: u32, n: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..n).map(|_| next()).collect()
    }

    fn whole(offset: usize) -> Option<Hit> {
        Some(Hit { offset, differs_at: None })
    }

    #[test]
    fn neighbours_and_strays_are_found_wherever_they_begin() {
        let (a, b, c) = (bytes(1, 1000), bytes(2, 500), bytes(3, 70));
        let haystack = [&bytes(9, 77)[..], &c, &bytes(8, 1001), &a, &b, &bytes(7, 5)].concat();
        let found = find(&haystack, &[a, b, c, bytes(4, 300)]);
        assert_eq!(found, [whole(1148), whole(2148), whole(77), None]);
    }

    #[test]
    fn a_byte_that_is_another_is_found_wherever_it_is() {
        let (a, b) = (bytes(1, 1000), bytes(2, 500));
        for at in [0, 1, 63, 64, 499, 999] {
            let mut haystack = [&bytes(9, 64)[..], &a, &b].concat();
            haystack[64 + at] ^= 1;
            let found = find(&haystack, &[a.clone(), b.clone()]);
            assert_eq!(found, [Some(Hit { offset: 64, differs_at: Some(at) }), whole(1064)]);
        }
    }

    #[test]
    fn what_is_cut_off_or_only_resembles_it_is_not_found() {
        let a = bytes(1, 1000);
        assert_eq!(find(&a[..400], std::slice::from_ref(&a)), [None]);
        let mostly_other = [&a[..300], &bytes(5, 700)].concat();
        assert_eq!(find(&mostly_other, &[a]), [None]);
        assert_eq!(find(b"", &[bytes(1, 64)]), [None]);
    }

    #[test]
    fn what_is_short_is_not_looked_for_and_leaves_its_place_to_the_next() {
        let (a, b, c) = (bytes(1, 64), bytes(2, 63), bytes(3, 64));
        let haystack = [&a[..], &b, &c].concat();
        assert_eq!(find(&haystack, &[a, b, c]), [whole(0), None, whole(127)]);
    }

    #[test]
    fn weights_that_are_all_alike_are_found_by_their_length() {
        let haystack = [&bytes(1, 100)[..], &[0; 300], &bytes(2, 100)].concat();
        assert_eq!(find(&haystack, &[vec![0; 300]]), [whole(100)]);
        assert_eq!(find(&haystack, &[vec![0; 400]]), [None], "padding is no weight");
    }
}
