//! What has come once is not sent again: after a cut, and after a failed run.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use model_host::{Builder, Fault, Host, Request};
use tempfile::TempDir;
use vendor_model::{Config, Error, Vendored};

use crate::support::{assert_holds, config, host_of, manifest};

const MIB: usize = 1 << 20;
const SHARD: &str = "/m/a.bin";

/// A model of one shard that takes a while, of bytes that do not repeat.
fn large_model() -> BTreeMap<String, Vec<u8>> {
    let bytes = (0..4 * MIB as u32 / 4).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
    let shard: Vec<u8> = bytes.collect();
    let manifest = manifest(&["a.bin"], shard.len()).into_bytes();
    [("model.json".to_owned(), manifest), ("a.bin".to_owned(), shard)].into()
}

struct Run {
    host: Host,
    dir: TempDir,
}

impl Run {
    fn on(host: Builder) -> Run {
        Run { host: host.start(), dir: TempDir::new().unwrap() }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn config(&self, retries: u32) -> Config {
        let mut config = Config::new();
        config.cache_dir(self.dir.path().join("cache")).retries(retries);
        config
    }

    fn vendor(&self, retries: u32) -> Result<Vendored, Error> {
        self.config(retries).vendor_model(self.host.url("/m/model.json"), self.out())
    }

    #[track_caller]
    fn completes(&self, retries: u32) {
        self.vendor(retries).unwrap();
        assert_holds(&self.out(), &large_model());
    }

    fn asked(&self) -> Vec<Request> {
        let requests = self.host.requests().into_iter();
        requests.filter(|request| request.path == SHARD).collect()
    }

    #[track_caller]
    fn last_asked_for_the_rest(&self) -> u64 {
        let last = self.asked().pop().unwrap();
        assert_eq!(last.status, 206, "{last:?}");
        let range = last.header("range").unwrap();
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap()
    }
}

#[test]
fn a_cut_body_is_gone_on_with_where_it_stopped() {
    let host = host_of(&large_model());
    let run = Run::on(host.fault(SHARD, Fault::cut_after(3 * MIB as u64)));
    run.completes(1);
    assert_eq!(run.last_asked_for_the_rest(), 3 * MIB as u64);
    assert_eq!(run.asked()[1].header("if-range").map(|tag| tag.starts_with('"')), Some(true));
}

#[test]
fn without_a_cache_it_is_gone_on_with_as_well() {
    let host = host_of(&large_model()).fault(SHARD, Fault::cut_after(3 * MIB as u64)).start();
    let dir = TempDir::new().unwrap();
    config().retries(1).vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    assert_holds(dir.path(), &large_model());
    assert_eq!(host.requests().last().unwrap().status, 206);
}

#[test]
fn a_later_run_goes_on_where_a_failed_one_stopped() {
    let host = host_of(&large_model());
    let run = Run::on(host.fault(SHARD, Fault::cut_after(3 * MIB as u64)));
    run.vendor(0).unwrap_err();
    run.completes(0);
    let from = run.last_asked_for_the_rest();
    assert!(from > 2 * MIB as u64 && from <= 3 * MIB as u64, "{from}");
}

#[test]
fn what_changed_meanwhile_begins_again() {
    let host = host_of(&large_model());
    let run = Run::on(host.fault(SHARD, Fault::cut_after(3 * MIB as u64)));
    let mut old = large_model()["a.bin"].clone();
    old[0] ^= 1;
    run.host.put(SHARD, old);
    run.vendor(0).unwrap_err();
    run.host.put(SHARD, large_model()["a.bin"].clone());
    run.completes(0);
    assert_eq!(run.asked().last().unwrap().status, 200);
}

#[test]
fn damaged_beginnings_are_not_gone_on_with() {
    let host = host_of(&large_model());
    let run = Run::on(host.fault(SHARD, Fault::cut_after(3 * MIB as u64)));
    run.vendor(0).unwrap_err();
    let partials = fs::read_dir(run.dir.path().join("cache/partial")).unwrap();
    let paths = partials.map(|entry| entry.unwrap().path());
    let [partial] = &paths
        .filter(|path| path.metadata().unwrap().len() > MIB as u64)
        .collect::<Vec<PathBuf>>()[..]
    else {
        panic!("one download was cut")
    };
    let mut bytes = fs::read(partial).unwrap();
    bytes[MIB + 5] ^= 1;
    fs::write(partial, bytes).unwrap();
    run.completes(0);
    let from = run.last_asked_for_the_rest() as usize;
    assert!(from > MIB / 2 && from <= MIB + 5, "{from}: up to the damage it is trusted");
}

#[test]
fn a_host_that_answers_with_the_whole_or_with_another_part_is_not_misread() {
    for fault in [Fault::full_body_to_range(), Fault::wrong_range()] {
        let host = host_of(&large_model()).fault(SHARD, Fault::cut_after(3 * MIB as u64));
        let run = Run::on(host.fault(SHARD, fault));
        run.vendor(0).unwrap_err();
        run.completes(0);
    }
}

#[test]
fn a_host_without_ranges_sends_the_whole_again() {
    let host = host_of(&large_model()).no_ranges();
    let run = Run::on(host.fault(SHARD, Fault::cut_after(3 * MIB as u64)));
    run.completes(1);
    assert_eq!(run.asked().last().unwrap().status, 200);
}

#[test]
fn what_was_encoded_on_the_way_begins_again() {
    let host = host_of(&large_model()).gzip_always();
    let run = Run::on(host.fault(SHARD, Fault::cut_after(3 * MIB as u64)));
    run.completes(1);
    assert!(run.asked().iter().all(|request| request.header("range").is_none()));
}
