//! What is wanted, what is held, and what is allowed -> what to do for each file, or the refusal.
//!
//! Pure: the table of lock modes and networks is here, cell by cell, and its tests are that table.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use crate::config::LockMode;
use crate::digest::Content;
use crate::error::{Error, ErrorKind};
use crate::policy::{Network, Policy};
use crate::wanted::Wanted;

/// What was found of a wanted file: the place that has it, or every place that was looked at and what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub looked_at: Vec<(PathBuf, Found)>,
    pub in_hand: Option<InHand>,
}

/// A file that some place on this machine has, and where it can be read now: what is not in `out_dir` is staged.
#[derive(Clone, Debug)]
pub(crate) struct InHand {
    pub source: Source,
    pub content: Content,
    pub at: PathBuf,
}

impl Held {
    /// It is at `at`, whatever else there is.
    pub fn at(source: Source, content: Content, at: PathBuf) -> Held {
        Held { looked_at: Vec::new(), in_hand: Some(InHand { source, content, at }) }
    }

    /// At `place` it is not.
    pub fn miss(&mut self, place: PathBuf, found: Option<Content>) {
        let found = found.map_or(Found::Nothing, |_| Found::OtherBytes);
        self.looked_at.push((place, found));
    }

    /// It may be at `place`, and cannot be had from there.
    pub fn blocked(&mut self, place: PathBuf, error: io::Error) {
        self.looked_at.push((place, Found::Uncopied(error.kind())));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    OtherBytes,
    /// It may be there, but did not get from there to where it is needed.
    Uncopied(io::ErrorKind),
}

/// Which place on this machine has a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    OutDir,
    /// The vendored directory, under this name.
    Vendored(PathBuf),
    Cache,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// `out_dir` has it.
    Keep,
    /// Another place on this machine has it.
    Restore(Source),
    /// From its address.
    Fetch,
    /// Nothing has it and nobody is asked: an empty file stands for it.
    LeaveEmpty,
}

/// What a run may do about what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leave {
    pub lock_mode: LockMode,
    pub network: Network,
    pub skip: bool,
}

/// Why a plan may not be carried out, and for which of the wanted files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They are missing and would have to come from the network.
    Offline(Vec<usize>),
    /// They are not pinned, and no pin may be made.
    Locked(Vec<usize>),
}

pub(crate) fn plan(wanted: &[Wanted], held: &[Held], leave: Leave) -> Result<Vec<Step>, Refusal> {
    let Leave { lock_mode, network, skip } = leave;
    let locked = lock_mode == LockMode::Locked;
    let unpinned = positions(wanted, |file| file.pin.is_none());
    if locked && !skip && !unpinned.is_empty() {
        return Err(Refusal::Locked(unpinned));
    }
    let source = |held: &Held| held.in_hand.as_ref().map(|in_hand| in_hand.source.clone());
    let step = |(wanted, held): (&Wanted, &Held)| match source(held) {
        Some(Source::OutDir) => Step::Keep,
        Some(source) => Step::Restore(source),
        None if skip && (wanted.is_remote() || locked) => Step::LeaveEmpty,
        None => Step::Fetch,
    };
    let steps: Vec<Step> = wanted.iter().zip(held).map(step).collect();
    let from_host = positions(wanted.iter().zip(&steps), |(wanted, step)| {
        **step == Step::Fetch && wanted.is_remote()
    });
    match network {
        Network::Offline if !from_host.is_empty() => Err(Refusal::Offline(from_host)),
        _ => Ok(steps),
    }
}

impl Refusal {
    pub fn of(self, url: &str, wanted: &[Wanted], held: &[Held], policy: &Policy) -> Error {
        match self {
            Refusal::Locked(files) => {
                let names: Vec<String> =
                    files.iter().map(|&at| format!("{:?}", wanted[at].path.as_str())).collect();
                Error::new(
                    ErrorKind::Locked,
                    format!("cannot pin {url} because the lockfile is locked"),
                )
                .fact("not pinned", names.join(", "))
                .help(format!("to pin it, and commit models.lock: {}", policy.advice_to_pin()))
            }
            Refusal::Offline(files) => {
                let listed: String =
                    files.iter().map(|&at| missing(&wanted[at], &held[at])).collect();
                Error::new(
                    ErrorKind::Offline,
                    format!("cannot vendor {url} offline: {} missing{listed}", count(files.len())),
                )
                .help(format!("to download what is missing: {}", policy.advice_to_go_online()))
            }
        }
    }
}

fn count(files: usize) -> String {
    if files == 1 { "1 file is".to_owned() } else { format!("{files} files are") }
}

fn missing(wanted: &Wanted, held: &Held) -> String {
    let mut text = format!("\n  {:?}\n    url: {}", wanted.path.as_str(), wanted.from);
    // Writing to a string cannot fail.
    let _ = match &wanted.pin {
        Some(pin) => write!(text, "\n    sha256: {}, {} bytes", pin.digest, pin.size),
        None => write!(text, "\n    sha256: not pinned"),
    };
    for (place, found) in &held.looked_at {
        let _ = write!(text, "\n    looked at: {}: ", place.display());
        let _ = match found {
            Found::Nothing => text.write_str("not there"),
            Found::Uncopied(why) => write!(text, "cannot be copied: {why}"),
            Found::OtherBytes => text.write_str("has other bytes"),
        };
    }
    text
}

fn positions<T>(items: impl IntoIterator<Item = T>, is_one: impl Fn(&T) -> bool) -> Vec<usize> {
    items.into_iter().enumerate().filter(|(_, item)| is_one(item)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::environment::Environment;
    use crate::errand::Limit;
    use crate::path::ModelPath;
    use crate::source::Place;
    use crate::wanted::Role;
    use Found::{Nothing, OtherBytes};
    use LockMode::{Auto, Locked, Update};
    use Network::{Offline, Online};

    fn wanted(pinned: bool) -> Wanted {
        Wanted {
            path: ModelPath::parse("a.bin").unwrap(),
            from: host(),
            pin: pinned.then(|| Content::of(b"right")),
            limit: Limit { bytes: 99, by: "" },
            role: Role::Shard,
        }
    }

    fn host() -> Place {
        Place::Host("https://h.example/a.bin".parse().unwrap())
    }

    fn leave(lock_mode: LockMode, network: Network) -> Leave {
        Leave { lock_mode, network, skip: false }
    }

    fn held(looked_at: &[(&str, Found)], in_hand: Option<Source>) -> Held {
        let looked_at = looked_at.iter().map(|(path, found)| (path.into(), *found)).collect();
        let at = |source| InHand { source, content: Content::of(b"right"), at: "s/0".into() };
        Held { looked_at, in_hand: in_hand.map(at) }
    }

    fn kept() -> Held {
        held(&[], Some(Source::OutDir))
    }

    fn vendored() -> Source {
        Source::Vendored("v/a.bin".into())
    }

    fn restorable(source: Source) -> Held {
        held(&[("o/a.bin", OtherBytes), ("v/a.bin", Nothing)], Some(source))
    }

    fn damaged() -> Held {
        held(&[("o/a.bin", Nothing), ("v/a.bin", OtherBytes)], None)
    }

    #[test]
    fn the_table_cell_by_cell() {
        let nothing = Held::default;
        let keep = || Ok(vec![Step::Keep]);
        let restore = |source| Ok(vec![Step::Restore(source)]);
        let fetch = || Ok(vec![Step::Fetch]);
        let offline = || Err(Refusal::Offline(vec![0]));
        let locked = || Err(Refusal::Locked(vec![0]));
        let cells = [
            // Pinned and held.
            (true, kept(), Auto, Online, keep()),
            (true, kept(), Locked, Online, keep()),
            (true, kept(), Auto, Offline, keep()),
            (true, kept(), Locked, Offline, keep()),
            (true, restorable(vendored()), Auto, Online, restore(vendored())),
            (true, restorable(vendored()), Locked, Online, restore(vendored())),
            (true, restorable(vendored()), Auto, Offline, restore(vendored())),
            (true, restorable(Source::Cache), Locked, Offline, restore(Source::Cache)),
            // Pinned and not held, or held damaged.
            (true, nothing(), Auto, Online, fetch()),
            (true, nothing(), Locked, Online, fetch()),
            (true, nothing(), Auto, Offline, offline()),
            (true, nothing(), Locked, Offline, offline()),
            (true, damaged(), Locked, Online, fetch()),
            (true, damaged(), Auto, Offline, offline()),
            // Not pinned.
            (false, nothing(), Auto, Online, fetch()),
            (false, nothing(), Locked, Online, locked()),
            (false, nothing(), Auto, Offline, offline()),
            (false, nothing(), Locked, Offline, locked()),
            // An update sets the pins aside beforehand.
            (false, nothing(), Update, Online, fetch()),
        ];
        for (pinned, held, lock_mode, network, expected) in cells {
            let found =
                plan(&[wanted(pinned)], std::slice::from_ref(&held), leave(lock_mode, network));
            assert_eq!(found, expected, "{pinned} {held:?} {lock_mode:?} {network:?}");
        }
    }

    #[test]
    fn who_skips_uses_what_is_here_and_leaves_the_rest_empty() {
        let local = Wanted { from: Place::Disk("/m/a.bin".into()), ..wanted(false) };
        for lock_mode in [Auto, Locked] {
            let leave = Leave { lock_mode, network: Offline, skip: true };
            let step =
                |wanted: Wanted, held: Held| plan(&[wanted], &[held], leave).unwrap().remove(0);
            assert_eq!(step(wanted(true), kept()), Step::Keep);
            assert_eq!(step(wanted(true), restorable(Source::Cache)), Step::Restore(Source::Cache));
            assert_eq!(step(wanted(true), damaged()), Step::LeaveEmpty);
            assert_eq!(step(wanted(false), Held::default()), Step::LeaveEmpty);
            let expected = if lock_mode == Locked { Step::LeaveEmpty } else { Step::Fetch };
            assert_eq!(step(local.clone(), Held::default()), expected);
        }
    }

    #[test]
    fn a_refusal_lists_every_file_concerned() {
        let files = [wanted(true), wanted(false), wanted(true), wanted(false)];
        let held = [kept(), Held::default(), Held::default(), Held::default()];
        let refused = |lock_mode, network| plan(&files, &held, leave(lock_mode, network));
        assert_eq!(refused(Locked, Online), Err(Refusal::Locked(vec![1, 3])));
        assert_eq!(refused(Auto, Offline), Err(Refusal::Offline(vec![1, 2, 3])));
    }

    #[test]
    fn refusals_say_what_is_missing_where_it_was_looked_for_and_what_to_type() {
        let files = [wanted(true), wanted(false)];
        let held = [damaged(), held(&[("o/b.bin", Nothing)], None)];
        let policy = Config::new().policy(&Environment::default()).unwrap();
        let refusal = plan(&files, &held, leave(Auto, Offline)).unwrap_err().of(
            "https://h.example/model.json",
            &files,
            &held,
            &policy,
        );
        let expected = "\
cannot vendor https://h.example/model.json offline: 2 files are missing
  \"a.bin\"
    url: https://h.example/a.bin
    sha256: 27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9, 5 bytes
    looked at: o/a.bin: not there
    looked at: v/a.bin: has other bytes
  \"a.bin\"
    url: https://h.example/a.bin
    sha256: not pinned
    looked at: o/b.bin: not there
  help: to download what is missing: ADVICE";
        assert_eq!(refusal.to_string(), expected.replace("ADVICE", &policy.advice_to_go_online()));
        assert_eq!(refusal.kind(), ErrorKind::Offline);
        let refusal = plan(&files, &held, leave(Locked, Online)).unwrap_err().of(
            "https://h.example/model.json",
            &files,
            &held,
            &policy,
        );
        let expected = "\
cannot pin https://h.example/model.json because the lockfile is locked
  not pinned: \"a.bin\"
  help: to pin it, and commit models.lock: set VENDOR_MODEL_LOCK=auto and run this again";
        assert_eq!(refusal.to_string(), expected);
    }

    #[test]
    fn a_file_on_this_disk_needs_no_network() {
        let local = Wanted { from: Place::Disk("/m/a.bin".into()), ..wanted(false) };
        assert_eq!(plan(&[local], &[Held::default()], leave(Auto, Offline)), Ok(vec![Step::Fetch]));
    }
}
