//! The one place of this crate that reads the clock.

#![expect(clippy::disallowed_methods, reason = "this is where the clock is read")]

use std::time::Instant;

use jiff::Timestamp;

/// The wall clock as it was at the start, and what has passed since on a monotonic clock: locks
/// hold as long as they should when the wall clock is set.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            started: Timestamp::now(),
            origin: Instant::now(),
        }
    }

    /// The present time. Never earlier than any that was returned before.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.origin.elapsed();
        self.started.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}
