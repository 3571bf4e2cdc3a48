//! Cargo's configuration files -> the keys that say how the network is used. Cargo passes none of them on to build
//! scripts.
//!
//! A file that is no TOML is passed over: cargo has complained of it before, or does not read it.

use std::fs;
use std::path::{Path, PathBuf};

use toml_span::Value;
use toml_span::value::ValueInner;

use crate::error::{Error, ErrorKind};

/// What the files say, the nearest first.
pub(crate) struct CargoConfig(Vec<File>);

struct File {
    path: PathBuf,
    items: Vec<(&'static str, Item)>,
}

enum Item {
    Bool(bool),
    Integer(i64),
    Text(String),
    Other,
}

const OFFLINE: &str = "net.offline";
const RETRY: &str = "net.retry";
const PROXY: &str = "http.proxy";
const CAINFO: &str = "http.cainfo";
const TIMEOUT: &str = "http.timeout";
const USER_AGENT: &str = "http.user-agent";
const KEYS: [&str; 6] = [OFFLINE, RETRY, PROXY, CAINFO, TIMEOUT, USER_AGENT];

impl CargoConfig {
    /// What cargo reads when it is called in one of `dirs`, each with all above it, and the user's own at last:
    ///
    /// ```text
    /// <dir>/.cargo/config        as it was named once; it wins where both are there
    /// <dir>/.cargo/config.toml
    /// <cargo home>/config.toml
    /// ```
    pub fn read(dirs: &[PathBuf], cargo_home: Option<&Path>) -> CargoConfig {
        let mut folders: Vec<PathBuf> = Vec::new();
        for folder in dirs.iter().flat_map(|dir| dir.ancestors()).map(|dir| dir.join(".cargo")) {
            if !folders.contains(&folder) && cargo_home != Some(&folder) {
                folders.push(folder);
            }
        }
        let mut files = Vec::new();
        for folder in folders.iter().map(PathBuf::as_path).chain(cargo_home) {
            let (old, new) = (folder.join("config"), folder.join("config.toml"));
            read_file(if old.exists() { old } else { new }, 0, &mut files);
        }
        CargoConfig(files)
    }

    /// Whether any of the files says so.
    pub fn offline(&self) -> Result<bool, Error> {
        let said = self.0.iter().flat_map(|file| file.read(OFFLINE, "true or false", Item::bool));
        said.reduce(|one, other| Ok(one? | other?)).unwrap_or(Ok(false))
    }

    pub fn retries(&self) -> Result<Option<u64>, Error> {
        self.nearest(RETRY, "a number", Item::number)
    }

    /// In seconds.
    pub fn timeout(&self) -> Result<Option<u64>, Error> {
        self.nearest(TIMEOUT, "a number of seconds", Item::number)
    }

    pub fn proxy(&self) -> Result<Option<String>, Error> {
        self.nearest(PROXY, "a string", Item::text)
    }

    pub fn user_agent(&self) -> Result<Option<String>, Error> {
        self.nearest(USER_AGENT, "a string", Item::text)
    }

    /// A path is relative to the directory that holds the one that holds the file.
    pub fn certificates(&self) -> Result<Option<PathBuf>, Error> {
        let Some(text) = self.nearest(CAINFO, "a string", Item::text)? else { return Ok(None) };
        let file = self.0.iter().find(|file| file.item(CAINFO).is_some());
        let base = file.and_then(|file| file.path.parent()?.parent()).unwrap_or(Path::new(""));
        Ok(Some(base.join(text)))
    }

    fn nearest<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: fn(&Item) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.0.iter().find_map(|file| file.read(key, expected, read)).transpose()
    }
}

/// A file and, as cargo merges them, after it those that it includes, the last of them first.
fn read_file(path: PathBuf, depth: usize, files: &mut Vec<File>) {
    const DEEPEST: usize = 8;
    let Ok(text) = fs::read_to_string(&path) else { return };
    let Ok(root) = toml_span::parse(&text) else { return };
    let items = KEYS.iter().filter_map(|&key| {
        let value = root.pointer(&format!("/{}", key.replace('.', "/")))?;
        Some((key, Item::from(value)))
    });
    files.push(File { items: items.collect(), path: path.clone() });
    let included = root.pointer("/include").and_then(Value::as_array).filter(|_| depth < DEEPEST);
    for value in included.into_iter().flatten().rev() {
        let name = value.as_str().or_else(|| value.pointer("/path")?.as_str());
        if let Some(name) = name {
            read_file(path.with_file_name(name), depth + 1, files);
        }
    }
}

impl File {
    fn item(&self, key: &str) -> Option<&Item> {
        self.items.iter().find(|(name, _)| *name == key).map(|(_, item)| item)
    }

    fn read<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: fn(&Item) -> Option<T>,
    ) -> Option<Result<T, Error>> {
        let item = self.item(key)?;
        Some(read(item).ok_or_else(|| {
            let headline = format!("cannot read {key} in {}", self.path.display());
            Error::new(ErrorKind::Config, headline)
                .fact("expected", expected)
                .fact("found", item.shown())
        }))
    }
}

impl Item {
    fn bool(&self) -> Option<bool> {
        if let Item::Bool(value) = self { Some(*value) } else { None }
    }

    fn number(&self) -> Option<u64> {
        if let Item::Integer(value) = self { (*value).try_into().ok() } else { None }
    }

    fn text(&self) -> Option<String> {
        if let Item::Text(text) = self { Some(text.clone()) } else { None }
    }

    fn shown(&self) -> String {
        match self {
            Item::Bool(value) => value.to_string(),
            Item::Integer(value) => value.to_string(),
            Item::Text(text) => format!("{text:?}"),
            Item::Other => "a value of another type".to_owned(),
        }
    }
}

impl From<&Value<'_>> for Item {
    fn from(value: &Value<'_>) -> Item {
        match value.as_ref() {
            ValueInner::Boolean(value) => Item::Bool(*value),
            ValueInner::Integer(value) => Item::Integer(*value),
            ValueInner::String(text) => Item::Text(text.clone().into_owned()),
            _ => Item::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use tempfile::TempDir;

    fn disk(files: &[(&str, &str)]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
        }
        dir
    }

    /// As read where cargo was called in `called`, of a package in `ws/a`, by a user whose `CARGO_HOME` is `home/.cargo`.
    fn read(disk: &TempDir, called: &str) -> CargoConfig {
        let at = |name: &str| disk.path().join(name);
        CargoConfig::read(&[at(called), at("ws/a")], Some(&at("home/.cargo")))
    }

    #[test]
    fn the_nearest_file_wins_and_the_users_own_is_the_farthest() {
        let timeout = |seconds: u8| format!("[http]\ntimeout = {seconds}");
        let files = [
            ("ws/b/.cargo/config.toml", timeout(1)),
            ("ws/.cargo/config.toml", timeout(2)),
            ("ws/a/.cargo/config.toml", timeout(3)),
            ("home/.cargo/config.toml", timeout(4)),
        ];
        let disk = disk(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        let found = |called: &str| read(&disk, called).timeout().unwrap();
        assert_eq!(found("ws/b"), Some(1));
        assert_eq!(found("ws"), Some(2));
        assert_eq!(found("elsewhere"), Some(3));
        // Cargo itself was not called from home: this `PWD` is the shell's of somebody else.
        assert_eq!(found("home"), Some(3));
        let user = CargoConfig::read(&[], Some(&disk.path().join("home/.cargo")));
        assert_eq!(user.timeout().unwrap(), Some(4));
        assert_eq!(CargoConfig::read(&[], None).timeout().unwrap(), None);
    }

    #[test]
    fn each_key_is_looked_for_by_itself_in_every_way_of_writing_it() {
        let disk = disk(&[
            ("ws/a/.cargo/config.toml", "net.retry = 7\nhttp = { proxy = 'http://p:1' }"),
            (
                "ws/.cargo/config.toml",
                "\u{feff}[net]\r\nretry = 8\r\n[http]\r\ncainfo = 'ca.pem'\r\n",
            ),
            (
                "home/.cargo/config.toml",
                "[http]\nuser-agent = \"us\" # we\nproxy = ''\n[net]\ngit-fetch-with-cli = true",
            ),
        ]);
        let config = read(&disk, "ws");
        assert_eq!(config.retries().unwrap(), Some(8));
        assert_eq!(config.proxy().unwrap(), Some("http://p:1".to_owned()));
        assert_eq!(config.user_agent().unwrap(), Some("us".to_owned()));
        assert_eq!(config.certificates().unwrap(), Some(disk.path().join("ws/ca.pem")));
        assert_eq!((config.timeout().unwrap(), config.offline().unwrap()), (None, false));
    }

    #[test]
    fn offline_anywhere_is_offline() {
        let files = [
            ("ws/a/.cargo/config.toml", "net.offline = false"),
            ("ws/.cargo/config.toml", "net.offline = true"),
        ];
        assert!(read(&disk(&files), "ws/a").offline().unwrap());
        assert!(!read(&disk(&files[..1]), "ws/a").offline().unwrap());
    }

    #[test]
    fn the_old_name_wins_as_it_does_with_cargo() {
        let files =
            [("ws/.cargo/config.toml", "net.retry = 1"), ("ws/.cargo/config", "net.retry = 2")];
        assert_eq!(read(&disk(&files), "ws").retries().unwrap(), Some(2));
    }

    #[test]
    fn what_a_file_includes_counts_after_it_and_the_last_first() {
        let disk = disk(&[
            (
                "ws/.cargo/config.toml",
                "include = ['one.toml', { path = '../x/y/two.toml' }, 'gone.toml']\nnet.retry = 1",
            ),
            (
                "ws/.cargo/one.toml",
                "include = ['one.toml']\nnet.retry = 2\nhttp.timeout = 2\nhttp.user-agent = 'one'",
            ),
            ("ws/x/y/two.toml", "http.timeout = 3\nhttp.cainfo = 'ca.pem'\nnet.offline = true"),
        ]);
        let config = read(&disk, "ws");
        assert_eq!(config.retries().unwrap(), Some(1));
        assert_eq!(config.timeout().unwrap(), Some(3));
        assert_eq!(config.user_agent().unwrap(), Some("one".to_owned()));
        let base = disk.path().join("ws/.cargo/../x/ca.pem");
        assert_eq!(config.certificates().unwrap(), Some(base));
        assert!(config.offline().unwrap());
    }

    #[test]
    fn a_file_that_is_no_toml_is_cargos_to_complain_about() {
        let files =
            [("ws/a/.cargo/config.toml", "[net"), ("ws/.cargo/config.toml", "net.retry = 5")];
        assert_eq!(read(&disk(&files), "ws/a").retries().unwrap(), Some(5));
    }

    #[test]
    fn a_value_that_cannot_be_read_is_an_error_that_names_its_file_and_key() {
        let disk = disk(&[(
            "ws/.cargo/config.toml",
            "net = { retry = -1, offline = 'yes' }\nhttp = { timeout = '9', proxy = 3, cainfo = [] }",
        )]);
        let config = read(&disk, "ws");
        let file = disk.path().join("ws/.cargo/config.toml");
        let errors = [
            (config.retries().unwrap_err(), "net.retry", "a number", "-1"),
            (config.offline().unwrap_err(), "net.offline", "true or false", "\"yes\""),
            (config.timeout().unwrap_err(), "http.timeout", "a number of seconds", "\"9\""),
            (config.proxy().unwrap_err(), "http.proxy", "a string", "3"),
            (
                config.certificates().unwrap_err(),
                "http.cainfo",
                "a string",
                "a value of another type",
            ),
        ];
        for (error, key, expected, found) in errors {
            let text = format!(
                "cannot read {key} in {}\n  expected: {expected}\n  found: {found}",
                file.display()
            );
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, text));
        }
        assert_eq!(config.user_agent().unwrap(), None);
    }
}
