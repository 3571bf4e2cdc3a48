//! A verdict for people: a line a copy, and what is wrong with its files or where they are embedded.

use anstyle::{AnsiColor, Effects, Style};

use crate::table::{Column, table};
use crate::verdict::{Finding, Kind, Model, Packed, State, Target, Verified};
use crate::words::count;

const RIGHT: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const WRONG: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

const ONLY_TENSORS: &str = "help: a program has only what it uses; one that reads no more than TENSORS has no manifest, and is right with --weights-only\n";

impl Verified {
    /// What a person reads.
    pub fn text(&self, width: Option<usize>) -> String {
        self.targets.iter().map(|target| target.text(width)).collect::<Vec<_>>().join("\n")
    }
}

impl Target {
    fn text(&self, width: Option<usize>) -> String {
        let kind = match self.kind {
            Kind::Directory => "directory",
            Kind::Archive => "archive",
            Kind::Binary => "file",
        };
        let (path, lockfile) = (self.path.display(), self.lockfile.display());
        let mut text = format!("{path}: {kind}, against {lockfile}\n");
        if !self.executables.is_empty() {
            text += &format!("executables searched: {}\n", self.executables.join(", "));
        }
        let is_unread = self.kind == Kind::Binary && !self.not_read.is_empty();
        for model in self.models.iter().filter(|_| !is_unread) {
            let summary = match self.not_vendored.contains(&model.url) {
                true => "pinned, not vendored".to_owned(),
                false => model.summary(self.kind),
            };
            text += &format!("{} {}: {summary}\n", model.mark(), model.url);
            text += &model.table(width);
        }
        let in_part = |model: &Model| model.is_embedded() && model.count(State::Missing) > 0;
        if self.models.iter().any(in_part) {
            text += ONLY_TENSORS;
        }
        self.problems.iter().for_each(|problem| text += &format!("{} {problem}\n", wrong()));
        if !is_unread && !self.not_read.is_empty() {
            let told = self.not_read.iter().map(Packed::text).collect::<Vec<_>>().join(", ");
            text += &format!("? not read, as they are packed: {told}\n");
        }
        for name in &self.additional {
            text += &format!("? {name}: additional, no pin names it\n");
        }
        for url in &self.not_pinned {
            text += &format!("? {url}: vendored, not pinned any more\n");
        }
        self.help.iter().for_each(|help| text += &format!("help: {help}\n"));
        text
    }
}

impl Model {
    fn mark(&self) -> String {
        match (self.found, self.is_whole()) {
            (false, _) => "-".to_owned(),
            (true, false) => wrong(),
            (true, true) => format!("{RIGHT}✓{RIGHT:#}"),
        }
    }

    fn summary(&self, kind: Kind) -> String {
        if !self.found {
            return "nothing of it was found".to_owned();
        }
        let counts = [
            (State::Exact, "exact"),
            (State::Different, "different"),
            (State::Missing, "missing"),
            (State::Placeholder, "empty placeholders"),
            (State::TooShort, "too short to tell"),
            (State::LeftOut, "left out"),
        ];
        let told = counts.iter().filter(|(state, _)| self.count(*state) > 0);
        let told: Vec<String> =
            told.map(|(state, words)| format!("{} {words}", self.count(*state))).collect();
        let told = format!("{}: {}", count(self.files.len() as u64, "file"), told.join(", "));
        match self.within.as_deref() {
            // The file is named a line above.
            Some(_) if kind == Kind::Binary => told,
            Some("") => told,
            Some(within) => format!("{told}, in {within}"),
            None => format!("{told}, under other names"),
        }
    }

    fn table(&self, width: Option<usize>) -> String {
        match (self.found, self.within.as_deref()) {
            (false, _) => String::new(),
            (true, None) => self.scattered(width),
            (true, Some(_)) if self.is_embedded() => self.embedded(width),
            (true, Some(dir)) => self.loose(dir, width),
        }
    }

    /// Where each file is in an executable.
    fn embedded(&self, width: Option<usize>) -> String {
        let columns = [
            Column::Left(""),
            Column::Left("STATE"),
            Column::Yields("FILE"),
            Column::Right("OFFSET"),
            Column::Yields("SECTION"),
            Column::Left("DIFFERS"),
        ];
        let row = |file: &Finding| {
            let at = file.at.as_ref();
            let hex = |number: u64| format!("{number:#x}");
            let section = at.and_then(|at| {
                Some(format!("{} + {:#x}", at.section.as_deref()?, at.section_offset?))
            });
            let byte = file.differs_at.map(|byte| format!("from byte {byte} on"));
            let offset = at.and_then(|at| at.offset).map(hex);
            let cells = [offset, section, byte].map(Option::unwrap_or_default);
            [String::new(), file.word().to_owned(), file.path.clone()]
                .into_iter()
                .chain(cells)
                .collect()
        };
        set(&columns, self.files.iter().map(row).collect(), width)
    }

    /// What is wrong in a directory.
    fn loose(&self, dir: &str, width: Option<usize>) -> String {
        let columns = [
            Column::Left(""),
            Column::Left("STATE"),
            Column::Yields("FILE"),
            Column::Left("FOUND"),
            Column::Left("PINNED"),
        ];
        let row = |file: &Finding| {
            let (found, pinned) = match &file.found {
                Some(found) => (brief(found.size, &found.sha256), brief(file.size, &file.sha256)),
                None => Default::default(),
            };
            let name = file.at.as_ref().map_or(file.path.as_str(), |at| below(dir, &at.file));
            vec![String::new(), file.word().to_owned(), name.to_owned(), found, pinned]
        };
        let wrong = self.files.iter().filter(|file| file.state != State::Exact);
        set(&columns, wrong.map(row).collect(), width)
    }

    /// Under which names the files are.
    fn scattered(&self, width: Option<usize>) -> String {
        let columns = [
            Column::Left(""),
            Column::Left("STATE"),
            Column::Yields("FILE"),
            Column::Yields("WHERE"),
        ];
        let row = |file: &Finding| {
            let at = file.at.as_ref().map(|at| at.file.clone()).unwrap_or_default();
            vec![String::new(), file.word().to_owned(), file.path.clone(), at]
        };
        set(&columns, self.files.iter().map(row).collect(), width)
    }
}

impl Packed {
    fn text(&self) -> String {
        format!("{} ({})", self.file, self.format)
    }
}

impl Finding {
    fn word(&self) -> &'static str {
        match self.state {
            State::Exact => "exact",
            State::Missing => "missing",
            State::Different => "different",
            State::Placeholder => "placeholder",
            State::TooShort => "too short",
            State::LeftOut => "left out",
        }
    }
}

/// Nothing without rows, and no column in which nothing stands.
fn set(columns: &[Column], mut rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let is_used = |at: usize| at == 0 || rows.iter().any(|row| !row[at].is_empty());
    let used: Vec<usize> = (0..columns.len()).filter(|at| is_used(*at)).collect();
    let columns: Vec<Column> = used.iter().map(|at| columns[*at]).collect();
    for row in &mut rows {
        *row = used.iter().map(|at| row[*at].clone()).collect();
    }
    table(&columns, &rows, width)
}

fn brief(size: u64, sha256: &str) -> String {
    format!("{size} bytes, {}…", &sha256[..8])
}

fn below<'a>(dir: &str, path: &'a str) -> &'a str {
    let rest = path.strip_prefix(dir).and_then(|rest| rest.strip_prefix('/'));
    rest.unwrap_or(path)
}

fn wrong() -> String {
    format!("{WRONG}✗{WRONG:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Content, Place};

    fn finding(at: Place) -> Finding {
        Finding {
            path: "group1-shard3of5.bin".to_owned(),
            size: 4_194_304,
            sha256: "ab".repeat(32),
            state: State::Different,
            at: Some(at),
            found: Some(Content { size: 4_194_303, sha256: "cd".repeat(32) }),
            differs_at: None,
        }
    }

    fn plain(within: &str, finding: Finding) -> String {
        let url = "https://models.example/m/model.json".to_owned();
        let within = Some(within.to_owned());
        let copy = Model { url, found: true, within, files: vec![finding] };
        anstream::adapter::strip_str(&copy.table(Some(80))).to_string()
    }

    #[test]
    fn the_place_of_a_byte_survives_eighty_columns() {
        let place = Place {
            offset: Some(0x1234_5678),
            section: Some(".rodata.vm_0123456789abcdef".to_owned()),
            section_offset: Some(0x120_0000),
            ..Place::file("two/arm/my-app")
        };
        let text =
            plain("two/arm/my-app", Finding { differs_at: Some(4_000_000), ..finding(place) });
        let line = text.lines().last().unwrap();
        assert_eq!(
            line,
            "  different  gro…3of5.bin  0x12345678  .rodat… + 0x1200000  from byte 4000000 on"
        );
    }

    #[test]
    fn sizes_and_digests_survive_eighty_columns() {
        let text = plain("two/x86", finding(Place::file("two/x86/group1-shard3of5.bin")));
        let line = text.lines().last().unwrap();
        assert_eq!(
            line,
            "  different  grou…rd3of5.bin  4194303 bytes, cdcdcdcd…  4194304 bytes, abababab…"
        );
    }
}
