//! Time per byte from 1 MB to 4 GB, and per file from 1 to 10,000.

use std::fs;

use crate::Result;
use crate::figures::Figures;
use crate::library::{Package, build_script};
use crate::measure::{Series, run};
use crate::nginx::Nginx;
use crate::peers;
use crate::place::Place;
use crate::site::{self, Model, SHARD};

const MEGABYTES: [u64; 7] = [1, 4, 16, 64, 256, 1000, 4000];
const FILES: [u64; 5] = [1, 10, 100, 1000, 10_000];
const FILE: u64 = 10_240;

pub fn growth(place: &Place) -> Result<Figures> {
    peers::provide(&[("nginx", "nginx-light")])?;
    let script = build_script(place, "vendor-model")?;
    let nginx = Nginx::plain(place)?;
    let mut series = Vec::new();
    for megabytes in MEGABYTES {
        let bytes = megabytes * 1_000_000;
        let model = site::zeros(place, &format!("zeros-{megabytes}"), bytes, SHARD)?;
        let runs = if megabytes < 1000 { 5 } else { 2 };
        series.push(vendored(place, &script, &nginx, &model, format!("{megabytes} MB"), runs)?);
    }
    for files in FILES {
        let model = site::zeros(place, &format!("files-{files}"), files * FILE, FILE)?;
        let runs = if files < 10_000 { 5 } else { 2 };
        series.push(vendored(place, &script, &nginx, &model, format!("{files} files"), runs)?);
    }
    Ok(Figures::new(series)?.note("Without a cache; shards of 4 MiB of zeros, files of 10 KB."))
}

fn vendored(
    place: &Place,
    script: &std::path::Path,
    nginx: &Nginx,
    model: &Model,
    name: String,
    runs: usize,
) -> Result<Series> {
    let url = format!("{}/{}/model.json", nginx.url, model.name);
    let package = Package::new(place.work("app/growth"), script, &url, None);
    let mut samples = Vec::new();
    for _ in 0..runs {
        package.clear_all()?;
        samples.push(run(&mut package.command())?);
        package.check(model.size)?;
    }
    fs::remove_dir_all(&package.dir)?;
    eprintln!("{name}: {samples:?}");
    Ok(Series { name, how: "vendor-model".to_owned(), samples })
}
