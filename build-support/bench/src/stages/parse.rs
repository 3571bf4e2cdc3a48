//! Manifests of 20 MB at opt-level 0: what `Vendored::tensors` takes, which reads, parses and checks one.

use std::process::Command;

use crate::Result;
use crate::figures::Figures;
use crate::measure::{Sample, Series, output};
use crate::place::Place;
use crate::site::{self, Model};

const RUNS: usize = 7;

/// As many as 20 MB hold.
const SPECS: usize = 294_000;

pub fn parse(place: &Place) -> Result<Figures> {
    let series = vec![
        parsed(place, "20 MB of topology", &site::topology(place, "topology", 20_000_000)?)?,
        parsed(place, "294,000 weight specs", &site::specs(place, "specs", SPECS)?)?,
    ];
    Ok(Figures::new(series)?.note("Seconds are those of `Vendored::tensors` in a program at opt-level 0; the memory is that of the whole program, which vendors the model first."))
}

fn parsed(place: &Place, name: &str, model: &Model) -> Result<Series> {
    let dir = place.empty("parse")?;
    let subject = std::env::current_exe()?.with_file_name("subject");
    let sample = |_| -> Result<Sample> {
        let manifest = model.dir.join("model.json");
        let text = output(Command::new(&subject).arg("tensors").arg(manifest).arg(&dir))?;
        let numbers: Vec<f64> =
            text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
        Ok(Sample { wall: numbers[0], cpu: numbers[1], peak: numbers[2] as u64 * 1024 })
    };
    let samples = (0..RUNS).map(sample).collect::<Result<Vec<Sample>>>()?;
    eprintln!("{name}: {samples:?}");
    Ok(Series { name: name.to_owned(), how: "opt-level 0".to_owned(), samples })
}
