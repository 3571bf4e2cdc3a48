//! Help, completions, manual pages and README: what people read, and that it is so.

use std::fs;
use std::path::Path;

use crate::support::{Desk, Ran, contents, has, model};

const COMMANDS: [&str; 16] = [
    "get",
    "lock",
    "update",
    "remove",
    "fetch",
    "vendor",
    "verify",
    "list",
    "inspect",
    "bundle",
    "sbom",
    "export",
    "mirror",
    "cache",
    "completions",
    "man",
];

#[test]
fn every_command_has_help_with_examples_that_are_read() {
    let desk = Desk::new();
    let overview = desk.run(&["--help"]).well();
    for command in COMMANDS {
        overview.shows(&format!("  {command} "));
        let help = desk.run(&[command, "--help"]).well();
        help.shows(&format!("Usage: cargo vendor-model {command} ")).shows("Examples:\n  ");
        let widest = help.stdout.lines().filter(|line| !line.contains("cargo vendor-model"));
        assert!(widest.map(|line| line.chars().count()).max() <= Some(120), "{}", help.stdout);
        let (_, examples) = help.stdout.split_once("Examples:\n").unwrap();
        let examples = examples.split("\n\n").next().unwrap();
        let too_long = examples.lines().find(|line| line.len() > 80);
        assert_eq!(too_long, None, "a terminal breaks it");
    }
}

#[test]
fn what_is_printed_with_json_follows_the_schema_of_the_command() {
    let desk = Desk::new();
    let (url, store) = (desk.url(), format!("file://{}", desk.path("store").display()));
    let calls: [(&str, &[&str]); 15] = [
        ("get", &["get", &url, "out"]),
        ("lock", &["lock", &url]),
        ("update", &["update"]),
        ("fetch", &["fetch"]),
        ("vendor", &["vendor"]),
        ("verify", &["verify"]),
        ("list", &["list"]),
        ("inspect", &["inspect", &url]),
        ("bundle", &["bundle", "--output", "models.tar.gz"]),
        ("mirror", &["mirror", "vendor-models", &store]),
        ("cache-dir", &["cache", "dir"]),
        ("cache-list", &["cache", "list"]),
        ("cache-verify", &["cache", "verify"]),
        ("cache-gc", &["cache", "gc"]),
        ("remove", &["remove", &url]),
    ];
    for (name, words) in calls {
        desk.run(&[words, &["--json"]].concat()).well().json(name);
    }
    let of_cache = ["dir", "list", "verify", "gc"].map(|command| vec!["cache", command]);
    let commands = COMMANDS.iter().filter(|command| **command != "cache");
    for words in commands.map(|command| vec![*command]).chain(of_cache) {
        let help = desk.run(&[&words[..], &["--help"]].concat()).well();
        let has_schema = calls.iter().any(|(name, _)| *name == words.join("-"));
        let mut options = help.stdout.lines().map(str::trim_start);
        let has_json = options.any(|line| line.starts_with("--json"));
        assert_eq!(has_json, has_schema, "{words:?}");
    }
}

#[test]
fn shells_read_the_completions() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = desk.run(&["completions", shell]).well();
        COMMANDS.iter().for_each(|command| assert_eq!(ran.shows(command).code, 0));
    }
    if !has("bash") {
        return;
    }
    desk.write("completions", desk.run(&["completions", "bash"]).well().stdout);
    let completed = |words: &[&str]| -> String {
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let script = "source ./completions; COMP_WORDS=(\"${@:3}\"); COMP_CWORD=$(($# - 3)); \
                      _cargo__vendor__model cargo-vendor-model \"$1\" \"$2\"; echo \"${COMPREPLY[@]}\"";
        let arguments = [&["-c", script, "bash", last, before], words].concat();
        Ran::from(desk.prepared("bash", &arguments).output().unwrap()).well().stdout
    };
    assert_eq!(completed(&["cargo-vendor-model", "ver"]), "verify\n");
    let formats = completed(&["cargo-vendor-model", "export", "--format", ""]);
    assert_eq!(formats, "sha256sums nix bazel\n");
    assert_eq!(completed(&["cargo-vendor-model", "inspect", "--safe"]), "--safetensors\n");
    assert_eq!(completed(&["cargo-vendor-model", "cache", "gc", "--unu"]), "--unused-for\n");
}

#[test]
fn there_is_a_manual_page_of_each_command() {
    let desk = Desk::new();
    desk.run(&["man"]).well().shows(".TH cargo-vendor-model 1");
    desk.run(&["man", "man1"]).well().says("pages into man1");
    let pages: Vec<String> = contents(&desk.path("man1")).into_keys().collect();
    for command in COMMANDS {
        assert!(pages.contains(&format!("cargo-vendor-model-{command}.1")), "{command}: {pages:?}");
    }
    assert!(pages.contains(&"cargo-vendor-model-cache-gc.1".to_owned()), "{pages:?}");
}

#[test]
fn the_commands_of_the_readme_run_as_they_are_written() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let desk = Desk::new();
    for (name, bytes) in model() {
        desk.host.put(&format!("/digits/{name}"), bytes);
    }
    desk.write("LICENSE-MODELS", "as is");
    desk.write(
        "target/release/app",
        [
            model()["model.json"].clone(),
            model()["group1-shard1of2.bin"].clone(),
            model()["group1-shard2of2.bin"].clone(),
        ]
        .concat(),
    );
    let store = format!("file://{}", desk.path("store").display());
    let blocks = readme.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.is_empty()).collect();
    let commands = lines.iter().filter_map(|line| line.strip_prefix("cargo vendor-model "));
    let mut run = 0;
    for command in commands {
        let (command, file) = match command.split_once(" > ") {
            Some((command, file)) => (command, Some(file)),
            None => (command, None),
        };
        let command = command.replace("https://models.example/", &desk.host.url("/"));
        let command = command.replace("s3://bucket/models", &store);
        let words: Vec<&str> = command.split_whitespace().collect();
        let ran = desk.run(&words).well();
        if let Some(file) = file {
            desk.write(file, ran.stdout);
        }
        run += 1;
    }
    assert!(run >= COMMANDS.len(), "{run} commands");
    let of_project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let of_project = fs::read_to_string(of_project).unwrap();
    for command in COMMANDS {
        assert!(
            readme.contains(&format!("cargo vendor-model {command}"))
                && of_project.contains(&format!("`{command}`")),
            "{command} is not in the READMEs"
        );
    }
}
