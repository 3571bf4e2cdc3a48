//! A model that is shipped beside its program: this very program, copied and run again, finds it there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vendor_model::Vendored;

use crate::support::{Ran, host_of, model, vendor_model};

const URL: &str = "BESIDE_URL";

/// Does nothing but in the copy.
#[test]
fn finds() {
    let Ok(url) = env::var(URL) else { return };
    match Vendored::beside_program("share/model", url) {
        Ok(model) => println!("\nfound in {}", model.dir().display()),
        Err(error) => println!("\n{error}"),
    }
}

/// What the copy at `program` says.
fn said(program: &Path, url: &str) -> String {
    let mut command = Command::new(program);
    command.args(["--exact", "beside::finds", "--nocapture", "--test-threads=1"]).env(URL, url);
    Ran::from(command.output().unwrap()).succeeded().stdout
}

#[test]
fn a_model_beside_the_program_or_above_it_is_found_and_verified() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let dir = TempDir::new().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let vendored = |place: &str| -> PathBuf {
        let place = root.join(place);
        vendor_model(&url, &place).unwrap();
        place
    };
    fs::create_dir(root.join("bin")).unwrap();
    let program = root.join("bin").join(format!("app{}", env::consts::EXE_SUFFIX));
    fs::copy(env::current_exe().unwrap(), &program).unwrap();

    let refused = said(&program, &url);
    for place in ["bin/share/model", "share/model"] {
        let looked = format!("  looked for: {}\n", root.join(place).display());
        assert!(refused.contains(&looked), "{looked}{refused}");
    }
    assert!(refused.contains("there is no vendored model share/model beside the program"));

    let above = vendored("share/model");
    assert!(said(&program, &url).contains(&format!("found in {}\n", above.display())));
    let beside = vendored("bin/share/model");
    assert!(said(&program, &url).contains(&format!("found in {}\n", beside.display())));
    assert!(said(&program, "https://models.example/m.json").contains("has no record"));
    fs::write(beside.join("model.json"), "{}").unwrap();
    assert!(said(&program, &url).contains("\"model.json\""));
}
