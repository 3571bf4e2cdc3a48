//! The targets, and whether the figures reach them.

use std::collections::BTreeMap;

use crate::figures::Figures;
use crate::measure::{Sample, Series, median};

/// A target: something that is at most so much.
pub struct Target {
    pub what: String,
    pub stage: &'static str,
    pub ours: String,
    pub over: Over,
    pub metric: Metric,
    /// How much more ours has to do.
    pub times: f64,
    pub most: f64,
}

/// What ours is divided by.
pub enum Over {
    Series(String),
    Fact(&'static str),
    /// Ours is a fact as well, and stands for itself.
    Itself,
    Unit(f64),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Metric {
    Wall,
    Cpu,
    Peak,
}

/// A figure with its spread.
pub struct Found {
    pub middle: f64,
    pub least: f64,
    pub most: f64,
}

impl Metric {
    pub fn of(self, sample: &Sample) -> f64 {
        match self {
            Metric::Wall => sample.wall,
            Metric::Cpu => sample.cpu,
            Metric::Peak => sample.peak as f64,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Metric::Wall => "wall",
            Metric::Cpu => "CPU",
            Metric::Peak => "peak memory",
        }
    }
}

impl Target {
    /// The median of the ratios, round by round, and their ends.
    pub fn found(&self, figures: &BTreeMap<String, Figures>) -> Option<Found> {
        let figures = figures.get(self.stage)?;
        if let Over::Itself = self.over {
            let value = *figures.facts.get(&self.ours)?;
            return Some(Found { middle: value, least: value, most: value });
        }
        let values = |series: &Series| -> Vec<f64> {
            series.samples.iter().map(|sample| self.metric.of(sample)).collect()
        };
        let ours = values(figures.series(&self.ours)?);
        let theirs = match &self.over {
            Over::Series(name) => values(figures.series(name)?),
            Over::Fact(name) => vec![*figures.facts.get(*name)?; ours.len()],
            Over::Unit(unit) => vec![*unit; ours.len()],
            Over::Itself => return None,
        };
        let ratios: Vec<f64> = match ours.len() == theirs.len() {
            true => {
                ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs / self.times).collect()
            }
            false => vec![median(ours.into_iter()) / median(theirs.into_iter()) / self.times],
        };
        Some(Found {
            middle: median(ratios.iter().copied()),
            least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            most: ratios.iter().copied().fold(0.0, f64::max),
        })
    }
}

const OURS: &str = "vendor-model";
const CACHED: &str = "vendor-model with cache";
const MIB: f64 = 1_048_576.0;

pub fn targets() -> Vec<Target> {
    let ratio = |stage, ours: &str, theirs: &str, metric: Metric, most| Target {
        what: format!("{ours} / {theirs}, {}", metric.name()),
        stage,
        ours: ours.to_owned(),
        over: Over::Series(theirs.to_owned()),
        metric,
        times: 1.0,
        most,
    };
    let wall = |stage, ours, theirs, most| ratio(stage, ours, theirs, Metric::Wall, most);
    let mut all = vec![
        wall("cold", OURS, "curl + sha256sum", 0.5),
        wall("cold", OURS, "curl + openssl", 1.0),
        wall("cold", CACHED, "curl + openssl", 1.15),
    ];
    for peer in ["curl + sha256sum", "aria2c", "Node script", "pooch", "cached-path", "hf-hub"] {
        for ours in [OURS, CACHED] {
            // That has a target of its own already.
            if (ours, peer) != (OURS, "curl + sha256sum") {
                all.push(wall("cold", ours, peer, 1.0));
            }
            all.push(ratio("cold", ours, peer, Metric::Cpu, 1.0));
        }
    }
    all.extend([
        wall("tls", OURS, "curl -k + sha256sum", 0.5),
        wall("noop", OURS, "openssl on both cores", 1.3),
        wall("warm", "vendor-model, ext4", "cp + openssl on both cores", 2.0),
        wall("warm", "vendor-model, XFS", "openssl on both cores", 1.5),
        Target {
            what: "vendor-model / the ideal for 6 connections, wall".to_owned(),
            stage: "far",
            ours: OURS.to_owned(),
            over: Over::Fact("ideal"),
            metric: Metric::Wall,
            times: 1.0,
            most: 1.1,
        },
        wall("gzip", OURS, "curl --compressed + sha256sum", 4.0),
    ]);
    for model in [
        "23 shards of 4 MB",
        "one file of 2 GB",
        "10,000 files of 10 KB",
        "10,000 files of 10 KB with cache",
    ] {
        all.push(absolute("memory", model, Metric::Peak, MIB, 16.0, "MiB"));
    }
    all.extend([
        growing("4000 MB", "256 MB", 4000.0 / 256.0, Metric::Wall, "per byte"),
        growing("4000 MB", "256 MB", 4000.0 / 256.0, Metric::Cpu, "per byte"),
        growing("10000 files", "100 files", 100.0, Metric::Wall, "per file"),
        growing("10000 files", "100 files", 100.0, Metric::Cpu, "per file"),
        absolute("parse", "20 MB of topology", Metric::Wall, 1.0, 0.7, "s"),
        absolute("parse", "294,000 weight specs", Metric::Wall, 1.0, 1.5, "s"),
    ]);
    for (ours, theirs, most) in [
        (OURS, "reqwest", 0.75),
        (OURS, "cached-path", 0.5),
        (OURS, "hf-hub", 0.25),
        (OURS, "ureq", 2.2),
        ("vendor-model-without-net", "ureq", 1.3),
    ] {
        all.push(wall("compile", ours, theirs, most));
        all.push(ratio("compile", ours, theirs, Metric::Cpu, most));
    }
    all.extend([
        count("crates of vendor-model", 85.0),
        count("crates of vendor-model-without-net", 60.0),
        count("C compilers of vendor-model-without-net", 0.0),
        wall("embed", OURS, "include_bytes!", 0.35),
        ratio("embed", OURS, "include_bytes!", Metric::Peak, 1.0),
    ]);
    all
}

fn absolute(
    stage: &'static str,
    ours: &str,
    metric: Metric,
    unit: f64,
    most: f64,
    name: &str,
) -> Target {
    Target {
        what: format!("{ours}, {} in {name}", metric.name()),
        stage,
        ours: ours.to_owned(),
        over: Over::Unit(unit),
        metric,
        times: 1.0,
        most,
    }
}

fn count(ours: &str, most: f64) -> Target {
    let (stage, metric) = ("compile", Metric::Wall);
    Target {
        what: ours.to_owned(),
        stage,
        ours: ours.to_owned(),
        over: Over::Itself,
        metric,
        times: 1.0,
        most,
    }
}

/// Flat is what grows by no more than a quarter.
fn growing(large: &str, small: &str, times: f64, metric: Metric, what: &str) -> Target {
    Target {
        what: format!("{large} / {small}, {} {what}", metric.name()),
        stage: "growth",
        ours: large.to_owned(),
        over: Over::Series(small.to_owned()),
        metric,
        times,
        most: 1.25,
    }
}
