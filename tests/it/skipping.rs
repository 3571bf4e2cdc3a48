//! Builds that need no model, as for documentation and in an editor: placeholders that type-check, asking nobody, and
//! how they give way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{ErrorKind, Lockfile, Vendored};

use crate::child::Vendoring;
use crate::support::{Project, assert_holds, config, contents, host_of, model, times};

const SKIPS: [(&str, &str); 3] =
    [("VENDOR_MODEL_SKIP", "1"), ("VENDOR_MODEL_SKIP", "true"), ("DOCS_RS", "1")];
const SKIP: [(&str, &str); 1] = [SKIPS[0]];

const WARNING: &str = "empty placeholders stand for its files";

/// Says whether it has placeholders, and what its build script heard of `verify`.
const MAIN: &str = r#"mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

fn main() {
    let verified = include_str!(concat!(env!("OUT_DIR"), "/verified"));
    println!("{} {} {verified}", model::PLACEHOLDER, model::ENTRY);
    assert!(model::PLACEHOLDER || model::get(model::ENTRY).unwrap().bytes.starts_with(b"{"));
}
"#;

const VERIFYING: &str = r#"let model = vendor_model::vendor_model("{url}", out.join("model"))?;
    model.write_module(out.join("model.rs"))?;
    let verified = model.verify().map_or_else(|error| format!("{:?}", error.kind()), |()| "right".into());
    fs::write(out.join("verified"), verified)?;"#;

fn hosted() -> (Host, Project) {
    let host = host_of(&model()).start();
    let build = VERIFYING.replace("{url}", &host.url("/m/model.json"));
    (host, Project::new(&build, MAIN))
}

fn placeholders<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Vec<u8>> {
    names.into_iter().map(|name| (name.to_owned(), Vec::new())).collect()
}

#[test]
fn a_build_that_skips_asks_nobody_type_checks_and_says_what_it_is() {
    let (host, project) = hosted();
    for skip in SKIPS {
        let checked = project.cargo("check", &[skip]).succeeded();
        assert_eq!(checked.stderr.matches(WARNING).count(), 1, "{}", checked.stderr);
        let run = project.cargo("run", &[skip]).succeeded();
        assert_eq!(run.stdout, "true model.json Digest\n", "{skip:?}");
        let out = project.out_dir().join("model");
        assert_eq!(contents(&out), placeholders(["model.json"]), "there is no lock to say more");
        assert_eq!(Vendored::open(&out, url(&host)).unwrap_err().kind(), ErrorKind::Lock);
        assert!(!project.path("models.lock").exists());
        assert!(!project.cargo("run", &[skip]).succeeded().ran_script());
    }
    assert_eq!(host.connections(), 0);

    let real = project.cargo("run", &[]).succeeded();
    assert_eq!(real.stdout, "false model.json right\n");
    assert!(!real.stderr.contains(WARNING), "{}", real.stderr);
    assert_holds(&project.out_dir().join("model"), &model());
    assert!(project.path("models.lock").exists());
    assert!(!project.build().succeeded().ran_script());
}

#[test]
fn files_that_are_pinned_get_placeholders_each_and_the_next_build_replaces_them_all() {
    let (host, project) = hosted();
    project.build().succeeded();
    let lock = || (contents(&project.path("")).remove("models.lock"), locks_time(&project));
    let before = lock();
    project.clean();
    host.clear_log();
    let connections = host.connections();
    assert_eq!(project.cargo("run", &SKIP).succeeded().stdout, "true model.json Digest\n");
    let out = project.out_dir().join("model");
    assert_eq!(contents(&out), placeholders(model().keys().map(String::as_str)));
    assert_eq!(Vendored::open(&out, url(&host)).unwrap_err().kind(), ErrorKind::Lock);
    assert_eq!(host.connections(), connections);

    assert_eq!(project.cargo("run", &[]).succeeded().stdout, "false model.json right\n");
    assert_eq!(host.requests().len(), 4);
    assert_holds(&out, &model());
    assert_eq!(Vendored::open(&out, url(&host)).unwrap().files().len(), 4);
    assert_eq!(lock(), before);
    assert!(!project.build().succeeded().ran_script());
}

fn locks_time(project: &Project) -> std::time::SystemTime {
    times(&project.path(""))["models.lock"]
}

fn url(host: &Host) -> String {
    host.url("/m/model.json")
}

#[test]
fn a_build_that_skips_and_has_all_files_is_a_build_like_any_other() {
    let (host, project) = hosted();
    project.build().succeeded();
    host.clear_log();
    for skip in SKIPS {
        let kept = project.cargo("run", &[skip]).succeeded();
        assert_eq!(kept.stdout, "false model.json right\n");
        assert!(!kept.stderr.contains(WARNING), "{}", kept.stderr);
    }
    project.clean();
    let lockfile = Lockfile::read(project.path("models.lock")).unwrap();
    config().vendor_to(&lockfile, project.path("vendor-models")).unwrap();
    host.clear_log();
    let connections = host.connections();
    assert_eq!(project.cargo("run", &SKIP).succeeded().stdout, "false model.json right\n");
    assert_holds(&project.out_dir().join("model"), &model());
    assert_eq!(host.connections(), connections);
}

/// A package whose lock pins the model of `host`, and what a process that skips makes of it.
struct Package<'a> {
    host: &'a Host,
    dir: TempDir,
}

impl<'a> Package<'a> {
    fn of(host: &'a Host) -> Package<'a> {
        let package = Package { host, dir: TempDir::new().unwrap() };
        let mut config = config();
        config.lockfile(package.path("models.lock")).cache_dir(package.path("cache"));
        config.vendor_model(url(host), package.path("out")).unwrap();
        package
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Runs it with these variables, and looks that nobody was asked.
    #[track_caller]
    fn skip(&self, out: &Path, variables: &[(&str, &str)]) {
        let connections = self.host.connections();
        let start = Vendoring::of(&url(self.host), out).lock(&self.path("models.lock"));
        let start = start.with("VENDOR_MODEL_SKIP", "1");
        let start = variables.iter().fold(start, |start, (name, value)| start.with(name, value));
        start.start().succeeds();
        assert_eq!(self.host.connections(), connections);
    }
}

#[test]
fn what_is_right_is_never_replaced_by_a_placeholder() {
    let host = host_of(&model()).start();
    let package = Package::of(&host);
    let out = package.path("out");
    fs::write(out.join("group1-shard1of3.bin"), "damaged!").unwrap();
    fs::remove_file(out.join("group1-shard3of3.bin")).unwrap();
    let before = times(&out);
    package.skip(&out, &[]);
    let mut expected = model();
    expected.extend(placeholders(["group1-shard1of3.bin", "group1-shard3of3.bin"]));
    assert_eq!(contents(&out), expected, "and no record");
    for name in ["model.json", "group1-shard2of3.bin"] {
        assert_eq!(times(&out)[name], before[name], "{name}");
    }
}

#[test]
fn the_cache_and_the_vendored_directory_fill_the_gaps() {
    let host = host_of(&model()).start();
    let package = Package::of(&host);
    let lockfile = Lockfile::read(package.path("models.lock")).unwrap();
    config().vendor_to(&lockfile, package.path("vendored")).unwrap();
    let out = package.path("elsewhere");
    for (name, place) in [("VENDOR_MODEL_CACHE", "cache"), ("VENDOR_MODEL_DIR", "vendored")] {
        package.skip(&out, &[]);
        assert_eq!(contents(&out), placeholders(model().keys().map(String::as_str)), "{name}");
        package.skip(&out, &[(name, package.path(place).to_str().unwrap())]);
        assert_holds(&out, &model());
        assert_eq!(Vendored::open(&out, url(&host)).unwrap().files().len(), 4, "{name}");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn skipping_is_stronger_than_locked_and_makes_no_pin() {
    let host = host_of(&model()).start();
    let package = Package::of(&host);
    let lock = fs::read(package.path("models.lock")).unwrap();
    let out = package.path("elsewhere");
    package.skip(&out, &[("VENDOR_MODEL_LOCK", "locked")]);
    assert_eq!(contents(&out), placeholders(model().keys().map(String::as_str)));
    assert_eq!(fs::read(package.path("models.lock")).unwrap(), lock);

    fs::remove_file(package.path("models.lock")).unwrap();
    let out = package.path("unpinned");
    package.skip(&out, &[("VENDOR_MODEL_LOCK", "locked"), ("VENDOR_MODEL_OFFLINE", "0")]);
    assert_eq!(contents(&out), placeholders(["model.json"]));
    assert!(!package.path("models.lock").exists());
}

#[test]
fn an_update_that_skips_is_an_error_that_says_which_to_unset() {
    let (host, project) = hosted();
    for skip in SKIPS {
        let refused = project.cargo("build", &[skip, ("VENDOR_MODEL_LOCK", "update")]).failed();
        let expected = [
            "Error: cannot update pins and skip downloads\n",
            "help: unset VENDOR_MODEL_SKIP and DOCS_RS, or unset VENDOR_MODEL_LOCK=update",
        ];
        for line in expected {
            assert!(refused.stderr.contains(line), "{}", refused.stderr);
        }
    }
    assert_eq!(host.connections(), 0);
}
