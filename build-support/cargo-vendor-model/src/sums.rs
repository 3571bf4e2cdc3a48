//! A `SHA256SUMS` at the root of a directory: what it lists, and where it is wrong.

use crate::failure::Failure;
use crate::held::read;
use crate::tree::Tree;

const SUMS: &str = "SHA256SUMS";

#[derive(Default)]
pub struct Sums {
    pub listed: Vec<String>,
    pub problems: Vec<String>,
}

pub fn sums(tree: &Tree) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    if tree.size(SUMS).is_none() {
        return Ok(sums);
    }
    sums.listed.push(SUMS.to_owned());
    let text = read(&tree.at(SUMS))?;
    for line in String::from_utf8_lossy(&text).lines() {
        let Some((sha256, name)) = line.split_once("  ") else {
            sums.problems.push(format!("{SUMS} has a line that is none: {line:?}"));
            continue;
        };
        let is_right = tree.size(name).is_some() && tree.content(name)?.sha256 == sha256;
        if !is_right {
            sums.problems.push(format!("{SUMS} is not right about {name:?}"));
        }
        sums.listed.push(name.to_owned());
    }
    Ok(sums)
}
