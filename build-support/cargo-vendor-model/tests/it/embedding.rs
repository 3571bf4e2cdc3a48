//! `verify` of executables: the locked bytes are in them, whole and exact, and where.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Desk, model};

/// A program that has the files of the model in it, by `include_bytes!`.
const INCLUDING: &str = r#"
static FILES: [&[u8]; 4] = [
    include_bytes!("m/model.json"), include_bytes!("m/group1-shard1of2.bin"),
    include_bytes!("m/group1-shard2of2.bin"), include_bytes!("m/group2-shard1of1.bin"),
];
fn main() { for file in std::hint::black_box(&FILES) { println!("{}", file.iter().map(|b| *b as u32).sum::<u32>()); } }
"#;

/// The same with the shards of the first group as one blob, in a section of its own, as generated modules have it.
#[cfg(target_os = "linux")]
const IN_A_BLOB: &str = r#"
std::arch::global_asm!(
    ".pushsection .rodata.vm_0123,\"aG\",@progbits,vm_0123,comdat", ".weak vm_0123", ".hidden vm_0123", ".balign 64",
    "vm_0123:", ".incbin \"m/group1-shard1of2.bin\"", ".incbin \"m/group1-shard2of2.bin\"", ".popsection",
    options(raw)
);
extern "C" { static vm_0123: [u8; 200]; }
static MANIFEST: &str = include_str!("m/model.json");
fn main() { println!("{} {}", MANIFEST, unsafe { vm_0123.iter().map(|b| *b as u32).sum::<u32>() }); }
"#;

fn compiled(desk: &Desk, source: &str) -> PathBuf {
    for (name, bytes) in model() {
        desk.write(&format!("m/{name}"), bytes);
    }
    desk.write("app.rs", source);
    let rustc = Command::new("rustc")
        .args(["--edition=2021", "-O", "-Cstrip=symbols", "-o", "app", "app.rs"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    assert!(rustc.status.success(), "{}", String::from_utf8_lossy(&rustc.stderr));
    desk.path("app")
}

fn files(document: &Value) -> &Vec<Value> {
    document["targets"][0]["models"][0]["files"].as_array().unwrap()
}

#[track_caller]
fn offset(file: &Value) -> usize {
    file["at"]["offset"].as_u64().unwrap() as usize
}

#[test]
fn embedded_files_are_found_with_section_and_offset_and_a_flipped_byte_with_its_place() {
    let desk = Desk::new();
    desk.lock();
    let app = compiled(&desk, INCLUDING);
    let ran = desk.run(&["verify", "app", "--offline", "--json"]).well();
    let document = ran.json("verify");
    let states: Vec<&str> =
        files(&document).iter().map(|file| file["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["exact", "exact", "exact", "too-short"]);
    let bytes = fs::read(&app).unwrap();
    for (file, content) in files(&document).iter().zip([1, 2, 3].map(|at| {
        let names = ["", "model.json", "group1-shard1of2.bin", "group1-shard2of2.bin"];
        model()[names[at]].clone()
    })) {
        assert_eq!(bytes[offset(file)..][..content.len()], content);
        #[cfg(target_os = "linux")]
        assert_eq!(file["at"]["section"], ".rodata");
    }
    desk.run(&["verify", "app"])
        .well()
        .shows("app: file, against")
        .shows("4 files: 3 exact, 1 too short to tell");

    let at = offset(&files(&document)[2]);
    for byte in [0, 40, 79] {
        let mut flipped = bytes.clone();
        flipped[at + byte] ^= 0x10;
        fs::write(desk.path("flipped"), flipped).unwrap();
        let ran = desk.run(&["verify", "flipped", "--json"]).wrong();
        let document = ran.json("verify");
        let file = &files(&document)[2];
        assert_eq!((&file["state"], offset(file)), (&"different".into(), at));
        assert_eq!(file["differs_at"], byte);
        assert_eq!(files(&document)[1]["state"], "exact");
    }
    desk.run(&["verify", "flipped"]).wrong().shows("from byte 79 on");
}

#[cfg(target_os = "linux")]
#[test]
fn shards_are_found_as_slices_of_one_blob_and_what_is_left_out_is_named() {
    let desk = Desk::new();
    desk.lock();
    compiled(&desk, IN_A_BLOB);
    let ran = desk.run(&["verify", "app", "--json"]).well();
    let document = ran.json("verify");
    assert_eq!(offset(&files(&document)[2]), offset(&files(&document)[1]) + 120);
    assert_eq!(offset(&files(&document)[1]) % 64, 0);
    let app = fs::read(desk.path("app")).unwrap();
    let cut = offset(&files(&document)[2]) + 10;
    fs::write(desk.path("cut"), &app[..cut]).unwrap();
    let document = desk.run(&["verify", "cut", "--json"]).wrong().json("verify");
    assert_eq!(files(&document)[2]["state"], "missing");
}

/// Embeds the model in both ways that generated modules have, and tells where the program is.
const BUILD: &str = r#"fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let model = vendor_model::vendor_model("{url}", out.join("model"))?;
    model.module().embed(vendor_model::Embed::{way}).write(out.join("model.rs"))?;
    Ok(())
}
"#;

const USING: &str = r#"mod model { include!(concat!(env!("OUT_DIR"), "/model.rs")); }
fn main() {
    let used = std::hint::black_box(model::{table});
    println!("{}", used.iter().map(|part| usize::from(part.bytes[0])).sum::<usize>());
    println!("{}", std::env::current_exe().unwrap().display());
}
"#;

#[test]
fn what_a_build_embeds_is_found_and_the_manifest_is_missed_that_a_program_does_not_use() {
    let desk = Desk::new();
    desk.lock();
    for (way, table) in [("Auto", "FILES"), ("IncludeBytes", "FILES"), ("Auto", "TENSORS")] {
        desk.write("build.rs", BUILD.replace("{url}", &desk.url()).replace("{way}", way));
        desk.write("src/main.rs", USING.replace("{table}", table));
        let ran = desk.cargo("run", &[]).well();
        let app = ran.stdout.lines().last().unwrap();
        let verified = desk.run(&["verify", app]);
        match table {
            "FILES" => {
                verified.well().shows("3 exact, 1 too short to tell");
            }
            _ => {
                let verified = verified.wrong();
                verified
                    .shows("2 exact, 1 missing, 1 too short to tell")
                    .shows("missing    model.json");
                verified.shows("help: a program has only what it uses").shows("--weights-only");
                let verified = desk.run(&["verify", app, "--weights-only"]).well();
                verified.shows("2 exact, 1 too short to tell, 1 left out");
            }
        }
        let document = desk.run(&["verify", app, "--json"]).json("verify");
        assert_eq!(offset(&files(&document)[1]) % 64, 0, "{way}");
        assert_eq!(offset(&files(&document)[2]), offset(&files(&document)[1]) + 120, "{way}");
    }
}

#[test]
fn an_executable_without_the_model_is_told_from_one_that_has_another() {
    let desk = Desk::new();
    desk.lock();
    compiled(&desk, "fn main() {}");
    let ran = desk.run(&["verify", "app"]).wrong();
    ran.shows("nothing of it was found").shows("no model of the lockfile was found");
    desk.host.put("/other/model.json", crate::support::manifest(&["single.bin"], 80));
    desk.host.put("/other/single.bin", (0..80_u8).collect::<Vec<u8>>());
    desk.run(&["lock", &desk.host.url("/other/model.json")]).well();
    desk.write(
        "app",
        [vec![1; 9], (0..80).collect(), crate::support::manifest(&["single.bin"], 80).into()]
            .concat(),
    );
    let ran = desk.run(&["verify", "app"]).well();
    ran.shows(&format!("- {}: nothing of it was found", desk.url())).shows("2 files: 2 exact");
    desk.run(&["verify", "app", "--model", &desk.url()]).wrong();
}

#[test]
fn an_unpacked_release_may_have_the_model_in_its_executable() {
    let desk = Desk::new();
    desk.lock();
    let app = compiled(&desk, INCLUDING);
    desk.write("dist/bin/app", fs::read(app).unwrap());
    desk.write("dist/README", "read me");
    desk.run(&["verify", "dist"])
        .well()
        .shows("executables searched: bin/app")
        .shows("3 exact, 1 too short to tell, in bin/app");
}

#[test]
fn every_executable_of_a_release_is_searched_whatever_lies_beside_it() {
    let desk = Desk::new();
    desk.lock();
    let app = fs::read(compiled(&desk, INCLUDING)).unwrap();
    fs::remove_dir_all(desk.cache()).unwrap();
    desk.host.put("/m/model.json", "gone");
    let shard = &model()["group1-shard1of2.bin"];
    let at = app.windows(shard.len()).position(|window| window == shard).unwrap();
    let mut damaged = app.clone();
    damaged[at + 100] ^= 1;
    for (name, bytes) in model() {
        desk.write(&format!("dist/share/{name}"), bytes);
    }
    desk.write("dist/arm/app", &app);
    desk.write("dist/x86/app", &app);
    let document = desk.run(&["verify", "dist", "--json"]).well().json("verify");
    let within: Vec<&Value> =
        document["targets"][0]["models"].as_array().unwrap().iter().map(|m| &m["within"]).collect();
    assert_eq!(within, ["share", "arm/app", "x86/app"]);
    assert_eq!(document["targets"][0]["executables"], serde_json::json!(["arm/app", "x86/app"]));

    desk.write("dist/x86/app", &damaged);
    let ran = desk.run(&["verify", "dist"]).wrong();
    ran.shows("4 files: 4 exact, in share")
        .shows("3 exact, 1 too short to tell, in arm/app")
        .shows("2 exact, 1 different, 1 too short to tell, in x86/app")
        .shows("from byte 100 on");
}

#[test]
fn a_manifest_and_what_lies_beside_it_may_be_missing_where_weights_alone_are_asked_for() {
    let desk = Desk::new();
    desk.host.put("/m/words.json", vec![b'w'; 90]);
    desk.run(&["lock", &desk.url(), "--extra-file", "words.json"]).well();
    let weights = [&model()["group1-shard1of2.bin"][..], &model()["group1-shard2of2.bin"]].concat();
    desk.write("app", &weights);
    desk.run(&["verify", "app"]).wrong().shows("2 missing").shows("--weights-only");
    let document = desk.run(&["verify", "app", "--weights-only", "--json"]).well().json("verify");
    let states: Vec<&Value> = files(&document).iter().map(|file| &file["state"]).collect();
    assert_eq!(states, ["left-out", "exact", "exact", "too-short", "left-out"]);
    desk.write("app", &weights[..150]);
    desk.run(&["verify", "app", "--weights-only"]).wrong().shows("missing    group1-shard2of2.bin");
}

#[test]
fn an_unrelated_manifest_hides_no_executable() {
    let desk = Desk::new();
    desk.lock();
    let app = fs::read(compiled(&desk, INCLUDING)).unwrap();
    desk.write("dist/app", &app);
    desk.write("dist/assets/model.json", "{}");
    let ran = desk.run(&["verify", "dist"]).well();
    ran.shows("3 exact, 1 too short to tell, in app");
    assert!(!ran.stdout.contains("different"), "{}", ran.stdout);
    let shard = &model()["group1-shard2of2.bin"];
    let at = app.windows(shard.len()).position(|window| window == shard).unwrap();
    desk.write("dist/app", &app[..at]);
    desk.run(&["verify", "dist", "--weights-only"]).wrong().shows("1 missing");
    desk.run(&["verify", "dist"]).wrong().shows("2 exact, 1 missing, 1 too short to tell, in app");
}

#[test]
fn without_the_bytes_to_compare_with_the_command_that_brings_them_is_named() {
    let desk = Desk::new();
    desk.lock();
    compiled(&desk, INCLUDING);
    fs::remove_dir_all(desk.cache()).unwrap();
    desk.run(&["verify", "app", "--offline"]).wrong().says("cargo vendor-model fetch");
    desk.run(&["verify", "app"]).well();
}
