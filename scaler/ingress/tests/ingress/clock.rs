//! The time of the tests: the system's, and what a test adds to it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ebbtide_core::time::{Clock, Timestamp};

pub(crate) struct TestClock {
    origin: Instant,
    added_nanos: AtomicU64,
    broken: AtomicBool,
    stopped: AtomicBool,
    waiting: AtomicBool,
}

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "this is the tests' clock")]
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            added_nanos: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
        }
    }

    /// Lets `duration` pass at once.
    pub(crate) fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.added_nanos.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Makes whoever looks wait until [`go_on`](Self::go_on).
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn go_on(&self) {
        self.stopped.store(false, Ordering::SeqCst);
    }

    /// Whether somebody has had to wait.
    pub(crate) fn holds_somebody(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Makes whoever looks next panic.
    pub(crate) fn break_once(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Whether nobody has looked since.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        assert!(
            !self.broken.swap(false, Ordering::SeqCst),
            "broken on purpose"
        );
        while self.stopped.load(Ordering::SeqCst) {
            self.waiting.store(true, Ordering::SeqCst);
            std::thread::yield_now();
        }
        let added = Duration::from_nanos(self.added_nanos.load(Ordering::SeqCst));
        Timestamp::ORIGIN + self.origin.elapsed() + added
    }
}
