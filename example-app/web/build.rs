//! Tells `lib.rs` whether `npm ci` has brought the TensorFlow.js runtime.

use std::path::Path;

const RUNTIME: &str = "node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js";

fn main() {
    println!("cargo:rustc-check-cfg=cfg(runtime)");
    // cargo runs this in the package's directory.
    if Path::new(RUNTIME).exists() {
        println!("cargo:rustc-cfg=runtime");
        println!("cargo:rerun-if-changed={RUNTIME}");
    } else {
        // A path that does not exist would run this script in every build; the package's directory exists,
        // and it changes when npm writes into it.
        println!("cargo:rerun-if-changed=.");
    }
}
