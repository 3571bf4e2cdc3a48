//! The host has other bytes than are pinned: who notices, who follows, and what an update says.

use std::collections::BTreeMap;
use std::fs;

use vendor_model::{Config, ErrorKind, LockMode, Lockfile};

use crate::child::Vendoring;
use crate::policy::{DAMAGED, Package, Snapshot, World, outcome};
use crate::support::{Project, assert_holds, config, contents, host_of, manifest, model};

/// As the table of `policy`, and the host has other bytes for one file of the four. What is `wrong` came, was
/// asked for once more, was still not what is pinned, and was refused.
const TABLE: &str = "
pinned by | are in    | auto              | locked            | offline    | locked, offline | update
lock      | nowhere   | 1 wrong, 5x200    | 1 wrong, 5x200    | 4 missing  | 4 missing       | 4x200
lock      | out_dir   | 4 kept            | 4 kept            | 4 kept     | 4 kept          | 4x200
lock      | vendored  | 4 restored        | 4 restored        | 4 restored | 4 restored      | 4x200
lock      | cache     | 4 cached          | 4 cached          | 4 cached   | 4 cached        | 3x304, 1x200
lock      | blobs     | 4 cached          | 4 cached          | 4 cached   | 4 cached        | 4x200
lock      | out_dir!  | 1 wrong, 2x200    | 1 wrong, 2x200    | 1 missing  | 1 missing       | 4x200
lock      | vendored! | 1 wrong, 2x200    | 1 wrong, 2x200    | 1 missing  | 1 missing       | 4x200
lock      | cache!    | 1 wrong, 2x200    | 1 wrong, 2x200    | 1 missing  | 1 missing       | 3x304, 1x200
vendored  | nowhere   | 1 wrong, 5x200    | 1 wrong, 5x200    | 4 missing  | 4 missing       | 4x200
vendored  | out_dir   | 4 kept            | 4 kept            | 4 kept     | 4 kept          | 4x200
vendored  | vendored  | 4 restored        | 4 restored        | 4 restored | 4 restored      | 4x200
vendored  | vendored! | 1 wrong, 2x200    | 1 wrong, 2x200    | 1 missing  | 1 missing       | 4x200
record    | nowhere   | 1 wrong, 5x200    | 1 wrong, 5x200    | 4 missing  | 4 missing       | 4x200
record    | out_dir   | 4 kept            | 4 kept            | 4 kept     | 4 kept          | 4x200
record    | out_dir!  | 1 wrong, 2x200    | 1 wrong, 2x200    | 1 missing  | 1 missing       | 4x200
nothing   | nowhere   | 4x200             | 1 not pinned      | 1 missing  | 1 not pinned    | 4x200
nothing   | out_dir   | 4x200             | 1 not pinned      | 1 missing  | 1 not pinned    | 4x200
nothing   | vendored  | 4x200             | 1 not pinned      | 1 missing  | 1 not pinned    | 4x200
nothing   | cache     | 3x304, 1x200      | 1 not pinned      | 1 missing  | 1 not pinned    | 3x304, 1x200
nothing   | blobs     | 4x200             | 1 not pinned      | 1 missing  | 1 not pinned    | 4x200
";

const MOVED: &[u8] = b"host now";

/// The model as the host has it now.
fn moved() -> BTreeMap<String, Vec<u8>> {
    let mut files = model();
    files.insert(DAMAGED.to_owned(), MOVED.into());
    files
}

#[test]
fn only_an_update_follows_the_host_cell_by_cell() {
    let world = World::new();
    world.host.put(&format!("/m/{DAMAGED}"), MOVED);
    let new_lock = config().pin(world.host.url("/m/model.json")).unwrap();
    let mut rows = TABLE.trim().lines().map(|row| row.split('|').map(str::trim));
    let modes: Vec<&str> = rows.next().unwrap().skip(2).collect();
    let mut wrong = Vec::new();
    for mut row in rows {
        let (pinned_by, places) = (row.next().unwrap(), row.next().unwrap());
        for (mode, expected) in modes.iter().zip(row) {
            let package = world.package(pinned_by, places);
            let before = Snapshot::of(&package);
            let vendored = contents(&package.path("vendor-models"));
            let run = package.run(&package.config(mode));
            let found = outcome(&world.host, &run);
            let cell = format!("pinned by {pinned_by}, in {places}, {mode}");
            if found != expected {
                wrong.push(format!("{cell}: {found}, not {expected}"));
                continue;
            }
            assert!(contents(&package.path("vendor-models")) == vendored, "{cell}");
            if let Err(error) = run {
                before.assert_untouched(&package, &cell);
                if error.kind() == ErrorKind::Digest {
                    assert!(error.to_string().contains(DAMAGED), "{cell}: {error}");
                }
                continue;
            }
            let follows = *mode == "update" || pinned_by == "nothing";
            assert_holds(&package.path("out"), &if follows { moved() } else { model() });
            let record = fs::read_to_string(package.path("out/models.lock")).unwrap();
            assert_eq!(record != world.lock, follows, "{cell}");
            let pins = match (pinned_by, *mode) {
                ("record", _) => None,
                ("vendored", "locked" | "locked, offline") => None,
                _ => Some(record),
            };
            assert_eq!(fs::read_to_string(package.path("models.lock")).ok(), pins, "{cell}");
            if let (Some(pins), true) = (pins, follows) {
                assert_eq!(Lockfile::parse(&pins).unwrap().models()[0], new_lock, "{cell}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A process that vendors as the package would.
fn vendoring(package: &Package, world: &World) -> Vendoring {
    Vendoring::of(&world.host.url("/m/model.json"), &package.path("out"))
        .lock(&package.path("models.lock"))
        .with("VENDOR_MODEL_DIR", package.path("vendor-models"))
}

#[test]
fn a_damaged_vendored_file_is_named_whether_it_is_refused_or_passed_over() {
    let world = World::new();
    let package = world.package("lock", "vendored!");
    let shelf = world.host.addr().to_string().replace(':', "_");
    let damaged = package.path("vendor-models").join(shelf).join("m").join(DAMAGED);
    let damaged = damaged.to_str().unwrap();
    let refused = vendoring(&package, &world).with("VENDOR_MODEL_OFFLINE", "1").start().fails();
    assert!(refused.contains(&format!("looked at: {damaged}: has other bytes")), "{refused}");
    let said = vendoring(&package, &world).start().succeeds();
    assert!(said.contains(&format!("{damaged}: not what models.lock pins")), "{said}");
    assert_holds(&package.path("out"), &model());
    assert_eq!(fs::read(damaged).unwrap(), b"76543210", "whoever put it there has to look at it");
}

#[test]
fn an_update_looks_past_a_vendored_directory_that_disagrees_or_cannot_be_read() {
    let world = World::new();
    let pinned = Lockfile::parse(&world.lock).unwrap().models()[0].files()[1].sha256();
    for text in [world.lock.replace(&pinned, &"0".repeat(64)), "{".to_owned()] {
        let package = world.package("lock", "vendored");
        fs::write(package.path("vendor-models/models.lock"), &text).unwrap();
        let error = package.run(&package.config("auto")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Lock, "{error}");
        package.run(&package.config("update")).unwrap();
        let lock = fs::read_to_string(package.path("models.lock")).unwrap();
        assert_eq!(lock, world.lock);
        assert_eq!(
            fs::read_to_string(package.path("vendor-models/models.lock")).unwrap(),
            text,
            "a build writes to no vendored directory"
        );
    }
}

/// What cargo shows of the warnings of a package's build script.
fn warnings(project: &Project, stderr: &str) -> Vec<String> {
    let sign = format!("warning: {}@1.0.0: ", project.name());
    stderr.lines().filter_map(|line| line.strip_prefix(&sign)).map(str::to_owned).collect()
}

const UPDATE: [(&str, &str); 1] = [("VENDOR_MODEL_LOCK", "update")];

#[test]
fn an_update_has_a_line_for_each_file_that_moved_went_or_came() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let project = Project::embedding(&url);
    project.build().succeeded();
    host.put("/m/group1-shard2of3.bin", "FEDCBA98");
    host.put("/m/new.bin", "new");
    let shards = ["group1-shard1of3.bin", "group1-shard2of3.bin", "new.bin"];
    host.put("/m/model.json", manifest(&shards, 19));
    let updated = project.cargo("build", &UPDATE).succeeded();
    let found = warnings(&project, &updated.stderr);
    let expected = [
        "\"model.json\" moved from sha256 ",
        "\"group1-shard2of3.bin\" moved from sha256 ",
        "\"group1-shard3of3.bin\" is gone",
        "\"new.bin\" is new",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(&format!("{url}: {expected}")), "{found}");
    }
    let again = project.cargo("build", &UPDATE).succeeded();
    assert_eq!(warnings(&project, &again.stderr), [""; 0], "nothing moved");
}

#[test]
fn an_update_says_how_a_vendored_directory_is_brought_up_to_date() {
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.build().succeeded();
    let vendored = project.path("vendor-models");
    let vendor = || {
        let lockfile = Lockfile::read(project.path("models.lock")).unwrap();
        config().vendor_to(&lockfile, &vendored).unwrap();
    };
    vendor();
    let advice = "cargo vendor-model vendor";
    let unchanged = project.cargo("build", &UPDATE).succeeded();
    assert_eq!(warnings(&project, &unchanged.stderr), [""; 0]);

    host.put("/m/group1-shard3of3.bin", "GHIJ");
    let before = contents(&vendored);
    let moved = project.cargo("build", &UPDATE).succeeded();
    let said = warnings(&project, &moved.stderr);
    assert_eq!(said.iter().filter(|line| line.contains(advice)).count(), 1, "{said:#?}");
    assert!(contents(&vendored) == before);
    let refused = project.build().failed().stderr;
    for named in [vendored.join("models.lock"), project.path("models.lock")] {
        assert!(refused.contains(named.to_str().unwrap()), "{refused}");
    }
    assert!(refused.contains(advice), "{refused}");
    vendor();
    project.cargo("build", &[("VENDOR_MODEL_OFFLINE", "1")]).succeeded();
    assert_eq!(fs::read(project.out_dir().join("model/group1-shard3of3.bin")).unwrap(), b"GHIJ");

    // As a person places files: with no lockfile.
    fs::remove_file(vendored.join("models.lock")).unwrap();
    host.put("/m/group1-shard3of3.bin", "ghij");
    let moved = project.cargo("build", &UPDATE).succeeded();
    let said = warnings(&project, &moved.stderr);
    assert_eq!(said.iter().filter(|line| line.contains(advice)).count(), 1, "{said:#?}");
}

#[test]
fn an_update_says_what_moved_since_the_vendored_directory_alone_pinned_it() {
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.build().succeeded();
    let lock = fs::read_to_string(project.path("models.lock")).unwrap();
    project.write("vendor-models/models.lock", &lock);
    fs::remove_file(project.path("models.lock")).unwrap();
    host.put("/m/group1-shard3of3.bin", "GHIJ");
    let said = project.cargo("build", &UPDATE).succeeded().stderr;
    let said = warnings(&project, &said);
    assert!(said.iter().any(|line| line.contains("\"group1-shard3of3.bin\" moved")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("cargo vendor-model vendor")), "{said:#?}");
}

#[test]
fn what_an_update_is_refused_leaves_the_pins() {
    let world = World::new();
    let package = world.package("lock", "out_dir");
    let before = Snapshot::of(&package);
    world.host.put(&format!("/m/{DAMAGED}"), "short");
    let mut update: Config = package.config("auto");
    let error = package.run(update.lock_mode(LockMode::Update)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Manifest, "{error}");
    before.assert_untouched(&package, "an update to a broken model");
}
