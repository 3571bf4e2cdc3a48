//! Brings the files that `MODEL_FILES` names from `MODEL_HOST` into a cache in `OUT_DIR`.

use std::env;
use std::error::Error;

use cached_path::Cache;

fn main() -> Result<(), Box<dyn Error>> {
    let Ok(files) = env::var("MODEL_FILES") else { return Ok(()) };
    let cache = Cache::builder().dir(env::var("OUT_DIR")?.into()).build()?;
    for name in files.split_whitespace() {
        cache.cached_path(&format!("{}/m/{name}", env::var("MODEL_HOST")?))?;
    }
    Ok(())
}
