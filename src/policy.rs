//! What was asked for, and the environment -> [`Policy`], what a run goes by.
//!
//! Every rule of precedence is here: whoever builds wins over whoever wrote `build.rs` on where bytes come from; the
//! stricter of the two wins on what is allowed.

use std::path::{Path, PathBuf};

#[cfg(feature = "net")]
use crate::access::Access;
use crate::cargo_config::CargoConfig;
use crate::config::{Config, LockMode};
use crate::environment::{CacheAt, DOCS_RS, Environment, LOCK, MIRROR, OFFLINE, SKIP, VENDOR_DIR};
use crate::error::{Error, ErrorKind};
use crate::mirror::Mirrors;
use crate::package::{Package, Tree};
use crate::path::ModelPath;
use crate::progress::{Mode, Progress};

/// The vendored directory, beside `Cargo.toml`.
const VENDORED: &str = "vendor-models";

/// What a run goes by.
#[derive(Debug)]
pub(crate) struct Policy {
    pub lock_mode: LockMode,
    /// Who keeps it offline, if somebody does.
    offline: Option<OfflineBy>,
    locked_in_code: bool,
    /// Whether the person who builds asked for `auto` by name.
    pub unlocked_by_builder: bool,
    pub lockfile: Option<PathBuf>,
    pub vendor_dir: Option<PathBuf>,
    /// Where downloads are kept for all projects of the user.
    pub cache: Option<PathBuf>,
    /// Whether what is missing is left out, and the network is not asked for it.
    pub skip: bool,
    progress: Mode,
    colour: bool,
    /// Who is asked in the place of a host.
    pub mirrors: Mirrors,
    pub extra_files: Vec<ModelPath>,
    pub entry_name: Option<ModelPath>,
    pub connections: usize,
    pub max_bytes: u64,
    #[cfg(feature = "net")]
    pub access: Access,
    /// Whether cargo listens to what is printed.
    pub metadata: bool,
    /// Some in a build script.
    pub package: Option<Package>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Online,
    Offline,
}

/// Who wants no network, and so what has to change for it to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OfflineBy {
    Code,
    /// In the environment or in a file of cargo's.
    Builder,
    Feature,
    Skip,
}

impl Policy {
    pub fn network(&self) -> Network {
        if self.offline.is_some() { Network::Offline } else { Network::Online }
    }

    /// Shows what is done for `model`.
    pub fn progress(&self, model: &str) -> Progress {
        Progress::new(self.progress, self.colour, model)
    }

    /// How pins are let follow their hosts.
    pub fn advice_to_update(&self) -> String {
        match self.locked_in_code {
            true => format!(
                "take LockMode::Locked out of Config, then {}",
                self.command(LOCK, "update")
            ),
            false => self.command(LOCK, "update"),
        }
    }

    /// How a pin is made that may not be made now.
    pub fn advice_to_pin(&self) -> String {
        match self.locked_in_code {
            true => "take LockMode::Locked out of Config for one build".to_owned(),
            false => self.command(LOCK, "auto"),
        }
    }

    /// How what is missing is downloaded.
    pub fn advice_to_go_online(&self) -> String {
        match self.offline {
            Some(OfflineBy::Code) => "take offline(true) out of Config".to_owned(),
            Some(OfflineBy::Feature) => "enable the feature `net` of vendor-model".to_owned(),
            Some(OfflineBy::Skip) => format!("unset {SKIP} and {DOCS_RS}"),
            Some(OfflineBy::Builder) | None => self.command(OFFLINE, "0"),
        }
    }

    /// How the vendored directory follows the package lock.
    pub fn advice_to_vendor(&self) -> String {
        let usual = self.package.as_ref().map(|package| package.dir.join(VENDORED));
        let dir = self.vendor_dir.as_ref().filter(|dir| Some(*dir) != usual.as_ref());
        let dir = dir.map(|dir| format!(" {}", dir.display())).unwrap_or_default();
        format!("cargo vendor-model vendor{dir}")
    }

    fn command(&self, variable: &str, value: &str) -> String {
        match &self.package {
            Some(package) => format!("{variable}={value} cargo build -p {}", package.name),
            None => format!("set {variable}={value} and run this again"),
        }
    }
}

impl Config {
    /// What follows from these settings in this environment.
    pub(crate) fn policy(&self, environment: &Environment) -> Result<Policy, Error> {
        let package = environment.package();
        let own = package.as_ref().is_none_or(|package| package.tree == Tree::Own);
        // The variable is heard by the build scripts of all dependencies, and their pins are their authors' to move.
        let by_builder = environment.lock_mode()?.filter(|mode| own || *mode != LockMode::Update);
        let lock_mode = self.decide_lock_mode(by_builder, package.is_some())?;
        let skip = environment.skip()?;
        if lock_mode == LockMode::Update && skip {
            let error = Error::new(ErrorKind::Config, "cannot update pins and skip downloads");
            return Err(error.help(format!("unset {SKIP} and {DOCS_RS}, or unset {LOCK}=update")));
        }
        let called = environment.working_dir().into_iter();
        let dirs: Vec<PathBuf> =
            called.chain(package.as_ref().map(|package| package.dir.clone())).collect();
        let files = CargoConfig::read(&dirs, environment.cargo_home().as_deref());
        let offline = self.decide_offline(environment, &files, skip)?;
        if lock_mode == LockMode::Update && offline.is_some() {
            let error = Error::new(ErrorKind::Config, "cannot update pins without the network");
            return Err(error.help(format!("go online ({OFFLINE}=0), or unset {LOCK}=update")));
        }
        let below_package = |path: &Path| {
            package.as_ref().map_or(path.to_owned(), |package| package.dir.join(path))
        };
        let vendor_dir = environment.path(VENDOR_DIR).or(self.vendor_dir.clone());
        let in_package = |name: &str| package.as_ref().map(|package| package.dir.join(name));
        Ok(Policy {
            lock_mode,
            offline,
            locked_in_code: self.lock_mode == Some(LockMode::Locked),
            unlocked_by_builder: by_builder == Some(LockMode::Auto),
            lockfile: self
                .lockfile
                .as_deref()
                .map(below_package)
                .or_else(|| in_package("models.lock")),
            vendor_dir: vendor_dir.as_deref().map(below_package).or_else(|| in_package(VENDORED)),
            cache: self.decide_cache(environment).as_deref().map(below_package),
            skip,
            progress: self.decide_progress(environment)?,
            colour: self.color.unwrap_or_else(|| environment.colour()),
            mirrors: Mirrors::new(MIRROR, environment.text(MIRROR)?.unwrap_or(""), &self.mirrors)?,
            extra_files: paths(&self.extra_files)?,
            entry_name: paths(self.entry_name.as_slice())?.pop(),
            connections: self.connections.unwrap_or(6).max(1),
            max_bytes: self.max_bytes.unwrap_or(16 << 30),
            #[cfg(feature = "net")]
            access: match offline {
                None => Access::new(self, environment, &files)?,
                // Nobody asks for what would say how.
                Some(_) => Access::default(),
            },
            metadata: package.is_some() && !self.silent,
            package,
        })
    }

    fn decide_cache(&self, environment: &Environment) -> Option<PathBuf> {
        match environment.cache() {
            Some(CacheAt::Dir(dir)) => Some(dir),
            Some(CacheAt::Off) => None,
            None if self.no_cache => None,
            None => self
                .cache_dir
                .clone()
                .or_else(|| Some(environment.user_cache()?.join("vendor-model"))),
        }
    }

    /// What a program asks for stands above what cargo's variables say to build scripts.
    fn decide_progress(&self, environment: &Environment) -> Result<Mode, Error> {
        let by_user = environment.progress()?;
        Ok(match self.progress {
            Mode::Never => Mode::Never,
            asked => by_user.unwrap_or(match asked {
                Mode::Auto if environment.is_for_no_bar()? => Mode::Never,
                asked => asked,
            }),
        })
    }

    fn decide_offline(
        &self,
        environment: &Environment,
        files: &CargoConfig,
        skip: bool,
    ) -> Result<Option<OfflineBy>, Error> {
        Ok(match environment.offline()? {
            _ if skip => Some(OfflineBy::Skip),
            _ if self.offline => Some(OfflineBy::Code),
            Some(true) => Some(OfflineBy::Builder),
            _ if cfg!(not(feature = "net")) => Some(OfflineBy::Feature),
            None if files.offline()? => Some(OfflineBy::Builder),
            Some(false) | None => None,
        })
    }

    fn decide_lock_mode(
        &self,
        builder: Option<LockMode>,
        in_build_script: bool,
    ) -> Result<LockMode, Error> {
        let conflict = || {
            Error::new(ErrorKind::Config, "cannot update pins that are locked")
                .help(format!("unset {LOCK}=update, or do not ask for `locked`"))
        };
        match (self.lock_mode, builder) {
            (Some(LockMode::Update), _) if in_build_script => {
                let error = Error::new(
                    ErrorKind::Config,
                    "build.rs asks for LockMode::Update, which would undo every pin at every build",
                );
                Err(error.help(format!(
                    "remove it, and run `{LOCK}=update cargo build` when pins are to move"
                )))
            }
            (Some(LockMode::Locked), Some(LockMode::Update))
            | (Some(LockMode::Update), Some(LockMode::Locked)) => Err(conflict()),
            (Some(LockMode::Locked), _) | (_, Some(LockMode::Locked)) => Ok(LockMode::Locked),
            (Some(LockMode::Update), _) | (_, Some(LockMode::Update)) => Ok(LockMode::Update),
            _ => Ok(LockMode::Auto),
        }
    }
}

/// The parsed paths, each once; or every one that breaks the rule.
fn paths(texts: &[String]) -> Result<Vec<ModelPath>, Error> {
    let mut paths = Vec::new();
    let mut problems = Vec::new();
    for text in texts {
        match ModelPath::parse(text) {
            Ok(path) if paths.contains(&path) => {}
            Ok(path) => paths.push(path),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    if problems.is_empty() {
        return Ok(paths);
    }
    let error = Error::new(ErrorKind::Path, "a file name in Config cannot be kept below out_dir");
    Err(error.fact("found", problems.join("\n    ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{CACHE, PROGRESS};
    #[cfg(feature = "net")]
    use std::io::Write;

    fn build_script(variables: &[(&'static str, &str)]) -> Environment {
        let cargo =
            [("OUT_DIR", "/t/out"), ("CARGO_MANIFEST_DIR", "/p"), ("CARGO_PKG_NAME", "app")];
        Environment::of(&[&cargo, variables].concat())
    }

    fn policy(config: &Config, environment: &Environment) -> Policy {
        config.policy(environment).unwrap()
    }

    #[cfg(feature = "net")]
    #[test]
    fn a_build_script_has_a_lockfile_and_talks_to_cargo() {
        let policy = policy(&Config::new(), &build_script(&[]));
        assert_eq!(policy.lockfile, Some(PathBuf::from("/p/models.lock")));
        assert_eq!(policy.vendor_dir, Some(PathBuf::from("/p/vendor-models")));
        assert!(policy.metadata);
        assert_eq!((policy.lock_mode, policy.network()), (LockMode::Auto, Network::Online));
        assert_eq!((policy.connections, policy.max_bytes), (6, 16 << 30));
        assert!(!self::policy(Config::new().cargo_metadata(false), &build_script(&[])).metadata);
    }

    #[test]
    fn elsewhere_there_is_none_and_nothing_is_printed() {
        let policy = policy(&Config::new(), &Environment::of(&[]));
        assert!(
            policy.lockfile.is_none()
                && policy.vendor_dir.is_none()
                && !policy.metadata
                && policy.package.is_none()
        );
        assert_eq!(
            self::policy(Config::new().lockfile("a.lock"), &Environment::of(&[])).lockfile,
            Some("a.lock".into())
        );
    }

    #[cfg(feature = "net")]
    #[test]
    fn the_stricter_lock_mode_wins() {
        use LockMode::{Auto, Locked, Update};
        let decide = |asked: Option<LockMode>, value: Option<&str>| {
            let mut config = Config::new();
            config.lock_mode = asked;
            let set: Vec<_> = value.map(|value| (LOCK, value)).into_iter().collect();
            config
                .policy(&Environment::of(&set))
                .map(|policy| policy.lock_mode)
                .map_err(|error| error.kind())
        };
        let cases = [
            (None, None, Ok(Auto)),
            (None, Some("auto"), Ok(Auto)),
            (None, Some("locked"), Ok(Locked)),
            (None, Some("update"), Ok(Update)),
            (Some(Locked), Some("auto"), Ok(Locked)),
            (Some(Auto), Some("locked"), Ok(Locked)),
            (Some(Auto), Some("update"), Ok(Update)),
            (Some(Update), None, Ok(Update)),
            (Some(Locked), Some("update"), Err(ErrorKind::Config)),
            (Some(Update), Some("locked"), Err(ErrorKind::Config)),
            (None, Some("Locked"), Err(ErrorKind::Config)),
        ];
        for (asked, value, expected) in cases {
            assert_eq!(decide(asked, value), expected, "{asked:?} {value:?}");
        }
    }

    #[test]
    fn a_build_script_may_not_hard_code_an_update() {
        let error =
            Config::new().lock_mode(LockMode::Update).policy(&build_script(&[])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("VENDOR_MODEL_LOCK=update cargo build"), "{error}");
    }

    #[cfg(not(feature = "net"))]
    #[test]
    fn without_its_feature_there_is_no_network() {
        let policy = policy(Config::new().vendor_dir("v"), &Environment::of(&[(OFFLINE, "0")]));
        assert_eq!(policy.network(), Network::Offline);
        assert!(policy.advice_to_go_online().contains("feature `net`"));
    }

    #[test]
    fn advice_goes_to_whoever_asked() {
        let advice = |config: &Config, set: &[(&'static str, &str)]| {
            let policy = policy(config, &build_script(set));
            [policy.advice_to_pin(), policy.advice_to_update(), policy.advice_to_go_online()]
        };
        let by_environment = advice(&Config::new(), &[(LOCK, "locked"), (OFFLINE, "1")]);
        assert_eq!(
            by_environment,
            [
                "VENDOR_MODEL_LOCK=auto cargo build -p app",
                "VENDOR_MODEL_LOCK=update cargo build -p app",
                "VENDOR_MODEL_OFFLINE=0 cargo build -p app"
            ]
        );
        let by_code = advice(Config::new().lock_mode(LockMode::Locked).offline(true), &[]);
        assert!(by_code.iter().all(|advice| advice.starts_with("take ")), "{by_code:?}");
    }

    #[cfg(feature = "net")]
    #[test]
    fn offline_is_heard_from_every_side_and_never_undone() {
        let network = |offline: bool, set: &[(&'static str, &str)]| {
            Config::new()
                .offline(offline)
                .policy(&Environment::of(set))
                .map(|policy| policy.network())
                .map_err(|error| error.kind())
        };
        assert_eq!(network(false, &[]), Ok(Network::Online));
        assert_eq!(network(false, &[(OFFLINE, "1")]), Ok(Network::Offline));
        assert_eq!(network(false, &[("CARGO_NET_OFFLINE", "true")]), Ok(Network::Offline));
        assert_eq!(network(false, &[("CARGO_NET_OFFLINE", "false")]), Ok(Network::Online));
        assert_eq!(
            network(false, &[(OFFLINE, "0"), ("CARGO_NET_OFFLINE", "true")]),
            Ok(Network::Online)
        );
        assert_eq!(network(true, &[(OFFLINE, "0")]), Ok(Network::Offline));
        assert_eq!(network(false, &[(OFFLINE, "yes")]), Err(ErrorKind::Config));
        assert_eq!(network(false, &[(OFFLINE, "1"), (LOCK, "update")]), Err(ErrorKind::Config));
    }

    #[cfg(feature = "net")]
    #[test]
    fn the_files_of_cargo_are_heard_where_no_variable_speaks() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".cargo")).unwrap();
        let mut file = std::fs::File::create(dir.path().join(".cargo/config.toml")).unwrap();
        file.write_all(b"[net]\noffline = true\n[http]\ntimeout = 7").unwrap();
        let called = ("PWD", dir.path().to_str().unwrap());
        let network =
            |set: &[(&'static str, &str)]| policy(&Config::new(), &Environment::of(set)).network();
        assert_eq!(network(&[called]), Network::Offline);
        assert_eq!(network(&[called, ("CARGO_NET_OFFLINE", "true")]), Network::Offline);
        assert_eq!(network(&[called, ("CARGO_NET_OFFLINE", "false")]), Network::Online);
        let online = policy(&Config::new(), &Environment::of(&[called, (OFFLINE, "0")]));
        assert_eq!(online.access.timeouts.connect.unwrap().as_secs(), 7);
        let package = ("CARGO_MANIFEST_DIR", called.1);
        let here = policy(&Config::new(), &build_script(&[package]));
        assert_eq!(here.network(), Network::Offline);
        assert_eq!(here.advice_to_go_online(), "VENDOR_MODEL_OFFLINE=0 cargo build -p app");
    }

    #[test]
    fn whoever_builds_says_where_vendored_models_are() {
        let mut config = Config::new();
        config.vendor_dir("third-party");
        assert_eq!(policy(&config, &build_script(&[])).vendor_dir, Some("/p/third-party".into()));
        assert_eq!(
            policy(&config, &build_script(&[(VENDOR_DIR, "/usr/share/models")])).vendor_dir,
            Some("/usr/share/models".into())
        );
    }

    #[test]
    fn whoever_builds_says_where_the_cache_is() {
        let cache = |config: &Config, set: &[(&'static str, &str)]| {
            let home = [("HOME", "/h"), ("LOCALAPPDATA", "/l"), ("XDG_CACHE_HOME", "/x")];
            policy(config, &build_script(&[&home, set].concat())).cache
        };
        let named = Some(PathBuf::from("/p/c"));
        assert_eq!(cache(Config::new().cache_dir("c"), &[]), named);
        assert_eq!(cache(Config::new().no_cache(), &[]), None);
        assert_eq!(cache(Config::new().no_cache().cache_dir("c"), &[]), named);
        assert_eq!(cache(Config::new().cache_dir("c"), &[(CACHE, "off")]), None);
        assert_eq!(cache(Config::new().cache_dir("d"), &[(CACHE, "c")]), named);
        assert_eq!(cache(Config::new().no_cache(), &[(CACHE, "/c")]), Some("/c".into()));
        assert_eq!(policy(&Config::new(), &build_script(&[])).cache, None);
        #[cfg(all(unix, not(target_os = "macos")))]
        assert_eq!(cache(&Config::new(), &[]), Some("/x/vendor-model".into()));
    }

    #[test]
    fn who_skips_asks_no_host_and_updates_nothing() {
        for name in [SKIP, DOCS_RS] {
            let skipping = policy(&Config::new(), &build_script(&[(name, "1"), (OFFLINE, "0")]));
            assert_eq!((skipping.skip, skipping.network()), (true, Network::Offline));
            let both = build_script(&[(name, "1"), (LOCK, "update")]);
            let error = Config::new().policy(&both).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(name), "{error}");
        }
        let locked = build_script(&[(SKIP, "1"), (LOCK, "locked")]);
        assert!(policy(&Config::new(), &locked).skip);
    }

    #[test]
    fn every_file_name_that_breaks_the_path_rule_is_named() {
        let error = Config::new()
            .extra_file("../a")
            .extra_file("b.json")
            .extra_file("c?")
            .policy(&Environment::of(&[]))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Path);
        assert!(
            error.to_string().contains("\"../a\"")
                && error.to_string().contains("\"c?\"")
                && !error.to_string().contains("b.json"),
            "{error}"
        );
    }

    #[test]
    fn progress_is_as_the_user_says_or_as_the_program_does_or_as_cargo_does() {
        use Mode::{Auto, Never, Plain, Tty};
        let progress = |asked: Mode, set: &[(&'static str, &str)]| {
            policy(Config::new().progress(asked), &Environment::of(set)).progress
        };
        let (ours, quiet) = (PROGRESS, ("CARGO_TERM_QUIET", "true"));
        assert_eq!(progress(Auto, &[]), Auto);
        assert_eq!(progress(Auto, &[quiet]), Never);
        assert_eq!(progress(Auto, &[quiet, (ours, "auto")]), Auto);
        assert_eq!(progress(Auto, &[quiet, (ours, "plain")]), Plain);
        assert_eq!(progress(Plain, &[quiet]), Plain);
        assert_eq!(progress(Plain, &[(ours, "tty")]), Tty);
        assert_eq!(progress(Tty, &[(ours, "never")]), Never);
        assert_eq!(progress(Never, &[(ours, "tty")]), Never);
    }
}
