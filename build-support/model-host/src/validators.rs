//! What a host says of a file's version, and the conditions of requests that go by it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::content::Content;
use crate::head::Head;

/// Which validators a host sends.
#[derive(Debug)]
pub(crate) struct Validation {
    pub(crate) etags: Etags,
    pub(crate) dates: bool,
}

#[derive(Debug)]
pub(crate) enum Etags {
    Strong,
    Weak,
    /// Another one with each answer; so many were given.
    Changing(AtomicU64),
    Absent,
}

/// The validators of one answer.
#[derive(Debug)]
pub(crate) struct Validators {
    etag: Option<String>,
    modified: Option<SystemTime>,
}

/// What the conditions of a request come to, `If-Range` aside.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

impl Default for Validation {
    fn default() -> Validation {
        Validation { etags: Etags::Strong, dates: true }
    }
}

impl Validation {
    pub(crate) fn of(&self, content: &Content) -> Validators {
        Validators {
            etag: self.etags.of(content),
            modified: Some(content.modified()).filter(|_| self.dates),
        }
    }
}

impl Etags {
    fn of(&self, content: &Content) -> Option<String> {
        let opaque = content.version();
        match self {
            Etags::Strong => Some(format!("\"{opaque}\"")),
            Etags::Weak => Some(format!("W/\"{opaque}\"")),
            Etags::Changing(given) => {
                Some(format!("\"{opaque}-{}\"", given.fetch_add(1, Ordering::Relaxed)))
            }
            Etags::Absent => None,
        }
    }
}

impl Validators {
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let etag = self.etag.clone().map(|etag| ("ETag", etag));
        let modified = self.modified.map(|time| ("Last-Modified", httpdate::fmt_http_date(time)));
        etag.into_iter().chain(modified)
    }

    /// In the order of RFC 9110, section 13.2.2.
    pub(crate) fn verdict(&self, head: &Head) -> Verdict {
        if let Some(tags) = head.header("If-Match") {
            if !self.is_listed(tags, is_same) {
                return Verdict::Failed;
            }
        } else if self.is_after(head.header("If-Unmodified-Since")) == Some(true) {
            return Verdict::Failed;
        }
        let held = match head.header("If-None-Match") {
            Some(tags) => self.is_listed(tags, is_equivalent),
            None => self.is_after(head.header("If-Modified-Since")) == Some(false),
        };
        if held { Verdict::NotModified } else { Verdict::Proceed }
    }

    /// Whether a range may be of this version: `If-Range` names it exactly, or there is none.
    pub(crate) fn allow_range(&self, head: &Head) -> bool {
        head.header("If-Range").is_none_or(|validator| match date(validator) {
            Some(date) => self.modified.map(in_seconds) == Some(date),
            None => self.etag.as_deref().is_some_and(|etag| is_same(validator, etag)),
        })
    }

    fn is_listed(&self, tags: &str, matches: fn(&str, &str) -> bool) -> bool {
        let ours = |tag: &str| self.etag.as_deref().is_some_and(|etag| matches(tag, etag));
        tags.split(',').map(str::trim).any(|tag| tag == "*" || ours(tag))
    }

    /// Whether the file was changed after this date, where both are known.
    fn is_after(&self, since: Option<&str>) -> Option<bool> {
        Some(in_seconds(self.modified?) > date(since?)?)
    }
}

/// The strong comparison: a weak tag is the same as none.
fn is_same(tag: &str, etag: &str) -> bool {
    tag == etag && !tag.starts_with("W/")
}

/// The weak comparison.
fn is_equivalent(tag: &str, etag: &str) -> bool {
    tag.trim_start_matches("W/") == etag.trim_start_matches("W/")
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// The time as a date in a header has it.
fn in_seconds(time: SystemTime) -> SystemTime {
    date(&httpdate::fmt_http_date(time)).expect("just written")
}
