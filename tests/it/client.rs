//! The real TensorFlow.js client, in Node, reads from `out_dir` what it reads from the original host.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model_host::Host;
use serde_json::{Value, json};

use crate::corpus::{self, Case};
use crate::shared_folder::{shared, skip};

/// Where the scripts are that drive the client; where it is not there, the test has to do without.
pub fn scripts() -> Option<PathBuf> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js");
    if scripts.join("node_modules/@tensorflow/tfjs-core").exists() {
        return Some(scripts);
    }
    skip("TensorFlow.js is not there (npm ci --prefix tests/js)");
    None
}

/// What a script says that is told `input`.
#[track_caller]
pub fn node(scripts: &Path, script: &str, input: &Value) -> String {
    let mut node = Command::new("node");
    let node = node.arg(script).current_dir(scripts).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = node.stderr(Stdio::piped()).spawn().unwrap();
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    said.into_owned()
}

#[test]
fn tensorflow_js_decodes_the_same_tensors_from_what_was_vendored() {
    let Some(scripts) = scripts() else { return };
    let Some(models) = shared("models") else { return };
    let cases = corpus::good(&models);
    let host = Host::serve(&models);
    let project = corpus::project(&host, &cases);
    project.build().succeeded();
    let vendored = Host::serve(project.out_dir());
    let pair = |case: &Case| {
        let path = format!("/{}/{}", case.name, case.manifest);
        json!({"name": path, "original": host.url(&path), "vendored": vendored.url(&path)})
    };
    let pairs: Vec<_> = cases.iter().map(pair).collect();
    let said = node(&scripts, "agree.mjs", &json!(pairs));
    assert_eq!(said.matches(" tensors agree").count(), cases.len(), "{said}");
}
