//! How far something is, where the library has no line for it: a bar on a terminal, a plain line elsewhere.

use std::io::Read;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vendor_model::ProgressMode;

use crate::talk::Talk;
use crate::words::size;

pub struct Gauge(ProgressBar);

impl Gauge {
    /// Of so many bytes.
    pub fn new(talk: &Talk, verb: &str, bytes: u64) -> Gauge {
        if bytes == 0 || talk.progress() != ProgressMode::Tty {
            if bytes > 0 {
                talk.status(verb, &size(bytes));
            }
            return Gauge(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let cyan = if talk.is_coloured() { ".cyan.bold" } else { "" };
        // As the library draws its own.
        let template = format!(
            "{{msg:>12{cyan}}} [{{bar:12}}] {{decimal_bytes}}/{{decimal_total_bytes}}, {{decimal_bytes_per_sec}}, {{eta}} left"
        );
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(verb.to_owned());
        Gauge(bar)
    }

    pub fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// A reader that advances it.
    pub fn metered<R: Read>(&self, reader: R) -> impl Read + use<R> {
        self.0.wrap_read(reader)
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
