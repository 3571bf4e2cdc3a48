//! Where each file of a pinned model comes from, and what a vendored directory calls it.

use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedFile, LockedModel};
use crate::path::ModelPath;
use crate::source::{ModelUrl, Place, shown_text};

impl LockedModel {
    /// The address of one of its [`files`](LockedModel::files). Of a model that lies beside the lockfile, `./path`,
    /// it is the path from there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the lockfile names no address that can be asked.
    pub fn address_of(&self, file: &LockedFile) -> Result<String, Error> {
        match self.beside_the_lockfile(file) {
            Some(path) => Ok(format!("./{path}")),
            None => self.place(file).map(|place| place.to_string()),
        }
    }

    /// The path of one of its [`files`](LockedModel::files) in a vendored directory, `<host>/<path>`. Of a model that
    /// lies beside the lockfile it is the path from there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Path`] where there is no plain name for it, as for a file of this machine.
    pub fn vendored_path(&self, file: &LockedFile) -> Result<String, Error> {
        if let Some(path) = self.beside_the_lockfile(file) {
            return Ok(path);
        }
        let place = self.place(file)?;
        match place.vendored() {
            Some(Ok(path)) => Ok(path.to_string()),
            problem => {
                let headline = "cannot give a file a plain name in a vendored directory";
                let error = Error::new(ErrorKind::Path, headline).fact("url", &place);
                let problem = problem.and_then(Result::err);
                Err(problem.into_iter().fold(error, |error, why| error.fact("found", why)))
            }
        }
    }

    fn beside_the_lockfile(&self, file: &LockedFile) -> Option<String> {
        let entry = self.url.strip_prefix("./")?;
        let dir = entry.rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/"));
        Some(match self.is_entry(file) {
            true => entry.to_owned(),
            false => format!("{dir}{}", file.path()),
        })
    }

    fn place(&self, file: &LockedFile) -> Result<Place, Error> {
        let parse =
            |url: &str| ModelUrl::parse(url).map_err(|why| Error::url(&shown_text(url), &why));
        let model = parse(file.url.as_deref().unwrap_or(&self.url))?;
        if file.url.is_some() || self.is_entry(file) {
            return Ok(model.entry());
        }
        let path: &ModelPath = &file.path;
        model.shard(path).map_err(|error| Error::url(&self.url, &error.to_string()))
    }

    fn is_entry(&self, file: &LockedFile) -> bool {
        self.files[0].path == file.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::Lockfile;

    fn model(url: &str) -> LockedModel {
        let file = |path: &str| {
            let digest = "0".repeat(64);
            format!(r#"{{"path": "{path}", "size": 1, "sha256": "{digest}"}}"#)
        };
        let files = [file("model.json"), file("s/a.bin")].join(",");
        let text = format!(
            r#"{{"version": 1, "models": [{{"url": "{url}", "format": "tfjs-weights", "files": [{files}]}}]}}"#
        );
        Lockfile::parse(&text).unwrap().models()[0].clone()
    }

    fn of(url: &str) -> Vec<[Result<String, String>; 2]> {
        let model = model(url);
        let text = |result: Result<String, Error>| result.map_err(|error| error.to_string());
        let of = |file| [text(model.address_of(file)), text(model.vendored_path(file))];
        model.files().iter().map(of).collect()
    }

    #[test]
    fn files_have_addresses_and_plain_names() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            of("https://h.example:8443/m/model.json?v=2"),
            [
                [ok("https://h.example:8443/m/model.json?v=2"), ok("h.example_8443/m/model.json")],
                [ok("https://h.example:8443/m/s/a.bin?v=2"), ok("h.example_8443/m/s/a.bin")],
            ]
        );
        assert_eq!(
            of("./models/digits/model.json"),
            [
                [ok("./models/digits/model.json"), ok("models/digits/model.json")],
                [ok("./models/digits/s/a.bin"), ok("models/digits/s/a.bin")],
            ]
        );
    }

    #[test]
    fn what_has_no_plain_name_is_refused_by_its_address() {
        let [address, path] = &of("https://h.example/m%3A/model.json")[0];
        assert_eq!(address.as_deref(), Ok("https://h.example/m%3A/model.json"));
        let error = path.clone().unwrap_err();
        assert!(error.contains("url: https://h.example/m%3A/model.json"), "{error}");
        assert!(error.contains("found: \"h.example/m:/model.json\""), "{error}");
    }
}
