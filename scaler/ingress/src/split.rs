//! The weighted choice of a revision.

use std::sync::atomic::{AtomicU64, Ordering};

use ebbtide_core::traffic::Schedule;

/// A weighted choice between the backends of an app.
///
/// Each request draws the next number of one running sequence, whichever worker it came to, so that
/// the shares are exact over short runs too. [`Publisher::publish`](crate::Publisher::publish)
/// keeps the sequence going while the weights and the revisions they are for stay the same.
#[derive(Debug)]
pub struct Split {
    weights: Vec<u32>,
    schedule: Schedule,
    next: AtomicU64,
}

impl Split {
    /// A split with one weight for each backend, in the order of
    /// [`AppRoute::backends`](crate::AppRoute::backends). Shares are relative to the sum.
    pub fn new(weights: Vec<u32>) -> Self {
        Self {
            schedule: Schedule::new(&weights),
            weights,
            next: AtomicU64::new(0),
        }
    }

    /// Goes on where `earlier` is. Sequences that begin at zero again and again would favour the
    /// backends that come first.
    pub(crate) fn continue_from(&self, earlier: &Self) {
        self.next
            .fetch_max(earlier.next.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The weights it was made from.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// The index whose turn it is, which stays so until [`advance`](Self::advance); none if every weight is
    /// 0. Who asks at the same time is told the same.
    pub(crate) fn peek(&self) -> Option<usize> {
        self.schedule.pick(self.next.load(Ordering::Relaxed))
    }

    /// Goes on to the next number.
    pub(crate) fn advance(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
    }

    /// The index of the backend for the next request; none if every weight is 0.
    pub(crate) fn pick(&self) -> Option<usize> {
        self.schedule
            .pick(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
