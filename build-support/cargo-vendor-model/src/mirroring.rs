//! A vendored directory -> an object store that builds read through `VENDOR_MODEL_MIRROR`.
//!
//! The store's own `models.lock`, written last, says what is there: of that nothing is uploaded again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use tokio::task::JoinSet;
use url::{Position, Url};
use vendor_model::{LockedModel, Lockfile};

use crate::failure::Failure;
use crate::gauge::Gauge;
use crate::held::read;
use crate::lock_file::LockFile;
use crate::shelf::shelf;
use crate::store::Store;
use crate::talk::Talk;
use crate::verdict::Content;

const RECORD: &str = "models.lock";
const AT_ONCE: usize = 6;

/// What was done, or would be.
#[derive(Debug, Serialize)]
pub struct Mirrored {
    pub destination: String,
    pub uploaded: Vec<String>,
    pub uploaded_bytes: u64,
    /// What was there already.
    pub unchanged: usize,
    /// For `VENDOR_MODEL_MIRROR`, separated by blanks.
    pub rules: Vec<String>,
}

pub fn mirror(dir: &Path, address: &str, dry_run: bool, talk: &Talk) -> Result<Mirrored, Failure> {
    let store = Store::open(address)?;
    let own = own_lock(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot begin: {error}")))?;
    runtime.block_on(async {
        let there = record(&store, address).await?;
        let (ours, theirs) = (shelf(own.pins.models())?, shelf(there.models())?);
        let new = ours.iter().filter(|(path, item)| theirs.get(*path) != Some(item));
        let new: BTreeMap<&String, &Content> = new.collect();
        let after = together(&there, &own.pins)?;
        if !dry_run {
            upload(&store, dir, &new, talk).await?;
            store.put(RECORD, after.to_string().into_bytes()).await?;
        }
        Ok(Mirrored {
            destination: address.to_owned(),
            uploaded_bytes: new.values().map(|item| item.size).sum(),
            unchanged: ours.len() - new.len(),
            uploaded: new.into_keys().cloned().collect(),
            rules: rules(own.pins.models(), &store.readable_at),
        })
    })
}

fn own_lock(dir: &Path) -> Result<LockFile, Failure> {
    LockFile::of_directory(dir)?.ok_or_else(|| {
        let headline = format!("{} is no vendored directory: it has no models.lock", dir.display());
        Failure::new(headline).help("write one with `cargo vendor-model vendor`")
    })
}

async fn record(store: &Store, address: &str) -> Result<Lockfile, Failure> {
    match store.text(RECORD).await? {
        None => Ok(Lockfile::default()),
        Some(text) => Lockfile::parse(&text).map_err(|error| {
            Failure::from(error).fact("of the store", address).help("remove it from the store")
        }),
    }
}

/// What both pin, ours in the place of theirs.
fn together(theirs: &Lockfile, ours: &Lockfile) -> Result<Lockfile, Failure> {
    let mut both = theirs.clone();
    ours.models().iter().for_each(|model| both.insert(model.clone()));
    shelf(both.models()).map(|_| both)
}

/// Several at once. What is not what the lock pins goes nowhere.
async fn upload(
    store: &Store,
    dir: &Path,
    items: &BTreeMap<&String, &Content>,
    talk: &Talk,
) -> Result<(), Failure> {
    let gauge = Gauge::new(talk, "Uploading", items.values().map(|item| item.size).sum());
    let mut under_way = JoinSet::new();
    for (path, item) in items {
        if under_way.len() == AT_ONCE {
            finished(under_way.join_next().await, &gauge)?;
        }
        let bytes = read(&dir.join(path.as_str()))?;
        if Content::of(&bytes).sha256 != item.sha256 {
            return Err(Failure::new(format!("{path:?} is not what models.lock pins"))
                .fact("in", dir.display())
                .help("write it again with `cargo vendor-model vendor`"));
        }
        let (store, path) = (store.clone(), (*path).clone());
        let size = item.size;
        under_way.spawn(async move { store.put(&path, bytes).await.map(|()| size) });
    }
    while let Some(result) = under_way.join_next().await {
        finished(Some(result), &gauge)?;
    }
    Ok(())
}

type Upload = Result<Result<u64, Failure>, tokio::task::JoinError>;

fn finished(result: Option<Upload>, gauge: &Gauge) -> Result<(), Failure> {
    let Some(result) = result else { return Ok(()) };
    let size = result.map_err(|error| Failure::new(format!("an upload broke off: {error}")))??;
    gauge.advance(size);
    Ok(())
}

/// A rule for each origin that the models have.
fn rules(models: &[LockedModel], readable_at: &str) -> Vec<String> {
    let rule = |model: &LockedModel| {
        let url = Url::parse(model.url()).ok()?;
        let path = model.vendored_path(&model.files()[0]).ok()?;
        let (host, _) = path.split_once('/')?;
        Some(format!("{}/={readable_at}{host}/", &url[..Position::BeforePath]))
    };
    models.iter().filter_map(rule).collect::<BTreeSet<String>>().into_iter().collect()
}
