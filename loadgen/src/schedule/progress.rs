//! How far a schedule is made, for someone who has waited for two seconds.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use ebbtide_core::duration::Span;

/// Nobody needs to know before that.
const PATIENCE: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(250);
/// The clock is read once for so many requests.
const LOOK: u32 = 10_000;

/// A line on stderr that is written over and over, on a terminal only.
pub(super) struct Progress {
    shown: bool,
    duration: Duration,
    made: u32,
    next: Duration,
}

impl Progress {
    pub(super) fn new(quiet: bool, duration: Duration) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            shown: !quiet && !dumb && stderr().is_terminal(),
            duration,
            made: 0,
            next: PATIENCE,
        }
    }

    /// Counts a request. Whether it is time to look at the clock.
    pub(super) fn looks(&mut self) -> bool {
        self.made += 1;
        if self.made < LOOK {
            return false;
        }
        self.made = 0;
        self.shown
    }

    pub(super) fn show(&mut self, elapsed: Duration, offset: Duration, requests: u64) {
        if !self.is_due(elapsed) {
            return;
        }
        let (at, end) = (
            Span(Duration::from_secs(offset.as_secs())),
            Span(self.duration),
        );
        // A line that cannot be written is not worth a schedule.
        let _ = write!(
            stderr().lock(),
            "\r\x1b[K{at} of {end}: {requests} requests"
        );
    }

    fn is_due(&mut self, elapsed: Duration) -> bool {
        let due = elapsed >= self.next;
        if due {
            self.next = elapsed + EVERY;
        }
        due
    }

    pub(super) fn clear(&self) {
        if self.shown && self.next > PATIENCE {
            let _ = write!(stderr().lock(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_after_two_seconds_and_then_now_and_then() {
        let mut progress = Progress::new(true, Duration::from_secs(9));
        let millis = [0, 1999, 2000, 2100, 2249, 2300, 5000, 5001];
        let due = millis.map(|millis| progress.is_due(Duration::from_millis(millis)));
        assert_eq!(due, [false, false, true, false, false, true, true, false]);
    }

    #[test]
    fn the_clock_is_looked_at_seldom_and_not_in_vain() {
        let mut progress = Progress::new(true, Duration::from_secs(9));
        assert!((0..50_000).all(|_| !progress.looks()));
        progress.shown = true;
        assert_eq!((0..50_000).filter(|_| progress.looks()).count(), 5);
    }
}
