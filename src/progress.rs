//! What is told of a download while it goes on: a first line that stays, and how far it is.
//!
//! Fed from any thread at the cost of an atomic addition. A thread of its own draws, so that the line tells the truth
//! when nothing arrives, and comes back after cargo drew over it. Never a `cargo:warning`: cargo replays those.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::meter::{self, Figures, Speed};
use crate::screen::Screen;

/// How often the line of a terminal is drawn again, and a log gets another.
const REDRAW: Duration = Duration::from_millis(250);
const LOG: Duration = Duration::from_secs(5);

/// Where the progress of a download is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// On the terminal if cargo draws there; for build scripts, because cargo is taken to be the parent.
    #[default]
    Auto,
    /// On the terminal if there is one.
    Tty,
    /// As lines on standard error.
    Plain,
    /// Nowhere.
    Never,
}

/// How many files of one turn of gathering come from where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares {
    /// Right already, in `out_dir`.
    pub kept: usize,
    /// From the vendored directory.
    pub vendored: usize,
    pub cached: usize,
    /// From `hosts`.
    pub fetched: usize,
    /// How much the hosts will send, where that is known.
    pub bytes: Option<u64>,
    pub hosts: BTreeSet<String>,
}

/// Shows how the files of a model are downloaded, until it is dropped.
pub(crate) struct Progress {
    board: Arc<Board>,
    ticker: OnceLock<Option<Ticker>>,
}

impl Progress {
    /// `model` is what the lines call it. Opens nothing before there is something to tell.
    pub fn new(mode: Mode, colour: bool, model: &str) -> Progress {
        Progress::on(model, move || match mode {
            Mode::Auto => Screen::of_cargo(colour),
            Mode::Tty => Screen::terminal(colour),
            Mode::Plain => Some(Screen::log()),
            Mode::Never => None,
        })
    }

    fn on(model: &str, open: impl FnOnce() -> Option<Screen> + Send + 'static) -> Progress {
        Progress { board: Arc::new(Board::new(model, Box::new(open))), ticker: OnceLock::new() }
    }

    /// Begins a turn of gathering. One that asks no host for anything is not worth a line.
    pub fn begin(&self, shares: &Shares) {
        let board = &self.board;
        if shares.fetched > 0 && board.begin(shares, board.started.elapsed()) {
            self.ticker.get_or_init(|| Ticker::start(Arc::clone(board)));
        }
    }

    /// So many bytes came from a host.
    pub fn advance(&self, bytes: u64) {
        self.board.arrived.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many of the bytes that came are of no use, because their file starts over.
    pub fn retreat(&self, bytes: u64) {
        self.board.lost.fetch_add(bytes, Ordering::Relaxed);
    }

    /// One more of the files to fetch is complete.
    pub fn finished(&self) {
        self.board.finished.fetch_add(1, Ordering::Relaxed);
    }

    /// Shows a line that stays: `"Waiting"`, `"for process 1234, which downloads \"a.bin\""`.
    pub fn note(&self, verb: &str, text: &str) {
        if let Some(screen) = self.board.show().screen() {
            screen.say(verb, text);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(ticker) = self.ticker.take().flatten() {
            ticker.stop();
        }
        self.board.end(self.board.started.elapsed());
    }
}

/// The thread that has the board refreshed.
struct Ticker {
    going: Sender<()>,
    thread: JoinHandle<()>,
}

impl Ticker {
    /// `None` where the system has no thread to spare; then nothing moves.
    fn start(board: Arc<Board>) -> Option<Ticker> {
        let (going, gone) = channel();
        let pause = board.pause();
        let tick = move || {
            while gone.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                board.refresh(board.started.elapsed());
            }
        };
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(tick).ok()?;
        Some(Ticker { going, thread })
    }

    fn stop(self) {
        drop(self.going);
        // What a thread that only draws died of is no reason to fail.
        let _ = self.thread.join();
    }
}

/// The counts, and where they are shown. Its times are since it was made.
struct Board {
    model: String,
    started: Instant,
    arrived: AtomicU64,
    lost: AtomicU64,
    finished: AtomicUsize,
    show: Mutex<Show>,
}

type Open = Box<dyn FnOnce() -> Option<Screen> + Send>;

struct Show {
    /// Taken when there is something to tell.
    open: Option<Open>,
    screen: Option<Screen>,
    /// When the first turn began.
    since: Option<Duration>,
    /// What there is to fetch in this turn and those before it.
    files: usize,
    bytes: Option<u64>,
    speed: Speed,
}

impl Show {
    fn screen(&mut self) -> Option<&mut Screen> {
        if let Some(open) = self.open.take() {
            self.screen = open();
        }
        self.screen.as_mut()
    }
}

impl Board {
    fn new(model: &str, open: Open) -> Board {
        let show = Show {
            open: Some(open),
            screen: None,
            since: None,
            files: 0,
            bytes: None,
            speed: Speed::default(),
        };
        Board {
            model: model.to_owned(),
            started: Instant::now(),
            arrived: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            finished: AtomicUsize::new(0),
            show: Mutex::new(show),
        }
    }

    fn show(&self) -> MutexGuard<'_, Show> {
        self.show.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a screen, so that refreshing it makes sense.
    fn begin(&self, shares: &Shares, now: Duration) -> bool {
        let mut show = self.show();
        let Some(screen) = show.screen() else { return false };
        // A manifest that has yet to tell of its shards is not worth a line of its own.
        if shares.bytes.is_some() || shares.fetched > 1 {
            screen.say("Downloading", &opening(&self.model, shares));
        }
        // The files of earlier turns are there; what there is now to fetch is all that is left.
        show.files += shares.fetched;
        show.bytes = shares.bytes.map(|bytes| self.done() + bytes);
        show.since.get_or_insert(now);
        show.speed.at(now, self.arrived.load(Ordering::Relaxed));
        true
    }

    fn pause(&self) -> Duration {
        match self.show().screen() {
            Some(screen) if screen.is_terminal() => REDRAW,
            _ => LOG,
        }
    }

    fn refresh(&self, now: Duration) {
        let mut show = self.show();
        let speed = show.speed.at(now, self.arrived.load(Ordering::Relaxed));
        let figures = Figures { speed, ..self.figures(&show) };
        let (so_far, model) = (figures.so_far(), &self.model);
        match &mut show.screen {
            Some(screen) if screen.is_terminal() => {
                screen.draw("Downloading", &format!("{} {so_far}", figures.bar()), model)
            }
            Some(screen) => screen.say("Downloading", &format!("{model}: {so_far}")),
            None => {}
        }
    }

    fn end(&self, now: Duration) {
        let mut show = self.show();
        let Some(since) = show.since else { return };
        let in_all = self.figures(&show).in_all(now.saturating_sub(since));
        match &mut show.screen {
            Some(screen) if screen.is_terminal() => screen.clear(),
            Some(screen) => screen.say("Downloaded", &format!("{}: {in_all}", self.model)),
            None => {}
        }
    }

    fn done(&self) -> u64 {
        let lost = self.lost.load(Ordering::Relaxed);
        self.arrived.load(Ordering::Relaxed).saturating_sub(lost)
    }

    fn figures(&self, show: &Show) -> Figures {
        let finished = self.finished.load(Ordering::Relaxed);
        let Show { files, bytes, .. } = *show;
        Figures { finished, files, arrived: self.done(), bytes, speed: None }
    }
}

/// `model.json: 12 files, 42.0 MB from storage.googleapis.com; 3 from the cache, 8 already here`
fn opening(model: &str, shares: &Shares) -> String {
    let mut text = format!("{model}: {}", meter::files(shares.fetched));
    if let Some(bytes) = shares.bytes {
        text += &format!(", {}", meter::size(bytes));
    }
    let hosts: Vec<&str> = shares.hosts.iter().map(String::as_str).collect();
    if !hosts.is_empty() {
        text += &format!(" from {}", hosts.join(" and "));
    }
    let others = [
        (shares.vendored, "from the vendored directory"),
        (shares.cached, "from the cache"),
        (shares.kept, "already here"),
    ];
    let others = others.iter().filter(|(files, _)| *files > 0);
    let others: Vec<String> = others.map(|(files, whence)| format!("{files} {whence}")).collect();
    if others.is_empty() { text } else { format!("{text}; {}", others.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;
    use crate::screen::Kind;

    /// What was written, of which the test keeps one end.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }

        fn board(&self, kind: Kind) -> Board {
            let out = self.clone();
            Board::new("model.json", Box::new(move || Some(Screen::new(out, kind))))
        }

        fn progress(&self, kind: Kind) -> Progress {
            let out = self.clone();
            Progress::on("model.json", move || Some(Screen::new(out, kind)))
        }
    }

    const TERMINAL: Kind = Kind::Terminal { colour: false };

    fn shares(fetched: usize, bytes: Option<u64>) -> Shares {
        let hosts = ["models.example".to_owned()].into();
        Shares { fetched, bytes, hosts, ..Shares::default() }
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_first_line_says_how_much_comes_from_where() {
        let fetched = shares(12, Some(42_000_000));
        let two_hosts = ["a.example".to_owned(), "b.example".to_owned()].into();
        let cases = [
            (fetched.clone(), "12 files, 42.0 MB from models.example"),
            (
                Shares { cached: 3, kept: 8, ..fetched.clone() },
                "12 files, 42.0 MB from models.example; 3 from the cache, 8 already here",
            ),
            (
                Shares { vendored: 1, ..fetched.clone() },
                "12 files, 42.0 MB from models.example; 1 from the vendored directory",
            ),
            (shares(1, None), "1 file from models.example"),
            (
                Shares { hosts: two_hosts, ..shares(2, None) },
                "2 files from a.example and b.example",
            ),
        ];
        for (shares, expected) in cases {
            assert_eq!(opening("model.json", &shares), format!("model.json: {expected}"));
        }
    }

    #[test]
    fn the_line_of_a_terminal_is_drawn_again_and_cleared() {
        let written = Written::default();
        let board = written.board(TERMINAL);
        board.begin(&shares(2, Some(4_000_000)), millis(0));
        assert_eq!(
            written.take(),
            "\r\x1b[K Downloading model.json: 2 files, 4.00 MB from models.example\n"
        );
        board.arrived.store(3_000_000, Ordering::Relaxed);
        board.finished.store(1, Ordering::Relaxed);
        board.refresh(millis(1500));
        let line = " Downloading [=========>  ] 1/2 files, 3.00/4.00 MB, 2.00 MB/s, 1s left";
        assert!(written.take().contains(line));
        board.end(millis(2000));
        assert_eq!(written.take(), "\r\x1b[K");
    }

    #[test]
    fn a_log_gets_a_line_now_and_then_and_a_last_one() {
        let written = Written::default();
        let board = written.board(Kind::Log);
        board.begin(&shares(2, Some(4_000_000)), millis(1000));
        board.arrived.store(3_000_000, Ordering::Relaxed);
        board.refresh(millis(2000));
        board.arrived.store(4_000_000, Ordering::Relaxed);
        board.finished.store(2, Ordering::Relaxed);
        board.end(millis(2500));
        assert_eq!(
            written.take(),
            "Downloading model.json: 2 files, 4.00 MB from models.example\n\
             Downloading model.json: 0/2 files, 3.00/4.00 MB, 3.00 MB/s, 1s left\n\
             Downloaded model.json: 2 files, 4.00 MB in 1.5s\n"
        );
    }

    #[test]
    fn a_second_turn_adds_to_the_first() {
        let written = Written::default();
        let board = written.board(Kind::Log);
        board.begin(&shares(1, None), millis(0));
        board.arrived.store(500_000, Ordering::Relaxed);
        board.finished.store(1, Ordering::Relaxed);
        board.begin(&shares(2, Some(1_500_000)), millis(500));
        written.take();
        board.refresh(millis(500));
        assert_eq!(written.take(), "Downloading model.json: 1/3 files, 0.50/2.00 MB\n");
    }

    #[test]
    fn a_file_that_starts_over_takes_its_bytes_back_but_they_came() {
        let written = Written::default();
        let progress = written.progress(Kind::Log);
        let board = &progress.board;
        board.begin(&shares(1, Some(4_000_000)), millis(0));
        progress.advance(3_000_000);
        progress.retreat(3_000_000);
        progress.advance(1_000_000);
        written.take();
        board.refresh(millis(2000));
        let line = "Downloading model.json: 0/1 file, 1.00/4.00 MB, 2.00 MB/s, 2s left\n";
        assert_eq!(written.take(), line);
    }

    #[test]
    fn where_nothing_is_to_fetch_nothing_is_opened() {
        let progress = Progress::on("model.json", || panic!("opened"));
        progress.begin(&Shares { kept: 8, cached: 3, ..Shares::default() });
        progress.advance(1);
        progress.finished();
    }

    #[test]
    fn where_no_screen_is_nothing_runs() {
        let progress = Progress::new(Mode::Never, true, "model.json");
        progress.begin(&shares(1, None));
        progress.note("Waiting", "for nobody");
        assert!(progress.ticker.get().is_none());
    }

    #[test]
    fn a_note_stays_whether_or_not_something_is_fetched() {
        let written = Written::default();
        let progress = written.progress(TERMINAL);
        progress.note("Waiting", "for process 1234, which downloads \"a.bin\"");
        drop(progress);
        let line = "\r\x1b[K     Waiting for process 1234, which downloads \"a.bin\"\n";
        assert_eq!(written.take(), line);
    }

    #[test]
    fn many_threads_feed_one_line() {
        let written = Written::default();
        let progress = written.progress(Kind::Log);
        progress.begin(&shares(8, Some(8000)));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    (0..1000).for_each(|_| progress.advance(1));
                    progress.finished();
                });
            }
        });
        drop(progress);
        let text = written.take();
        assert!(text.starts_with("Downloading model.json: 8 files, 8.00 kB from"), "{text}");
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("Downloaded model.json: 8 files, 8.00 kB in "), "{text}");
    }
}
