//! Mirrors: rules `prefix=replacement[,direct]`, and an address -> the addresses to ask in its place, in order.
//!
//! Pure. An address is formed first, as if there were no mirror, and then given to these rules, its query included.

use std::cmp::Reverse;
use std::fmt;

use url::Url;

use crate::error::Error;
use crate::secret::{Secret, masked};
use crate::source::bare;

/// The rules in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Mirrors(Vec<Rule>);

struct Rule {
    /// A normalised URL that ends in `/`.
    prefix: String,
    replacement: Url,
    /// Whether the address itself is asked after its mirror.
    direct: bool,
}

impl Mirrors {
    /// The rules of `VENDOR_MODEL_MIRROR`, separated by white space, and those of `Config`.
    ///
    /// The longest prefix wins; of two that are the same, the first.
    pub fn new(variable: &str, text: &str, config: &[(String, Secret)]) -> Result<Mirrors, Error> {
        let rules = text.split_whitespace().map(|text| {
            // The prefix ends in the slash before the first `=` that has one.
            let split = text.split_once("/=").map(|(prefix, rest)| (format!("{prefix}/"), rest));
            split
                .and_then(|(prefix, replacement)| Rule::new(&prefix, replacement))
                .ok_or_else(|| unreadable(variable, text))
        });
        let configured = config.iter().map(|(prefix, replacement)| {
            let replacement = replacement.text();
            Rule::new(prefix, replacement)
                .ok_or_else(|| unreadable("Config::mirror", &format!("{prefix}={replacement}")))
        });
        let mut rules = rules.chain(configured).collect::<Result<Vec<Rule>, Error>>()?;
        rules.sort_by_key(|rule| Reverse(rule.prefix.len()));
        Ok(Mirrors(rules))
    }

    /// What to ask for `origin`: itself, or its mirror, or first the mirror and then itself.
    pub fn sources(&self, origin: &Url) -> Vec<Url> {
        let bare = bare(origin);
        let mirrored = self.0.iter().find_map(|rule| {
            let rest = bare.as_str().strip_prefix(&rule.prefix)?;
            Some((Url::parse(&format!("{}{rest}", rule.replacement)).ok()?, rule.direct))
        });
        match mirrored {
            Some((mirror, true)) => vec![mirror, origin.clone()],
            Some((mirror, false)) => vec![mirror],
            None => vec![origin.clone()],
        }
    }
}

impl Rule {
    fn new(prefix: &str, replacement: &str) -> Option<Rule> {
        let (replacement, direct) = match replacement.strip_suffix(",direct") {
            Some(replacement) => (replacement, true),
            None => (replacement, false),
        };
        let prefix = directory(prefix, &["http", "https"]).filter(|url| {
            prefix.ends_with('/') && url.username().is_empty() && url.password().is_none()
        })?;
        let replacement = directory(replacement, &["http", "https", "file"])?;
        Some(Rule { prefix: prefix.into(), replacement, direct })
    }
}

/// A URL below which others lie. What is written without its last slash gets it.
fn directory(text: &str, schemes: &[&str]) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    if !schemes.contains(&url.scheme()) || url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    if url.scheme() == "file" && url.to_file_path().is_err() {
        return None;
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

fn unreadable(from: &str, rule: &str) -> Error {
    const FORM: &str = "https://host/dir/=https://mirror/dir/, or the same with `,direct` at its end, \
                        where the mirror is an http, https or file URL without a query";
    Error::setting(from, masked(rule), FORM)
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direct = if self.direct { ",direct" } else { "" };
        write!(f, "{}={}{direct}", self.prefix, masked(self.replacement.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn sources(rules: &str, origin: &str) -> Vec<String> {
        let mirrors = Mirrors::new("V", rules, &[]).unwrap();
        let sources = mirrors.sources(&Url::parse(origin).unwrap());
        sources.into_iter().map(String::from).collect()
    }

    #[test]
    fn a_rule_puts_its_replacement_in_the_place_of_its_prefix() {
        const CLOSED: &str = "https://h.example/=https://m.example/x/";
        let cases = [
            (CLOSED, "https://h.example/a/b.bin", "https://m.example/x/a/b.bin"),
            // The query is part of the address.
            (CLOSED, "https://h.example/b.bin?y=/z", "https://m.example/x/b.bin?y=/z"),
            (CLOSED, "https://h.example/a%20b.bin", "https://m.example/x/a%20b.bin"),
            // What its owner is known by at one host is not told to another.
            (CLOSED, "https://u:p@h.example/b.bin", "https://m.example/x/b.bin"),
            // Both are compared as URLs are written, not as somebody wrote them.
            (CLOSED, "https://H.example:443/b.bin", "https://m.example/x/b.bin"),
            (
                "https://H.Example:443/=https://m.example/",
                "https://h.example/b",
                "https://m.example/b",
            ),
            // Another scheme, port or host is another origin.
            (CLOSED, "http://h.example/b.bin", "http://h.example/b.bin"),
            (CLOSED, "https://h.example:8443/b.bin", "https://h.example:8443/b.bin"),
            (CLOSED, "https://h.example.org/b.bin", "https://h.example.org/b.bin"),
            // A slash is at the end of a directory, written or not.
            (
                "https://h.example/=https://m.example/x",
                "https://h.example/b",
                "https://m.example/x/b",
            ),
            (
                "https://h.example/=http://u:p@m.example",
                "https://h.example/b",
                "http://u:p@m.example/b",
            ),
            ("https://h.example/=file:///srv/m", "https://h.example/a/b", "file:///srv/m/a/b"),
            // The first `/=` splits.
            (
                "https://h.example/=https://m.example/=/",
                "https://h.example/b",
                "https://m.example/=/b",
            ),
            ("", "https://h.example/b", "https://h.example/b"),
        ];
        for (rules, origin, expected) in cases {
            assert_eq!(sources(rules, origin), [expected], "{rules} {origin}");
        }
    }

    #[test]
    fn only_a_direct_rule_falls_back_to_the_origin() {
        assert_eq!(
            sources("https://h.example/=https://m.example/,direct", "https://u:p@h.example/b"),
            ["https://m.example/b", "https://u:p@h.example/b"]
        );
    }

    #[test]
    fn the_longest_prefix_wins_and_then_whoever_builds() {
        let text =
            "https://h.example/=https://one.example/\n\thttps://h.example/a/=https://two.example/";
        let rule = |prefix: &str, to: &str| (prefix.to_owned(), Secret::new(to));
        let config = [
            rule("https://h.example/", "https://three.example/"),
            rule("https://h.example/a/b/", "https://four.example/,direct"),
        ];
        let mirrors = Mirrors::new("V", text, &config).unwrap();
        let first = |origin: &str| mirrors.sources(&Url::parse(origin).unwrap())[0].to_string();
        assert_eq!(first("https://h.example/c"), "https://one.example/c");
        assert_eq!(first("https://h.example/a/c"), "https://two.example/c");
        assert_eq!(first("https://h.example/a/b/c"), "https://four.example/c");
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named_without_its_password() {
        for rule in [
            "https://h.example",
            "https://h.example=https://m.example/",
            "h.example/=https://m.example/",
            "https://h.example/=m.example",
            "https://h.example/=",
            "https://h.example/=ftp://m.example/",
            "https://h.example/=https://m.example/?x=",
            "https://u:p@h.example/=https://m.example/",
            "https://h.example/?x=/=https://m.example/",
            "file:///srv/=https://m.example/",
        ] {
            let text = format!("https://a.example/=https://b.example/ {rule}");
            let error = Mirrors::new("VENDOR_MODEL_MIRROR", &text, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains("VENDOR_MODEL_MIRROR"), "{text}");
            assert!(text.contains(&rule.replace("u:p@", "...@")), "{text}");
        }
        for rule in ["https://h=ftp://u:hunter2@m/", "https://h/=u:hunter2@m", "u:hunter2@h/=x://m"]
        {
            let error = Mirrors::new("V", rule, &[]).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let rule = "https://h/=https://u:hunter2@m/,direct";
        let mirrors = format!("{:?}", Mirrors::new("V", rule, &[]).unwrap());
        assert_eq!(mirrors, "Mirrors([https://h/=https://...@m/,direct])");
        let no_slash = ("https://h.example/a".to_owned(), Secret::new("https://m.example/"));
        let error = Mirrors::new("V", "", &[no_slash]).unwrap_err().to_string();
        assert!(error.contains("Config::mirror"), "{error}");
    }
}
