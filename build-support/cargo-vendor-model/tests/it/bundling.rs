//! `bundle`: models as one archive, the same bytes on every machine, which other tools can check.

use std::fs;

use crate::support::{Desk, Ran, contents, has, model};

#[test]
fn two_machines_pack_the_same_bytes_whatever_they_took_them_from() {
    for archive in ["models.tar.gz", "models.tar.zst", "models.tar"] {
        let desk = Desk::new();
        desk.lock();
        let licence = desk.write("LICENCE-MODELS", "as is");
        let pack = |desk: &Desk, output: &str, flags: &[&str]| {
            let arguments = ["bundle", "--output", output, "--licence", "LICENCE-MODELS"];
            desk.run(&[&arguments, flags].concat())
        };
        pack(&desk, archive, &[]).well().says("Bundled 1 model into");
        let first = fs::read(desk.path(archive)).unwrap();
        desk.run(&["vendor"]).well();
        fs::remove_dir_all(desk.cache()).unwrap();
        fs::write(licence, "as is").unwrap();
        pack(&desk, archive, &["--offline"]).well();
        assert!(
            fs::read(desk.path(archive)).unwrap() == first,
            "{archive}: from the vendored directory"
        );
    }
}

#[test]
fn an_archive_unpacks_to_a_vendored_directory_that_every_tool_can_check() {
    if !has("tar") || !has("sha256sum") {
        return;
    }
    let desk = Desk::new();
    desk.lock();
    desk.write("licences/MIT", "as is");
    let arguments = ["bundle", "-o", "m.tar.gz", "--license", "licences/MIT", "--json"];
    let document = desk.run(&arguments).well().json("bundle");
    assert_eq!(document["sha256"], sha256(&desk, "m.tar.gz"));
    fs::create_dir_all(desk.path("unpacked")).unwrap();
    tool(&desk, "tar", &["-C", "unpacked", "-xf", "m.tar.gz"]);
    let mut command = desk.prepared("sha256sum", &["-c", "--strict", "SHA256SUMS"]);
    let ran = Ran::from(command.current_dir(desk.path("unpacked")).output().unwrap()).well();
    assert_eq!(ran.stdout.matches(": OK").count(), 4 + 2);

    let mut found = contents(&desk.path("unpacked"));
    assert_eq!(found.remove("LICENSES/MIT").unwrap(), b"as is");
    assert_eq!(found.remove("models.lock").unwrap(), fs::read(desk.path("models.lock")).unwrap());
    assert!(found.remove("SHA256SUMS").is_some());
    let shelf = desk.shelf_name();
    let expected = model().into_iter().map(|(name, bytes)| (format!("{shelf}/{name}"), bytes));
    assert_eq!(found, expected.collect());

    desk.run(&["verify", "m.tar.gz", "unpacked", "--strict"]).well();
    fs::remove_dir_all(desk.cache()).unwrap();
    fs::rename(desk.path("unpacked"), desk.path("vendor-models")).unwrap();
    desk.run(&["bundle", "-o", "again.tar.gz", "--licence", "licences/MIT", "--offline"]).well();
    assert!(
        fs::read(desk.path("again.tar.gz")).unwrap() == fs::read(desk.path("m.tar.gz")).unwrap()
    );
    fs::write(desk.path("vendor-models/LICENSES/MIT"), "as was").unwrap();
    desk.run(&["verify"]).wrong().shows("SHA256SUMS is not right about \"LICENSES/MIT\"");
}

#[test]
fn a_prefix_keeps_the_files_of_an_archive_together() {
    let desk = Desk::new();
    desk.lock();
    let arguments = ["bundle", "-o", "m.tar", "--prefix", "app-models-1.0/", "--json"];
    let document = desk.run(&arguments).well().json("bundle");
    let files = document["files"].as_array().unwrap();
    assert!(files.iter().all(|file| file.as_str().unwrap().starts_with("app-models-1.0/")));
    desk.run(&["verify", "m.tar"]).well().shows("4 files: 4 exact");
}

#[test]
fn nothing_is_packed_that_is_not_what_the_lock_pins() {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    fs::remove_dir_all(desk.cache()).unwrap();
    fs::write(desk.shelf().join("group2-shard1of1.bin"), "").unwrap();
    let ran = desk.run(&["bundle", "-o", "m.tar.gz", "--offline"]).wrong();
    ran.says("group2-shard1of1.bin");
    assert!(!desk.path("m.tar.gz").exists());
}

#[test]
fn what_cannot_be_packed_is_said_before_anything_is_done() {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["bundle", "-o", "m.zip"]).misused().says("ends in .tar.gz, .tar.zst or .tar");
    desk.run(&["bundle", "-o", "m.tar", "--licence", "none"]).misused().says("no licence none");
    desk.write("a/MIT", "a");
    desk.write("b/MIT", "b");
    let ran = desk.run(&["bundle", "-o", "m.tar", "--licence", "a/MIT", "--licence", "b/MIT"]);
    ran.misused().says("two licences are called");
    desk.run(&["bundle"]).misused().says("--output");
}

#[test]
fn what_cannot_be_packed_is_refused_before_anything_is_read() {
    let desk = Desk::new();
    desk.run(&["bundle", "--output", "x.zip"]).misused().says("ends in .tar.gz, .tar.zst or .tar");
    for prefix in ["../evil/", "a/../../b/", "/etc/"] {
        let ran = desk.run(&["bundle", "--output", "x.tar", "--prefix", prefix]).misused();
        ran.says("cannot pack under this --prefix").says(prefix);
    }
    desk.lock();
    let ran = desk.run(&["bundle", "--output", "no/such/x.tar.gz"]).wrong();
    assert!(!ran.says("cannot write no/such/x.tar.gz").stderr.contains(".cargo-vendor-model-"));
}

#[test]
fn two_models_that_would_meet_are_refused_before_anything_is_written() {
    let desk = Desk::new();
    desk.lock();
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    desk.run(&["lock", &desk.host.url("/m/model.json?v=2")]).well();
    for arguments in [&["bundle", "-o", "m.tar"][..], &["export", "--format", "sha256sums"]] {
        let ran = desk.run(arguments).wrong();
        ran.says("two models would meet").says("group2-shard1of1.bin");
        assert!(ran.stdout.is_empty());
    }
    assert!(!desk.path("m.tar").exists());
}

#[test]
fn models_beside_the_lockfile_are_packed_where_the_lock_says() {
    let desk = Desk::new();
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("src/m/{name}"), bytes)));
    desk.run(&["lock", "src/m/model.json"]).well();
    let document = desk.run(&["bundle", "-o", "m.tar", "--json"]).well().json("bundle");
    assert!(document["files"].as_array().unwrap().contains(&"src/m/model.json".into()));
    desk.run(&["verify", "m.tar"]).well().shows("4 files: 4 exact");
}

fn sha256(desk: &Desk, name: &str) -> String {
    tool(desk, "sha256sum", &[name]).stdout[..64].to_owned()
}

fn tool(desk: &Desk, program: &str, arguments: &[&str]) -> Ran {
    Ran::from(desk.prepared(program, arguments).output().unwrap()).well()
}
