//! How the command is called, and what it tells apart by its exit code.

use std::fs;
use std::path::Path;

use crate::support::{Desk, EXE};

#[test]
fn cargo_runs_it_as_its_own() {
    let desk = Desk::new();
    desk.lock();
    let mut cargo = desk.prepared(env!("CARGO"), &["vendor-model", "list", "--json"]);
    let path = std::env::join_paths(
        [Path::new(EXE).parent().unwrap().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    cargo.env("PATH", path.unwrap());
    let ran = crate::support::Ran::from(cargo.output().unwrap()).well();
    assert_eq!(ran.json("list"), desk.run(&["list", "--json"]).well().json("list"));
}

#[test]
fn wrong_usage_is_told_apart_from_what_is_wrong_with_models() {
    let desk = Desk::new();
    desk.run(&[]).misused();
    desk.run(&["nope"]).misused().says("nope");
    desk.run(&["get", "not-there/model"]).misused().says("<DIR>");
    desk.run(&["list", "--color", "sometimes"]).misused();
    let ftp = desk.run(&["get", "ftp://h.example/model.json", "out"]).misused();
    ftp.says("error: cannot vendor this address").says("\"ftp\" is not supported");
    desk.run(&["get", &desk.host.url("/no/model.json"), "out"]).wrong().says("404");
    desk.run(&["cache", "gc", "--unused-for", "soon"]).misused().says("such as 30d");
    desk.run(&["fetch", "--max-bytes", "1GB"]).misused().says("a number of bytes, such as");
    desk.run(&["list"]).wrong().says("cargo vendor-model lock <URL>");
}

#[test]
fn the_lockfile_is_beside_the_nearest_manifest_upward_or_in_the_current_directory() {
    let desk = Desk::new();
    let in_dir = |dir: &str, arguments: &[&str]| -> crate::support::Ran {
        fs::create_dir_all(desk.path(dir)).unwrap();
        let mut command = desk.command(arguments);
        command.current_dir(desk.path(dir)).output().unwrap().into()
    };
    let url = desk.url();
    in_dir("src/deep", &["lock", &url]).well();
    assert!(desk.path("models.lock").exists());
    in_dir("../elsewhere", &["lock", &url]).well();
    assert!(desk.path("../elsewhere/models.lock").exists());
    in_dir("src", &["lock", &url, "--lockfile", "other.lock"]).well();
    assert!(desk.path("src/other.lock").exists());
}

#[test]
fn quiet_is_quiet_but_for_results_and_errors() {
    let desk = Desk::new();
    let ran = desk.run(&["lock", "-q", &desk.url()]).well();
    assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
    let ran = desk.run(&["list", "--quiet"]).well();
    assert!(ran.stdout.contains(&desk.url()) && ran.stderr.is_empty());
    desk.run(&["get", "-q", &desk.host.url("/no/model.json"), "out"]).wrong().says("error: ");
}

#[test]
fn a_log_gets_plain_lines_and_colours_only_if_asked_for() {
    let desk = Desk::new();
    let ran = desk.run(&["lock", &desk.url()]).well();
    ran.says("Downloading m/model.json").says(&format!("      Pinned {}", desk.url()));
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\r'), "{:?}", ran.stderr);
    let ran = desk.run(&["lock", &desk.url(), "--color", "always"]).well();
    ran.says("\u{1b}[1m\u{1b}[32m   Unchanged\u{1b}[0m ");
    let ran = desk.run(&["list"]).well();
    assert!(!ran.stdout.contains('\u{1b}'));
    desk.run(&["list", "--color", "always"]).well().shows("\u{1b}[1mMODEL");
}
