//! The habits of a host: what it does to every answer.

use std::time::Duration;

use crate::head::Head;
use crate::range::Ranges;
use crate::validators::Validation;

#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    pub(crate) gzip: Gzip,
    pub(crate) validation: Validation,
    pub(crate) ranges: Ranges,
    pub(crate) query: Option<String>,
    pub(crate) pace: Option<u64>,
    pub(crate) delay: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Gzip {
    #[default]
    Never,
    OnRequest,
    Always,
}

impl Gzip {
    pub(crate) fn applies_to(self, head: &Head) -> bool {
        match self {
            Gzip::Never => false,
            Gzip::OnRequest => head.header("Accept-Encoding").is_some_and(allows_gzip),
            Gzip::Always => true,
        }
    }
}

/// Whether gzip, named or by `*`, is listed without a weight of zero.
fn allows_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused = weight.trim().trim_start_matches("q=").parse() == Ok(0.0);
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::allows_gzip;

    #[test]
    fn gzip_is_allowed_by_name_or_star_unless_its_weight_is_zero() {
        for accepted in ["gzip", "br, gzip", "*", "gzip;q=0.5", "deflate, gzip; q=1.0"] {
            assert!(allows_gzip(accepted), "{accepted}");
        }
        for accepted in ["", "identity", "br", "gzip;q=0", "gzip; q=0.000", "xgzip"] {
            assert!(!allows_gzip(accepted), "{accepted}");
        }
    }
}
