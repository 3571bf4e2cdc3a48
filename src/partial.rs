//! What has come of a download so far: in memory while it lasts, on disk for the next process.
//!
//! Bytes on disk are trusted up to the last length whose digest was written down and is still theirs. A process that
//! goes on where another stopped copies what is there, so that two never write to one file, locks or not.
//!
//! ```text
//! <cache>/partial/
//!   <key>.lock                 held by the process that downloads
//!   <key>-<pid>-<n>            the bytes
//!   <key>-<pid>-<n>.journal    what the host said of them, then a line for each piece: length, digest up to there
//! ```

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::digest::{CHUNK, Content, Digest, Meter};
use crate::sniff;
use crate::staging;
use crate::validators::Validators;

/// After so many bytes a line is added to the journal. What came after the last is lost with the process, on each
/// connection.
const PIECE: u64 = 64 * 1024;

/// What a host said when the first byte came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promise {
    #[serde(flatten)]
    pub validators: Validators,
    /// How many bytes the whole has, where that was said.
    pub length: Option<u64>,
}

/// A download that is under way.
#[derive(Debug)]
pub(crate) struct Partial {
    pub at: PathBuf,
    file: File,
    journal: Option<PathBuf>,
    meter: Meter,
    written_down: u64,
    promise: Option<Promise>,
    head: Vec<u8>,
}

impl Partial {
    /// An empty one at `at`, which no other process will know of.
    pub fn begin(at: PathBuf) -> io::Result<Partial> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&at)?;
        Ok(Partial {
            at,
            file,
            journal: None,
            meter: Meter::new(),
            written_down: 0,
            promise: None,
            head: Vec::new(),
        })
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.meter.size()
    }

    /// What the host said of them, if they can be gone on with.
    pub fn promise(&self) -> Option<&Promise> {
        self.promise.as_ref().filter(|_| self.size() > 0)
    }

    /// How many bytes a later process can go on from.
    pub fn written_down(&self) -> u64 {
        self.written_down
    }

    pub fn content(&self) -> Content {
        self.meter.content()
    }

    /// The first bytes.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Forgets what has come, and expects what `promise` says. Without a promise it cannot be gone on with later.
    pub fn restart(&mut self, promise: Option<Promise>) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.meter = Meter::new();
        self.head.clear();
        self.remove_journal();
        self.promise = promise;
        Ok(())
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.meter.pass(bytes);
        let missing = sniff::HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        if self.size() - self.written_down >= PIECE && self.promise.is_some() {
            self.write_down()?;
        }
        Ok(())
    }

    /// A line in the journal, which is begun with the first: most files are too small for one.
    fn write_down(&mut self) -> io::Result<()> {
        let (Some(journal), Some(promise)) = (&mut self.journal, &self.promise) else {
            return Ok(());
        };
        let Content { size, digest } = self.meter.content();
        if size == self.written_down {
            return Ok(());
        }
        if self.written_down == 0 {
            let mut first = serde_json::to_string(promise)?;
            first.push('\n');
            File::create(&*journal)?.write_all(first.as_bytes())?;
        }
        self.written_down = size;
        let line = format!("{size} {digest}\n");
        File::options().append(true).open(journal)?.write_all(line.as_bytes())
    }

    fn remove_journal(&mut self) {
        if let Some(journal) = self.journal.as_ref().filter(|_| self.written_down > 0) {
            let _ = fs::remove_file(journal);
        }
        self.written_down = 0;
    }

    /// Copies the bytes to `to`.
    pub fn copy_to(&mut self, to: &Path) -> io::Result<()> {
        self.file.rewind()?;
        io::copy(&mut self.file, &mut File::create(to)?).map(drop)
    }

    /// Removes what is on disk.
    pub fn discard(self) {
        let _ = fs::remove_file(self.close());
    }

    /// Removes all but the bytes, and says where those are.
    pub fn close(mut self) -> PathBuf {
        self.remove_journal();
        self.at
    }
}

/// What processes leave on disk of downloads from one address.
#[derive(Debug)]
pub(crate) struct Traces {
    dir: PathBuf,
    key: String,
}

impl Traces {
    pub fn new(dir: PathBuf, key: String) -> Traces {
        Traces { dir, key }
    }

    /// Waits until no other process downloads this.
    pub fn turn(&self, waiting: impl FnOnce(&str)) -> Claim {
        Claim::file(&self.lock(), waiting)
    }

    /// The file is there to be had: whoever waits for his turn will find it, and nobody needs the lock any more.
    pub fn clear(&self) {
        let _ = fs::remove_file(self.lock());
    }

    /// A download that goes on where the one that came furthest stopped.
    pub fn adopt(&self) -> io::Result<Partial> {
        let mut left: Vec<(Record, PathBuf)> = self.left().collect();
        let at = self.dir.join(format!("{}-{}", self.key, staging::unique()));
        let mut partial = Partial::begin(at)?;
        partial.journal = Some(journal_of(&partial.at));
        left.sort_by_key(|(record, _)| record.reached());
        if let Some((record, from)) = left.pop() {
            partial.take_over(&record, &from)?;
            left.push((record, from));
        }
        for (_, at) in left {
            let _ = fs::remove_file(journal_of(&at));
            let _ = fs::remove_file(at);
        }
        Ok(partial)
    }

    /// The downloads that stopped, with what their journals say.
    fn left(&self) -> impl Iterator<Item = (Record, PathBuf)> {
        let names = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let ours = names.filter_map(|entry| entry.file_name().into_string().ok());
        let ours = ours.filter(|name| name.starts_with(&self.key) && !name.contains(".journal"));
        let bytes: Vec<String> = ours.filter(|name| !name.ends_with(".lock")).collect();
        bytes.into_iter().map(|name| {
            let at = self.dir.join(name);
            (Record::read(&journal_of(&at)).unwrap_or_default(), at)
        })
    }

    fn lock(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.key))
    }
}

impl Partial {
    /// Takes in the bytes at `from`, as far as they are what `record` says.
    fn take_over(&mut self, record: &Record, from: &Path) -> io::Result<()> {
        self.restart(Some(record.promise.clone()))?;
        let Ok(mut from) = File::open(from) else { return Ok(()) };
        for piece in &record.pieces {
            let mut read = piece.size.saturating_sub(self.size());
            let good = (self.meter.clone(), self.head.clone());
            let mut chunk = vec![0; CHUNK];
            while read > 0 {
                let wanted = chunk.len().min(usize::try_from(read).unwrap_or(CHUNK));
                let Ok(n @ 1..) = from.read(&mut chunk[..wanted]) else { break };
                self.append(&chunk[..n])?;
                read -= n as u64;
            }
            if self.content() != *piece {
                (self.meter, self.head) = good;
                self.file.set_len(self.size())?;
                self.file.seek(io::SeekFrom::End(0))?;
                break;
            }
        }
        self.write_down()
    }
}

/// A journal: what the host promised, and what was written down of each piece.
#[derive(Debug, Default)]
pub(crate) struct Record {
    promise: Promise,
    pub pieces: Vec<Content>,
}

impl Record {
    fn read(journal: &Path) -> io::Result<Record> {
        Record::parse(BufReader::new(File::open(journal)?))
    }

    /// Up to the first line that is not whole or goes back.
    pub fn parse(text: impl BufRead) -> io::Result<Record> {
        let mut lines = text.lines();
        let promise: Promise = serde_json::from_str(&lines.next().unwrap_or(Ok(String::new()))?)?;
        let mut pieces: Vec<Content> = Vec::new();
        for line in lines.map_while(Result::ok) {
            let piece = line.split_once(' ').and_then(|(size, digest)| {
                Some(Content { size: size.parse().ok()?, digest: digest.parse::<Digest>().ok()? })
            });
            let Some(piece) = piece else { break };
            if pieces.last().is_some_and(|last| last.size >= piece.size) {
                break;
            }
            pieces.push(piece);
        }
        // The last byte is asked for again, so that no range is ever empty.
        pieces.retain(|piece| promise.length.is_none_or(|length| piece.size < length));
        Ok(Record { promise, pieces })
    }

    fn reached(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.size)
    }
}

fn journal_of(at: &Path) -> PathBuf {
    let mut name = at.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}
