//! The one place that reads the clock.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The date and time, for reports.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The time since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunClock {
    start: Instant,
}

impl RunClock {
    /// A clock whose run starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// How long the run has been going on.
    pub(crate) fn elapsed(self) -> Duration {
        self.start.elapsed()
    }

    /// How much later than another clock this one was started; nothing if it was not.
    pub(crate) fn started_after(self, other: Self) -> Duration {
        self.start.saturating_duration_since(other.start)
    }
}
