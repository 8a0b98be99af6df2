//! The time of the tests: the system's, and what a test adds to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ebbtide_core::time::{Clock, Timestamp};

pub(crate) struct TestClock {
    origin: Instant,
    added_nanos: AtomicU64,
}

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "this is the tests' clock")]
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            added_nanos: AtomicU64::new(0),
        }
    }

    /// Lets `duration` pass at once.
    pub(crate) fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.added_nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let added = Duration::from_nanos(self.added_nanos.load(Ordering::SeqCst));
        Timestamp::ORIGIN + self.origin.elapsed() + added
    }
}
