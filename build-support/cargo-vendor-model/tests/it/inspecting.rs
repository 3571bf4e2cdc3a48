//! `inspect`: groups, shards and tensors of a model, and where its bytes go.

use std::fs;

use serde_json::json;

use crate::support::{Desk, model};

#[test]
fn a_model_is_taken_apart_down_to_its_tensors() {
    let desk = Desk::new();
    let ran = desk.run(&["inspect", &desk.url()]).well();
    for text in [
        "tfjs-graph-model, ",
        "2 groups, 3 shards, 3 tensors, 57 parameters",
        "group1-shard2of2.bin",
        "conv/kernel  float32           6×8                   192 bytes",
        "conv/bias    float32 as uint8  8       ×0.500 -1.00    8 bytes",
        "steps        int32             scalar                  4 bytes",
        "conv         2          56  200 bytes  98.0%  █████████▊",
    ] {
        ran.shows(text);
    }
    let document = desk.run(&["inspect", &desk.url(), "--json"]).well().json("inspect");
    let anatomy = &document["models"][0];
    assert_eq!((&anatomy["weight_size"], &anatomy["parameters"]), (&json!(204), &json!(57)));
    let bias = &anatomy["groups"][0]["tensors"][1];
    assert_eq!((&bias["offset"], &bias["shards"]), (&json!(192), &json!(["group1-shard2of2.bin"])));
    let kernel = &anatomy["groups"][0]["tensors"][0];
    assert_eq!(kernel["shards"], json!(["group1-shard1of2.bin", "group1-shard2of2.bin"]));
    assert_eq!(anatomy["layers"][0]["name"], "conv");
}

#[test]
fn directories_of_every_kind_are_read_without_a_network() {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    desk.run(&["get", &desk.url(), "out"]).well();
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("plain/{name}"), bytes)));
    fs::remove_file(desk.path("models.lock")).unwrap();
    let asked = desk.host.requests().len();
    for dir in ["vendor-models", "out", "plain", "plain/model.json"] {
        let document = desk.run(&["inspect", dir, "--json", "--offline"]).well().json("inspect");
        assert_eq!(document["models"][0]["parameters"], 57, "{dir}");
        assert_eq!(document["models"][0]["format"], "tfjs-graph-model", "{dir}");
    }
    assert_eq!(desk.host.requests().len(), asked);
    fs::rename(desk.path("plain/model.json"), desk.path("plain/digits.json")).unwrap();
    desk.run(&["inspect", "plain"]).well();
    desk.write("plain/metadata.json", "{}");
    desk.run(&["inspect", "plain"]).wrong().says("digits.json").says("metadata.json");
}

#[test]
fn a_pinned_model_is_the_pinned_one_offline_too() {
    let desk = Desk::new();
    desk.lock();
    desk.host.put("/m/model.json", crate::support::manifest(&["group2-shard1of1.bin"], 4));
    let document =
        desk.run(&["inspect", &desk.url(), "--json", "--offline"]).well().json("inspect");
    assert_eq!(document["models"][0]["parameters"], 57);
    fs::remove_file(desk.path("models.lock")).unwrap();
    let document = desk.run(&["inspect", &desk.url(), "--json"]).well().json("inspect");
    assert_eq!(document["models"][0]["parameters"], 4);
}

#[test]
fn what_is_damaged_is_not_inspected() {
    let desk = Desk::new();
    desk.run(&["get", &desk.url(), "out"]).well();
    fs::write(desk.path("out/group2-shard1of1.bin"), "").unwrap();
    desk.run(&["inspect", "out"]).wrong().says("is not what models.lock pins");
}

#[test]
fn the_treemap_is_one_page_that_has_every_tensor() {
    let desk = Desk::new();
    let ran = desk.run(&["inspect", &desk.url(), "--html", "page.html"]).well();
    assert_eq!(ran.says("Drew page.html").stdout, "");
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    for text in ["<!doctype html>", "\"conv/kernel\"", "\"steps\"", "prefers-color-scheme"] {
        assert!(page.contains(text), "{text}");
    }
    desk.run(&["inspect", &desk.url(), "--html", "no/such/page.html"]).wrong().says("cannot write");
}
