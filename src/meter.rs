//! How far a download is -> the words for it. Pure: whoever asks brings the time along.

use std::collections::VecDeque;
use std::time::Duration;

/// The columns between the ends of the bar. With them the figures fit the 78 columns that cargo uses of 80.
const BAR: usize = 12;

/// How far a download is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub finished: usize,
    pub files: usize,
    pub arrived: u64,
    /// How many bytes there are, where that is known.
    pub bytes: Option<u64>,
    /// Bytes a second, once they can be told.
    pub speed: Option<u64>,
}

impl Figures {
    /// `[=====>      ]`, by bytes where their number is known, else by files.
    pub fn bar(&self) -> String {
        let (part, whole) = match self.bytes {
            Some(bytes) => (self.arrived, bytes),
            None => (self.finished as u64, self.files as u64),
        };
        let share = part as f64 / whole.max(1) as f64;
        let filled = ((share * BAR as f64) as usize).min(BAR);
        let tip = if filled < BAR { ">" } else { "" };
        format!("[{:<BAR$}]", "=".repeat(filled) + tip)
    }

    /// `12/24 files, 38.2/94.1 MB, 12.4 MB/s, 5s left`
    pub fn so_far(&self) -> String {
        let mut text = format!("{}/{}, ", self.finished, files(self.files));
        text += &match self.bytes {
            Some(bytes) => part_of(self.arrived, bytes),
            None => size(self.arrived),
        };
        match self.speed.filter(|_| self.finished < self.files) {
            None => {}
            Some(0) => text += ", stalled",
            Some(speed) => {
                text += &format!(", {}/s", size(speed));
                if let Some(left) = self.left(speed) {
                    text += &format!(", {} left", time(left));
                }
            }
        }
        text
    }

    /// `24 files, 94.1 MB in 7.6s`
    pub fn in_all(&self, taken: Duration) -> String {
        let of = if self.finished < self.files {
            format!("{} of ", self.finished)
        } else {
            String::new()
        };
        let taken =
            if taken.as_secs() < 60 { format!("{:.1}s", taken.as_secs_f64()) } else { time(taken) };
        // Hosts confirm what has not changed, and another process may have brought the rest.
        let came = match self.arrived {
            0 if self.finished == self.files => "nothing new".to_owned(),
            arrived => size(arrived),
        };
        format!("{of}{}, {came} in {taken}", files(self.files))
    }

    /// How long the rest takes at this speed.
    fn left(&self, speed: u64) -> Option<Duration> {
        let rest = self.bytes?.checked_sub(self.arrived).filter(|rest| *rest > 0)?;
        Some(Duration::from_secs(rest.div_ceil(speed)))
    }
}

/// How many bytes came at which time, over the last few seconds.
#[derive(Debug, Default)]
pub(crate) struct Speed(VecDeque<(Duration, u64)>);

impl Speed {
    const WINDOW: Duration = Duration::from_secs(5);
    /// Less time than this says nothing, and that nothing came in it even less.
    const LEAST: Duration = Duration::from_secs(1);
    const LEAST_IDLE: Duration = Duration::from_secs(4);

    /// Takes down that `arrived` bytes in all have come by `now`, and says how many a second came of late.
    pub fn at(&mut self, now: Duration, arrived: u64) -> Option<u64> {
        while self.0.len() > 1 && now.saturating_sub(self.0[0].0) > Speed::WINDOW {
            self.0.pop_front();
        }
        self.0.push_back((now, arrived));
        let (since, before) = self.0[0];
        let span = now.saturating_sub(since);
        let came = arrived.saturating_sub(before);
        let least = if came > 0 { Speed::LEAST } else { Speed::LEAST_IDLE };
        (span >= least).then(|| (came as f64 / span.as_secs_f64()) as u64)
    }
}

/// `1 file`, `2 files`
pub(crate) fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

/// `5 bytes`, `94.1 MB`: three digits that count.
pub(crate) fn size(bytes: u64) -> String {
    let scale = Scale::of(bytes);
    format!("{} {}", scale.show(bytes), scale.name)
}

/// `38.2/94.1 MB`, both to the scale of the whole.
fn part_of(part: u64, whole: u64) -> String {
    let scale = Scale::of(whole);
    format!("{}/{} {}", scale.show(part.min(whole)), scale.show(whole), scale.name)
}

/// A unit and how many decimals of it are shown.
struct Scale {
    name: &'static str,
    unit: u64,
    decimals: usize,
}

impl Scale {
    const UNITS: [(&'static str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

    /// The largest unit of which there is one after rounding.
    fn of(bytes: u64) -> Scale {
        for (name, unit) in Scale::UNITS {
            let units = bytes as f64 / unit as f64;
            if units >= 0.9995 {
                let decimals = match units {
                    ..9.995 => 2,
                    ..99.95 => 1,
                    _ => 0,
                };
                return Scale { name, unit, decimals };
            }
        }
        Scale { name: if bytes == 1 { "byte" } else { "bytes" }, unit: 1, decimals: 0 }
    }

    fn show(&self, bytes: u64) -> String {
        format!("{:.*}", self.decimals, bytes as f64 / self.unit as f64)
    }
}

/// As cargo says it: `5s`, `1m 05s`, `2h 05m`.
fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn figures(finished: usize, arrived: u64, bytes: Option<u64>, speed: Option<u64>) -> Figures {
        Figures { finished, files: 24, arrived, bytes, speed }
    }

    #[test]
    fn the_line_says_what_is_known_so_far() {
        let whole = Some(94_100_000);
        let cases = [
            (figures(0, 0, whole, None), "0/24 files, 0.0/94.1 MB"),
            (figures(12, 38_200_000, whole, None), "12/24 files, 38.2/94.1 MB"),
            (
                figures(12, 38_200_000, whole, Some(12_400_000)),
                "12/24 files, 38.2/94.1 MB, 12.4 MB/s, 5s left",
            ),
            (
                figures(12, 38_200_000, whole, Some(400_000)),
                "12/24 files, 38.2/94.1 MB, 400 kB/s, 2m 20s left",
            ),
            (figures(12, 38_200_000, whole, Some(0)), "12/24 files, 38.2/94.1 MB, stalled"),
            (figures(23, 94_100_000, whole, Some(MB)), "23/24 files, 94.1/94.1 MB, 1.00 MB/s"),
            (figures(23, 99_000_000, whole, Some(MB)), "23/24 files, 94.1/94.1 MB, 1.00 MB/s"),
            (figures(24, 94_100_000, whole, Some(0)), "24/24 files, 94.1/94.1 MB"),
            (figures(12, 38_200_000, None, None), "12/24 files, 38.2 MB"),
            (figures(12, 38_200_000, None, Some(12_400_000)), "12/24 files, 38.2 MB, 12.4 MB/s"),
            (figures(0, 0, Some(0), None), "0/24 files, 0/0 bytes"),
        ];
        for (figures, expected) in cases {
            assert_eq!(figures.so_far(), expected);
        }
        let single = Figures { files: 1, ..figures(0, 7, None, None) };
        assert_eq!(single.so_far(), "0/1 file, 7 bytes");
    }

    #[test]
    fn the_bar_follows_the_bytes_or_else_the_files() {
        let cases = [
            (figures(12, 0, Some(100), None), "[>           ]"),
            (figures(0, 50, Some(100), None), "[======>     ]"),
            (figures(0, 99, Some(100), None), "[===========>]"),
            (figures(0, 100, Some(100), None), "[============]"),
            (figures(0, 300, Some(100), None), "[============]"),
            (figures(0, 0, Some(0), None), "[>           ]"),
            (figures(12, 7, None, None), "[======>     ]"),
            (figures(24, 7, None, None), "[============]"),
        ];
        for (figures, expected) in cases {
            assert_eq!(figures.bar(), expected, "{figures:?}");
        }
    }

    #[test]
    fn bar_and_figures_fit_what_cargo_uses_of_eighty_columns() {
        let widest = Figures {
            finished: 112,
            files: 124,
            arrived: 938 * MB,
            bytes: Some(994 * MB),
            speed: Some(76_600),
        };
        let line = format!("{:>12} {} {}", "Downloading", widest.bar(), widest.so_far());
        let expected =
            " Downloading [===========>] 112/124 files, 938/994 MB, 76.6 kB/s, 12m 12s left";
        assert_eq!(line, expected);
        assert!(line.len() <= 78, "{}", line.len());
    }

    #[test]
    fn in_the_end_the_line_says_what_came_and_in_what_time() {
        let at = Duration::from_millis(7640);
        let all = figures(24, 94_100_000, None, None);
        assert_eq!(all.in_all(at), "24 files, 94.1 MB in 7.6s");
        assert_eq!(all.in_all(Duration::from_secs(62)), "24 files, 94.1 MB in 1m 02s");
        let some = figures(5, 17_200_000, Some(94_100_000), None);
        assert_eq!(some.in_all(at), "5 of 24 files, 17.2 MB in 7.6s");
        let confirmed = Figures { arrived: 0, ..all };
        assert_eq!(confirmed.in_all(at), "24 files, nothing new in 7.6s");
    }

    #[test]
    fn sizes_have_three_digits_that_count() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (9_994_999, "9.99 MB"),
            (9_995_000, "10.0 MB"),
            (99_950_000, "100 MB"),
            (94_100_000, "94.1 MB"),
            (2_514_000_000, "2.51 GB"),
            (16 << 30, "17.2 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
        }
        assert_eq!(part_of(40_000_000, 2_514_000_000), "0.04/2.51 GB");
    }

    #[test]
    fn times_are_as_cargo_says_them() {
        let cases = [(0, "0s"), (59, "59s"), (65, "1m 05s"), (3599, "59m 59s"), (7500, "2h 05m")];
        for (seconds, expected) in cases {
            assert_eq!(time(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn the_speed_is_that_of_the_last_few_seconds() {
        let mut speed = Speed::default();
        let mut at = |millis, arrived| speed.at(Duration::from_millis(millis), arrived);
        assert_eq!(at(0, 0), None);
        assert_eq!(at(750, 3 * MB), None, "too early to tell");
        assert_eq!(at(1000, 4 * MB), Some(4 * MB));
        assert_eq!(at(3000, 5 * MB), Some(MB * 5 / 3));
        assert_eq!(at(6000, 10 * MB), Some(MB * 6 / 5), "the first second is forgotten");
        assert_eq!(at(8000, 10 * MB), Some(MB));
        assert_eq!(at(9000, 10 * MB), None, "three seconds without a byte are no stall yet");
        assert_eq!(at(10_500, 10 * MB), Some(0));
        assert_eq!(at(80_000, 10 * MB), Some(0), "no tick for a minute");
    }
}
