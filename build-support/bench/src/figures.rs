//! What the stages found, one file each in `figures/`, so that any of them can be repeated alone.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::measure::{Series, output};
use crate::place::Place;

#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    pub stage: String,
    pub taken: String,
    pub machine: String,
    pub series: Vec<Series>,
    /// Single numbers.
    pub facts: BTreeMap<String, f64>,
    /// What was measured how.
    pub notes: Vec<String>,
}

impl Figures {
    pub fn new(series: Vec<Series>) -> Result<Figures> {
        let date = output(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?;
        // What others do on the machine shows in it: the runs alone make no more than 3.
        let load = output(Command::new("cut").args(["-d ", "-f1", "/proc/loadavg"]))?;
        let commit = output(Command::new("git").args(["rev-parse", "--short", "HEAD"]))?;
        Ok(Figures {
            stage: String::new(),
            taken: format!("{date}, at {commit}; load average {load} at the end"),
            machine: machine()?,
            series,
            facts: BTreeMap::new(),
            notes: Vec::new(),
        })
    }

    pub fn fact(mut self, name: &str, value: f64) -> Figures {
        self.facts.insert(name.to_owned(), value);
        self
    }

    pub fn note(mut self, text: impl Into<String>) -> Figures {
        self.notes.push(text.into());
        self
    }

    pub fn keep(&self, place: &Place) -> Result<()> {
        let dir = place.own("figures");
        fs::create_dir_all(&dir)?;
        let text = serde_json::to_string_pretty(self)?;
        Ok(fs::write(dir.join(format!("{}.json", self.stage)), text + "\n")?)
    }

    pub fn series(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }
}

/// Those of all stages that were ever measured.
pub fn all(place: &Place) -> Result<BTreeMap<String, Figures>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(place.own("figures"))? {
        let figures: Figures = serde_json::from_slice(&fs::read(entry?.path())?)?;
        all.insert(figures.stage.clone(), figures);
    }
    Ok(all)
}

fn machine() -> Result<String> {
    let line = "grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'; nproc; \
                awk '/MemTotal/ { printf \"%.0f\\n\", $2 / 1048576 }' /proc/meminfo; uname -sr; rustc --version";
    let text = output(Command::new("sh").args(["-c", line]))?;
    let facts: Vec<&str> = text.lines().collect();
    let [processor, cores, memory, system, rustc] = facts[..] else { return Ok(text) };
    Ok(format!("{processor}, {cores} cores, {memory} GiB; {system}; {rustc}"))
}
