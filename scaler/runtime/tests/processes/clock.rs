//! The clock of these tests.

use std::time::Instant;

use ebbtide_core::time::{Clock, Timestamp};

/// The time since it was made.
pub(crate) struct TestClock(Instant);

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::ORIGIN + self.0.elapsed()
    }
}
