//! `model-host DIR`: serves a directory until it is killed.

use std::ffi::OsString;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use model_host::Host;

const HELP: &str = "\
Serves the files of a directory on 127.0.0.1 until it is killed.

Usage: model-host DIR [OPTIONS]

Options:
    --port N    listen on this port instead of a free one
    --gzip      send every file gzipped, asked or not
    --tls       speak TLS; the certificate to trust is printed on stderr
    --help      print this text

Prints one line on stdout when it is ready: the URL of DIR.
";

fn main() -> ExitCode {
    match read_arguments() {
        Ok(Some(arguments)) => serve(arguments),
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("model-host: {error}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Arguments {
    dir: PathBuf,
    port: u16,
    gzip: bool,
    tls: bool,
}

/// The arguments; none if help was asked for.
fn read_arguments() -> Result<Option<Arguments>, lexopt::Error> {
    let mut arguments = Arguments::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => arguments.port = parser.value()?.parse()?,
            Long("gzip") => arguments.gzip = true,
            Long("tls") => arguments.tls = true,
            Long("help") | Short('h') => return Ok(None),
            Value(dir) if arguments.dir == Path::new("") => arguments.dir = directory(dir)?,
            _ => return Err(argument.unexpected()),
        }
    }
    match arguments.dir == Path::new("") {
        true => Err("DIR is missing".into()),
        false => Ok(Some(arguments)),
    }
}

fn directory(argument: OsString) -> Result<PathBuf, lexopt::Error> {
    let dir = PathBuf::from(argument);
    match dir.is_dir() {
        true => Ok(dir),
        false => Err(format!("{} is not a directory", dir.display()).into()),
    }
}

fn serve(arguments: Arguments) -> ! {
    let mut builder = Host::builder().dir("/", &arguments.dir).port(arguments.port);
    if arguments.gzip {
        builder = builder.gzip_always();
    }
    if arguments.tls {
        builder = builder.tls();
    }
    let host = builder.start();
    if arguments.tls {
        eprint!("{}", host.certificate_pem());
    }
    println!("{}", host.url("/"));
    stdout().flush().expect("stdout is open");
    loop {
        thread::park();
    }
}
