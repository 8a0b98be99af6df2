//! Adds up what became of the requests.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::outcome::{Answer, Failure, FailureKind, Outcome};

/// A request is late when the generator turned to it this long after its intended start. Usual is
/// some tenths of a millisecond; ten milliseconds change the shape of a load.
pub(crate) const LATE_AFTER: Duration = Duration::from_millis(10);

/// Distinct header values that are counted; others are counted together.
const HEADER_VALUES: usize = 1000;

/// The longest duration that is told apart, in microseconds: a day.
const LONGEST: u64 = 86_400_000_000;

/// Counts of everything that the report says.
#[derive(Debug)]
pub(crate) struct Tally {
    /// The first so many are the burst: sent as fast as can be, so they cannot be late.
    burst: u64,
    /// Requests that the generator turned to.
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Answers with a status below 400.
    pub(crate) succeeded: u64,
    pub(crate) bytes: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) headers: BTreeMap<String, u64>,
    pub(crate) failures: BTreeMap<FailureKind, FailureCount>,
    /// Requests that waited for one in flight to end.
    pub(crate) waited: u64,
    /// Requests of the schedule, those of the burst left out.
    pub(crate) scheduled: u64,
    pub(crate) late: u64,
    pub(crate) lateness: Histogram<u64>,
    pub(crate) response: Histogram<u64>,
    pub(crate) service: Histogram<u64>,
    /// When the last answer was complete.
    pub(crate) ended: Duration,
}

/// Failures of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureCount {
    pub(crate) count: u64,
    /// What exactly happened to the first.
    pub(crate) first: String,
}

impl Tally {
    pub(crate) fn new(burst: u64) -> anyhow::Result<Self> {
        let micros = || Histogram::new_with_bounds(1, LONGEST, 3);
        Ok(Self {
            burst,
            sent: 0,
            answered: 0,
            succeeded: 0,
            bytes: 0,
            statuses: BTreeMap::new(),
            headers: BTreeMap::new(),
            failures: BTreeMap::new(),
            waited: 0,
            scheduled: 0,
            late: 0,
            lateness: micros()?,
            response: micros()?,
            service: micros()?,
            ended: Duration::ZERO,
        })
    }

    /// Counts the request at `position` of the schedule. `count_header` says whether a header's values are counted.
    pub(crate) fn record(&mut self, position: u64, outcome: Outcome, count_header: bool) {
        self.waited += u64::from(outcome.waited);
        if position >= self.burst {
            let lateness = outcome.begun.saturating_sub(outcome.intended);
            self.scheduled += 1;
            self.late += u64::from(lateness > LATE_AFTER);
            self.lateness.saturating_record(as_micros(lateness));
        }
        match outcome.result {
            Ok(answer) => self.record_answer(outcome.intended, answer, count_header),
            Err(failure) => self.record_failure(failure),
        }
    }

    fn record_answer(&mut self, intended: Duration, answer: Answer, count_header: bool) {
        self.answered += 1;
        self.succeeded += u64::from(answer.status.as_u16() < 400);
        self.bytes += answer.bytes;
        *self.statuses.entry(answer.status.as_u16()).or_default() += 1;
        if count_header {
            let value = answer.header.unwrap_or_else(|| "(none)".to_owned());
            let room = self.headers.len() < HEADER_VALUES || self.headers.contains_key(&value);
            let value = if room { value } else { "(other)".to_owned() };
            *self.headers.entry(value).or_default() += 1;
        }
        let response = answer.ended.saturating_sub(intended);
        let service = answer.ended.saturating_sub(answer.sent);
        self.response.saturating_record(as_micros(response));
        self.service.saturating_record(as_micros(service));
        self.ended = self.ended.max(answer.ended);
    }

    fn record_failure(&mut self, failure: Failure) {
        let failures = self.failures.entry(failure.kind).or_default();
        if failures.count == 0 {
            failures.first = failure.detail;
        }
        failures.count += 1;
    }

    /// How many requests have no answer, or one with a status from 400.
    pub(crate) fn failed(&self) -> u64 {
        let broken: u64 = self.failures.values().map(|failures| failures.count).sum();
        broken + self.answered - self.succeeded
    }
}

fn as_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
