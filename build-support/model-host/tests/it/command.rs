//! The binary.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::client::Client;

/// The binary while it runs; killed at the end of the test, passed or failed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("the host runs until it is killed");
        self.0.wait().expect("it was just killed");
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_model-host"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn it_prints_its_url_once_it_is_ready() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut running = Running(command().args([dir, "--gzip"]).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();

    let authority = line.strip_prefix("http://").and_then(|it| it.strip_suffix("/\n")).unwrap();
    let answer = Client::at(authority.parse().unwrap()).send("GET", "/model.json", &[]);
    assert_eq!((answer.status, answer.header("Content-Encoding")), (200, Some("gzip")));
}

#[test]
fn it_says_how_it_is_used() {
    let help = command().arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("Usage: model-host DIR"));
}

#[test]
fn it_refuses_what_it_cannot_serve() {
    for (arguments, message) in [
        (&[][..], "DIR is missing"),
        (&["/no/such/directory"][..], "/no/such/directory is not a directory"),
        (&[".", "--port", "high"][..], "cannot parse argument"),
        (&[".", "--fast"][..], "invalid option '--fast'"),
    ] {
        let refused = command().args(arguments).output().unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
        assert!(String::from_utf8(refused.stderr).unwrap().contains(message), "{message}");
    }
}
