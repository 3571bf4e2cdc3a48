//! Only to be compiled.

fn main() {
    let _ = ureq::agent();
}
