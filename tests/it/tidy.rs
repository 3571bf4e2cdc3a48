//! What is written down about the code is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What lies in `src/` for the tests only.
const OF_THE_TESTS: [&str; 7] =
    ["answers", "corpus", "fuzzing", "manifests", "properties", "shared_folder", "surroundings"];

/// The rooms of `src/`, and their text before their tests.
fn rooms() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(src).unwrap().map(|entry| entry.unwrap().path());
    let room = |path: &std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = |path| {
        let text: String = fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
    };
    let mut rooms: BTreeMap<String, String> = files.map(|path| (room(&path), text(path))).collect();
    for door in [&["lib", "download_absent", "cargo_config_absent"], &OF_THE_TESTS[..]].concat() {
        rooms.remove(door);
    }
    rooms
}

/// The table of ARCHITECTURE.md: rooms in their order, and what each imports.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let page = read("build-support/ARCHITECTURE.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let rows = rows.filter(|cells| cells.len() == 3 && !cells[1].is_empty());
    rows.map(|cells| {
        let imports = cells[2].split_whitespace().map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), imports)
    })
    .collect()
}

#[test]
fn rooms_import_what_the_table_says() {
    let rooms = rooms();
    let found: BTreeMap<String, BTreeSet<String>> = rooms
        .iter()
        .map(|(room, text)| {
            let used =
                text.lines().filter_map(|line| line.trim_start().strip_prefix("use crate::"));
            let names = used.map(|path| path.split([':', ';']).next().unwrap().to_owned());
            (room.clone(), names.collect())
        })
        .collect();
    let table: BTreeMap<_, _> = table().into_iter().collect();
    assert_eq!(table.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (room, imports) in found {
        assert_eq!(table[&room], imports, "{room}");
    }
    for (room, text) in rooms {
        let roundabout = text.lines().find(|line| {
            line.contains("crate::")
                && !line.trim_start().starts_with("use crate::")
                && !line.contains("//")
        });
        assert_eq!(roundabout, None, "{room} names a room without importing it");
    }
}

#[test]
fn rooms_import_downward_only_in_the_order_of_lib_rs() {
    let table = table();
    let library = read("src/lib.rs");
    let mut mods: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    mods.dedup();
    mods.retain(|room| !OF_THE_TESTS.contains(room));
    assert_eq!(mods, table.iter().map(|(room, _)| room.as_str()).collect::<Vec<_>>());
    for (at, (room, imports)) in table.iter().enumerate() {
        let below: BTreeSet<String> =
            table[at + 1..].iter().map(|(room, _)| room.clone()).collect();
        let upward: Vec<&String> = imports.difference(&below).collect();
        assert!(upward.is_empty(), "{room} imports {upward:?} from above");
    }
}

#[test]
fn every_room_opens_with_its_contract_and_fits_the_eye() {
    for (room, text) in rooms() {
        let header = text.lines().take_while(|line| line.starts_with("//!")).count();
        assert!((1..=16).contains(&header), "{room} has {header} lines of `//!`");
        let lines = text.lines().count();
        assert!(lines <= 350, "{room} has {lines} lines");
    }
}

#[test]
fn only_emit_prints_for_cargo() {
    for (room, text) in rooms() {
        let prints = ["println!", "print!(", "stdout()"].iter().any(|way| text.contains(way));
        assert!(!prints || room == "emit", "{room} prints");
    }
}

#[test]
fn the_build_script_of_the_readme_is_that_of_the_example_and_of_the_docs() {
    let script = read("example-app/build.rs");
    assert!(
        read("README.md").contains(&format!("```rust,no_run\n// build.rs\n{script}```")),
        "README"
    );
    let docs: String = read("src/lib.rs")
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    assert!(docs.contains(&format!("```no_run\n// build.rs\n{script}```")), "lib.rs");
}

#[test]
fn the_version_is_in_the_changelog() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("CHANGELOG.md").contains(&format!("## {version}")));
}
