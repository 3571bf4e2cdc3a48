//! What stands for `http` where the feature `net` is off: no host can be asked.

use std::io::Read;
use std::path::Path;

use url::Url;

use crate::failure::Failure;

/// None can be made.
pub(crate) enum Client {}

impl Client {
    pub fn new(_: usize, _: Option<&Path>) -> Result<Client, Failure> {
        let failure = Failure::lasting("vendor-model was built without its feature `net`");
        Err(failure.help("enable the feature, or place the file in the vendored directory"))
    }

    pub fn get(&self, _: &Url) -> Result<Box<dyn Read>, Failure> {
        match *self {}
    }
}
