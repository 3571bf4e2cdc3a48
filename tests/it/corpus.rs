//! Every real model of the shared folder, vendored over HTTP by a real build script.

use std::fs;
use std::path::Path;

use model_host::Host;
use serde_json::Value;
use vendor_model::Lockfile;

use crate::shared_folder::shared;
use crate::support::{Project, vendor_model};

/// One manifest of one model of `models/index.json`.
pub struct Case {
    pub name: String,
    pub manifest: String,
    pub fits: bool,
    /// The files that the manifest needs: path on disk, size and digest by an independent program.
    pub files: Vec<(String, u64, String)>,
}

pub fn cases(models: &Path) -> Vec<Case> {
    let index: Value =
        serde_json::from_slice(&fs::read(models.join("index.json")).unwrap()).unwrap();
    let mut cases = Vec::new();
    for model in index["models"].as_array().unwrap() {
        for manifest in model["manifests"].as_array().unwrap() {
            let entry = manifest["manifest"].as_str().unwrap();
            let groups = manifest["groups"].as_array().unwrap().iter();
            let shards = groups
                .flat_map(|group| group["paths"].as_array().unwrap())
                .map(|path| path["file"].as_str().unwrap());
            let needed: Vec<&str> = std::iter::once(entry).chain(shards).collect();
            let file = |path: &&str| {
                let files = model["files"].as_array().unwrap();
                let file = files.iter().find(|file| file["path"] == **path).unwrap();
                (
                    (*path).to_owned(),
                    file["size"].as_u64().unwrap(),
                    file["sha256"].as_str().unwrap().to_owned(),
                )
            };
            cases.push(Case {
                name: model["name"].as_str().unwrap().to_owned(),
                manifest: entry.to_owned(),
                fits: manifest["all_match"].as_bool().unwrap(),
                files: needed.iter().map(file).collect(),
            });
        }
    }
    cases
}

/// The models that are to be vendored: all that fit, and the one whose weights are overlong, which is a warning.
pub fn good(models: &Path) -> Vec<Case> {
    let good = |case: &Case| {
        case.name != "derived-odd-paths" && (case.fits || case.name == "hpss-overlong-weights")
    };
    cases(models).into_iter().filter(good).collect()
}

/// A package that vendors all of these into directories named after the models.
pub fn project(host: &Host, cases: &[Case]) -> Project {
    let lines = cases.iter().map(|case| {
        let url = host.url(&format!("/{}/{}", case.name, case.manifest));
        format!("vendor_model::vendor_model({url:?}, out.join({:?}))?;", case.name)
    });
    Project::new(&lines.collect::<Vec<_>>().join("\n    "), "fn main() {}")
}

#[test]
fn every_real_model_is_vendored_byte_for_byte() {
    let Some(models) = shared("models") else { return };
    let cases = good(&models);
    assert!(cases.len() >= 20, "the corpus has {} models", cases.len());
    let host = Host::serve(&models);
    let project = project(&host, &cases);
    let built = project.build().succeeded();

    let out = project.out_dir();
    for Case { name, manifest, files, .. } in &cases {
        let record = Lockfile::read(out.join(name).join("models.lock")).unwrap();
        let model = record.model(&host.url(&format!("/{name}/{manifest}"))).unwrap();
        let recorded: Vec<(String, u64, String)> = model
            .files()
            .iter()
            .map(|file| (file.path().to_owned(), file.size(), file.sha256()))
            .collect();
        assert_eq!(recorded, *files, "{name}/{manifest}");
        for (path, _, _) in files {
            let same = fs::read(out.join(name).join(path)).unwrap()
                == fs::read(models.join(name).join(path)).unwrap();
            assert!(same, "{name}/{path}");
        }
    }
    let overlong = built.stderr.lines().filter(|line| {
        line.contains("hpss-overlong-weights") && line.contains("TensorFlow.js ignores the rest")
    });
    assert_eq!(overlong.count(), 2, "{}", built.stderr);
    assert!(built.stderr.contains("has 1328 bytes, its specs say 332"), "{}", built.stderr);
    let warnings = built.stderr.lines().filter(|line| line.contains("warning:"));
    assert_eq!(warnings.count(), 2, "no other warning: {}", built.stderr);
    assert!(!project.build().succeeded().ran_script());
}

#[test]
fn a_pointer_in_place_of_a_shard_is_refused_by_name() {
    let Some(models) = shared("models") else { return };
    let host = Host::serve(&models);
    let cases: Vec<Case> =
        cases(&models).into_iter().filter(|case| case.name == "derived-lfs-pointer").collect();
    let refused = project(&host, &cases).build().failed();
    assert!(refused.stderr.contains("\"group1-shard1of1\""), "{}", refused.stderr);
    assert!(refused.stderr.contains("it is a Git LFS pointer"), "{}", refused.stderr);
}

#[test]
fn odd_paths_are_refused_all_of_them_and_no_other() {
    let Some(models) = shared("models") else { return };
    let manifest: Value =
        serde_json::from_slice(&fs::read(models.join("derived-odd-paths/model.json")).unwrap())
            .unwrap();
    let paths: Vec<&str> = manifest["weightsManifest"][0]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path.as_str().unwrap())
        .collect();
    let plain = |path: &str| {
        let path = path.strip_prefix("./").unwrap_or(path);
        path.split('/').all(|segment| {
            segment != ".."
                && segment.chars().all(|c| c.is_ascii_alphanumeric() || "._~- +&=@,".contains(c))
        })
    };
    let (good, bad): (Vec<&str>, Vec<&str>) = paths.into_iter().partition(|path| plain(path));
    assert!(good.len() >= 2 && bad.len() >= 2, "{good:?} {bad:?}");

    let host = Host::serve(&models);
    let url = host.url("/derived-odd-paths/model.json");
    let dir = tempfile::TempDir::new().unwrap();
    let error = vendor_model(url, dir.path()).unwrap_err();
    assert_eq!(error.kind(), vendor_model::ErrorKind::Path);
    let text = error.to_string();
    assert!(bad.iter().all(|path| text.contains(&format!("{path:?}:"))), "{text}");
    assert!(!good.iter().any(|path| text.contains(path)), "{text}");
    assert!(text.contains(&format!("{} of its shard paths", bad.len())), "{text}");
    assert_eq!(host.requests().len(), 1);
}
