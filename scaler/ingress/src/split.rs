//! The weighted choice of a revision.

use std::sync::atomic::{AtomicU64, Ordering};

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

    /// The weights it was made from.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// The index of the backend for the next request; none if every weight is 0.
    pub(crate) fn pick(&self) -> Option<usize> {
        self.schedule
            .pick(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Stands in for core's schedule until that is on main.
#[derive(Debug)]
struct Schedule(Vec<usize>);

impl Schedule {
    fn new(weights: &[u32]) -> Self {
        let indices = weights.iter().enumerate();
        let slots =
            indices.flat_map(|(index, weight)| std::iter::repeat_n(index, *weight as usize));
        Self(slots.collect())
    }

    fn pick(&self, request: u64) -> Option<usize> {
        let position = request.checked_rem(self.0.len() as u64)?;
        self.0.get(usize::try_from(position).ok()?).copied()
    }
}
