//! The generated module compiles wherever it may be included.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Project, host_of, model};

/// Compiles `source` with `OUT_DIR` pointing to a vendored model, and gives what rustc says.
fn rustc(source: &str, edition: &str, out_dir: &Path) -> Result<(), String> {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("lib.rs"), source).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc.args(["lib.rs", "--crate-type=lib", "--emit=metadata", "--edition", edition]);
    let output = rustc.current_dir(dir.path()).env("OUT_DIR", out_dir).output().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn it_compiles_in_every_edition_without_std_unsafe_code_or_warnings() {
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.build().succeeded();
    let attributes = "#![no_std]\n#![deny(warnings, missing_docs, unused, nonstandard_style, unreachable_pub)]\n#![forbid(unsafe_code)]";
    let private = r#"mod model { include!(concat!(env!("OUT_DIR"), "/model.rs")); }"#;
    let public = r#"/// A model.
pub mod model { include!(concat!(env!("OUT_DIR"), "/model.rs")); }
/// Uses all of it.
pub fn total() -> u64 {
    let entry = model::get(model::ENTRY).map_or(0, |file| file.bytes.len());
    let sizes: u64 = model::FILES.iter().map(|file| file.size).sum();
    if model::PLACEHOLDER || model::URL.is_empty() { entry as u64 } else { sizes }
}"#;
    for edition in ["2018", "2021", "2024"] {
        for module in [private, public] {
            let source = format!("//! A library.\n{attributes}\n{module}\n");
            assert_eq!(rustc(&source, edition, &project.out_dir()), Ok(()), "edition {edition}");
        }
    }
}

#[test]
fn it_is_the_same_wherever_it_was_made() {
    let host = host_of(&model()).start();
    let module = |project: &Project| {
        project.build().succeeded();
        fs::read_to_string(project.out_dir().join("model.rs")).unwrap()
    };
    let (one, other) = (
        Project::embedding(&host.url("/m/model.json")),
        Project::embedding(&host.url("/m/model.json")),
    );
    let text = module(&one);
    assert_eq!(text, module(&other));
    assert!(
        !text.contains(one.path("").to_str().unwrap())
            && !text.contains(one.out_dir().to_str().unwrap())
    );
}

#[test]
fn a_model_below_the_package_is_named_from_there_and_one_elsewhere_not_at_all() {
    let host = host_of(&model()).start();
    let build = r#"let model = vendor_model::vendor_model("{url}", "assets/model")?;
    model.write_module(out.join("model.rs"))?;"#;
    let project = Project::new(
        &build.replace("{url}", &host.url("/m/model.json")),
        crate::support::EMBEDDING_MAIN,
    );
    project.build().succeeded();
    let text = fs::read_to_string(project.out_dir().join("model.rs")).unwrap();
    assert!(
        text.contains(r#"concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/model.json")"#),
        "{text}"
    );

    let elsewhere = TempDir::new().unwrap();
    let build =
        build.replace("assets/model", &elsewhere.path().display().to_string().replace('\\', "/"));
    let project = Project::new(&build.replace("{url}", &host.url("/m/model.json")), "fn main() {}");
    let refused = project.build().failed();
    assert!(
        refused.stderr.contains("a directory below OUT_DIR, or below the package"),
        "{}",
        refused.stderr
    );
}
