//! The faults yet to happen, per path and in order.

use std::collections::{HashMap, VecDeque};

use crate::fault::{Fault, Uses};

#[derive(Debug, Default)]
pub(crate) struct Script(HashMap<String, VecDeque<Fault>>);

impl Script {
    pub(crate) fn add(&mut self, path: String, fault: Fault) {
        if fault.uses != Uses::Left(0) {
            self.0.entry(path).or_default().push_back(fault);
        }
    }

    pub(crate) fn clear(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// The fault that happens to this request for `path`, if any; it is used up by one.
    pub(crate) fn next(&mut self, path: &str) -> Option<Fault> {
        let faults = self.0.get_mut(path)?;
        let fault = faults.front_mut()?;
        match &mut fault.uses {
            Uses::Endless => Some(fault.clone()),
            Uses::Left(1) => faults.pop_front(),
            Uses::Left(n) => {
                *n -= 1;
                Some(fault.clone())
            }
        }
    }
}
