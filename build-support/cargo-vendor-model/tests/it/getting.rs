//! `get`: a model in a directory, without a build script.

use std::fs;

use model_host::Fault;

use crate::support::{Desk, Ran, contents, model};

#[test]
fn a_model_comes_with_its_record_and_is_not_asked_for_again() {
    let desk = Desk::new();
    let ran = desk.run(&["get", &desk.url(), "out", "--json"]).well();
    ran.says("Vendored http://").says("(4 files, ").says(": 4 fetched)");
    let got = ran.json("get");
    assert_eq!(
        (&got["report"]["fetched"], &got["files"][0]["path"]),
        (&4.into(), &"model.json".into())
    );
    let mut found = contents(&desk.path("out"));
    assert!(found.remove("models.lock").is_some());
    assert_eq!(found, model());
    assert!(!desk.path("models.lock").exists(), "get uses the lockfile of its directory only");
    let asked = desk.host.requests().len();
    let again = desk.run(&["get", &desk.url(), "out", "--json", "--locked", "--offline"]).well();
    assert_eq!(again.json("get")["report"]["kept"], 4);
    assert_eq!(desk.host.requests().len(), asked);
}

#[test]
fn what_changed_upstream_is_refused_until_it_is_asked_for() {
    let desk = Desk::new();
    desk.run(&["get", &desk.url(), "out"]).well();
    fs::remove_file(desk.path("out/group2-shard1of1.bin")).unwrap();
    fs::remove_dir_all(desk.cache()).unwrap();
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    let refused = desk.run(&["get", &desk.url(), "out"]).wrong();
    refused.says("is not what models.lock pins").says("help: ").says("get --update");
    desk.run(&["get", &desk.url(), "out", "--update"]).well();
    assert_eq!(fs::read(desk.path("out/group2-shard1of1.bin")).unwrap(), b"\x09\0\0\0");
}

#[test]
fn extra_files_come_along_and_the_manifest_may_have_another_name() {
    let desk = Desk::new();
    desk.host.put("/m/metadata.json", "{}");
    let url = desk.url();
    let arguments = ["get", &url, "out", "--extra-file", "metadata.json", "--entry-name", "m.json"];
    desk.run(&arguments).well();
    let names: Vec<String> = contents(&desk.path("out")).into_keys().collect();
    assert!(names.contains(&"metadata.json".to_owned()) && names.contains(&"m.json".to_owned()));
}

#[test]
fn a_header_goes_to_the_host_of_the_model() {
    let desk = Desk::new();
    let url = desk.url();
    desk.run(&["get", &url, "out", "--header", "Authorization: Bearer abc"]).well();
    let requests = desk.host.requests();
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer abc")));
    desk.run(&["get", &url, "other", "--locked"]).wrong().says("again without --locked");
    let ran = desk.run(&["get", &url, "out", "--header", "Bearer abc"]).misused();
    assert!(!ran.stderr.contains("abc"), "what may be a secret is not shown");
}

#[test]
fn a_model_on_this_machine_may_be_named_by_its_path() {
    let desk = Desk::new();
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("here/{name}"), bytes)));
    desk.run(&["get", "here/model.json", "out"]).well();
    assert_eq!(contents(&desk.path("out")).len(), 5);
}

#[test]
fn a_directory_that_has_the_lockfile_of_something_else_is_left_alone() {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    for dir in [".", "vendor-models"] {
        let before = contents(&desk.path(dir));
        desk.run(&["get", &desk.url(), dir]).misused().says("into a directory of its own");
        assert_eq!(contents(&desk.path(dir)), before);
    }
}

#[test]
fn a_directory_whose_record_is_all_that_is_left_of_it_is_filled_again() {
    let desk = Desk::new();
    desk.run(&["get", &desk.url(), "out"]).well();
    model().keys().for_each(|name| fs::remove_file(desk.path("out").join(name)).unwrap());
    desk.run(&["get", &desk.url(), "out", "--locked"]).well();
    assert_eq!(contents(&desk.path("out")).len(), 5);
    fs::remove_file(desk.path("out/model.json")).unwrap();
    desk.run(&["get", &desk.url(), "out", "--locked", "--offline"]).well();
}

#[test]
fn advice_names_flags_and_no_settings_of_build_scripts() {
    let desk = Desk::new();
    desk.host.fault("/secret/model.json", Fault::status(401).always());
    desk.run(&["get", &desk.url(), "there"]).well();
    fs::remove_dir_all(desk.cache()).unwrap();
    let odd = r#"[{"paths": ["w"], "weights": [
        {"name": "w", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8"}}]}]"#;
    desk.write("odd/model.json", odd);
    desk.write("odd/w", "a");
    let (url, missing) = (desk.url(), desk.host.url("/no/take offline(true) out of Config/m.json"));
    let (device, secret) = (desk.host.url("/m/con.json"), desk.host.url("/secret/model.json"));
    let signed = format!("{url}?X-Amz-Signature=abc");
    let offline = "run this again without --offline";
    let cases: [(&[&str], &str); 12] = [
        (&["get", &url, "out", "--max-bytes", "100"], "raise --max-bytes if"),
        (&["get", &device, "out"], "give it another one with --entry-name"),
        (&["get", &url, "out", "--extra-file", "../x"], "a name of --extra-file"),
        (&["get", &url, "out", "--locked"], "run this again without --locked"),
        (&["get", &url, "there", "--locked", "--entry-name", "a.json"], "`get --update`"),
        (&["get", &url, "out", "--offline"], offline),
        (&["lock", &url, "--offline"], offline),
        (&["inspect", &url, "--offline"], offline),
        (&["inspect", &url, "--header", "X Y: a"], "error: cannot read --header"),
        (&["inspect", &signed], "send it in a header (--header)"),
        (&["inspect", &secret], "or pass --header"),
        (&["inspect", "odd", "--safetensors", "odd.safetensors"], "`--dequantize=false` writes"),
    ];
    for (words, advice) in cases {
        let ran = desk.run(words);
        ran.says(advice);
        for setting in ["Config", "LockMode", "out_dir", "dequantize("] {
            assert!(!ran.stderr.contains(setting), "{setting} is no flag:\n{}", ran.stderr);
        }
        assert_ne!(ran.code, 0);
    }
    desk.run(&["inspect", &missing, "--offline"]).wrong().says(&missing);
    let mut inspect = desk.command(&["inspect", &url]);
    let ran = Ran::from(inspect.env("VENDOR_MODEL_OFFLINE", "1").output().unwrap()).wrong();
    assert!(!ran.says("VENDOR_MODEL_OFFLINE=0").stderr.contains("--offline"), "{}", ran.stderr);
}
