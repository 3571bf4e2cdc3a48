//! 94 MB that are not there yet, over http, https and compressed.

use super::cold as ours;
use crate::Result;
use crate::figures::Figures;
use crate::library::{Package, build_script};
use crate::measure::interleaved;
use crate::nginx::Nginx;
use crate::peers::{self, OPENSSL, sha256sum};
use crate::place::Place;
use crate::site;

const NO_CACHE: &str = "build script, `VENDOR_MODEL_CACHE=off`";
const CACHE: &str = "build script, the default cache, empty";

pub fn cold(place: &Place) -> Result<Figures> {
    peers::provide(&[
        ("nginx", "nginx-light"),
        ("curl", "curl"),
        ("openssl", "openssl"),
        ("aria2c", "aria2"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("python3", "python3-venv"),
        ("pkg-config", "pkg-config libssl-dev"),
    ])?;
    let model = site::floats(place)?;
    let nginx = Nginx::plain(place)?;
    let (script, sums) = (build_script(place, "vendor-model")?, peers::sums(place, &model)?);
    let url = format!("{}/m/model.json", nginx.url);
    let plain = Package::new(place.work("app/plain"), &script, &url, None);
    let cached = Package::new(place.work("app/cached"), &script, &url, Some(place.work("cache")));
    let series = interleaved(
        11,
        &[
            ours("vendor-model", NO_CACHE, &plain, &model, None),
            ours("vendor-model with cache", CACHE, &cached, &model, None),
            peers::curl(place, "curl + sha256sum", "", &nginx.url, &model, &sha256sum(&sums))?,
            peers::curl(place, "curl + openssl", "", &nginx.url, &model, OPENSSL)?,
            peers::aria2c(place, &nginx.url, &model, &sums)?,
            peers::node(place, &nginx.url, &model)?,
            peers::pooch(place, &nginx.url, &model, &sums)?,
            peers::in_build_script(place, "cached-path", &nginx.url, &model)?,
            peers::in_build_script(place, "hf-hub", &nginx.url, &model)?,
        ],
    )?;
    Ok(Figures::new(series)?.note(format!("Served by {}.", Nginx::version()?)))
}

pub fn tls(place: &Place) -> Result<Figures> {
    peers::provide(&[("nginx", "nginx-light"), ("curl", "curl")])?;
    let model = site::floats(place)?;
    let nginx = Nginx::tls(place)?;
    let (script, sums) = (build_script(place, "vendor-model")?, peers::sums(place, &model)?);
    let url = format!("{}/m/model.json", nginx.url);
    let plain = Package::new(place.work("app/tls"), &script, &url, None);
    let trust = Some(nginx.authority.as_path());
    let series = interleaved(
        11,
        &[
            ours("vendor-model", NO_CACHE, &plain, &model, trust),
            peers::curl(place, "curl -k + sha256sum", "-k", &nginx.url, &model, &sha256sum(&sums))?,
            peers::curl(place, "curl -k + openssl", "-k", &nginx.url, &model, OPENSSL)?,
        ],
    )?;
    Ok(Figures::new(series)?.note("curl does not check the certificate, vendor-model does."))
}

pub fn gzip(place: &Place) -> Result<Figures> {
    peers::provide(&[("nginx", "nginx-light"), ("curl", "curl")])?;
    let model = site::floats(place)?;
    let zipped = site::gzipped(place, &model)?;
    let nginx = Nginx::compressing(place)?;
    let (script, sums) = (build_script(place, "vendor-model")?, peers::sums(place, &model)?);
    let url = format!("{}/{}/model.json", nginx.url, zipped.name);
    let plain = Package::new(place.work("app/gzip"), &script, &url, None);
    let series = interleaved(
        5,
        &[
            ours("vendor-model", NO_CACHE, &plain, &model, None),
            peers::curl(
                place,
                "curl --compressed + sha256sum",
                "--compressed",
                &nginx.url,
                &zipped,
                &sha256sum(&sums),
            )?,
        ],
    )?;
    Ok(Figures::new(series)?
        .note("The host has every file compressed by `gzip -6` and sends nothing else."))
}
