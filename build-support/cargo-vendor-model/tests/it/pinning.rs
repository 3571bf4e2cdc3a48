//! `lock`, `update`, `remove`, `list`: pins are made, moved, dropped and shown by acts of a person.

use std::fs;

use model_host::Fault;
use serde_json::json;

use crate::support::{Desk, Ran, manifest, model};

#[test]
fn a_pin_is_what_a_build_would_write() {
    let desk = Desk::new();
    let ran = desk.run(&["lock", &desk.url(), "--json"]).well();
    ran.says("Pinned http://").says("(4 files, ");
    let models = &ran.json("lock")["models"];
    assert_eq!(
        (&models[0]["status"], models[0]["files"].as_array().unwrap().len()),
        (&json!("pinned"), 4)
    );
    desk.run(&["get", &desk.url(), "out"]).well();
    assert_eq!(
        fs::read_to_string(desk.path("models.lock")).unwrap(),
        fs::read_to_string(desk.path("out/models.lock")).unwrap()
    );
}

#[test]
fn what_is_pinned_stays_whatever_the_host_has_now() {
    let desk = Desk::new();
    desk.lock();
    let before = desk.pins();
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    let ran = desk.run(&["lock", &desk.url(), "--locked", "--json"]).well();
    assert_eq!(ran.says("Unchanged").json("lock")["models"][0]["status"], "unchanged");
    assert_eq!(desk.pins(), before);
    let other = desk.host.url("/m/other.json");
    desk.run(&["lock", "--locked", &other]).wrong().says("--locked was passed").says(&other);
    assert_eq!(desk.pins(), before);
}

#[test]
fn an_extra_file_is_added_to_a_pin_that_still_stands() {
    let desk = Desk::new();
    desk.lock();
    desk.host.put("/m/metadata.json", "{}");
    let lock = |desk: &Desk| desk.run(&["lock", &desk.url(), "--extra-file", "metadata.json"]);
    lock(&desk).well().says("Pinned");
    assert_eq!(desk.pins().models()[0].files().len(), 5);
    lock(&desk).well().says("Unchanged");
    let other = Desk::new();
    other.lock();
    other.host.put("/m/metadata.json", "{}");
    other.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    lock(&other)
        .wrong()
        .says("\"group2-shard1of1.bin\" is no longer")
        .says("cargo vendor-model update http");
    assert_eq!(other.pins().models()[0].files().len(), 4);
}

#[test]
fn nothing_is_written_if_one_of_several_models_cannot_be_pinned() {
    let desk = Desk::new();
    desk.run(&["lock", &desk.url(), &desk.host.url("/no/model.json")])
        .wrong()
        .says("/no/model.json");
    assert!(!desk.path("models.lock").exists());
}

#[test]
fn a_model_of_the_package_is_pinned_by_its_path() {
    let desk = Desk::new();
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("src/digits/{name}"), bytes)));
    desk.run(&["lock", "src/digits/model.json"]).well();
    assert_eq!(desk.pins().models()[0].url(), "./src/digits/model.json");
    desk.run(&["lock", "src/digits/model.json", "--locked"]).well().says("Unchanged");
    desk.write("src/digits/group2-shard1of1.bin", b"\x09\0\0\0");
    desk.run(&["update"]).well().says("moved group2-shard1of1.bin");
    desk.run(&["remove", "./src/digits/model.json"]).well();
}

#[test]
fn an_update_shows_what_moved_came_and_went_and_writes_it_down() {
    let desk = Desk::new();
    desk.host.put("/m/metadata.json", "{}");
    desk.run(&["lock", &desk.url(), "--extra-file", "metadata.json"]).well();
    let before = desk.pins();
    let ran = desk.run(&["update", "--json"]).well();
    assert_eq!(ran.says("Unchanged").json("update")["models"][0]["changes"], json!([]));

    desk.host
        .put("/m/model.json", manifest(&["group1-shard1of2.bin", "group1-shard9of9.bin"], 123));
    desk.host.put("/m/group1-shard9of9.bin", "abc");
    let dry = desk.run(&["update", "--dry-run", "--json"]).well();
    assert_eq!(desk.pins(), before, "a dry run writes nothing");
    assert!(!dry.says("Would update http://").stderr.contains("Updated"), "{}", dry.stderr);
    let ran = desk.run(&["update", &desk.url(), "--json"]).well();
    assert_eq!(ran.json("update"), dry.json("update"));
    let document = ran.json("update");
    let changes = document["models"][0]["changes"].as_array().unwrap();
    let told: Vec<String> = changes
        .iter()
        .map(|change| {
            [&change["change"], &change["path"]].map(|text| text.as_str().unwrap()).join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "moved model.json",
            "gone group1-shard2of2.bin",
            "gone group2-shard1of1.bin",
            "new group1-shard9of9.bin"
        ]
    );
    ran.says("Updated http://")
        .says("       moved model.json: ")
        .says("         new group1-shard9of9.bin: ");
    let names: Vec<String> =
        desk.pins().models()[0].files().iter().map(|file| file.path().to_owned()).collect();
    let expected = ["model.json", "group1-shard1of2.bin", "group1-shard9of9.bin", "metadata.json"];
    assert_eq!(names, expected, "the extra file is still there, and still pinned");
    desk.host.fault("/m/metadata.json", Fault::status(404).always());
    desk.run(&["update"]).well().says("gone metadata.json");
    assert_eq!(desk.pins().models()[0].files().len(), 3);
}

#[test]
fn models_that_are_not_pinned_are_named_together_with_those_that_are() {
    let desk = Desk::new();
    desk.lock();
    for command in ["update", "remove"] {
        let ran = desk.run(&[command, "https://h.example/x.json"]).wrong();
        ran.says("does not pin this model").says("https://h.example/x.json").says(&desk.url());
    }
    let ran = desk.run(&["remove", &desk.url(), "--json"]).well();
    assert_eq!(ran.json("remove")["removed"], json!([desk.url()]));
    assert!(desk.pins().models().is_empty());
}

#[test]
fn the_list_has_each_model_and_each_file() {
    let desk = Desk::new();
    desk.lock();
    let size: usize = model().values().map(Vec::len).sum();
    let ran = desk.run(&["list"]).well();
    ran.shows(&desk.url())
        .shows("tfjs-graph-model      4  ")
        .shows(&format!("1 model, {size} bytes"));
    let files = desk.run(&["list", "--files"]).well();
    let pins = desk.pins();
    for file in pins.models()[0].files() {
        files.shows(&file.sha256());
    }
    let document = desk.run(&["list", "--json"]).well().json("list");
    assert_eq!(document["models"][0]["size"], size);
    assert_eq!(document["models"][0]["files"][3]["path"], "group2-shard1of1.bin");
}

#[test]
fn what_moved_upstream_can_be_asked_without_moving_a_pin() {
    let desk = Desk::new();
    desk.lock();
    let before = desk.pins();
    let under_lock = |words: &[&str]| -> Ran {
        desk.command(words).env("VENDOR_MODEL_LOCK", "locked").output().unwrap().into()
    };
    desk.run(&["update", "--locked"]).well().says("Unchanged");
    under_lock(&["update"]).well().says("Unchanged");
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    let ran = desk.run(&["update", "--locked"]).wrong();
    ran.says("Would update http://").says("moved group2-shard1of1.bin");
    ran.says("--locked was passed").says("moved upstream: http");
    let ran = under_lock(&["update"]).wrong();
    ran.says("moved group2-shard1of1.bin").says("VENDOR_MODEL_LOCK=locked was set");
    under_lock(&["update", "--dry-run"]).well().says("moved group2-shard1of1.bin");
    assert_eq!(desk.pins(), before);
}

#[test]
fn what_builds_heed_is_heeded() {
    let desk = Desk::new();
    let mut lock = desk.command(&["lock", &desk.url()]);
    let ran = Ran::from(lock.env("VENDOR_MODEL_LOCK", "locked").output().unwrap()).wrong();
    ran.says("because VENDOR_MODEL_LOCK=locked was set")
        .says("again without VENDOR_MODEL_LOCK=locked");
    assert!(!desk.path("models.lock").exists());
    desk.lock();
    for words in [&["lock", &desk.url()][..], &["update"]] {
        let mut unread = desk.command(words);
        let ran = Ran::from(unread.env("VENDOR_MODEL_LOCK", "garbage").output().unwrap()).misused();
        ran.says("cannot read VENDOR_MODEL_LOCK")
            .says("auto, locked or update")
            .says("\"garbage\"");
    }
    desk.run(&["lock", &desk.url(), "--lock-mode", "locked"]).misused().says("--lock-mode");
    for command in ["fetch", "vendor", "list", "verify"] {
        desk.run(&[command, "--locked"]).well();
    }
}
