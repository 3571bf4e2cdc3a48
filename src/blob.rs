//! The text that brings the bytes of weight groups into a program: each group in a row, aligned to 64, and once.
//!
//! Two ways. `include_bytes!`, joined by a `const fn`, everywhere; it copies every byte through the compiler. And
//! `.incbin`, which hands the files to the assembler, where object files are ELF. A `#[cfg]` in the text chooses.
//! Pure.

use std::fmt::Write;

use crate::digest::{Content, Digest};
use crate::path::ModelPath;

/// The beginning of a path in generated code: the name of a variable that cargo sets for rustc, and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub variable: &'static str,
    /// From the directory in the variable to the directory of the model, with `/`.
    pub dir: String,
}

/// The bytes of one weight group.
#[derive(Debug)]
pub(crate) struct Blob {
    pub digest: Digest,
    pub size: u64,
    /// In the order of their bytes.
    pub shards: Vec<(ModelPath, Content)>,
}

/// How a module gets at the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Embed {
    /// `.incbin` of the assembler where object files are ELF (Linux, Android, the BSDs, bare metal), which takes little
    /// time and memory however large the model is, and [`Embed::IncludeBytes`] elsewhere, under Miri, and where the path
    /// of the model has a quote, a backslash or a line break in it. Needs `unsafe`, and allows it itself.
    #[default]
    Auto,
    /// `include_bytes!`. Passes `forbid(unsafe_code)`.
    IncludeBytes,
}

/// Where object files are ELF and stable Rust has `global_asm!`.
const ELF: &str = r#"all(
    not(miri),
    any(
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "none",
        target_os = "openbsd",
    ),
    any(
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "loongarch64",
        target_arch = "riscv32",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86",
        target_arch = "x86_64",
    ),
)"#;

impl Anchor {
    /// The arguments of `concat!` for the path of a file of the model, then `end`.
    fn path(&self, path: &str, end: &str) -> String {
        let Anchor { variable, dir } = self;
        let place = if dir.is_empty() { format!("/{path}") } else { format!("/{dir}/{path}") };
        format!("env!({variable:?}), {:?}", place + end)
    }

    pub fn include_bytes(&self, path: &str) -> String {
        format!("include_bytes!(concat!({}))", self.path(path, ""))
    }
}

/// The module `blobs`, in which `GROUP_1` is the first of these blobs. It holds no blob of no bytes.
pub(crate) fn modules(blobs: &[Option<Blob>], anchor: &Anchor, embed: Embed) -> String {
    let numbered = || (1..).zip(blobs).filter_map(|(n, blob)| Some((n, blob.as_ref()?)));
    if numbered().next().is_none() {
        return String::new();
    }
    let included: String = numbered().map(|(n, blob)| included(n, blob, anchor)).collect();
    match embed {
        Embed::IncludeBytes => format!("\nmod blobs {{{JOINED}{included}}}\n"),
        Embed::Auto => {
            let assembled: String =
                numbered().map(|(n, blob)| assembled(n, blob, anchor)).collect();
            format!(
                "\n// Where unsafe code is forbidden, `Embed::IncludeBytes` does without.\n#[cfg({ELF})]\n#[allow(unsafe_code)]\nmod blobs {{{assembled}}}\n\n#[cfg(not({ELF}))]\nmod blobs {{{JOINED}{included}}}\n"
            )
        }
    }
}

const JOINED: &str = r#"
    #[repr(align(64))]
    struct Blob<const N: usize>([u8; N]);

    const fn joined<const N: usize>(shards: &[&[u8]]) -> Blob<N> {
        let mut blob = [0; N];
        let mut rest: &mut [u8] = &mut blob;
        let mut next = 0;
        while next < shards.len() {
            let (place, behind) = rest.split_at_mut(shards[next].len());
            place.copy_from_slice(shards[next]);
            rest = behind;
            next += 1;
        }
        assert!(rest.is_empty(), "a shard is shorter than it was");
        Blob(blob)
    }
"#;

/// Constant evaluation copies whole slices, so that it joins 94 MB in less than a second, and rustc tracks each file.
fn included(number: usize, blob: &Blob, anchor: &Anchor) -> String {
    let size = grouped(blob.size);
    let mut text = format!("\n    static BLOB_{number}: Blob<{size}> = joined(&[\n");
    for (path, _) in &blob.shards {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "        {},", anchor.include_bytes(path.as_str()));
    }
    text + &format!("    ]);\n    pub(super) static GROUP_{number}: &[u8] = &BLOB_{number}.0;\n")
}

/// rustc does not track what the assembler includes: the digest in the text is what makes it compile anew.
///
/// Crates that embed the same bytes define the same symbol, and the linker keeps one: a weak one in a COMDAT. Where link
/// time optimisation has put their assembly into one file, `.ifndef` does. `%` works on every processor; `@` begins a
/// comment on 32-bit ARM. `.org` fills up a file that became shorter meanwhile, since `[u8; N]` is taken at its word,
/// and fails for one that became longer.
fn assembled(number: usize, blob: &Blob, anchor: &Anchor) -> String {
    let Blob { digest, size, shards } = blob;
    let symbol = format!("vm_{digest}");
    let mut lines = literals(&format!(
        ".ifndef {symbol}
.pushsection .rodata.{symbol},\"aG\",%progbits,{symbol},comdat
.weak {symbol}
.hidden {symbol}
.type {symbol},%object
.balign 64
{symbol}:"
    ));
    for (path, _) in shards {
        let path = anchor.path(path.as_str(), "\"\n");
        let _ = writeln!(lines, "            {:?}, {path},", ".incbin \"");
    }
    lines += &literals(&format!(
        ".org {symbol} + {size}
.size {symbol}, {size}
.popsection
.endif"
    ));
    let size = grouped(*size);
    format!(
        "
    ::core::arch::global_asm!(
        concat!(
{lines}        ),
        options(raw)
    );
    unsafe extern \"C\" {{
        #[link_name = {symbol:?}]
        safe static BLOB_{number}: [u8; {size}];
    }}
    pub(super) static GROUP_{number}: &[u8] = &BLOB_{number};
"
    )
}

/// Each line as a string literal, an argument of `concat!`.
fn literals(lines: &str) -> String {
    lines.lines().map(|line| format!("            {:?},\n", format!("{line}\n"))).collect()
}

/// As people write large numbers in Rust: `1_234_567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or(""))
        .collect();
    groups.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 94_075_433].map(grouped), ["0", "999", "1_000", "94_075_433"]);
    }
}
