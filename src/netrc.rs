//! The text of a netrc file -> logins by host.
//!
//! An error names the line and never what is on it.

use std::fmt;

use crate::secret::Secret;

#[derive(Debug, Default)]
pub(crate) struct Netrc(Vec<Entry>);

#[derive(Debug, Default)]
struct Entry {
    /// None for `default`.
    host: Option<String>,
    login: Option<Secret>,
    password: Option<Secret>,
}

/// A user and a password.
pub(crate) struct Login<'a> {
    pub user: &'a str,
    pub password: &'a str,
}

/// What is wrong with a line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    line: usize,
    what: &'static str,
}

impl Netrc {
    pub fn parse(text: &str) -> Result<Netrc, Malformed> {
        let mut words = Words { rest: text, line: 1 };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(word) = words.next()? {
            match word.as_str() {
                "machine" => {
                    let host = Some(words.value("machine without a name")?.to_ascii_lowercase());
                    entries.push(Entry { host, ..Entry::default() });
                }
                "default" => entries.push(Entry::default()),
                "login" | "user" => {
                    let user = Secret::new(words.value("login without a name")?);
                    words.of(&mut entries)?.login = Some(user);
                }
                "password" => {
                    let password = Secret::new(words.value("password without a value")?);
                    words.of(&mut entries)?.password = Some(password);
                }
                "account" => drop(words.value("account without a name")?),
                "macdef" => words.skip_macro(),
                comment if comment.starts_with('#') => words.skip_line(),
                _ => {
                    return Err(words.malformed(
                        "a word that is none of machine, default, login, password, account, macdef",
                    ));
                }
            }
        }
        Ok(Netrc(entries))
    }

    /// Of the machine that has this name.
    pub fn of(&self, host: &str) -> Option<Login<'_>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.0.iter().find(|entry| entry.host.as_deref() == Some(host))?.login()
    }

    /// Of all others.
    pub fn of_others(&self) -> Option<Login<'_>> {
        self.0.iter().find(|entry| entry.host.is_none())?.login()
    }
}

impl Entry {
    fn login(&self) -> Option<Login<'_>> {
        if self.login.is_none() && self.password.is_none() {
            return None;
        }
        let user = self.login.as_ref().map_or("", Secret::text);
        let password = self.password.as_ref().map_or("", Secret::text);
        Some(Login { user, password })
    }
}

/// The words of a file: what white space separates, or what is in double quotes, with `\"` and `\\` in it.
struct Words<'a> {
    rest: &'a str,
    /// On which the last word ended.
    line: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Result<Option<String>, Malformed> {
        let begin = self.rest.trim_start();
        self.skip(self.rest.len() - begin.len());
        match self.rest.chars().next() {
            None => Ok(None),
            Some('"') => self.quoted().map(Some),
            Some(_) => {
                let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
                let word = self.rest[..end].to_owned();
                self.skip(end);
                Ok(Some(word))
            }
        }
    }

    fn quoted(&mut self) -> Result<String, Malformed> {
        let mut word = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.skip(at + 1);
                    return Ok(word);
                }
                '\n' => break,
                '\\' => match chars.next() {
                    Some((_, 'n')) => word.push('\n'),
                    Some((_, 'r')) => word.push('\r'),
                    Some((_, 't')) => word.push('\t'),
                    Some((_, c)) => word.push(c),
                    None => break,
                },
                c => word.push(c),
            }
        }
        Err(self.malformed("a quotation mark without its other"))
    }

    fn value(&mut self, missing: &'static str) -> Result<String, Malformed> {
        self.next()?.ok_or_else(|| self.malformed(missing))
    }

    /// The entry that a login or a password belongs to.
    fn of<'e>(&self, entries: &'e mut [Entry]) -> Result<&'e mut Entry, Malformed> {
        entries.last_mut().ok_or_else(|| self.malformed("a login of no machine"))
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    fn skip_line(&mut self) {
        self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        loop {
            self.skip_line();
            let rest = self.rest.strip_prefix('\n').unwrap_or("");
            if rest.trim_start_matches('\r').is_empty() || rest.starts_with(['\n', '\r']) {
                return;
            }
            self.skip(1);
        }
    }

    fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { line: self.line, what }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(text: &str, host: &str) -> Option<(String, String)> {
        let netrc = Netrc::parse(text).unwrap();
        netrc.of(host).map(|login| (login.user.to_owned(), login.password.to_owned()))
    }

    #[test]
    fn a_login_is_that_of_its_machine_however_it_is_laid_out() {
        let us = Some(("us".to_owned(), "pw".to_owned()));
        for text in [
            "machine h.example login us password pw",
            "machine h.example\n\tlogin us\n\tpassword pw\n",
            "machine h.example\r\nlogin us\r\npassword pw\r\n",
            "machine other login them password x machine h.example password pw login us",
            "machine H.Example user us account acc password pw",
            "# ours\nmachine h.example # here\nlogin us password pw # secret",
            "machine h.example login \"us\" password \"pw\"",
            "macdef init\ncd /machine h.example login bad\nquit\n\nmachine h.example login us password pw",
            "macdef init\r\nquit\r\n\r\nmachine h.example login us password pw",
            "machine h.example login us password pw\nmachine h.example login them password x",
            "machine h.example login us password pw default login them password x",
        ] {
            assert_eq!(login(text, "h.example"), us, "{text:?}");
        }
        assert_eq!(login("machine ::1 login us password pw", "[::1]"), us);
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        let password = |text: &str| login(&format!("machine h password {text}"), "h").unwrap().1;
        assert_eq!(password("#pw\\n"), "#pw\\n");
        assert_eq!(password(r#""p w\"\\\n""#), "p w\"\\\n");
        assert_eq!(password("machine"), "machine");
        assert_eq!(login("machine h login us", "h"), Some(("us".to_owned(), String::new())));
    }

    #[test]
    fn others_have_the_default_if_there_is_one() {
        let text = "machine h.example\nmachine i.example login us\ndefault login all password pw";
        assert_eq!(login(text, "h.example"), None);
        assert_eq!(login(text, "a.i.example"), None);
        let netrc = Netrc::parse(text).unwrap();
        assert_eq!(netrc.of_others().map(|login| login.user), Some("all"));
        assert!(Netrc::parse("machine h login us").unwrap().of_others().is_none());
        assert!(login("", "h").is_none() && login("macdef x\nno end", "h").is_none());
    }

    #[test]
    fn a_malformed_line_is_named_without_its_content() {
        let problem = |text: &str| Netrc::parse(text).unwrap_err().to_string();
        assert_eq!(
            problem("machine h\n  login us\n  password"),
            "line 3: password without a value"
        );
        assert_eq!(problem("\nmachine"), "line 2: machine without a name");
        assert_eq!(problem("login us"), "line 1: a login of no machine");
        assert_eq!(
            problem("machine h password \"hunter2\n\""),
            "line 1: a quotation mark without its other"
        );
        let word = problem("machine h password hunter 2\n");
        assert_eq!(
            word,
            "line 1: a word that is none of machine, default, login, password, account, macdef"
        );
        let shown = format!("{:?}", Netrc::parse("machine h login us password hunter2").unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("us"), "{shown}");
    }
}
