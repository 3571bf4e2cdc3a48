//! What the cache has in stock, and what became of it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use vendor_model::{Cache, CachedFile, Config};

use crate::failure::{Failure, Outcome};
use crate::table::{Column, table};
use crate::talk::Talk;
use crate::words::{count, size};

pub struct Stock(Cache);

/// Where the cache is.
#[derive(Serialize)]
pub struct Place {
    directory: PathBuf,
}

/// What is in it.
#[derive(Serialize)]
pub struct Inventory {
    directory: PathBuf,
    size: u64,
    files: Vec<Item>,
}

/// What was found damaged, and dropped.
#[derive(Serialize)]
pub struct Verdict {
    directory: PathBuf,
    checked: usize,
    dropped: Vec<Item>,
}

/// What was not used for long, and is gone.
#[derive(Serialize)]
pub struct Clearance {
    directory: PathBuf,
    size: u64,
    removed: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    sha256: String,
    size: u64,
    /// Seconds since 1970.
    used: u64,
}

impl Stock {
    pub fn open(config: &Config) -> Result<Stock, Failure> {
        config.cache()?.map(Stock).ok_or_else(|| {
            Failure::usage("there is no cache").help("name a directory in VENDOR_MODEL_CACHE")
        })
    }

    pub fn dir(&self) -> Place {
        Place { directory: self.0.dir().to_owned() }
    }

    pub fn list(&self) -> Result<Inventory, Failure> {
        let files = items(self.0.list()?);
        Ok(Inventory { directory: self.0.dir().to_owned(), size: sum(&files), files })
    }

    pub fn verify(&self) -> Result<Verdict, Failure> {
        let checked = self.0.list()?.len();
        let dropped = items(self.0.verify()?);
        Ok(Verdict { directory: self.0.dir().to_owned(), checked, dropped })
    }

    pub fn gc(&self, unused_for: &str) -> Result<Clearance, Failure> {
        let removed = items(self.0.gc(time(unused_for)?)?);
        Ok(Clearance { directory: self.0.dir().to_owned(), size: sum(&removed), removed })
    }
}

impl Place {
    pub fn show(&self, talk: &Talk, json: bool) -> Result<Outcome, Failure> {
        match json {
            true => talk.json(self),
            false => talk.print(&format!("{}\n", self.directory.display())),
        }
        Ok(Outcome::Well)
    }
}

impl Inventory {
    pub fn show(&self, talk: &Talk, json: bool, width: Option<usize>) -> Result<Outcome, Failure> {
        match json {
            true => talk.json(self),
            false => talk.print(&self.text(width)),
        }
        Ok(Outcome::Well)
    }

    fn text(&self, width: Option<usize>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let row = |item: &Item| {
            vec![item.sha256.clone(), size(item.size), ago(now.saturating_sub(item.used))]
        };
        let columns = [Column::Yields("SHA-256"), Column::Right("SIZE"), Column::Right("USED")];
        let rows: Vec<Vec<String>> = self.files.iter().map(row).collect();
        let files = count(self.files.len() as u64, "file");
        let sum = format!("{files}, {} in {}\n", size(self.size), self.directory.display());
        if rows.is_empty() { sum } else { table(&columns, &rows, width) + &sum }
    }
}

impl Verdict {
    /// What was damaged is gone, and will be fetched again: no harm is left, but the disk may be going.
    pub fn show(&self, talk: &Talk, json: bool) -> Result<Outcome, Failure> {
        for item in &self.dropped {
            talk.status("Dropped", &format!("sha256 {} ({})", item.sha256, size(item.size)));
        }
        let (checked, dropped) = (self.checked as u64, self.dropped.len());
        talk.status("Verified", &format!("{}, {dropped} damaged", count(checked, "file")));
        if json {
            talk.json(self);
        }
        Ok(if self.dropped.is_empty() { Outcome::Well } else { Outcome::Wrong })
    }
}

impl Clearance {
    pub fn show(&self, talk: &Talk, json: bool) -> Result<Outcome, Failure> {
        let removed = count(self.removed.len() as u64, "file");
        talk.status("Removed", &format!("{removed}, {}", size(self.size)));
        if json {
            talk.json(self);
        }
        Ok(Outcome::Well)
    }
}

fn items(files: Vec<CachedFile>) -> Vec<Item> {
    let item = |file: CachedFile| Item {
        used: file.used.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        sha256: file.sha256,
        size: file.size,
    };
    files.into_iter().map(item).collect()
}

fn sum(items: &[Item]) -> u64 {
    items.iter().map(|item| item.size).sum()
}

/// `90d`, `12h`
fn time(text: &str) -> Result<Duration, Failure> {
    const UNITS: [(char, u64); 5] =
        [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
    let parsed = UNITS.iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(*unit)?.parse().ok()?;
        number.checked_mul(*seconds)
    });
    parsed.map(Duration::from_secs).ok_or_else(|| {
        Failure::usage("cannot read --unused-for")
            .fact("expected", "a number and s, m, h, d or w, such as 30d")
            .fact("found", format!("{text:?}"))
    })
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_and_a_unit() {
        assert_eq!(time("90d").ok(), Some(Duration::from_secs(90 * 86_400)));
        assert_eq!(time("0s").ok(), Some(Duration::ZERO));
        for wrong in ["", "90", "d", "-1d", "1.5h", "99999999999999999999w", "30 d"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
