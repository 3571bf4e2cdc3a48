//! The most memory that vendoring takes, whatever the model is made of.

use std::fs;

use super::cold;
use crate::Result;
use crate::figures::Figures;
use crate::library::{Package, build_script};
use crate::measure::interleaved;
use crate::nginx::Nginx;
use crate::peers;
use crate::place::Place;
use crate::site::{self, SHARD};

pub fn memory(place: &Place) -> Result<Figures> {
    peers::provide(&[("nginx", "nginx-light")])?;
    let script = build_script(place, "vendor-model")?;
    let shards = site::floats(place)?;
    let large = site::zeros(place, "large", 2_000_000_000, 2_000_000_000)?;
    let many = site::zeros(place, "many", 10_240 * 10_000, 10_240)?;
    assert!(shards.size.0 > 22 * SHARD);
    let nginx = Nginx::plain(place)?;
    let package = |model: &site::Model, cache: bool| {
        let name = format!("memory/{}{}", model.name, if cache { "-cached" } else { "" });
        let cache = cache.then(|| place.work("memory/cache"));
        let url = format!("{}/{}/model.json", nginx.url, model.name);
        Package::new(place.work(&name), &script, &url, cache)
    };
    let packages = [(&shards, false), (&large, false), (&many, false), (&many, true)]
        .map(|(model, cache)| package(model, cache));
    let [a, b, c, d] = &packages;
    let series = interleaved(
        2,
        &[
            cold("23 shards of 4 MB", "no cache", a, &shards, None),
            cold("one file of 2 GB", "no cache", b, &large, None),
            cold("10,000 files of 10 KB", "no cache", c, &many, None),
            cold("10,000 files of 10 KB with cache", "the default cache, empty", d, &many, None),
        ],
    )?;
    fs::remove_dir_all(place.work("memory"))?;
    Figures::new(series)
}
