use std::{env, error::Error, path::PathBuf};

const MODEL_URL: &str = "https://models.example/digits/model.json";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let model = vendor_model::vendor_model(MODEL_URL, out.join("model"))?;
    model.write_module(out.join("model.rs"))?;
    Ok(())
}
