//! What is wanted, what is held, and what is allowed -> what to do for each file, or the refusal.
//!
//! Pure: the table of lock modes and networks is here, cell by cell, and its tests are that table.

use std::fmt::Write;
use std::path::PathBuf;

use crate::config::LockMode;
use crate::digest::Content;
use crate::error::{Error, ErrorKind};
use crate::policy::{Network, Policy};
use crate::source::Place;
use crate::wanted::Wanted;

/// What was found of a wanted file: every place that was looked at, `out_dir` first, and what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub looked_at: Vec<(PathBuf, Option<Content>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// `out_dir` has it.
    Keep,
    /// Another place on this machine has it.
    Restore(PathBuf),
    /// From its address.
    Fetch(Place),
}

impl Step {
    /// Where bytes have to be read from.
    pub fn place(&self) -> Option<Place> {
        match self {
            Step::Keep => None,
            Step::Restore(path) => Some(Place::Disk(path.clone())),
            Step::Fetch(place) => Some(place.clone()),
        }
    }
}

/// Why a plan may not be carried out, and for which of the wanted files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They are missing and would have to come from the network.
    Offline(Vec<usize>),
    /// They are not pinned, and no pin may be made.
    Locked(Vec<usize>),
}

pub(crate) fn plan(
    wanted: &[Wanted],
    held: &[Held],
    lock_mode: LockMode,
    network: Network,
) -> Result<Vec<Step>, Refusal> {
    let unpinned = positions(wanted, |file| file.pin.is_none());
    if lock_mode == LockMode::Locked && !unpinned.is_empty() {
        return Err(Refusal::Locked(unpinned));
    }
    let steps: Vec<Step> =
        wanted.iter().zip(held).map(|(wanted, held)| step(wanted, held)).collect();
    let from_host = positions(&steps, |step| matches!(step, Step::Fetch(Place::Host(_))));
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
        let found = if found.is_some() { "has other bytes" } else { "not there" };
        let _ = write!(text, "\n    looked at: {}: {found}", place.display());
    }
    text
}

/// Bytes without a pin are nobody's: what is held of them is not used.
fn step(wanted: &Wanted, held: &Held) -> Step {
    let right = |content: &Option<Content>| content.is_some() && *content == wanted.pin;
    match held.looked_at.iter().position(|(_, content)| right(content)) {
        Some(0) => Step::Keep,
        Some(at) => Step::Restore(held.looked_at[at].0.clone()),
        None => Step::Fetch(wanted.from.clone()),
    }
}

fn positions<T>(items: &[T], is_one: impl Fn(&T) -> bool) -> Vec<usize> {
    items.iter().enumerate().filter(|(_, item)| is_one(item)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::environment::Environment;
    use crate::path::ModelPath;
    use crate::wanted::Role;
    use LockMode::{Auto, Locked, Update};
    use Network::{Offline, Online};

    fn right() -> Content {
        Content::of(b"right")
    }

    fn wanted(pinned: bool) -> Wanted {
        Wanted {
            path: ModelPath::parse("a.bin").unwrap(),
            from: host(),
            pin: pinned.then(right),
            limit: 99,
            role: Role::Shard,
        }
    }

    fn host() -> Place {
        Place::Host("https://h.example/a.bin".parse().unwrap())
    }

    fn in_out_dir(content: Content) -> Held {
        Held { looked_at: vec![("o/a.bin".into(), Some(content)), ("v/a.bin".into(), None)] }
    }

    fn vendored(content: Content) -> Held {
        Held {
            looked_at: vec![
                ("o/a.bin".into(), Some(Content::of(b"stale"))),
                ("v/a.bin".into(), Some(content)),
            ],
        }
    }

    #[test]
    fn the_table_cell_by_cell() {
        let nothing = Held::default;
        let wrong = || Content::of(b"wrong");
        let keep = || Ok(vec![Step::Keep]);
        let restore = || Ok(vec![Step::Restore("v/a.bin".into())]);
        let fetch = || Ok(vec![Step::Fetch(host())]);
        let offline = || Err(Refusal::Offline(vec![0]));
        let locked = || Err(Refusal::Locked(vec![0]));
        let cells = [
            // Pinned and held.
            (true, in_out_dir(right()), Auto, Online, keep()),
            (true, in_out_dir(right()), Locked, Online, keep()),
            (true, in_out_dir(right()), Auto, Offline, keep()),
            (true, in_out_dir(right()), Locked, Offline, keep()),
            (true, vendored(right()), Auto, Online, restore()),
            (true, vendored(right()), Locked, Online, restore()),
            (true, vendored(right()), Auto, Offline, restore()),
            (true, vendored(right()), Locked, Offline, restore()),
            // Pinned and not held, or held damaged.
            (true, nothing(), Auto, Online, fetch()),
            (true, nothing(), Locked, Online, fetch()),
            (true, nothing(), Auto, Offline, offline()),
            (true, nothing(), Locked, Offline, offline()),
            (true, in_out_dir(wrong()), Auto, Online, fetch()),
            (true, vendored(wrong()), Locked, Online, fetch()),
            (true, vendored(wrong()), Auto, Offline, offline()),
            // Not pinned: what is held does not count.
            (false, in_out_dir(right()), Auto, Online, fetch()),
            (false, in_out_dir(right()), Locked, Online, locked()),
            (false, in_out_dir(right()), Auto, Offline, offline()),
            (false, vendored(right()), Locked, Offline, locked()),
            // An update sets the pins aside beforehand.
            (false, in_out_dir(right()), Update, Online, fetch()),
        ];
        for (pinned, held, mode, network, expected) in cells {
            assert_eq!(
                plan(&[wanted(pinned)], std::slice::from_ref(&held), mode, network),
                expected,
                "{pinned} {held:?} {mode:?} {network:?}"
            );
        }
    }

    #[test]
    fn a_refusal_lists_every_file_concerned() {
        let files = [wanted(true), wanted(false), wanted(true), wanted(false)];
        let held = [in_out_dir(right()), Held::default(), Held::default(), Held::default()];
        assert_eq!(plan(&files, &held, Locked, Online), Err(Refusal::Locked(vec![1, 3])));
        assert_eq!(plan(&files, &held, Auto, Offline), Err(Refusal::Offline(vec![1, 2, 3])));
    }

    #[test]
    fn refusals_say_what_is_missing_where_it_was_looked_for_and_what_to_type() {
        let files = [wanted(true), wanted(false)];
        let held =
            [vendored(Content::of(b"wrong")), Held { looked_at: vec![("o/b.bin".into(), None)] }];
        let policy = Config::new().policy(&Environment::default()).unwrap();
        let refusal = plan(&files, &held, Auto, Offline).unwrap_err().of(
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
    looked at: o/a.bin: has other bytes
    looked at: v/a.bin: has other bytes
  \"a.bin\"
    url: https://h.example/a.bin
    sha256: not pinned
    looked at: o/b.bin: not there
  help: to download what is missing: ADVICE";
        assert_eq!(refusal.to_string(), expected.replace("ADVICE", &policy.advice_to_go_online()));
        assert_eq!(refusal.kind(), ErrorKind::Offline);
        let refusal = plan(&files, &held, Locked, Online).unwrap_err().of(
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
        assert_eq!(
            plan(&[local], &[Held::default()], Auto, Offline),
            Ok(vec![Step::Fetch(Place::Disk("/m/a.bin".into()))])
        );
    }
}
