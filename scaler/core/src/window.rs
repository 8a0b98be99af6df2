//! Concurrency and rate over a window, from sums that cost two additions a request.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// Running sums over the requests of a revision.
///
/// With the sum of the times at which requests started, the sum of those at which they ended, and
/// the number in flight, the request-seconds up to a time *t* are `ended - started + n·t`; two
/// readings give the exact time-weighted average between them. The sums wrap; differences of two
/// readings less than 292 request-years apart are exact.
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

    /// Request-nanoseconds from the origin to `at`, wrapping: `ended - started + n·at`.
    pub fn request_nanos(&self, at: Timestamp) -> u64 {
        let in_flight = self.started.wrapping_sub(self.ended);
        self.ended_nanos
            .wrapping_sub(self.started_nanos)
            .wrapping_add(in_flight.wrapping_mul(at.as_nanos()))
    }

    /// Whether `later` can be a later reading of the same counters; not if they began anew.
    fn continued_by(&self, later: &Self) -> bool {
        later.started >= self.started && later.ended >= self.ended
    }
}

/// How many readings cover the longest window; its start is found to within one part of these.
const READINGS: u32 = 256;

/// The sums at one time.
#[derive(Clone, Copy, Debug)]
struct SumsAt {
    at: Timestamp,
    sums: RequestSums,
}

/// The latest readings of a revision's sums, for averages over windows that end at the newest one.
///
/// At most some 260 readings are kept, however often it observes: those that come closer together
/// than the longest window divided by 256 replace one another.
///
/// Nothing is interpolated. A window starts at the newest reading that is old enough, so it may be
/// a little longer than asked for; while the history is shorter than the window it starts at the
/// oldest reading and is a partial one.
#[derive(Clone, Debug)]
pub struct RequestWindow {
    longest: Duration,
    readings: VecDeque<SumsAt>,
}

impl Default for RequestWindow {
    /// Remembers enough for windows of up to one minute.
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl RequestWindow {
    /// Remembers enough for windows of up to `longest`; a longer one is a partial window.
    pub fn new(longest: Duration) -> Self {
        Self {
            longest,
            readings: VecDeque::new(),
        }
    }

    /// Takes in a reading of the sums at `now`.
    ///
    /// A reading older than the newest one is ignored. Counters that went back have begun anew, so
    /// the history begins anew with them.
    pub fn observe(&mut self, now: Timestamp, sums: RequestSums) {
        let reading = SumsAt { at: now, sums };
        match self.readings.back() {
            Some(newest) if now < newest.at => return,
            Some(newest) if !newest.sums.continued_by(&sums) => self.readings.clear(),
            _ => {}
        }
        if self.newest_is_close_to_the_one_before(now) {
            self.readings.pop_back();
        }
        self.readings.push_back(reading);
        self.forget_what_no_window_needs(now);
    }

    /// When the newest reading was taken; none before the first.
    pub fn newest(&self) -> Option<Timestamp> {
        self.readings.back().map(|reading| reading.at)
    }

    /// Requests in flight, averaged by time over the last `window`; none before two readings.
    pub fn concurrency(&self, now: Timestamp, window: Duration) -> Option<f64> {
        let (from, to) = self.ends(now, window)?;
        let area = to.sums.request_nanos(to.at);
        let area = area.wrapping_sub(from.sums.request_nanos(from.at));
        // A difference that seems negative comes from sums that were read while one was changing.
        let area = i64::try_from(area).unwrap_or(0);
        Some(Duration::from_nanos(area.unsigned_abs()).as_secs_f64() / seconds(from, to))
    }

    /// Requests started per second over the last `window`; none before two readings.
    pub fn rate(&self, now: Timestamp, window: Duration) -> Option<f64> {
        let (from, to) = self.ends(now, window)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "requests of one window stay far below 2^53"
        )]
        let started = to.sums.started.wrapping_sub(from.sums.started) as f64;
        Some(started / seconds(from, to))
    }

    /// The readings that a window lies between; none unless there is time between them.
    fn ends(&self, now: Timestamp, window: Duration) -> Option<(&SumsAt, &SumsAt)> {
        let to = self.readings.back()?;
        let old_enough = |reading: &&SumsAt| now.since(reading.at) >= window;
        let from = self.readings.iter().rev().find(old_enough);
        let from = from.or_else(|| self.readings.front())?;
        (from.at < to.at).then_some((from, to))
    }

    /// Whether the newest reading only stands in for the one that comes at `now`.
    fn newest_is_close_to_the_one_before(&self, now: Timestamp) -> bool {
        let Some(newest) = self.readings.back() else {
            return false;
        };
        let before = self.readings.iter().rev().nth(1);
        let close = before.is_some_and(|it| now.since(it.at) < self.longest / READINGS);
        close || newest.at == now
    }

    /// Keeps one reading at or before the start of the longest window, and what came after it.
    fn forget_what_no_window_needs(&mut self, now: Timestamp) {
        let old_enough = |reading: &SumsAt| now.since(reading.at) >= self.longest;
        while self.readings.get(1).is_some_and(old_enough) {
            self.readings.pop_front();
        }
    }
}

/// The time between two readings, in seconds.
fn seconds(from: &SumsAt, to: &SumsAt) -> f64 {
    to.at.since(from.at).as_secs_f64()
}
