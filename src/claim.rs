//! Taking turns with other processes, by locks of the operating system, which end with whoever holds them.
//!
//! A courtesy: it saves work and untangles messages. Nothing is wrong where locks do nothing, as on some network file
//! systems.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process;

/// A turn that is ours until it is dropped; or none, where locks do nothing.
#[derive(Debug)]
pub(crate) struct Claim {
    held: Option<File>,
}

impl Claim {
    /// Waits for the turn at the lock file `path`, which is made for that. `waiting` is told who has it now.
    pub fn file(path: &Path, waiting: impl FnOnce(&str)) -> Claim {
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let Ok(mut file) = opened else { return Claim { held: None } };
        let held = take_turns(&file, || {
            let mut holder = String::new();
            let known = file.try_clone().and_then(|mut file| file.read_to_string(&mut holder));
            waiting(&process_of(known.ok().and(Some(&holder))));
        });
        if held {
            // Only for the message above.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", process::id()));
        }
        Claim { held: held.then_some(file) }
    }

    /// Waits for the turn at a directory.
    #[cfg(unix)]
    pub fn dir(path: &Path, waiting: impl FnOnce()) -> Claim {
        let Ok(dir) = File::open(path) else { return Claim { held: None } };
        let held = take_turns(&dir, waiting);
        Claim { held: held.then_some(dir) }
    }

    /// Whether it is for the directory that is at `path` now, and not for one that went with whoever had the turn.
    #[cfg(unix)]
    pub fn is_for(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let place = |found: std::fs::Metadata| (found.dev(), found.ino());
        let now = std::fs::metadata(path).map(place);
        self.held.as_ref().is_none_or(|dir| {
            dir.metadata().map(place).is_ok_and(|ours| now.is_ok_and(|now| now == ours))
        })
    }

    /// A directory whose lock file is open does not go.
    #[cfg(not(unix))]
    pub fn is_for(&self, _path: &Path) -> bool {
        true
    }

    /// Waits for the turn at a directory. It cannot be locked here; the file in it that can stays there.
    #[cfg(not(unix))]
    pub fn dir(path: &Path, waiting: impl FnOnce()) -> Claim {
        Claim::file(&path.join(".vendor-model-lock"), |_| waiting())
    }
}

/// Whether the lock is ours now.
fn take_turns(file: &File, waiting: impl FnOnce()) -> bool {
    match file.try_lock() {
        Ok(()) => return true,
        Err(TryLockError::WouldBlock) => waiting(),
        Err(TryLockError::Error(_)) => return false,
    }
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.is_ok(),
        }
    }
}

/// Who wrote its number into a lock file.
fn process_of(text: Option<&String>) -> String {
    match text.and_then(|text| text.trim().parse::<u32>().ok()) {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn the_second_waits_until_the_first_is_done_and_is_told_who_that_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Claim::file(&path, |_| panic!("nobody is there"));
        let (tell, told) = mpsc::channel();
        let second = thread::spawn({
            let path = path.clone();
            move || Claim::file(&path, |holder| tell.send(holder.to_owned()).unwrap())
        });
        assert_eq!(told.recv().unwrap(), format!("process {}", process::id()));
        drop(first);
        assert!(second.join().unwrap().held.is_some());
    }

    #[test]
    fn a_lock_that_cannot_be_made_is_done_without() {
        let claim = Claim::file(Path::new("/no/such/place/lock"), |_| panic!("nobody is there"));
        assert!(claim.held.is_none());
    }
}
