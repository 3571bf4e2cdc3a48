//! Runs commands and says what each took; several of them in turns, so that the mood of the machine meets all alike.

use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wait4::Wait4;

use crate::Result;

/// What one run took: seconds on the clock, seconds of the processor in all its processes, and the most memory that one
/// of these had, in bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Sample {
    pub wall: f64,
    pub cpu: f64,
    pub peak: u64,
}

/// One of those that are measured beside each other.
pub struct Contender<'a> {
    pub name: &'static str,
    /// Version and flags.
    pub how: String,
    /// Before each run, unmeasured.
    pub prepare: Box<dyn Fn() -> Result<()> + 'a>,
    pub command: Box<dyn Fn() -> Command + 'a>,
    /// After each run: whether it did its work.
    pub check: Box<dyn Fn() -> Result<()> + 'a>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    pub name: String,
    pub how: String,
    pub samples: Vec<Sample>,
}

/// Each contender in each round, after one round that does not count.
pub fn interleaved(rounds: usize, contenders: &[Contender]) -> Result<Vec<Series>> {
    in_turns(0..rounds + 1, contenders)
}

/// Each contender in each round, also the first: for what takes minutes.
pub fn interleaved_from_the_start(rounds: usize, contenders: &[Contender]) -> Result<Vec<Series>> {
    in_turns(1..rounds + 1, contenders)
}

/// Round 0 does not count. Who begins moves on from round to round.
fn in_turns(rounds: Range<usize>, contenders: &[Contender]) -> Result<Vec<Series>> {
    let begin = |it: &Contender| Series {
        name: it.name.to_owned(),
        how: it.how.clone(),
        samples: Vec::new(),
    };
    let mut all: Vec<Series> = contenders.iter().map(begin).collect();
    for round in rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let contender = &contenders[at];
            let named = |error| format!("{}: {error}", contender.name);
            (contender.prepare)().map_err(named)?;
            let sample = run(&mut (contender.command)()).map_err(named)?;
            (contender.check)().map_err(named)?;
            if round > 0 {
                all[at].samples.push(sample);
            }
        }
        eprint!(".");
    }
    eprintln!();
    for series in &all {
        let wall = median(series.samples.iter().map(|sample| sample.wall));
        let cpu = median(series.samples.iter().map(|sample| sample.cpu));
        let peak = median(series.samples.iter().map(|sample| sample.peak as f64)) / 1048576.0;
        eprintln!("{:36} {wall:8.3} s {cpu:8.3} s cpu {peak:8.1} MiB", series.name);
    }
    Ok(all)
}

/// Runs it to its end, which must be a good one. The memory of a child counts from when it is still this program, which
/// is small.
pub fn run(command: &mut Command) -> Result<Sample> {
    let log = std::env::temp_dir().join(format!("bench-{}.log", std::process::id()));
    let began = Instant::now();
    let child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
    let used = child.wait4()?;
    let wall = began.elapsed().as_secs_f64();
    let said = fs::read_to_string(&log).unwrap_or_default();
    fs::remove_file(&log)?;
    if !used.status.success() {
        return Err(format!("{command:?}: {}\n{said}", used.status).into());
    }
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    Ok(Sample { wall, cpu, peak: used.rusage.maxrss })
}

/// What a command prints, without white space at its edges.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{said}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A line of shell in a directory.
pub fn shell(line: &str, dir: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-ec", line]).current_dir(dir);
    command
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}
