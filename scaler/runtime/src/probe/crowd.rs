//! How many containers are waited for at once. They share what trying them may cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// From one try of any container to the next, which makes some hundredths of a core.
const BETWEEN_TRIES: Duration = Duration::from_micros(250);

/// The containers that are waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd(Arc<AtomicU32>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Member(Arc<AtomicU32>);

impl Crowd {
    /// One more is waited for.
    pub(super) fn join(&self) -> Member {
        self.0.fetch_add(1, Ordering::Relaxed);
        Member(Arc::clone(&self.0))
    }
}

impl Member {
    /// The shortest pause between its tries at present.
    pub(super) fn shortest_pause(&self) -> Duration {
        BETWEEN_TRIES * self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_are_waited_for_the_longer_each_pauses() {
        let crowd = Crowd::default();
        let first = crowd.join();
        assert_eq!(first.shortest_pause(), BETWEEN_TRIES);
        let second = crowd.join();
        assert_eq!(first.shortest_pause(), 2 * BETWEEN_TRIES);
        drop(first);
        assert_eq!(second.shortest_pause(), BETWEEN_TRIES);
    }
}
