use std::{env, error::Error, path::PathBuf};

use vendor_model::Config;

const MODEL_URL: &str = "https://models.example/digits/model.json";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    // The pins and the copy of the app next door.
    let mut config = Config::new();
    config.lockfile("../models.lock").vendor_dir("../vendor-models");
    let model = config.vendor_model(MODEL_URL, out.join("model"))?;
    model.write_module(out.join("model.rs"))?;
    Ok(())
}
