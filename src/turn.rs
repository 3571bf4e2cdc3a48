//! The turn at an `out_dir`: one process at a time vendors into it, where locks do something.

use std::fs;
use std::path::Path;

use crate::claim::Claim;
use crate::error::Error;
use crate::progress::Progress;
use crate::staging;

/// A turn that is ours until it is dropped. A directory that was made for it and is still empty goes with it.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _claim: Claim,
    made: Option<&'a Path>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.made.map(fs::remove_dir);
    }
}

impl<'a> Turn<'a> {
    /// Waits until no other process vendors into this directory, which is made if need be.
    pub fn at(dir: &'a Path, progress: &Progress) -> Result<Turn<'a>, Error> {
        let waiting = || {
            let holder = match staging::occupant(dir) {
                Some(pid) => format!("process {pid}"),
                None => "another process".to_owned(),
            };
            let dir = dir.display();
            progress.note("Waiting", &format!("for {holder}, which vendors into {dir}"));
        };
        let mut made = false;
        loop {
            made |= !dir.exists();
            fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
            let claim = Claim::dir(dir, waiting);
            if claim.is_for(dir) {
                return Ok(Turn { _claim: claim, made: made.then_some(dir) });
            }
        }
    }
}
