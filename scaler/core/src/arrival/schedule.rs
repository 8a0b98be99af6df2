//! The iterator over start times, of whatever process.

use std::time::Duration;

use super::gaps::{Arrival, ArrivalError, MAX_RATE};
use super::merge::Merge;
use super::replay::Replaying;
use super::steady::Steady;
use super::varying::Varying;

/// An iterator over the times at which requests are to start, as offsets from the start of the run,
/// in order, each before the end of the run.
///
/// Its memory does not grow with what it gives out.
#[derive(Clone, Debug)]
pub struct Schedule(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Steady(Steady),
    Varying(Box<Varying>),
    Replay(Replaying),
    Sum(Merge),
    /// Schedules one after the other, the next one last, and when each begins.
    Sequence(Vec<(Duration, Schedule)>),
}

impl Schedule {
    /// The schedule of `rate` requests per second on average for `duration`.
    ///
    /// `seed` decides the random gaps; a constant schedule does not depend on it.
    ///
    /// # Errors
    ///
    /// The rate must be above 0 and at most [`MAX_RATE`], and a burstiness in
    /// [`BURSTINESS`](super::BURSTINESS).
    pub fn new(
        arrival: Arrival,
        rate: f64,
        duration: Duration,
        seed: u64,
    ) -> Result<Self, ArrivalError> {
        if !(rate > 0.0 && rate <= MAX_RATE) {
            return Err(ArrivalError::Rate(rate));
        }
        arrival.check()?;
        Ok(Self::steady(Steady::new(arrival, rate, duration, seed)))
    }

    pub(super) fn steady(steady: Steady) -> Self {
        Self(Kind::Steady(steady))
    }

    pub(super) fn varying(varying: Varying) -> Self {
        Self(Kind::Varying(Box::new(varying)))
    }

    pub(super) fn replay(replaying: Replaying) -> Self {
        Self(Kind::Replay(replaying))
    }

    /// All of these at once.
    pub(super) fn sum(parts: Vec<Self>) -> Self {
        Self(Kind::Sum(Merge::new(parts)))
    }

    /// These one after the other, each from its own start, which are in order.
    pub(super) fn sequence(mut parts: Vec<(Duration, Self)>) -> Self {
        parts.reverse();
        Self(Kind::Sequence(parts))
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match &mut self.0 {
            Kind::Steady(steady) => steady.next(),
            Kind::Varying(varying) => varying.next(),
            Kind::Replay(replay) => replay.next(),
            Kind::Sum(merge) => merge.next(),
            Kind::Sequence(parts) => loop {
                let (start, part) = parts.last_mut()?;
                if let Some(offset) = part.next() {
                    return Some(*start + offset);
                }
                parts.pop();
            },
        }
    }
}
