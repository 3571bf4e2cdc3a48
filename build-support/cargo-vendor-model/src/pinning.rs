//! Pins that are made: models that no lockfile knew.

use std::path::{Path, PathBuf};

use serde::Serialize;
use url::{Host, Url};
use vendor_model::{Config, LockedModel, Lockfile};

use crate::failure::Failure;
use crate::lock_file::{self, LockFile, address};
use crate::locked::LockedBy;
use crate::records::ModelRecord;
use crate::talk::Talk;
use crate::words::{count, size};

/// What became of the models that were to be pinned.
#[derive(Serialize)]
pub struct Pinned {
    lockfile: PathBuf,
    models: Vec<PinnedModel>,
}

#[derive(Serialize)]
struct PinnedModel {
    status: Status,
    #[serde(flatten)]
    model: ModelRecord,
    #[serde(skip)]
    told: String,
    #[serde(skip)]
    over_plain_http: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pinned,
    Unchanged,
}

/// Pins what `path` does not pin yet; nothing is written unless all of it can be.
pub fn pin(
    config: &mut Config,
    path: &Path,
    urls: &[String],
    extra_files: &[String],
    locked: Option<LockedBy>,
) -> Result<Pinned, Failure> {
    let pins = if path.exists() { Lockfile::read(path)? } else { Lockfile::default() };
    let lock = LockFile { path: path.to_owned(), pins };
    config.lockfile(path);
    let mut models = Vec::new();
    for url in urls {
        let pinned = lock.find(url);
        let lacks = |model: &&LockedModel| extra_files.iter().any(|path| !has(model, path));
        match (pinned.filter(|model| !lacks(model)), locked) {
            (Some(model), _) => models.push((Status::Unchanged, model.clone())),
            (None, Some(by)) => return Err(by.refusal("not pinned", [url.as_str()])),
            (None, None) => {
                let model = config.pin(address(url))?;
                pinned.map_or(Ok(()), |before| stands(before, &model))?;
                models.push((Status::Pinned, model));
            }
        }
    }
    let new = models.iter().filter(|(status, _)| *status == Status::Pinned);
    let new: Vec<LockedModel> = new.map(|(_, model)| model.clone()).collect();
    Lockfile::edit(path, |pins| new.into_iter().for_each(|model| pins.insert(model)))?;
    let models = models.into_iter().map(|(status, model)| PinnedModel {
        status,
        told: told(&model),
        over_plain_http: is_plain_http(model.url()),
        model: (&model).into(),
    });
    Ok(Pinned { lockfile: path.to_owned(), models: models.collect() })
}

impl Pinned {
    pub fn tell(&self, talk: &Talk) {
        for model in &self.models {
            match model.status {
                Status::Pinned => {
                    talk.status("Pinned", &model.told);
                    if model.over_plain_http {
                        talk.warning("it came over plain http, which anybody on the way could have changed; compare models.lock with another source");
                    }
                }
                Status::Unchanged => talk.status("Unchanged", &model.told),
            }
        }
    }
}

fn told(model: &LockedModel) -> String {
    let files = count(model.files().len() as u64, "file");
    format!("{} ({files}, {})", model.url(), size(lock_file::size(model)))
}

/// Not from this machine, and not secured.
fn is_plain_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => true,
        };
        url.scheme() == "http" && !loopback
    })
}

fn has(model: &LockedModel, path: &str) -> bool {
    let path = path.trim_start_matches("./");
    model.files().iter().any(|file| file.path() == path)
}

/// What is pinned already must not move with what is added.
fn stands(before: &LockedModel, after: &LockedModel) -> Result<(), Failure> {
    let stands = |file: &&vendor_model::LockedFile| !after.files().contains(file);
    match before.files().iter().find(stands) {
        None => Ok(()),
        Some(file) => {
            let headline = format!("{:?} is no longer what models.lock pins", file.path());
            let update = format!("`cargo vendor-model update {}`", before.url());
            Err(Failure::new(headline)
                .fact("url", before.url())
                .help(format!("see what changed, and move the pins, with {update}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_on_the_way_could_change_is_told_from_what_nobody_could() {
        assert!(is_plain_http("http://models.example/digits/model.json"));
        let safe = [
            "https://models.example/m.json",
            "http://127.0.0.1:80/m.json",
            "http://[::1]/m",
            "./m.json",
        ];
        assert_eq!(safe.map(is_plain_http), [false; 4]);
    }
}
