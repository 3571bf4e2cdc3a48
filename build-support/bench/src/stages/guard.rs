//! Counts that do not depend on the mood of the machine, each with its budget: instructions, allocations, requests, bytes,
//! crates. CI fails where one is over.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model_host::Host;

use super::compile::crates;
use crate::Result;
use crate::measure::output;
use crate::peers::provide;
use crate::place::{Place, empty};
use crate::site::{self, Model};

/// Small enough for valgrind, and of many files, so that what a file costs is seen beside its hashing.
const FILES: u64 = 100;
const BYTES: u64 = FILES * 10_240;

const LARGE: u64 = 8 << 20;

/// Between manifests of so many weight specs lies what one costs.
const SPECS: [usize; 2] = [1000, 3000];

/// The budgets: about 1.15 of what was measured when they were last set, or what must never be.
const BUDGETS: [(&str, f64); 17] = [
    ("requests of a cold run, per file", 1.0),
    ("requests of a run with nothing to do", 0.0),
    ("requests of a run from the warm cache", 0.0),
    ("bytes written by a cold run without a cache, per byte", 1.1),
    ("bytes written by a cold run with the cache, per byte", 2.1),
    ("bytes written by a run with nothing to do, per byte", 0.001),
    ("bytes read by a run with nothing to do, per byte", 1.1),
    ("bytes written by a run from the warm cache, per byte", 1.1),
    ("instructions of a run with nothing to do", 77e6),
    ("instructions of a cold run, per file", 2.5e6),
    ("instructions of a cold run, per byte", 40.0),
    ("instructions per weight spec, vendored and listed", 38_500.0),
    ("allocations per weight spec, vendored and listed", 4.6),
    ("instructions per byte of topology, vendored and listed", 340.0),
    ("crates with the default features", 85.0),
    ("crates without them", 60.0),
    ("C compilers without them", 0.0),
];

pub fn run(place: &Place) -> Result<()> {
    provide(&[("valgrind", "valgrind")])?;
    let mut found = HashMap::new();
    traffic(place, &mut found)?;
    bytes(place, &mut found)?;
    parsing(place, &mut found)?;
    found.insert("crates with the default features", crates(place, "vendor-model")?.len() as f64);
    let bare = crates(place, "vendor-model-without-net")?;
    found.insert("crates without them", bare.len() as f64);
    let compilers = bare.iter().filter(|name| name.starts_with("cc ")).count();
    found.insert("C compilers without them", compilers as f64);
    judge(&found)
}

fn judge(found: &HashMap<&str, f64>) -> Result<()> {
    let mut over = 0;
    for (name, budget) in BUDGETS {
        let count = *found.get(name).ok_or_else(|| format!("nothing counts {name:?}"))?;
        let verdict = if count <= budget { "ok" } else { "OVER" };
        over += usize::from(count > budget);
        println!("{verdict:5} {count:14.3} of {budget:14.3}  {name}");
    }
    match over {
        0 => Ok(()),
        _ => Err(format!("{over} counts are over their budget; what is worth its price gets a new one in guard.rs").into()),
    }
}

/// Requests, bytes and instructions of runs that are cold, have nothing to do, and find all in the cache.
fn traffic(place: &Place, found: &mut HashMap<&'static str, f64>) -> Result<()> {
    let model = site::zeros(place, "guard", BYTES, BYTES / FILES)?;
    let host = Host::builder().dir("/m/", &model.dir).start();
    let subject = Subject::new(place, host.url("/m/model.json"))?;
    let (files, bytes) = (model.size.1 as f64, model.size.0 as f64);
    let asked = || {
        let asked = host.requests().len() as f64;
        host.clear_log();
        asked
    };

    subject.clear(true)?;
    found.insert(
        "bytes written by a cold run without a cache, per byte",
        subject.run(false)?.1 / bytes,
    );
    found.insert("requests of a cold run, per file", asked() / files);
    let (read, written) = subject.run(false)?;
    found.insert("bytes read by a run with nothing to do, per byte", read / bytes);
    found.insert("bytes written by a run with nothing to do, per byte", written / bytes);
    found.insert("requests of a run with nothing to do", asked());
    found.insert("instructions of a run with nothing to do", subject.count("vendor")?.instructions);
    subject.clear(true)?;
    found.insert(
        "instructions of a cold run, per file",
        subject.count("vendor")?.instructions / files,
    );

    subject.clear(true)?;
    found.insert(
        "bytes written by a cold run with the cache, per byte",
        subject.run(true)?.1 / bytes,
    );
    asked();
    let pins = subject.dir.join("models.lock");
    fs::copy(&pins, place.work("guard.lock"))?;
    subject.clear(false)?;
    fs::copy(place.work("guard.lock"), pins)?;
    found.insert(
        "bytes written by a run from the warm cache, per byte",
        subject.run(true)?.1 / bytes,
    );
    found.insert("requests of a run from the warm cache", asked());
    Ok(())
}

/// What lies between a large file and one of twice its size; hashing is most of it.
fn bytes(place: &Place, found: &mut HashMap<&'static str, f64>) -> Result<()> {
    let counted = |size: u64| -> Result<f64> {
        let model = site::zeros(place, &format!("guard-{size}"), size, size)?;
        let host = Host::builder().dir("/m/", &model.dir).start();
        let subject = Subject::new(place, host.url("/m/model.json"))?;
        subject.clear(true)?;
        Ok(subject.count("vendor")?.instructions)
    };
    let per_byte = (counted(2 * LARGE)? - counted(LARGE)?) / LARGE as f64;
    found.insert("instructions of a cold run, per byte", per_byte);
    Ok(())
}

fn parsing(place: &Place, found: &mut HashMap<&'static str, f64>) -> Result<()> {
    let counted = |model: &Model| -> Result<Counts> {
        let path = model.dir.join("model.json").display().to_string();
        let subject = Subject::new(place, path)?;
        subject.clear(true)?;
        subject.count("tensors")
    };
    let [few, many] = SPECS.map(|n| site::specs(place, &format!("specs-{n}"), n));
    let (few, many) = (counted(&few?)?, counted(&many?)?);
    let specs = (SPECS[1] - SPECS[0]) as f64;
    found.insert(
        "instructions per weight spec, vendored and listed",
        (many.instructions - few.instructions) / specs,
    );
    found.insert(
        "allocations per weight spec, vendored and listed",
        (many.allocations - few.allocations) / specs,
    );
    let [few, many] =
        [100_000, 300_000].map(|n| site::topology(place, &format!("topology-{n}"), n));
    let (few, many) = (few?, many?);
    let bytes = (many.size.0 - few.size.0) as f64;
    let instructions = counted(&many)?.instructions - counted(&few)?.instructions;
    found.insert("instructions per byte of topology, vendored and listed", instructions / bytes);
    Ok(())
}

/// The program that uses the library, and where it vendors to.
struct Subject {
    program: PathBuf,
    model: String,
    dir: PathBuf,
    cache: PathBuf,
    log: PathBuf,
}

struct Counts {
    instructions: f64,
    allocations: f64,
}

impl Subject {
    fn new(place: &Place, model: String) -> Result<Subject> {
        let program = std::env::current_exe()?.with_file_name("subject");
        let (dir, cache) = (place.work("guard/out"), place.work("guard/cache"));
        Ok(Subject { program, model, dir, cache, log: place.work("guard.callgrind") })
    }

    fn clear(&self, cache_too: bool) -> Result<()> {
        if cache_too {
            empty(&self.cache)?;
        }
        empty(&self.dir)
    }

    /// Bytes read and written, sockets left out.
    fn run(&self, with_cache: bool) -> Result<(f64, f64)> {
        let mut command = Command::new(&self.program);
        command.arg("vendor").arg(&self.model).arg(&self.dir);
        if with_cache {
            command.env("VENDOR_MODEL_CACHE", &self.cache);
        }
        let text = output(&mut command)?;
        let numbers: Vec<f64> =
            text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
        Ok((numbers[0], numbers[1]))
    }

    fn count(&self, act: &str) -> Result<Counts> {
        let mut command = Command::new("valgrind");
        let to = format!("--callgrind-out-file={}", self.log.display());
        command.args(["-q", "--tool=callgrind", &to]);
        output(command.arg(&self.program).arg(act).arg(&self.model).arg(&self.dir))?;
        read(&self.log)
    }
}

/// What callgrind wrote: the sum of all instructions, and the calls of what allocates. A name stands behind its number
/// where that is used first.
fn read(log: &Path) -> Result<Counts> {
    let text = fs::read_to_string(log)?;
    let (mut names, mut callee) = (HashMap::new(), "");
    let mut counts = Counts { instructions: 0.0, allocations: 0.0 };
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("summary: ") {
            counts.instructions = rest.parse()?;
        } else if let Some(name) = ["fn=", "cfn="].iter().find_map(|key| line.strip_prefix(key)) {
            let (number, name) = name.split_once(' ').unwrap_or((name, ""));
            let name = if name.is_empty() {
                names[number]
            } else {
                *names.entry(number).insert_entry(name).get()
            };
            callee = name;
        } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| is_allocation(callee)) {
            counts.allocations += calls.split(' ').next().unwrap_or_default().parse::<f64>()?;
        }
    }
    Ok(counts)
}

fn is_allocation(name: &str) -> bool {
    ["malloc", "calloc", "realloc", "posix_memalign"].contains(&name)
}
