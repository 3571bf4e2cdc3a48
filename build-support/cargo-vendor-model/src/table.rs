//! Tables that fit the terminal: columns as wide as what is in them, and one that gives way.

use anstyle::{Effects, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::talk::harmless;

const HEAD: Style = Style::new().effects(Effects::BOLD);
const GAP: &str = "  ";
/// What gives way keeps so many columns.
const LEAST: usize = 12;

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Left(&'static str),
    /// For numbers.
    Right(&'static str),
    /// Loses its middle where the terminal is narrow.
    Yields(&'static str),
}

/// The text of a table, with styles. `width` is that of the terminal, if it goes to one.
pub fn table(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| harmless(&cell.replace('\n', " "))).collect())
        .collect();
    let widths = widths(columns, &rows, width);
    let heads: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
    let mut text = format!("{HEAD}{}{HEAD:#}\n", line(columns, &heads, &widths));
    for row in &rows {
        text += &line(columns, row, &widths);
        text.push('\n');
    }
    text
}

/// The same without those of the columns in `spare`, the first of them first, that would have others give way.
pub fn table_without(
    spare: &[&str],
    columns: &[Column],
    rows: &[Vec<String>],
    width: Option<usize>,
) -> String {
    let (mut columns, mut rows) = (columns.to_vec(), rows.to_vec());
    for name in spare {
        let whole = whole(&widths(&columns, &rows, None));
        let is_cut = width.is_some_and(|width| width < whole);
        if let (true, Some(at)) = (is_cut, columns.iter().position(|column| column.name() == *name))
        {
            columns.remove(at);
            rows.iter_mut().for_each(|row| drop(row.remove(at)));
        }
    }
    table(&columns, &rows, width)
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Column::Left(name) | Column::Right(name) | Column::Yields(name) => name,
        }
    }
}

fn widths(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> Vec<usize> {
    let widest = |at: usize, column: &Column| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
        cells.max().unwrap_or(0).max(column.name().width())
    };
    let mut widths: Vec<usize> =
        columns.iter().enumerate().map(|(at, column)| widest(at, column)).collect();
    let mut excess = width.map_or(0, |width| whole(&widths).saturating_sub(width));
    for (column, width) in columns.iter().zip(&mut widths) {
        if matches!(column, Column::Yields(_)) {
            let less = excess.min(width.saturating_sub(LEAST));
            *width -= less;
            excess -= less;
        }
    }
    widths
}

/// With the gaps.
fn whole(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

fn line(columns: &[Column], cells: &[String], widths: &[usize]) -> String {
    let cells = columns.iter().zip(cells).zip(widths).map(|((column, cell), &width)| {
        let cell = fitted(cell, width);
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        match column {
            Column::Right(_) => pad + &cell,
            _ => cell + &pad,
        }
    });
    cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// The text, or its two ends where it is too wide.
pub fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let tail_room = room - room / 3;
    let head = taken(text.chars(), room / 3);
    let tail: String = taken(text.chars().rev(), tail_room).chars().rev().collect();
    format!("{head}…{tail}")
}

fn taken(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    chars
        .take_while(|c| {
            let width = c.width().unwrap_or(0);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(columns: &[Column], rows: &[&[&str]], width: Option<usize>) -> String {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        anstream::adapter::strip_str(&table(columns, &rows, width)).to_string()
    }

    #[test]
    fn numbers_stand_to_the_right_and_no_line_ends_in_blanks() {
        let columns = [Column::Yields("MODEL"), Column::Right("SIZE"), Column::Left("FORMAT")];
        let rows: [&[&str]; 2] = [&["a", "5 bytes", "x"], &["long", "12 kB", ""]];
        assert_eq!(
            plain(&columns, &rows, None),
            "MODEL     SIZE  FORMAT\na      5 bytes  x\nlong     12 kB\n"
        );
    }

    #[test]
    fn what_yields_loses_its_middle_and_the_rest_stays() {
        let columns = [Column::Yields("MODEL"), Column::Right("SIZE")];
        let rows: [&[&str]; 1] = [&["https://models.example/digits/model.json", "94.1 MB"]];
        let text = plain(&columns, &rows, Some(30));
        assert_eq!(text, "MODEL                     SIZE\nhttps:…its/model.json  94.1 MB\n");
        assert!(text.lines().all(|line| line.width() <= 30));
        assert!(plain(&columns, &rows, Some(5)).contains("htt…del.json"), "no less than that");
    }

    #[test]
    fn columns_that_can_be_spared_go_before_anything_is_cut() {
        let columns = [Column::Yields("LAYER"), Column::Right("N"), Column::Left("TYPE")];
        let rows = [["a/long/name", "123", "bool"].map(str::to_owned).to_vec()];
        let lines = |width| table_without(&["TYPE", "N"], &columns, &rows, Some(width));
        let plain = |width| anstream::adapter::strip_str(&lines(width)).to_string();
        assert_eq!(plain(22), "LAYER          N  TYPE\na/long/name  123  bool\n");
        assert_eq!(plain(21), "LAYER          N\na/long/name  123\n");
        assert_eq!(plain(15), "LAYER\na/long/name\n");
    }

    #[test]
    fn wide_characters_count_as_the_terminal_counts_them() {
        assert_eq!(fitted("模型模型模型", 7), "模…模型");
        assert_eq!(fitted("模型", 4), "模型");
    }

    #[test]
    fn no_cell_moves_the_cursor() {
        assert!(!plain(&[Column::Left("A")], &[&["a\u{1b}[2J\nb"]], None).contains('\u{1b}'));
    }
}
