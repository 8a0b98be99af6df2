//! How far the run is, for someone who watches.

use std::io::{IsTerminal as _, Write as _, stderr};

use crate::record::recording::Live;

/// A line on stderr that is written over and over, on a terminal only.
pub(crate) struct Progress {
    shown: bool,
    duration_seconds: Option<f64>,
}

impl Progress {
    pub(crate) fn new(quiet: bool, duration_seconds: Option<f64>) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            shown: !quiet && !dumb && stderr().is_terminal(),
            duration_seconds,
        }
    }

    pub(crate) fn is_shown(&self) -> bool {
        self.shown
    }

    pub(crate) fn show(&self, live: &Live) {
        let elapsed = live.at.as_secs_f64();
        let total = self.duration_seconds.map(|total| format!(" of {total} s"));
        let sent = live.total.sent;
        let answered = live.total.answered;
        let lost: u64 = (live.total.failures.values())
            .map(|failures| failures.count)
            .sum();
        let failed = lost + answered - live.total.succeeded;
        let waiting = sent.saturating_sub(answered + lost);
        // A line that cannot be written is not worth a run.
        let _ = write!(
            stderr().lock(),
            "\r\x1b[K{elapsed:.1} s{}: {sent} sent, {answered} answered, {failed} failed, {waiting} waiting",
            total.unwrap_or_default(),
        );
    }

    pub(crate) fn clear(&self) {
        if self.shown {
            let _ = write!(stderr().lock(), "\r\x1b[K");
        }
    }
}
