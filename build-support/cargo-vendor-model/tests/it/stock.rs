//! `cache`: what all projects share.

use std::fs;

use crate::support::Desk;

#[test]
fn the_cache_says_where_it_is_and_what_it_has() {
    let desk = Desk::new();
    let dir = desk.run(&["cache", "dir"]).well();
    assert_eq!(dir.stdout.trim_end(), desk.cache().to_str().unwrap());
    desk.run(&["cache", "dir", "--json"]).well().json("cache-dir");
    desk.run(&["cache", "list"]).well().shows("0 files, 0 bytes in ");
    desk.lock();
    let ran = desk.run(&["cache", "list"]).well();
    let pins = desk.pins();
    for file in pins.models()[0].files() {
        ran.shows(&file.sha256());
    }
    ran.shows("0 min ago").shows("4 files, ");
    let document = desk.run(&["cache", "list", "--json"]).well().json("cache-list");
    assert_eq!(document["files"].as_array().unwrap().len(), 4);
}

#[test]
fn what_is_damaged_is_dropped_and_said() {
    let desk = Desk::new();
    desk.lock();
    let sha256 = desk.pins().models()[0].files()[1].sha256();
    desk.run(&["cache", "verify"]).well().says("4 files, 0 damaged");
    fs::write(desk.cache().join("sha256").join(&sha256[..2]).join(&sha256[2..]), "?").unwrap();
    let ran = desk.run(&["cache", "verify", "--json"]).wrong();
    let document = ran.says("Dropped sha256").json("cache-verify");
    assert_eq!(
        (&document["checked"], &document["dropped"][0]["sha256"]),
        (&4.into(), &sha256.into())
    );
    desk.run(&["cache", "verify"]).well().says("3 files, 0 damaged");
}

#[test]
fn what_was_not_used_for_so_long_goes() {
    let desk = Desk::new();
    desk.lock();
    let none = desk.run(&["cache", "gc", "--json"]).well().json("cache-gc");
    assert_eq!(none["removed"], serde_json::json!([]));
    let all = desk.run(&["cache", "gc", "--unused-for", "0s", "--json"]).well();
    assert_eq!(all.json("cache-gc")["removed"].as_array().unwrap().len(), 4);
    desk.run(&["cache", "list"]).well().shows("0 files");
}
