//! What is there already: in `out_dir`, or in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::figures::Figures;
use crate::library::{Package, build_script};
use crate::measure::{Contender, interleaved, output, run, shell};
use crate::nginx::Nginx;
use crate::peers::{self, version};
use crate::place::{Place, empty};
use crate::site::{self, Model};

const ROUNDS: usize = 21;

pub fn noop(place: &Place) -> Result<Figures> {
    peers::provide(&[("nginx", "nginx-light"), ("openssl", "openssl")])?;
    let model = site::floats(place)?;
    let nginx = Nginx::plain(place)?;
    let script = build_script(place, "vendor-model")?;
    let url = format!("{}/m/model.json", nginx.url);
    let package = Package::new(place.work("app/noop"), &script, &url, None);
    package.clear_all()?;
    run(&mut package.command())?;
    drop(nginx);
    let ours = Contender {
        name: "vendor-model",
        how: "build script, all files right; the host is down".to_owned(),
        prepare: Box::new(|| Ok(())),
        command: Box::new(|| package.command()),
        check: Box::new(|| package.check(model.size)),
    };
    let series = interleaved(ROUNDS, &[ours, hashing("openssl on both cores", &model)?])?;
    Figures::new(series)
}

pub fn warm(place: &Place) -> Result<Figures> {
    peers::provide(&[("nginx", "nginx-light"), ("openssl", "openssl"), ("mkfs.xfs", "xfsprogs")])?;
    let model = site::floats(place)?;
    let nginx = Nginx::plain(place)?;
    let script = build_script(place, "vendor-model")?;
    let url = format!("{}/m/model.json", nginx.url);
    let sharing = Xfs::mount(place)?;
    let package = |dir: PathBuf| -> Result<Package> {
        let cache = Some(dir.join("cache"));
        let package = Package::new(dir.join("app"), &script, &url, cache);
        package.clear_all()?;
        run(&mut package.command())?;
        Ok(package)
    };
    let (plain, shared) = (package(place.empty("warm")?)?, package(sharing.dir.clone())?);
    drop(nginx);
    let restoring = |name, how: &str, package| Contender {
        name,
        how: format!("build script, pinned, out_dir empty, cache on {how}; the host is down"),
        prepare: Box::new(move || Package::clear_output(package)),
        command: Box::new(move || package.command()),
        check: Box::new(|| package.check(model.size)),
    };
    let series = interleaved(
        ROUNDS,
        &[
            restoring("vendor-model, ext4", &filesystem(&place.work)?, &plain),
            restoring("vendor-model, XFS", &filesystem(&sharing.dir)?, &shared),
            copying(place.work("warm/copy"), &model)?,
            hashing("openssl on both cores", &model)?,
        ],
    )?;
    Figures::new(series)
}

/// What the machine needs to read and hash the files, on both its cores.
fn hashing<'a>(name: &'static str, model: &'a Model) -> Result<Contender<'a>> {
    let half = model.size.1.div_ceil(2);
    let line = format!("ls | xargs -P 2 -n {half} openssl dgst -sha256 >/dev/null");
    Ok(Contender {
        name,
        how: format!("{}; `{line}`", version("openssl version")?),
        prepare: Box::new(|| Ok(())),
        command: Box::new(move || shell(&line, &model.dir)),
        check: Box::new(|| Ok(())),
    })
}

fn copying<'a>(to: PathBuf, model: &'a Model) -> Result<Contender<'a>> {
    let half = model.size.1.div_ceil(2);
    let hash = format!("ls | xargs -P 2 -n {half} openssl dgst -sha256 >/dev/null");
    let line = format!("cp * {0} && cd {0} && {hash}", to.display());
    Ok(Contender {
        name: "cp + openssl on both cores",
        how: format!("{}; `cp * TO && cd TO && {hash}`", version("cp --version")?),
        prepare: Box::new(move || empty(&to)),
        command: Box::new(move || shell(&line, &model.dir)),
        check: Box::new(|| Ok(())),
    })
}

fn filesystem(dir: &Path) -> Result<String> {
    output(Command::new("stat").args(["-f", "-c", "%T"]).arg(dir))
}

/// A file system in a file, unmounted when it is dropped.
struct Xfs {
    dir: PathBuf,
    image: PathBuf,
}

impl Xfs {
    fn mount(place: &Place) -> Result<Xfs> {
        let xfs = Xfs { dir: place.work("xfs"), image: place.work("xfs.image") };
        fs::create_dir_all(&xfs.dir)?;
        fs::File::create(&xfs.image)?.set_len(1 << 30)?;
        let line = "mkfs.xfs -q -f -m reflink=1 \"$0\" && mount -o loop \"$0\" \"$1\"";
        output(Command::new("sh").args(["-c", line]).arg(&xfs.image).arg(&xfs.dir))?;
        Ok(xfs)
    }
}

impl Drop for Xfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.dir).status();
        let _ = fs::remove_file(&self.image);
    }
}
