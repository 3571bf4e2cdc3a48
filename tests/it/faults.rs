//! What hosts do wrong and what comes of it: the right bytes, or an error that names the file and leaves `out_dir` as it
//! was.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use model_host::{Fault, Host};
use tempfile::TempDir;
use vendor_model::{Config, ErrorKind};

use crate::child::Vendoring;
use crate::support::{self, contents, host_of, times};

/// What may happen to a file of a model, and what comes of the run.
struct Row {
    name: &'static str,
    /// In the order of the requests for the file, whose bytes are given.
    faults: fn(&[u8]) -> Vec<Fault>,
    /// If each of them happens once.
    once: End,
    /// If the last of them happens from then on.
    always: End,
    /// To the manifest and to a shard that nothing pins, where that is another end: nobody knows that bytes are wrong but
    /// by what they are.
    unpinned: Option<[End; 2]>,
}

/// How a run ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Right,
    /// What came is believed, because nothing contradicts it.
    Believed,
    Error(ErrorKind, &'static str),
}

use End::{Believed, Right};

const fn http(phrase: &'static str) -> End {
    End::Error(ErrorKind::Http, phrase)
}

const fn digest(phrase: &'static str) -> End {
    End::Error(ErrorKind::Digest, phrase)
}

const fn manifest(phrase: &'static str) -> End {
    End::Error(ErrorKind::Manifest, phrase)
}

macro_rules! rows {
    ($body:ident: $([$($fault:expr),+] => $once:expr, $always:expr $(; unpinned $manifest:expr, $shard:expr)?;)+) => {
        &[$(Row {
            name: stringify!($($fault),+),
            faults: |$body| {
                let _ = $body;
                vec![$($fault),+]
            },
            once: $once,
            always: $always,
            unpinned: [$([$manifest, $shard])?].as_slice().first().copied(),
        }),+]
    };
}

/// The faults of a file whose bytes are `body`, the end of the run if they happen once, and if they happen always.
const ROWS: &[Row] = rows! { body:
    // What a connection does.
    [Fault::refuse()]                              => Right, http("disconnected");
    [Fault::reset()]                               => Right, http("reset by peer");
    [Fault::reset_after(9)]                        => Right, http("the transfer broke off");
    [Fault::cut_after(0)]                          => Right, http("the transfer broke off");
    [Fault::cut_after(9)]                          => Right, http("the transfer broke off after 18 of");
    [Fault::cut_chunked(9)]                        => Right, http("the transfer broke off");
    [Fault::cut_close_delimited(9)]                => Right, http("the transfer ended after");
        unpinned manifest("EOF while parsing"), manifest("its specs say 9000");
    [Fault::claimed_length(9999)]                  => Right, http("the transfer broke off");
    [Fault::claimed_length(99)]                    => Right, digest("is not what models.lock pins");
        unpinned manifest("EOF while parsing"), manifest("its specs say 9000");
    [Fault::endless()]                             => http("max_bytes"), http("max_bytes");
    [Fault::endless_gzip()]                        => http("max_bytes"), http("max_bytes");
    [Fault::raw("\0\x01 no HTTP\r\n\r\n")]          => Right, http("is no HTTP");
    [Fault::long_head(2 << 20)]                    => Right, http("too many headers");

    // Answers that are no file.
    [Fault::status(400)]                           => http("400 Bad Request"), http("400");
    [Fault::status(401)]                           => http("401"), http("401");
    [Fault::status(403)]                           => http("403"), http("403");
    [Fault::status(404)]                           => http("404"), http("404");
    [Fault::status(408)]                           => Right, http("408");
    [Fault::status(410)]                           => http("410"), http("410");
    [Fault::status(416)]                           => http("416"), http("416");
    [Fault::status(425)]                           => Right, http("425");
    [Fault::status(429)]                           => Right, http("429");
    [Fault::status(429).retry_after(1)]            => Right, http("429");
    [Fault::status(500)]                           => Right, http("500");
    [Fault::status(502)]                           => Right, http("502");
    [Fault::status(503)]                           => Right, http("503");
    [Fault::status(504)]                           => Right, http("504");
    [Fault::raw(NO_CONTENT)]                       => http("204"), http("204");
    [Fault::status(206)]                           => http("206"), http("206");
    [Fault::raw(NOT_MODIFIED)]                     => http("304"), http("304");

    // Redirects.
    [Fault::redirect("#again")]                    => http("a redirect loop, back to"), http("loop");
    [Fault::redirect("/nothing")]                  => http("404"), http("/nothing");
    [Fault::redirect("http://127.0.0.1:1/")]       => Right, http("refused");
    [Fault::redirect("ftp://h.example/")]          => http("not followed"), http("from http to ftp");
    [Fault::status(302)]                           => http("Location"), http("without a usable Location");

    // Answers to the request for what is missing, after a cut.
    [cut(), Fault::wrong_range()]                    => Right, Right;
    [cut(), Fault::content_range("bytes 5-8/9")]     => Right, Right;
    [cut(), Fault::no_content_range()]               => Right, Right;
    [cut(), Fault::full_body_to_range()]             => Right, Right;
    [cut(), Fault::shortened_by(9)]                  => Right, http("the transfer ended after");
    [cut(), Fault::status(416)]                      => Right, http("416");
    [cut(), Fault::status(412)]                      => Right, http("412");
    [cut(), Fault::status(404)]                      => http("404"), http("404");

    // Bodies that are encoded, though nobody asked for it.
    [Fault::encoded_as("gzip", gzip(body))]        => Right, Right;
    [Fault::encoded_as("deflate", zlib(body))]     => Right, Right;
    [Fault::encoded_as("none", body)]              => Right, Right;
    [Fault::encoded_as("br", body)]                => http("Content-Encoding \"br\""), http("br");
    [Fault::encoded_as("gzip", short(gzip(body)))] => Right, http("the compressed data was cut off");
    [Fault::encoded_as("gzip", flip(gzip(body)))]  => Right, http("the compressed data is damaged");
    [Fault::encoded_as("gzip", body)]              => Right, http("no gzip header");

    // Other bytes.
    [Fault::body(gzip(body))]                      => Right, digest("it is: gzip data");
        unpinned manifest("it is gzip data"), http("it is gzip data");
    [Fault::html()]                                => Right, digest("it is: an HTML page");
        unpinned manifest("it is an HTML page"), http("it is an HTML page");
    [Fault::body(XML)]                             => Right, digest("it is: an XML document");
        unpinned manifest("it is an XML document"), http("it is an XML document");
    [Fault::body(POINTER)]                         => Right, digest("it is: a Git LFS pointer");
        unpinned manifest("it is a Git LFS pointer"), http("it is a Git LFS pointer");
    [Fault::body("")]                              => Right, http("the transfer ended after 0 of");
        unpinned manifest("it is empty"), manifest("its specs say 9000");
    [Fault::body(vec![b'x'; body.len()])]          => Right, digest("is not what models.lock pins");
        unpinned manifest("it is no JSON; it begins with"), Believed;
};

/// Connections that stay open: they need a process of its own, which is told not to wait for long.
const SILENCES: &[Row] = rows! { body:
    [Fault::stall()]                               => Right, http("timeout: receive response");
    [Fault::stall_after(9)]                        => Right, http("the transfer broke off after");
    [Fault::trickled_head(HALF_A_SECOND)]          => Right, http("timeout: receive response");
};

const HALF_A_SECOND: Duration = Duration::from_millis(500);
const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const NOT_MODIFIED: &str = "HTTP/1.1 304 Not Modified\r\n\r\n";
const XML: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>";
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";

fn cut() -> Fault {
    Fault::cut_after(9)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn short(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 9);
    bytes
}

/// Of gzip data, so that its checksum is that of other bytes.
fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.len() - 8;
    bytes[at] ^= 1;
    bytes
}

const FILES: [&str; 3] = ["model.json", "first.bin", "last.bin"];
const MAX_BYTES: u64 = 1 << 20;

fn old_model() -> BTreeMap<String, Vec<u8>> {
    model_of(&["first.bin", "middle.bin", "gone.bin"], "old")
}

fn new_model() -> BTreeMap<String, Vec<u8>> {
    model_of(&["first.bin", "middle.bin", "last.bin"], "new")
}

/// Of three shards of 3000 bytes each.
fn model_of(shards: &[&str; 3], age: &str) -> BTreeMap<String, Vec<u8>> {
    let shard = |name: &&str| (name.to_string(), format!("{age} {name:>11}").repeat(200).into());
    let manifest = support::manifest(shards, 9000).into_bytes();
    shards.iter().map(shard).chain([("model.json".to_owned(), manifest)]).collect()
}

/// The lock that a host of these files gives.
struct Locked {
    files: BTreeMap<String, Vec<u8>>,
    lock: String,
}

impl Locked {
    fn new(files: BTreeMap<String, Vec<u8>>) -> Locked {
        let (host, dir) = (host_of(&files).start(), TempDir::new().unwrap());
        support::vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
        let lock = fs::read_to_string(dir.path().join("models.lock")).unwrap();
        Locked { files, lock: lock.replace(&host.url("/"), "host/") }
    }

    fn lock_for(&self, host: &Host) -> String {
        self.lock.replace("host/", &host.url("/"))
    }
}

/// One cell of the table: a host that has something new, an `out_dir` that holds what it had before, and a lock that pins
/// what is new, or nothing.
struct Cell {
    row: &'static Row,
    file: &'static str,
    always: bool,
    pinned: bool,
    cached: bool,
}

impl Cell {
    /// Every row, for the manifest, the first shard and the last, with pins and without; and where the run may fail also
    /// with a cache, in which the next one may find something.
    fn all(rows: &'static [Row]) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (row, file) in rows.iter().flat_map(|row| FILES.map(|file| (row, file))) {
            for pinned in [true, false] {
                for (always, cached) in [(false, false), (true, false), (true, true)] {
                    cells.push(Cell { row, file, always, pinned, cached });
                }
            }
        }
        cells
    }

    fn name(&self) -> String {
        let Cell { row, file, .. } = self;
        let when = if self.always { "always" } else { "once" };
        let pins = if self.pinned { "pinned" } else { "not pinned" };
        let cache = if self.cached { "with a cache" } else { "without a cache" };
        format!("{} | {file} | {when} | {pins} | {cache}", row.name)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = (self.row.faults)(&new_model()[self.file]);
        if self.always {
            let last = faults.pop().unwrap();
            faults.push(last.always());
        }
        faults
    }

    fn end(&self) -> End {
        match self.row.unpinned.filter(|_| !self.pinned) {
            Some([manifest, _]) if self.file == "model.json" => manifest,
            Some([_, shard]) => shard,
            None if self.always => self.row.always,
            None => self.row.once,
        }
    }

    /// Says what is not as the table says.
    fn judge(&self, vendor: Vendor, old: &Locked, new: &Locked) -> Result<(), String> {
        let scene = Scene::new(self, vendor, old, new);
        let (before, path, faults) = (scene.snapshot(), format!("/m/{}", self.file), self.faults());
        let retries = faults.len();
        faults.into_iter().for_each(|fault| scene.host.fault(&path, fault));

        let expected = self.end();
        let found = match (scene.vendor(retries), expected) {
            (Ok(()), Right) => return scene.holds(&new.files),
            (Ok(()), Believed) => {
                let came = (self.file.to_owned(), vec![b'x'; new.files[self.file].len()]);
                return scene.holds(&new.files.clone().into_iter().chain([came]).collect());
            }
            (Ok(()), End::Error(..)) => return Err(format!("all is well, not {expected:?}")),
            (Err(found), _) => found,
        };
        if !found.is(expected, self.file) {
            return Err(format!("{expected:?} is not {:?}:\n{}", found.kind, found.text));
        }
        if scene.snapshot() != before {
            return Err("a run that failed has changed something".to_owned());
        }
        let asked = scene.host.count(&path);
        if self.always && matches!(self.row.once, End::Error(..)) && asked != retries {
            return Err(format!("the host was asked {asked} times for what does not pass"));
        }
        scene.host.heal(&path);
        let passed = |found: Found| format!("what has passed is not over:\n{}", found.text);
        scene.vendor(0).map_err(passed)?;
        scene.holds(&new.files)
    }
}

/// How a run is begun, with so many retries.
type Vendor = fn(&Scene, usize) -> Result<(), Found>;

/// What a run finds, and what it leaves.
struct Scene {
    vendor: Vendor,
    host: Host,
    dir: TempDir,
    cached: bool,
}

/// The error of a run. From another process comes only its text.
struct Found {
    kind: Option<ErrorKind>,
    text: String,
}

/// All that a failed run leaves as it was.
type Snapshot = (BTreeMap<String, Vec<u8>>, BTreeMap<String, SystemTime>, usize, Option<Vec<u8>>);

impl Scene {
    fn new(cell: &Cell, vendor: Vendor, old: &Locked, new: &Locked) -> Scene {
        let (host, dir) = (host_of(&new.files).start(), TempDir::new().unwrap());
        let scene = Scene { vendor, host, dir, cached: cell.cached };
        fs::create_dir(scene.out()).unwrap();
        for (name, bytes) in &old.files {
            fs::write(scene.out().join(name), bytes).unwrap();
        }
        fs::write(scene.out().join("models.lock"), old.lock_for(&scene.host)).unwrap();
        if cell.pinned {
            fs::write(scene.lock(), new.lock_for(&scene.host)).unwrap();
        }
        scene
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn lock(&self) -> PathBuf {
        self.dir.path().join("models.lock")
    }

    fn cache(&self) -> Option<PathBuf> {
        self.cached.then(|| self.dir.path().join("cache"))
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn snapshot(&self) -> Snapshot {
        let (out, lock) = (self.out(), fs::read(self.lock()).ok());
        (contents(&out), times(&out), fs::read_dir(&out).unwrap().count(), lock)
    }

    fn vendor(&self, retries: usize) -> Result<(), Found> {
        (self.vendor)(self, retries)
    }

    fn here(&self, retries: usize) -> Result<(), Found> {
        let mut config = Config::new();
        config.retries(retries as u32).max_bytes(MAX_BYTES).lockfile(self.lock()).no_cache();
        self.cache().map(|cache| config.cache_dir(cache));
        let vendored = config.vendor_model(self.url(), self.out());
        vendored
            .map(drop)
            .map_err(|error| Found { kind: Some(error.kind()), text: error.to_string() })
    }

    fn in_an_impatient_process(&self, retries: usize) -> Result<(), Found> {
        let child = Vendoring::of(&self.url(), &self.out()).lock(&self.lock());
        let child =
            child.with("CARGO_HTTP_TIMEOUT", "1").with("CARGO_NET_RETRY", retries.to_string());
        let child = self.cache().into_iter().fold(child, |child, cache| child.cache(&cache));
        match child.start().end() {
            (true, _) => Ok(()),
            (false, text) => Err(Found { kind: None, text }),
        }
    }

    /// The files, their record, and a lock that pins them.
    fn holds(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        let mut found = contents(&self.out());
        let record = found.remove("models.lock").ok_or("there is no record")?;
        if found != *files {
            return Err(format!("there are other bytes, in {:?}", found.keys()));
        }
        match fs::read(self.lock()).is_ok_and(|lock| lock == record) {
            true => Ok(()),
            false => Err("the lock does not pin what is there".to_owned()),
        }
    }
}

impl Found {
    /// Whether it is the error that is expected, and names the file, unless the fault is that of all files together.
    fn is(&self, expected: End, file: &str) -> bool {
        let End::Error(kind, phrase) = expected else { return false };
        let is_named = self.text.contains(file) || self.text.contains("together, the limit");
        self.kind.is_none_or(|found| found == kind) && self.text.contains(phrase) && is_named
    }
}

/// All cells of these rows at once, because they wait for most of the time.
fn judge(rows: &'static [Row], vendor: Vendor) {
    let (old, new) = (Locked::new(old_model()), Locked::new(new_model()));
    let (cells, next) = (Cell::all(rows), AtomicUsize::new(0));
    let wrong = |cell: &Cell| {
        let why = cell.judge(vendor, &old, &new).err()?;
        Some(format!("{}: {why}", cell.name()))
    };
    let worker = || {
        let mine = std::iter::from_fn(|| cells.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.filter_map(wrong).collect::<Vec<String>>()
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers = [(); 32].map(|()| scope.spawn(worker));
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} cells:\n{}", wrong.len(), cells.len(), wrong.join("\n"));
}

#[test]
fn every_fault_ends_in_the_right_bytes_or_in_its_error_and_harms_nothing() {
    judge(ROWS, Scene::here);
}

#[test]
fn hosts_that_say_no_more_are_not_waited_for_for_ever() {
    judge(SILENCES, Scene::in_an_impatient_process);
}

#[test]
fn what_was_too_long_is_not_kept_to_be_gone_on_with() {
    let host = host_of(&new_model()).fault("/m/first.bin", Fault::endless().always()).start();
    let dir = TempDir::new().unwrap();
    let mut config = Config::new();
    config.max_bytes(MAX_BYTES).cache_dir(dir.path().join("cache"));
    config.vendor_model(host.url("/m/model.json"), dir.path().join("out")).unwrap_err();
    let left = contents(&dir.path().join("cache/partial"));
    assert!(left.keys().all(|name| name.ends_with(".lock")), "{:?}", left.keys());
}
