//! A far host: 50 ms to the first byte of each answer, 4 MB/s on each connection.

use std::time::Duration;

use model_host::Host;

use super::cold;
use crate::Result;
use crate::figures::Figures;
use crate::library::{Package, build_script};
use crate::measure::interleaved;
use crate::peers::{self, sha256sum};
use crate::place::Place;
use crate::site::{self, Model};

const DELAY: f64 = 0.05;
const RATE: f64 = 4e6;
/// The default of the library.
const CONNECTIONS: usize = 6;

pub fn far(place: &Place) -> Result<Figures> {
    peers::provide(&[("curl", "curl")])?;
    let model = site::floats(place)?;
    let script = build_script(place, "vendor-model")?;
    let host = Host::builder()
        .dir("/m/", &model.dir)
        .delay(Duration::from_secs_f64(DELAY))
        .pace(RATE as u64)
        .start();
    let package = Package::new(place.work("app/far"), &script, &host.url("/m/model.json"), None);
    let sums = peers::sums(place, &model)?;
    let url = host.url("/");
    let flags = format!("--parallel-max {CONNECTIONS}");
    let series = interleaved(
        5,
        &[
            cold(
                "vendor-model",
                "build script, `VENDOR_MODEL_CACHE=off`, 6 connections",
                &package,
                &model,
                None,
            ),
            peers::curl(
                place,
                "curl --parallel-max 6 + sha256sum",
                &flags,
                url.trim_end_matches('/'),
                &model,
                &sha256sum(&sums),
            )?,
        ],
    )?;
    Ok(Figures::new(series)?
        .fact("ideal", ideal(&model)?)
        .fact("bytes at full rate", (model.size.0 as f64) / RATE / CONNECTIONS as f64)
        .note("The host is model-host: 50 ms before the first byte of each answer, 4 MB/s a connection; connecting costs nothing there.")
        .note("Ideal: the manifest, then the shards in their order, each on the connection that is free first, each for 50 ms and its bytes at 4 MB/s."))
}

/// Whole files, in their order, on so many connections.
fn ideal(model: &Model) -> Result<f64> {
    let cost = |name: &String| -> Result<f64> {
        Ok(DELAY + std::fs::metadata(model.dir.join(name))?.len() as f64 / RATE)
    };
    let costs = model.files()?.iter().map(cost).collect::<Result<Vec<f64>>>()?;
    let mut free = [costs[0]; CONNECTIONS];
    for cost in &costs[1..] {
        free.sort_by(f64::total_cmp);
        free[0] += cost;
    }
    Ok(free.into_iter().fold(0.0, f64::max))
}
