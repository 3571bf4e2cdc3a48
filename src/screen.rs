//! Where progress is shown: on the terminal that cargo draws on, or as the lines of a log.
//!
//! Cargo keeps its bar in the row of the cursor, with the cursor in the first column, and knows nothing of us. So each
//! change is a single write that begins and ends there: whichever of the two writes next covers the other.

use std::fs::File;
use std::io::{self, Write};

use crate::emit::harmless;

/// To the first column, and nothing is left in its row.
const CLEAR: &str = "\r\x1b[K";
/// A line too long for its row ends in the last column and does not go on in the next row.
const CLIP: &str = "\x1b[?7l";
/// Beyond the usual 80 columns. In a terminal of no more it is the last column, which is emptied.
const ASIDE: &str = "\x1b[81G";
/// The last two columns are emptied, because cargo's bar does not cover them.
const END_CLIP: &str = "\x1b[999C\x1b[D\x1b[K\x1b[?7h\r";

const GREEN: &str = "\x1b[1m\x1b[92m";
const CYAN: &str = "\x1b[1m\x1b[96m";
const RESET: &str = "\x1b[0m";

pub(crate) struct Screen {
    out: Box<dyn Write + Send>,
    kind: Kind,
    /// Whether a line that does not stay may be there.
    drawn: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Terminal { colour: bool },
    Log,
}

impl Screen {
    /// The controlling terminal, where cargo draws on it.
    pub fn of_cargo(colour: bool) -> Option<Screen> {
        if cargo::draws() { Screen::terminal(colour) } else { None }
    }

    /// The controlling terminal, if there is one.
    pub fn terminal(colour: bool) -> Option<Screen> {
        let name = if cfg!(windows) { "CONOUT$" } else { "/dev/tty" };
        let terminal = File::options().write(true).open(name).ok()?;
        Some(Screen::new(terminal, Kind::Terminal { colour }))
    }

    /// Standard error.
    pub fn log() -> Screen {
        Screen::new(io::stderr(), Kind::Log)
    }

    pub fn new(out: impl Write + Send + 'static, kind: Kind) -> Screen {
        Screen { out: Box::new(out), kind, drawn: false }
    }

    pub fn is_terminal(&self) -> bool {
        self.kind != Kind::Log
    }

    /// Writes a line that stays.
    pub fn say(&mut self, verb: &str, text: &str) {
        let line = self.line(GREEN, verb, text);
        match self.kind {
            Kind::Log => self.write(&format!("{line}\n")),
            Kind::Terminal { .. } => self.write(&format!("{CLEAR}{line}\n")),
        }
    }

    /// Draws the line that does not stay; a log has none. `aside` is shown where the terminal is wide.
    pub fn draw(&mut self, verb: &str, text: &str, aside: &str) {
        if self.is_terminal() {
            let (line, aside) = (self.line(CYAN, verb, text), harmless(aside));
            self.write(&format!("{CLEAR}{CLIP}{line}{ASIDE}{aside}{END_CLIP}"));
            self.drawn = true;
        }
    }

    pub fn clear(&mut self) {
        if self.drawn {
            self.write(CLEAR);
            self.drawn = false;
        }
    }

    /// As cargo sets its own.
    fn line(&self, style: &str, verb: &str, text: &str) -> String {
        let (verb, text) = (harmless(verb), harmless(text));
        match self.kind {
            Kind::Log => format!("{verb} {text}"),
            Kind::Terminal { colour: true } => format!("{style}{verb:>12}{RESET} {text}"),
            Kind::Terminal { colour: false } => format!("{verb:>12} {text}"),
        }
    }

    fn write(&mut self, text: &str) {
        // Where the terminal is gone there is nobody to tell.
        let _ = self.out.write_all(text.as_bytes());
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod cargo {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::parent_id;

    /// Whether the standard error of cargo, our parent, is our controlling terminal, and cargo is not told to be quiet.
    /// An editor's language server shares the terminal of the shell that started it; its cargo writes to a pipe.
    pub fn draws() -> bool {
        let device = |path: &str| Some(fs::metadata(path).ok()?.rdev());
        let parent = format!("/proc/{}", parent_id());
        let stat = fs::read("/proc/self/stat").unwrap_or_default();
        let Some(terminal) = controlling_terminal(&String::from_utf8_lossy(&stat)) else {
            return false;
        };
        let stderr = device(&format!("{parent}/fd/2"));
        let arguments = fs::read(format!("{parent}/cmdline")).unwrap_or_default();
        stderr.is_some()
            && (stderr == Some(terminal) || stderr == device("/dev/tty"))
            && !is_quiet(&String::from_utf8_lossy(&arguments))
    }

    /// The number of the device, from a process's `stat`: its pid, its name in parentheses, its state, its parent,
    /// group and session, its terminal. What is no device has the number 0.
    pub fn controlling_terminal(stat: &str) -> Option<u64> {
        let (_, after_name) = stat.rsplit_once(')')?;
        let device: i32 = after_name.split_whitespace().nth(4)?.parse().ok()?;
        (device != 0).then_some(u64::from(device as u32))
    }

    /// Whether these arguments, each ended by NUL, ask cargo for `--quiet`.
    pub fn is_quiet(arguments: &str) -> bool {
        let mut own = arguments.split('\0').take_while(|argument| *argument != "--");
        own.any(|argument| argument == "--quiet" || short_flags(argument).any(|c| c == 'q'))
    }

    /// The letters of `-vq`; after one that takes a value, as in `-p quick`, come no more.
    fn short_flags(argument: &str) -> impl Iterator<Item = char> {
        let letters = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        letters.unwrap_or("").chars().take_while(|c| !"CFZjp".contains(*c))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod cargo {
    /// Elsewhere a process cannot see where its parent writes.
    pub fn draws() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    struct Writes(Sender<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written, a string a write.
    fn writes(kind: Kind, act: impl FnOnce(&mut Screen)) -> Vec<String> {
        let (sender, receiver) = channel();
        act(&mut Screen::new(Writes(sender), kind));
        receiver.iter().collect()
    }

    #[test]
    fn each_change_of_a_terminal_is_one_write_that_leaves_the_cursor_in_the_first_column() {
        let written = writes(Kind::Terminal { colour: true }, |screen| {
            screen.say("Downloading", "it");
            screen.draw("Downloading", "[>  ]", "it");
            screen.clear();
            screen.clear();
        });
        assert_eq!(
            written,
            [
                "\r\x1b[K\x1b[1m\x1b[92m Downloading\x1b[0m it\n",
                "\r\x1b[K\x1b[?7l\x1b[1m\x1b[96m Downloading\x1b[0m [>  ]\x1b[81Git\x1b[999C\x1b[D\x1b[K\x1b[?7h\r",
                "\r\x1b[K",
            ]
        );
    }

    #[test]
    fn without_colour_only_the_cursor_is_moved() {
        let written = writes(Kind::Terminal { colour: false }, |screen| {
            screen.say("Waiting", "for it");
            screen.draw("Downloading", "[>  ]", "it");
        });
        assert_eq!(written[0], "\r\x1b[K     Waiting for it\n");
        assert!(!written[1].contains("m"), "{written:?}");
    }

    #[test]
    fn a_log_has_whole_lines_only() {
        let written = writes(Kind::Log, |screen| {
            screen.say("Downloading", "it");
            screen.draw("Downloading", "[>  ]", "it");
            screen.clear();
        });
        assert_eq!(written, ["Downloading it\n"]);
    }

    #[test]
    fn nothing_that_is_shown_moves_the_cursor() {
        let written = writes(Kind::Log, |screen| screen.say("Waiting", "for \x1b[2J\r\n\u{9b}A"));
        assert_eq!(written, ["Waiting for \u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}A\n"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_controlling_terminal_is_in_the_stat_of_a_process() {
        let cases = [
            ("12 (build-script-bu) S 10 9 8 34817 9 4194304 138", Some(0x8801)),
            ("12 (a) b) R (c) S 10 9 8 34819 9 4194304 138", Some(0x8803)),
            ("12 (build-script-bu) S 10 9 8 0 -1 4194304 138", None),
            ("12 (build-script-bu) S 10", None),
            ("", None),
        ];
        for (stat, expected) in cases {
            assert_eq!(cargo::controlling_terminal(stat), expected, "{stat}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_quiet_cargo_is_known_by_its_arguments() {
        let cases = [
            ("cargo build", false),
            ("cargo build -q", true),
            ("/home/q/bin/cargo --quiet build", true),
            ("cargo build -rq", true),
            ("cargo build -vvq", true),
            ("cargo build -pquick", false),
            ("cargo build --release --all-targets", false),
            ("cargo run -- -q --quiet", false),
            ("cargo test quick", false),
            ("", false),
        ];
        for (arguments, expected) in cases {
            assert_eq!(cargo::is_quiet(&arguments.replace(' ', "\0")), expected, "{arguments}");
        }
    }
}
