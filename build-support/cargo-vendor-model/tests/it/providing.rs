//! `fetch` and `vendor`: what later builds take without a network.

use std::fs;

use crate::support::{Desk, contents, model};

#[test]
fn a_fetched_cache_serves_later_runs_offline() {
    let desk = Desk::new();
    desk.lock();
    fs::remove_dir_all(desk.cache()).unwrap();
    let ran = desk.run(&["fetch", "--json"]).well();
    assert_eq!(ran.json("fetch")["report"]["fetched"], 4);
    assert_eq!(desk.run(&["fetch", "--json"]).well().json("fetch")["report"]["cached"], 4);
    desk.run(&["vendor", "--offline"]).well().says("(4 from the cache)");
    assert_eq!(contents(&desk.shelf()), model());
}

#[test]
fn without_a_cache_there_is_nothing_to_fetch_into() {
    let desk = Desk::new();
    desk.lock();
    let ran = desk.command(&["fetch"]).env("VENDOR_MODEL_CACHE", "off").output().unwrap();
    crate::support::Ran::from(ran).misused().says("name a directory in VENDOR_MODEL_CACHE");
}

#[test]
fn offline_every_missing_file_is_named_with_the_command_that_fetches_it() {
    let desk = Desk::new();
    desk.lock();
    fs::remove_dir_all(desk.cache()).unwrap();
    for command in ["fetch", "vendor"] {
        let ran = desk.run(&[command, "--offline"]).wrong();
        for name in model().keys() {
            ran.says(name);
        }
        ran.says("cargo vendor-model fetch");
        assert!(!ran.stderr.contains("Config"), "nobody here knows of Config:\n{}", ran.stderr);
    }
}

#[test]
fn a_vendored_directory_is_where_builds_look_for_it_or_where_it_is_wanted() {
    let desk = Desk::new();
    desk.lock();
    let ran = desk.run(&["vendor", "--json"]).well();
    assert_eq!(ran.json("vendor")["directory"], desk.path("vendor-models").to_str().unwrap());
    assert_eq!(contents(&desk.shelf()), model());
    desk.run(&["vendor", "elsewhere"]).well();
    let mut found = contents(&desk.path("elsewhere"));
    assert!(found.remove("models.lock").is_some());
    assert_eq!(found.len(), 4);
    desk.run(&["remove", &desk.url()]).well();
    desk.run(&["vendor"]).well();
    assert!(contents(&desk.shelf()).is_empty(), "what no pin names any more goes");
    let ran = desk.run(&["vendor"]).well();
    assert!(!ran.says("0 models, 0 files").stderr.contains("()"), "{}", ran.stderr);
}

#[test]
fn bytes_that_are_not_those_of_the_pins_are_refused() {
    let desk = Desk::new();
    desk.lock();
    fs::remove_dir_all(desk.cache()).unwrap();
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    let ran = desk.run(&["vendor"]).wrong();
    ran.says("is not what models.lock pins").says("`cargo vendor-model update`");
    assert!(contents(&desk.shelf()).is_empty());
}
