//! How far the run is, for someone who watches.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::clock::RunClock;
use crate::tally::Tally;

/// A line on stderr that is written over and over, on a terminal only.
pub(crate) struct Progress {
    every: Option<Interval>,
    duration_seconds: Option<f64>,
    clock: RunClock,
}

impl Progress {
    pub(crate) fn new(quiet: bool, duration_seconds: Option<f64>, clock: RunClock) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let shown = !quiet && !dumb && stderr().is_terminal();
        Self {
            every: shown.then(|| {
                let mut every = interval(Duration::from_millis(250));
                every.set_missed_tick_behavior(MissedTickBehavior::Skip);
                every
            }),
            duration_seconds,
            clock,
        }
    }

    /// Waits for the time to show the progress again; for ever if it is not shown.
    pub(crate) async fn tick(&mut self) {
        match &mut self.every {
            Some(every) => _ = every.tick().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn show(&self, tally: &Tally) {
        let elapsed = self.clock.elapsed().as_secs_f64();
        let total = self.duration_seconds.map(|total| format!(" of {total} s"));
        let (answered, failed) = (tally.answered, tally.failed());
        let waiting = tally.sent.saturating_sub(tally.succeeded + failed);
        // A line that cannot be written is not worth a run.
        let _ = write!(
            stderr().lock(),
            "\r\x1b[K{elapsed:.1} s{}: {} sent, {answered} answered, {failed} failed, {waiting} waiting",
            total.unwrap_or_default(),
            tally.sent,
        );
    }

    pub(crate) fn clear(&self) {
        if self.every.is_some() {
            let _ = write!(stderr().lock(), "\r\x1b[K");
        }
    }
}
