//! Licences as they are given on the command line: `EXPRESSION` for all models, `URL=EXPRESSION` for one.

use std::collections::HashMap;

use spdx::Expression;

use crate::failure::Failure;
use crate::lock_file::LockFile;

#[derive(Debug, Default)]
pub struct Licences {
    all: Option<String>,
    by_url: HashMap<String, String>,
}

impl Licences {
    pub fn parse(texts: &[String], lock: &LockFile) -> Result<Licences, Failure> {
        let mut licences = Licences::default();
        for text in texts {
            // An address may have a `=` too, an expression has none.
            match text.rsplit_once('=') {
                None => licences.all = Some(checked(text)?),
                Some((url, expression)) => {
                    let model = lock.chosen(&[url.to_owned()])?[0];
                    licences.by_url.insert(model.url().to_owned(), checked(expression)?);
                }
            }
        }
        Ok(licences)
    }

    pub fn of(&self, url: &str) -> Option<&str> {
        self.by_url.get(url).or(self.all.as_ref()).map(String::as_str)
    }
}

fn checked(expression: &str) -> Result<String, Failure> {
    match Expression::parse(expression) {
        Ok(_) => Ok(expression.to_owned()),
        Err(error) => Err(Failure::usage("cannot read --licence")
            .fact("expected", "an SPDX expression, such as Apache-2.0 or LicenseRef-own")
            .fact("found", format!("{expression:?}: {}", error.reason))),
    }
}
