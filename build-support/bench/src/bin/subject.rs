//! A program that uses the library, compiled as a build script is: what `bench parse` and `bench guard` look at.
//!
//! `subject vendor URL DIR` vendors; `subject tensors FILE DIR` vendors and then prints what listing the weights took:
//! seconds, seconds of the processor, and the most memory so far in KiB; `subject module FILE DIR` vendors and writes
//! `DIR.rs`. All end with the bytes read and written.

use std::env;
use std::error::Error;
use std::fs;
use std::time::Instant;

use vendor_model::Config;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [act, model, dir] = &arguments[..] else {
        return Err("an act, a model and a directory".into());
    };
    let url = if act == "vendor" { model.clone() } else { format!("file://{model}") };
    let mut config = Config::new();
    if env::var_os("VENDOR_MODEL_CACHE").is_none() {
        config.no_cache();
    }
    let vendored = config.vendor_model(url, dir)?;
    if act == "tensors" {
        let (began, before) = (Instant::now(), processor()?);
        let tensors = vendored.tensors()?;
        let (wall, cpu) = (began.elapsed().as_secs_f64(), processor()? - before);
        println!("{wall} {cpu} {} {}", status("VmHWM:")?, tensors.len());
    }
    if act == "module" {
        vendored.write_module(format!("{dir}.rs"))?;
    }
    let io = fs::read_to_string("/proc/self/io")?;
    let count = |name: &str| {
        io.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0").trim().to_owned()
    };
    println!("{} {}", count("rchar:"), count("wchar:"));
    Ok(())
}

/// Seconds that this thread has had of the processor.
fn processor() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}

fn status(name: &str) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or(name)?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
