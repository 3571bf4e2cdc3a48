//! What a person sees of a download, in a real `cargo build`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use model_host::Host;

use crate::shared_folder::skip;
use crate::support::{Project, host_of, model};

/// A host slow enough for the line to be drawn.
fn hosted() -> (Host, Project) {
    let host = host_of(&model()).delay(Duration::from_secs(1)).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    (host, project)
}

/// Whether a test can have a terminal of its own.
fn terminal() -> bool {
    let version = Command::new("script").arg("--version").output();
    let found = cfg!(target_os = "linux")
        && version
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux"));
    if !found {
        skip("`script` of util-linux is not there");
    }
    found
}

/// What a terminal of 80 columns shows after this was written to it, but for what cargo says of other packages.
fn rows(written: &str) -> Vec<String> {
    const WIDTH: usize = 80;
    let mut rows = vec![Vec::new()];
    let (mut column, mut wraps) = (0, true);
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        if c == '\n' || c >= ' ' && column == WIDTH && wraps {
            rows.push(Vec::new());
        }
        let row: &mut Vec<char> = rows.last_mut().unwrap();
        match c {
            '\r' => column = 0,
            '\n' => {}
            '\x1b' if rest.next() == Some('[') => {
                let (number, act) = control(&mut rest);
                match act {
                    'K' => row.truncate(column),
                    'G' => column = number.min(WIDTH) - 1,
                    'C' => column = (column + number).min(WIDTH - 1),
                    'D' => column = column.saturating_sub(number),
                    'h' | 'l' => wraps = act == 'h',
                    act => assert_eq!(act, 'm', "{written:?}"),
                }
            }
            // A link or a title, of cargo's.
            '\x1b' => drop(rest.by_ref().find(|c| ['\\', '\x07'].contains(c))),
            c => {
                if column == WIDTH {
                    column = if wraps { 0 } else { WIDTH - 1 };
                }
                row.resize(row.len().max(column + 1), ' ');
                row[column] = c;
                column += 1;
            }
        }
    }
    let rows =
        rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned());
    rows.filter(|row| !row.is_empty() && !row.contains("Compiling") && !row.contains("Blocking"))
        .collect()
}

/// The number, 1 where there is none, and the letter of a control sequence.
fn control(rest: &mut std::str::Chars) -> (usize, char) {
    let mut number = String::new();
    let letter = rest.find(|c| {
        number.extend(Some(*c).filter(char::is_ascii_digit));
        c.is_ascii_alphabetic()
    });
    (number.parse().unwrap_or(1), letter.unwrap())
}

#[test]
fn a_download_is_told_on_cargos_terminal_and_leaves_its_first_line() {
    let (host, project) = hosted();
    if !terminal() {
        return;
    }
    let run = project.cargo_on_a_terminal("build --offline", &[]);
    let live =
        |text: &str| run.stdout.contains(&format!("\x1b[1m\x1b[96m Downloading\x1b[0m {text}"));
    assert!(live("[>           ] 0/1 file, 0 bytes"), "{:?}", run.stdout);
    assert!(live("[===========>] 1/4 files, 278/298 bytes"), "{:?}", run.stdout);

    let rows = rows(&run.stdout);
    let from = format!("from {}", host.addr());
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[0], format!(" Downloading m/model.json: 3 files, 20 bytes {from}"));
    assert!(rows[1].starts_with("    Finished "), "{rows:#?}");
}

#[test]
fn nothing_is_drawn_where_cargo_does_not_draw() {
    let (host, project) = hosted();
    if !terminal() {
        return;
    }
    project.build().succeeded();
    let cases = [
        ("build --offline", ("VENDOR_MODEL_PROGRESS", "auto"), true),
        ("build --offline", ("VENDOR_MODEL_PROGRESS", "never"), false),
        ("build --offline", ("CARGO_TERM_QUIET", "true"), false),
        ("build --offline", ("CARGO_TERM_PROGRESS_WHEN", "never"), false),
        ("build --offline -q", ("VENDOR_MODEL_PROGRESS", ""), false),
        ("build --offline 2>log.txt", ("VENDOR_MODEL_PROGRESS", ""), false),
        ("build --offline 2>&1 | cat", ("VENDOR_MODEL_PROGRESS", ""), false),
        ("build --offline 2>log.txt", ("VENDOR_MODEL_PROGRESS", "tty"), true),
    ];
    for (command, variable, told) in cases {
        fs::remove_file(project.out_dir().join("model/group1-shard1of3.bin")).unwrap();
        host.clear_log();
        let run = project.cargo_on_a_terminal(command, &[variable]).succeeded();
        assert_eq!(host.requests().len(), 1, "{command} {variable:?}");
        let line = " Downloading m/model.json: 1 file, 8 bytes from ";
        let found = rows(&run.stdout).iter().any(|row| row.starts_with(line));
        assert_eq!(found, told, "{command} {variable:?}: {:?}", run.stdout);
        assert_eq!(run.stdout.contains("96m Downloading"), told, "{command} {variable:?}");
    }
}

#[test]
fn a_log_gets_plain_lines_and_cargo_no_warning() {
    let (host, project) = hosted();
    let run = project.cargo("build -v", &[("VENDOR_MODEL_PROGRESS", "plain")]).succeeded();
    let own = format!("[{} 1.0.0] ", project.name());
    let lines: Vec<&str> = run.stderr.lines().filter_map(|line| line.strip_prefix(&own)).collect();
    let told: Vec<&&str> = lines.iter().filter(|line| line.starts_with("Download")).collect();
    let first = format!("Downloading m/model.json: 3 files, 20 bytes from {}", host.addr());
    assert_eq!(*told[0], first);
    let last = told.last().unwrap();
    assert!(last.starts_with("Downloaded m/model.json: 4 files, "), "{lines:#?}");
    let warning = format!("warning: {}@", project.name());
    assert!(!run.stderr.contains(&warning), "{}", run.stderr);
}
