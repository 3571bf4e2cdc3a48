//! `sbom` and `export`: pins in the words of other tools, which read them.

use std::fs;

use jsonschema::Registry;
use serde_json::{Value, json};

use crate::support::{Desk, Ran, has, model, npm_package};

/// How a document departs from the official schema of CycloneDX 1.6.
fn problems(document: &Value) -> Option<Vec<String>> {
    let schemas = npm_package("@cyclonedx/cyclonedx-library")?.join("res/schema");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(schemas.join(name)).unwrap()).unwrap()
    };
    let mut registry = Registry::new();
    for name in ["jsf-0.82.SNAPSHOT.schema.json", "spdx.SNAPSHOT.schema.json"] {
        registry = registry.add(format!("http://cyclonedx.org/schema/{name}"), read(name)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&read("bom-1.6.SNAPSHOT.schema.json"))
        .unwrap();
    Some(validator.iter_errors(document).map(|error| error.to_string()).collect())
}

#[test]
fn the_bill_of_materials_is_what_the_official_schema_wants() {
    let desk = Desk::new();
    desk.lock();
    let other = desk.host.url("/m/model.json?v=2");
    desk.run(&["lock", &other]).well();
    let licence = format!("{other}=MIT OR Apache-2.0");
    let arguments = ["sbom", "--licence", "MIT", "--licence", &licence];
    let ran = desk.run(&arguments).well();
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let components = document["components"].as_array().unwrap();
    let pins = desk.pins();
    for (component, model) in components.iter().zip(pins.models()) {
        assert_eq!(component["type"], "machine-learning-model");
        assert_eq!(component["externalReferences"][0]["url"], model.url());
        assert_eq!(component["hashes"][0]["content"], model.files()[0].sha256());
        let files = component["components"].as_array().unwrap();
        let digests: Vec<Value> =
            files.iter().map(|file| file["hashes"][0]["content"].clone()).collect();
        let expected: Vec<Value> = model.files().iter().map(|file| file.sha256().into()).collect();
        assert_eq!(digests, expected);
    }
    assert_eq!(components[0]["licenses"], json!([{"expression": "MIT"}]));
    assert_eq!(components[1]["licenses"], json!([{"expression": "MIT OR Apache-2.0"}]));
    assert_eq!(desk.run(&arguments).well().stdout, ran.stdout, "the same pins, the same text");

    let Some(found) = problems(&document) else { return };
    assert_eq!(found, Vec::<String>::new());
    let mut wrong = document;
    wrong["components"][0]["type"] = "model".into();
    assert!(!problems(&wrong).unwrap().is_empty(), "the schema is looked at");
}

#[test]
fn a_bill_may_go_to_a_file_and_names_what_is_beside_the_lockfile_too() {
    let desk = Desk::new();
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("src/m/{name}"), bytes)));
    desk.run(&["lock", "src/m/model.json"]).well();
    let ran = desk.run(&["sbom", "--output", "models.cdx.json"]).well();
    assert_eq!(ran.says("Wrote models.cdx.json").stdout, "");
    let text = fs::read(desk.path("models.cdx.json")).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(document["components"][0]["name"], "m");
    assert_eq!(problems(&document).unwrap_or_default(), Vec::<String>::new());
    desk.run(&["sbom", "--licence", "https://h.example/x.json=MIT"]).wrong().says("does not pin");
    desk.run(&["sbom", "--licence", "LicenseRef-own OR MIT"]).well();
    let refused = desk.run(&["sbom", "--licence", "Foo-Bar"]).misused();
    refused.says("an SPDX expression").says("\"Foo-Bar\": ");
}

#[test]
fn sha256sum_checks_a_vendored_directory() {
    if !has("sha256sum") {
        return;
    }
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    desk.run(&["export", "--format", "sha256sums", "-o", "sums"]).well();
    let check = || {
        let mut command = desk.prepared("sha256sum", &["--check", "--strict", "../sums"]);
        Ran::from(command.current_dir(desk.path("vendor-models")).output().unwrap())
    };
    assert_eq!(check().well().stdout.matches(": OK").count(), 4);
    fs::write(desk.shelf().join("model.json"), "{}").unwrap();
    check().wrong();
}

#[test]
fn nix_reads_the_list_of_fetchurl() {
    let desk = Desk::new();
    desk.lock();
    let ran = desk.run(&["export", "--format", "nix"]).well();
    ran.shows(&format!("url = \"{}\";", desk.url())).shows("{ fetchurl }:\n[\n");
    desk.write("models.nix", &ran.stdout);
    if !has("nix-instantiate") {
        return;
    }
    let expression = "map (file: file.path // { inherit (file) name; }) (import ./models.nix { fetchurl = x: x; })";
    let arguments = ["--eval", "--strict", "--json", "--store", "dummy://", "--expr", expression];
    let nix = Ran::from(desk.prepared("nix-instantiate", &arguments).output().unwrap()).well();
    let files: Value = serde_json::from_str(&nix.stdout).unwrap();
    let pins = desk.pins();
    let of_entry = files.as_array().unwrap().iter().find(|file| file["url"] == desk.url()).unwrap();
    assert_eq!(of_entry["sha256"], pins.models()[0].files()[0].sha256());
    assert_eq!(of_entry["name"], format!("{}/model.json", desk.shelf_name()));
    assert_eq!(files.as_array().unwrap().len(), 4);
}

#[test]
fn bazel_gets_a_function_that_declares_each_file() {
    let desk = Desk::new();
    desk.lock();
    let ran = desk.run(&["export", "--format", "bazel"]).well();
    ran.shows("def vendor_models():").shows(&format!("urls = [\"{}\"],", desk.url()));
    desk.write("models.bzl", &ran.stdout);
    if !has("python3") {
        return;
    }
    // Starlark is a part of Python, but for `load`, which is a call there.
    let script = "
import json
rules = []
names = dict(load=lambda *_: None, http_file=lambda **rule: rules.append(rule))
exec(open('models.bzl').read(), names)
names['vendor_models']()
print(json.dumps(rules))";
    let python = Ran::from(desk.prepared("python3", &["-c", script]).output().unwrap()).well();
    let rules: Value = serde_json::from_str(&python.stdout).unwrap();
    let pins = desk.pins();
    for (rule, name) in rules.as_array().unwrap().iter().zip(model().keys()) {
        let pinned = pins.models()[0].files().iter().find(|file| file.path() == name).unwrap();
        assert_eq!(rule["sha256"], pinned.sha256());
        assert_eq!(rule["urls"], json!([desk.host.url(&format!("/m/{name}"))]));
    }
    assert_eq!(rules.as_array().unwrap().len(), 4);
}
