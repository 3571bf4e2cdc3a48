//! RESULTS.md: every target with its figure and, where it is missed, the reason; then what was measured, stage by stage.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::Result;
use crate::chart;
use crate::figures::{self, Figures};
use crate::measure::{Series, median};
use crate::place::Place;
use crate::verdict::{Found, Target, targets};

const HEAD: &str = "\
# Results

Written by `build-support/bench/run.sh`; what was tried on the way is in [NOTES.md](NOTES.md). Everything runs on one
machine, all servers on loopback, and what stands beside each other was measured in turns, in one run. Our side is compiled
as cargo compiles build scripts: without optimisation. A ratio is the median of the ratios round by round, with their ends.

![chart](results.svg)

";

pub fn write(place: &Place) -> Result<()> {
    let figures = figures::all(place)?;
    let reasons = reasons(place)?;
    let mut text = HEAD.to_owned();
    let machines: std::collections::BTreeSet<&String> =
        figures.values().map(|it| &it.machine).collect();
    for machine in machines {
        writeln!(text, "Machine: {machine}\n")?;
    }
    writeln!(text, "## Targets\n\n| stage | what | at most | found | |\n|---|---|--:|--:|---|")?;
    for target in targets() {
        text += &row(&target, target.found(&figures));
    }
    for (stage, why) in &reasons {
        if targets().iter().any(|target| target.stage == stage && missed(target, &figures)) {
            write!(text, "\n**{stage}**: {why}\n")?;
        }
    }
    for name in crate::stages::names() {
        if let Some(figures) = figures.get(name) {
            text += &section(figures);
        }
    }
    fs::write(place.own("RESULTS.md"), text)?;
    Ok(fs::write(place.own("results.svg"), chart::draw(&figures))?)
}

fn missed(target: &Target, figures: &BTreeMap<String, Figures>) -> bool {
    target.found(figures).is_some_and(|found| found.middle > target.most)
}

fn row(target: &Target, found: Option<Found>) -> String {
    let Target { stage, what, most, .. } = target;
    let (found, verdict) = match found {
        None => ("not measured".to_owned(), ""),
        Some(found) => {
            (spread(&found), if found.middle <= *most { "reached" } else { "**missed**" })
        }
    };
    format!("| {stage} | {what} | {} | {found} | {verdict} |\n", number(*most))
}

fn spread(found: &Found) -> String {
    match found.least == found.most {
        true => number(found.middle),
        false => {
            format!("{} ({}–{})", number(found.middle), number(found.least), number(found.most))
        }
    }
}

fn section(figures: &Figures) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", figures.stage, figures.taken);
    for note in &figures.notes {
        text += &format!("{note}\n\n");
    }
    text += "| what | wall, s | CPU, s | peak, MiB | runs | version and flags |\n|---|--:|--:|--:|--:|---|\n";
    for Series { name, how, samples } in &figures.series {
        let of = |value: fn(&crate::measure::Sample) -> f64| {
            let values = || samples.iter().map(value);
            spread(&Found {
                middle: median(values()),
                least: values().fold(f64::INFINITY, f64::min),
                most: values().fold(0.0, f64::max),
            })
        };
        let how = how.replace('|', "\\|");
        text += &format!(
            "| {name} | {} | {} | {} | {} | {how} |\n",
            of(|sample| sample.wall),
            of(|sample| sample.cpu),
            of(|sample| sample.peak as f64 / 1_048_576.0),
            samples.len(),
        );
    }
    for (name, value) in &figures.facts {
        text += &format!("\n{name}: {}\n", number(*value));
    }
    text
}

/// Three digits that count.
pub fn number(value: f64) -> String {
    match value {
        _ if value.fract() == 0.0 => format!("{value}"),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// `reasons.txt`: a stage, a colon, and why its targets are missed, a line each.
fn reasons(place: &Place) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(place.own("reasons.txt"))?;
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    Ok(lines.map(|(stage, why)| (stage.to_owned(), why.to_owned())).collect())
}
