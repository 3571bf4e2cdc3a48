//! Only to be compiled.

fn main() {
    let _ = reqwest::blocking::Client::new;
}
