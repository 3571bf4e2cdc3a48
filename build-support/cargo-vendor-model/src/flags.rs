//! What the library says to whoever wrote a build script -> the same with the flags of this command.
//!
//! Whole sentences of the library change, where the library puts them: a URL or a path may say the same.

/// First lines.
const HEADLINES: [(&str, &str); 2] = [
    ("cannot read Config::header", "cannot read --header"),
    (
        "a file name in Config cannot be kept below out_dir",
        "a name of --extra-file or --entry-name cannot be kept below the directory of the model",
    ),
];

/// How lines of advice end.
const ADVICE: [(&str, &str); 9] = [
    ("give it another one with Config::entry_name", "give it another one with --entry-name"),
    (
        "raise Config::max_bytes if the model is meant to be this large",
        "raise --max-bytes if the model is meant to be this large",
    ),
    (
        "or set Config::header, which all go over https only; or the address has expired",
        "or pass --header, which all go over https only; or the address has expired",
    ),
    (
        "`dequantize(false)` writes quantized weights as they are stored",
        "`--dequantize=false` writes quantized weights as they are stored",
    ),
    ("take offline(true) out of Config", "run this again without --offline"),
    ("take LockMode::Locked out of Config for one build", "run this again without --locked"),
    (
        "take LockMode::Locked out of Config, then set VENDOR_MODEL_LOCK=update and run this again",
        "`cargo vendor-model update`, or `get --update` for what `get` has pinned",
    ),
    (", such as one below OUT_DIR", ""),
    (
        "build again; if that does not help, the host delivers now this and now that",
        "run this again; if that does not help, the host delivers now this and now that",
    ),
];

/// Of an address whose query carries a secret: how the line ends that says so.
const SECRET: (&str, &str) = (
    "send it in a header (Config::header), or name a login in a netrc file",
    "send it in a header (--header), or name a login in a netrc file",
);

/// The text of an error of the library, for somebody at a command line.
pub fn in_place_of_settings(text: &str) -> String {
    let lines = text.split('\n').enumerate().map(|(at, line)| match line {
        _ if at == 0 => whole(line, &HEADLINES),
        _ if line.starts_with("  help: ") => ending(line, &ADVICE),
        _ if line.starts_with("  found: its query carries a secret ") => ending(line, &[SECRET]),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn whole(line: &str, sentences: &[(&str, &str)]) -> String {
    let said = sentences.iter().find(|(theirs, _)| line == *theirs);
    said.map_or(line, |(_, ours)| ours).to_owned()
}

fn ending(line: &str, sentences: &[(&str, &str)]) -> String {
    let said = sentences.iter().find_map(|(theirs, ours)| Some((line.strip_suffix(theirs)?, ours)));
    said.map_or(line.to_owned(), |(start, ours)| format!("{start}{ours}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says_stays_as_it_is() {
        let of_the_library = "cannot vendor https://h.example/offline(true)/Config::header offline: 1 file is missing\n  \
            \"Config::entry_name\"\n    url: https://h.example/take offline(true) out of Config\n  \
            help: to download what is missing: take offline(true) out of Config";
        let told = in_place_of_settings(of_the_library);
        let (facts, advice) = of_the_library.rsplit_once("take ").unwrap();
        assert_eq!(advice, "offline(true) out of Config");
        assert_eq!(told, format!("{facts}run this again without --offline"));
    }
}
