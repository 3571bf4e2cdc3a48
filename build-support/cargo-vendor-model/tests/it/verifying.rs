//! `verify` of directories and archives: which of the locked files are there, whole and exact.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Desk, contents, model};

/// Path and state of each file of the first model of the first target.
fn states(document: &Value) -> Vec<String> {
    let files = document["targets"][0]["models"][0]["files"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    files.iter().map(|file| format!("{} {}", text(&file["path"]), text(&file["state"]))).collect()
}

fn vendored() -> Desk {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    desk
}

#[test]
fn a_vendored_directory_is_whole_or_each_file_that_is_not_is_named() {
    let desk = vendored();
    desk.run(&["verify"]).well().shows("✓ http://").shows("4 files: 4 exact");
    let document = desk.run(&["verify", "--json"]).well().json("verify");
    assert_eq!(
        (&document["ok"], &document["targets"][0]["kind"]),
        (&json!(true), &json!("directory"))
    );

    let shelf = desk.shelf();
    fs::write(shelf.join("group1-shard1of2.bin"), "?").unwrap();
    fs::write(shelf.join("group1-shard2of2.bin"), "").unwrap();
    fs::remove_file(shelf.join("group2-shard1of1.bin")).unwrap();
    fs::write(shelf.join("notes"), "by hand").unwrap();
    let ran = desk.run(&["verify", "--json"]).wrong();
    let document = ran.json("verify");
    assert_eq!(
        states(&document),
        [
            "model.json exact",
            "group1-shard1of2.bin different",
            "group1-shard2of2.bin placeholder",
            "group2-shard1of1.bin missing"
        ]
    );
    let additional = format!("{}/notes", desk.shelf_name());
    assert_eq!(document["targets"][0]["additional"], json!([additional]));
    assert_eq!(document["targets"][0]["models"][0]["files"][1]["found"]["size"], 1);
    let ran = desk.run(&["verify"]).wrong();
    for text in ["different", "placeholder", "missing", "notes: additional"] {
        ran.shows(text);
    }
}

#[test]
fn what_is_additional_is_wrong_only_if_that_is_asked_for() {
    let desk = vendored();
    fs::write(desk.shelf().join("notes"), "by hand").unwrap();
    desk.run(&["verify"]).well().shows("notes: additional");
    desk.run(&["verify", "--strict"]).wrong();
    assert_eq!(desk.run(&["verify", "-q"]).well().stdout, "");
}

#[test]
fn the_locks_of_directory_and_package_must_agree() {
    let desk = vendored();
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    desk.run(&["update"]).well();
    let ran = desk.run(&["verify"]).wrong();
    ran.shows("4 files: 4 exact").shows("models.lock pin").shows("differently");
}

#[test]
fn a_vendored_directory_has_all_that_is_pinned_and_what_is_not_is_named() {
    let desk = vendored();
    let other = other(&desk);
    let lacking = format!("- {other}: pinned, not vendored");
    let ran = desk.run(&["verify"]).wrong();
    ran.shows("4 files: 4 exact").shows(&lacking).shows("help: run `cargo vendor-model vendor`");
    let ran = desk.run(&["verify", "--model", &other]).wrong();
    ran.shows(&lacking).shows("help: run `cargo vendor-model vendor`");
    assert!(!ran.stdout.contains("4 exact"), "{}", ran.stdout);
    let document = desk.run(&["verify", "vendor-models", "--json"]).wrong().json("verify");
    assert_eq!(document["targets"][0]["not_vendored"], json!([other]));
    desk.run(&["verify", "--model", &desk.url()]).well();
    desk.run(&["verify", "--model", "https://h.example/x"]).wrong().says("does not pin");
    desk.run(&["verify", "--lockfile", "vendor-models/models.lock", "vendor-models"]).well();

    desk.run(&["vendor"]).well();
    desk.run(&["verify", "--strict"]).well();
    desk.run(&["remove", &desk.url()]).well();
    let dropped = format!("? {}: vendored, not pinned any more", desk.url());
    desk.run(&["verify"]).well().shows(&dropped).shows("help: run `cargo vendor-model vendor`");
    let document = desk.run(&["verify", "--strict", "--json"]).wrong().json("verify");
    assert_eq!(document["targets"][0]["not_pinned"], json!([desk.url()]));
    desk.run(&["vendor"]).well();
    assert!(!desk.run(&["verify", "--strict"]).well().stdout.contains("help"));
}

#[test]
fn a_vendored_directory_without_a_record_lacks_what_is_not_there() {
    let desk = vendored();
    let other = other(&desk);
    fs::remove_file(desk.path("vendor-models/models.lock")).unwrap();
    let ran = desk.run(&["verify"]).wrong();
    ran.shows("4 files: 4 exact").shows(&format!("- {other}: pinned, not vendored"));
}

#[test]
fn what_mends_a_vendored_directory_that_is_damaged_or_outdated_is_named() {
    let desk = vendored();
    let help = "help: run `cargo vendor-model vendor`";
    fs::write(desk.shelf().join("group1-shard1of2.bin"), "?").unwrap();
    desk.run(&["verify"]).wrong().shows(help);
    fs::rename(desk.path("models.lock"), desk.path("pins.lock")).unwrap();
    let ran = desk.run(&["verify", "--lockfile", "pins.lock"]).wrong();
    ran.shows("help: run `cargo vendor-model vendor --lockfile ");
    fs::rename(desk.path("pins.lock"), desk.path("models.lock")).unwrap();
    desk.run(&["vendor"]).well();
    assert!(!desk.run(&["verify"]).well().stdout.contains("help"));

    desk.host.put("/m/extra.json", "{}");
    desk.run(&["remove", &desk.url()]).well();
    desk.run(&["lock", &desk.url(), "--extra-file", "extra.json"]).well();
    desk.run(&["verify"]).wrong().shows("differently").shows(help);
}

#[test]
fn an_output_directory_is_checked_against_its_own_record_and_placeholders_against_the_packages() {
    let desk = Desk::new();
    desk.run(&["get", &desk.url(), "out"]).well();
    desk.run(&["verify", "out"]).well().shows("4 files: 4 exact");
    fs::remove_file(desk.path("out/models.lock")).unwrap();
    desk.run(&["verify", "out"]).wrong().says("there is no lockfile");
    desk.lock();
    desk.run(&["verify", "out"]).well().shows("4 files: 4 exact");
    for name in model().keys() {
        fs::write(desk.path("out").join(name), "").unwrap();
    }
    desk.run(&["verify", "out"]).wrong().shows("4 files: 4 empty placeholders");
}

#[test]
fn an_unpacked_release_has_the_model_somewhere_under_names_of_its_own_or_not_at_all() {
    let desk = Desk::new();
    desk.lock();
    model()
        .iter()
        .for_each(|(name, bytes)| drop(desk.write(&format!("dist/a/share/m/{name}"), bytes)));
    desk.write("dist/a/README", "read me");
    let document = desk.run(&["verify", "dist", "--json"]).well().json("verify");
    assert_eq!(
        document["targets"][0]["models"][0]["files"][0]["at"]["file"],
        "a/share/m/model.json"
    );
    assert_eq!(document["targets"][0]["additional"], json!([]));

    for (at, bytes) in model().values().enumerate() {
        desk.write(&format!("hashed/{at}.dat"), bytes);
    }
    desk.run(&["verify", "hashed"]).well().shows("4 files: 4 exact");

    desk.write("none/README", "read me");
    let ran = desk.run(&["verify", "none"]).wrong();
    ran.shows(&format!("- {}: nothing of it was found", desk.url()))
        .shows("no model of the lockfile");
    desk.run(&["verify", "nowhere"]).wrong().says("cannot read nowhere");
}

#[test]
fn every_copy_of_a_model_is_checked_and_told_by_its_place() {
    let desk = Desk::new();
    desk.lock();
    for (name, bytes) in model() {
        desk.write(&format!("dist/arm/m/{name}"), &bytes);
        desk.write(&format!("dist/x86/m/{name}"), &bytes);
    }
    let ran = desk.run(&["verify", "dist"]).well();
    ran.shows("4 exact, in arm/m").shows("4 exact, in x86/m");
    desk.write("dist/x86/m/group1-shard2of2.bin", [0; 80]);
    let ran = desk.run(&["verify", "dist"]).wrong();
    ran.shows("4 files: 4 exact, in arm/m").shows("3 exact, 1 different, in x86/m");
    // Not one file of a copy that was trained again is right.
    for name in model().keys() {
        desk.write(&format!("dist/x86/m/{name}"), "other");
    }
    desk.run(&["verify", "dist"]).wrong().shows("4 files: 4 different, in x86/m");
}

#[test]
fn a_copy_under_names_of_its_own_is_found_in_part_and_beside_others() {
    let desk = Desk::new();
    desk.lock();
    for (at, (name, bytes)) in model().iter().enumerate() {
        desk.write(&format!("dist/m/{name}"), bytes);
        desk.write(&format!("dist/hashed/{at}.dat"), bytes);
    }
    let ran = desk.run(&["verify", "dist"]).well();
    ran.shows("4 exact, in m").shows("4 exact, under other names").shows("hashed/1.dat");
    desk.write("dist/hashed/1.dat", [0; 80]);
    let ran = desk.run(&["verify", "dist"]).wrong();
    ran.shows("3 exact, 1 missing, under other names");
}

/// Another model, whose manifest and shard have the names that the first model's have.
fn other(desk: &Desk) -> String {
    let shards = ["group1-shard1of2.bin", "more.bin"];
    desk.host.put("/other/model.json", crate::support::manifest(&shards, 200));
    desk.host.put("/other/group1-shard1of2.bin", [7; 120]);
    desk.host.put("/other/more.bin", [8; 80]);
    let url = desk.host.url("/other/model.json");
    desk.run(&["lock", &url]).well();
    url
}

#[test]
fn a_model_of_which_nothing_is_there_is_only_named_though_another_has_its_names() {
    let desk = Desk::new();
    desk.lock();
    let other = other(&desk);
    for (name, bytes) in model() {
        desk.write(&format!("dist/{name}"), bytes);
    }
    let nothing = format!("- {other}: nothing of it was found");
    desk.run(&["verify", "dist"]).well().shows("4 files: 4 exact").shows(&nothing);
    desk.write("dist/assets/model.json", "{}");
    desk.run(&["verify", "dist"]).well().shows(&nothing);
    desk.run(&["verify", "dist", "--model", &other]).wrong().shows(&nothing);
    // What is damaged is of the model that the rest is of.
    desk.write("dist/group1-shard1of2.bin", [7; 119]);
    let ran = desk.run(&["verify", "dist"]).wrong();
    ran.shows("4 files: 3 exact, 1 different").shows(&nothing);
}

#[test]
fn files_that_two_models_share_are_of_the_one_that_is_whole() {
    let desk = Desk::new();
    desk.lock();
    let again = desk.host.url("/again/model.json");
    for (name, bytes) in model() {
        desk.host.put(&format!("/again/{name}"), bytes.clone());
        desk.write(&format!("dist/{name}"), bytes);
    }
    desk.host.put("/again/group1-shard2of2.bin", [9; 80]);
    desk.run(&["lock", &again]).well();
    let nothing = format!("- {again}: nothing of it was found");
    desk.run(&["verify", "dist"]).well().shows("4 files: 4 exact").shows(&nothing);
    let app: Vec<u8> = model().into_values().rev().flatten().collect();
    desk.write("app", app);
    desk.run(&["verify", "app"]).well().shows("3 exact, 1 too short").shows(&nothing);
}

#[test]
fn a_model_that_is_asked_for_by_name_must_be_there() {
    let desk = vendored();
    for (name, bytes) in model() {
        desk.host.put(&format!("/other/{name}"), bytes);
    }
    let other = desk.host.url("/other/model.json");
    desk.write("dist/m/group1-shard1of2.bin", &model()["group1-shard1of2.bin"]);
    desk.host.put("/other/model.json", crate::support::manifest(&["single.bin"], 80));
    desk.host.put("/other/single.bin", [7; 80]);
    desk.run(&["lock", &other]).well();
    for (name, bytes) in model() {
        desk.write(&format!("dist/m/{name}"), bytes);
    }
    desk.run(&["verify", "dist"]).well().shows(&format!("- {other}: nothing of it was found"));
    desk.run(&["verify", "dist", "--model", &desk.url()]).well();
    desk.run(&["verify", "dist", "--model", &other]).wrong();
    desk.run(&["verify", "dist", "--model", "https://h.example/x.json"])
        .wrong()
        .says("does not pin");
}

#[test]
fn a_tar_of_a_vendored_directory_is_checked_like_one() {
    let desk = vendored();
    let files = contents(&desk.path("vendor-models"));
    let tar = desk.path("models.tar");
    pack(&tar, files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    desk.run(&["verify", "models.tar"]).well().shows("models.tar: archive").shows("4 exact");
    let flipped = files.iter().map(|(name, bytes)| {
        let bytes = if name.ends_with("2of2.bin") { &bytes[1..] } else { &bytes[..] };
        (name.as_str(), bytes)
    });
    pack(&tar, flipped);
    desk.run(&["verify", "models.tar"]).wrong().shows("3 exact, 1 different");
}

#[test]
fn what_is_packed_in_a_way_that_is_not_read_is_told_from_what_has_no_model() {
    let desk = Desk::new();
    desk.lock();
    let signs: [(&str, &[u8]); 3] = [
        ("zip", b"PK\x03\x04\x14"),
        ("xz", b"\xfd7zXZ\0\0"),
        ("deb", b"!<arch>\ndebian-binary   1342943816"),
    ];
    for (format, sign) in signs {
        let name = format!("rel.{format}");
        desk.write(&name, sign);
        let ran = desk.run(&["verify", &name]).wrong();
        ran.shows(&format!("packed as {format} is not read")).shows(".tar.zst");
        assert!(!ran.stdout.contains("nothing of it"), "{}", ran.stdout);
        desk.write(&format!("dist/{name}"), sign);
    }
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("dist/m/{name}"), bytes)));
    let ran = desk.run(&["verify", "dist"]).well();
    ran.shows("packed: rel.deb (deb), rel.xz (xz), rel.zip (zip)");
    assert!(!ran.stdout.contains("executables"), "{}", ran.stdout);
    let document = desk.run(&["verify", "dist", "--json"]).well().json("verify");
    assert_eq!(document["targets"][0]["not_read"][0], json!({"file": "rel.deb", "format": "deb"}));
    // A zip that only stores has the bytes as they are.
    let bytes: Vec<u8> = model().into_values().rev().flatten().collect();
    desk.write("stored.zip", [b"PK\x03\x04", &bytes[..150]].concat());
    desk.run(&["verify", "stored.zip"]).wrong().shows("packed as zip is not read");
    desk.write("stored.zip", [b"PK\x03\x04", &bytes[..]].concat());
    desk.run(&["verify", "stored.zip"]).well().shows("3 exact");
}

#[test]
fn an_archive_that_leads_out_of_itself_is_refused() {
    let desk = vendored();
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..9].copy_from_slice(b"../escape");
    header.set_size(1);
    header.set_mode(0o644);
    header.set_cksum();
    let tar = [header.as_bytes().as_slice(), b"x", &[0; 511 + 1024]].concat();
    desk.write("evil.tar", tar);
    desk.run(&["verify", "evil.tar"]).wrong().says("leads out of the archive");
}

fn pack<'a>(path: &Path, files: impl Iterator<Item = (&'a str, &'a [u8])>) {
    let mut tar = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    tar.finish().unwrap();
}
