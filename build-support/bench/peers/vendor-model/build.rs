//! Vendors the model at `MODEL_URL` into `OUT_DIR`.

use std::env;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let Ok(url) = env::var("MODEL_URL") else { return Ok(()) };
    vendor_model::vendor_model(url, Path::new(&env::var("OUT_DIR")?).join("model"))?;
    Ok(())
}
