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
