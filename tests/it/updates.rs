//! The host has other bytes than are pinned: who notices, who follows, and what an update says.

use std::collections::BTreeMap;
use std::fs;

use vendor_model::{ErrorKind, LockMode, Lockfile};

use crate::policy::{DAMAGED, Snapshot, World, outcome};
use crate::support::{Project, assert_holds, config, contents, host_of, model};

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
fn an_update_that_moves_nothing_says_nothing_of_a_vendored_directory_and_one_placed_by_hand_counts()
{
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.build().succeeded();
    let lockfile = Lockfile::read(project.path("models.lock")).unwrap();
    config().vendor_to(&lockfile, project.path("vendor-models")).unwrap();
    let unchanged = project.cargo("build", &UPDATE).succeeded();
    assert_eq!(warnings(&project, &unchanged.stderr), [""; 0]);

    fs::remove_file(project.path("vendor-models/models.lock")).unwrap();
    host.put("/m/group1-shard3of3.bin", "GHIJ");
    let moved = warnings(&project, &project.cargo("build", &UPDATE).succeeded().stderr);
    let advice = moved.iter().filter(|line| line.contains("cargo vendor-model vendor"));
    assert_eq!(advice.count(), 1, "{moved:#?}");
    project.build().succeeded();
    assert_eq!(fs::read(project.out_dir().join("model/group1-shard3of3.bin")).unwrap(), b"GHIJ");
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
    let mut update = package.config("auto");
    let error = package.run(update.lock_mode(LockMode::Update)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Manifest, "{error}");
    before.assert_untouched(&package, "an update to a broken model");
}
