//! What stands for `download` where the feature `net` is off: no host can be asked.

use url::Url;

use crate::errand::{Arrival, Budget, Errand, Miss};
use crate::failure::Failure;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::source::ModelUrl;

pub(crate) struct Downloads<'a> {
    _progress: &'a Progress,
    budget: Budget,
}

impl<'a> Downloads<'a> {
    pub fn new(policy: &'a Policy, _: &'a ModelUrl, progress: &'a Progress) -> Downloads<'a> {
        Downloads { _progress: progress, budget: Budget::new(policy.max_bytes) }
    }

    pub fn bring(&self, _: &Errand, _: &Url) -> Result<Arrival, Miss> {
        let failure = Failure::lasting("vendor-model was built without its feature `net`");
        let advice = "enable the feature, or place the file in the vendored directory";
        Err(Miss::at_once(failure.help(advice)))
    }

    pub fn spend(&self, n: u64) -> Result<(), Failure> {
        self.budget.spend(n)
    }

    pub fn forget(&self, _: &Url) {}

    pub fn give_up(&self) {}
}
