//! Requests at a rate that does not change.
//!
//! Gaps are rounded to nanoseconds one by one, which varying rates do not do: recorded runs have
//! these times.

use std::time::Duration;

use super::gaps::{Arrival, Gaps};

/// The start times at one rate.
#[derive(Clone, Debug)]
pub(super) struct Steady {
    arrival: Arrival,
    rate: f64,
    end: Duration,
    gaps: Gaps,
    /// How many start times were given out.
    count: u64,
    /// The last start time that was given out.
    last: Duration,
}

impl Steady {
    /// A `rate` of 0 gives none.
    pub(super) fn new(arrival: Arrival, rate: f64, end: Duration, seed: u64) -> Self {
        Self {
            arrival,
            rate,
            end,
            gaps: Gaps::new(arrival, seed),
            count: 0,
            last: Duration::ZERO,
        }
    }

    pub(super) fn next(&mut self) -> Option<Duration> {
        let Some(offset) = self.next_offset().filter(|offset| *offset < self.end) else {
            // Nothing follows what is past the end.
            self.end = Duration::ZERO;
            return None;
        };
        self.count += 1;
        self.last = offset;
        Some(offset)
    }

    /// The next start time, whether or not it is before the end; none if it cannot be expressed.
    fn next_offset(&mut self) -> Option<Duration> {
        match self.arrival {
            // Not a sum of gaps: that would drift.
            #[expect(clippy::cast_precision_loss, reason = "exact for 2^53 requests")]
            Arrival::Constant => Duration::try_from_secs_f64(self.count as f64 / self.rate).ok(),
            Arrival::Poisson | Arrival::Gamma { .. } => {
                let gap = Duration::try_from_secs_f64(self.gaps.next() / self.rate).ok()?;
                self.last.checked_add(gap)
            }
        }
    }
}
