//! Counts and times: how one more is added, and how two become one.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::{AdditionError, CreationError, Histogram};

use super::outcome::{Answer, Failure, Outcome, Wrong};
use super::recording::{QueueTally, RevisionTally, Sampled, Tally, Times};

/// The longest duration that is told apart, in microseconds: a day.
const LONGEST: u64 = 86_400_000_000;

/// An empty histogram of microseconds with three significant digits. It grows with what is recorded, so that one
/// of short times is small.
pub(crate) fn times() -> Result<Times, CreationError> {
    Histogram::new(3)
}

/// Records a duration; one of more than a day counts as a day.
pub(crate) fn record(times: &mut Times, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(LONGEST);
    // It grows up to a day, which fits into every machine's memory.
    let _ = times.record(micros.min(LONGEST));
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self, CreationError> {
        let none = times()?;
        Ok(Self {
            offered: 0,
            sent: 0,
            answered: 0,
            succeeded: 0,
            bytes: 0,
            connections_opened: 0,
            waited: 0,
            cold_starts: 0,
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            wrong_status: Sampled::default(),
            wrong_check: Sampled::default(),
            response: none.clone(),
            service: none.clone(),
            first_byte: none.clone(),
            connect: none.clone(),
            cold_start: none,
        })
    }

    /// Counts a connection that was opened, and how long that took.
    pub(super) fn connected(&mut self, took: Duration) {
        self.connections_opened += 1;
        record(&mut self.connect, took);
    }

    /// Counts what became of a request.
    pub(super) fn ended(&mut self, outcome: &Outcome<'_>) {
        self.waited += u64::from(outcome.waited);
        if let Some(took) = outcome.connect {
            self.connected(took);
        }
        match &outcome.result {
            Ok(answer) => self.answered(outcome.intended, answer),
            Err(failure) => self.failed(failure),
        }
    }

    fn answered(&mut self, intended: Duration, answer: &Answer<'_>) {
        self.answered += 1;
        self.bytes += answer.bytes;
        if answer.status > 0 {
            *self.statuses.entry(answer.status).or_default() += 1;
        }
        match &answer.wrong {
            None => self.succeeded += 1,
            Some(Wrong::Status) => self
                .wrong_status
                .count(|| format!("the status is {}", answer.status)),
            Some(Wrong::Call(why)) => self.wrong_status.count(|| why.clone()),
            Some(Wrong::Check(why)) => self.wrong_check.count(|| why.clone()),
        }
        if let Some(waited) = answer.cold_start {
            self.cold_starts += 1;
            record(&mut self.cold_start, waited);
        }
        let since = |from| answer.ended.saturating_sub(from);
        record(&mut self.response, since(intended));
        record(&mut self.service, since(answer.sent));
        let first = answer.first_byte.saturating_sub(answer.sent);
        record(&mut self.first_byte, first);
    }

    fn failed(&mut self, failure: &Failure) {
        let failures = self.failures.entry(failure.kind).or_default();
        failures.count(|| failure.detail.clone());
    }

    /// Adds another's requests to these.
    pub(crate) fn add(&mut self, other: &Self) -> Result<(), AdditionError> {
        self.offered += other.offered;
        self.sent += other.sent;
        self.answered += other.answered;
        self.succeeded += other.succeeded;
        self.bytes += other.bytes;
        self.connections_opened += other.connections_opened;
        self.waited += other.waited;
        self.cold_starts += other.cold_starts;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (kind, failures) in &other.failures {
            self.failures.entry(*kind).or_default().add(failures);
        }
        self.wrong_status.add(&other.wrong_status);
        self.wrong_check.add(&other.wrong_check);
        self.response.add(&other.response)?;
        self.service.add(&other.service)?;
        self.first_byte.add(&other.first_byte)?;
        self.connect.add(&other.connect)?;
        self.cold_start.add(&other.cold_start)
    }
}

impl Sampled {
    fn count(&mut self, in_words: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = Some(in_words());
        }
        self.count += 1;
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        if self.first.is_none() {
            self.first.clone_from(&other.first);
        }
    }
}

impl QueueTally {
    /// Adds another's messages to these.
    pub(super) fn add(&mut self, other: &Self) -> Result<(), AdditionError> {
        self.enqueued += other.enqueued;
        self.repeated += other.repeated;
        self.enqueue.add(&other.enqueue)
    }
}

impl RevisionTally {
    pub(super) fn new(times: Times) -> Self {
        Self {
            answered: 0,
            succeeded: 0,
            replicas: BTreeMap::new(),
            response: times,
        }
    }

    pub(super) fn add(&mut self, other: &Self) -> Result<(), AdditionError> {
        self.answered += other.answered;
        self.succeeded += other.succeeded;
        for (replica, count) in &other.replicas {
            super::recorder::count_name(&mut self.replicas, replica, *count);
        }
        self.response.add(&other.response)
    }
}
