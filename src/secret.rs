//! A text that is never shown: passwords and tokens.

use std::fmt;

#[cfg(feature = "net")]
use ureq::http::HeaderValue;

/// Its `Debug` says only that there is one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

/// The value of a header that is not shown, in debug logs neither; none if it cannot be one.
#[cfg(feature = "net")]
pub(crate) fn unshown(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A text that may have addresses with passwords in it, as it may be shown: none is in what follows an `@`.
pub(crate) fn masked(text: &str) -> String {
    let pieces = text.split("://").map(|piece| match piece.rsplit_once('@') {
        Some((_, rest)) => format!("...@{rest}"),
        None => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(...)");
    }

    #[test]
    fn passwords_in_addresses_are_masked() {
        let cases = [
            ("https://u:hunter2@h/x", "https://...@h/x"),
            ("https://h/=https://u:hunter2@m/", "https://h/=https://...@m/"),
            ("u:hunter2@h:1", "...@h:1"),
            ("http://u:hun/ter2@h", "http://...@h"),
            ("https://h/x", "https://h/x"),
        ];
        for (text, shown) in cases {
            assert_eq!(masked(text), shown);
        }
    }
}
