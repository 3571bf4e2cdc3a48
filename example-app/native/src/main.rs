//! Reads digits from standard input, each of 64 shades from 0 to 16, row by row, and says what they are:
//! `cargo run -p native --manifest-path example-app/Cargo.toml < example-app/native/three.txt`.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use native::{SIDE, read};

fn main() -> ExitCode {
    match read_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read_all() -> Result<(), Box<dyn Error>> {
    let text = io::read_to_string(io::stdin())?;
    let numbers = text.split([',', ' ', '\n', '\r']).filter(|number| !number.is_empty());
    let shade = |text: &str| text.parse().map_err(|_| format!("{text:?} is no shade from 0 to 16"));
    let shades: Vec<f32> = numbers.map(shade).collect::<Result<_, _>>()?;
    let (pictures, rest) = shades.as_chunks::<{ SIDE * SIDE }>();
    for picture in pictures {
        let probabilities = read(&picture.map(|shade| shade / 16.0));
        let (digit, probability) =
            probabilities.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap();
        println!("{digit}, {:.1} % sure", 100.0 * probability);
    }
    match rest.len() {
        0 if pictures.is_empty() => Err("there is no picture on standard input".into()),
        0 => Ok(()),
        n => Err(format!("{n} shades are left, a picture has {}", SIDE * SIDE).into()),
    }
}
