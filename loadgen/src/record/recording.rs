//! All that is kept of a run's requests. Several add up exactly: those of workers, and of a second to those before.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::outcome::FailureKind;

/// Microseconds, with three significant digits, up to a day.
pub(crate) type Times = Histogram<u64>;

/// All that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recording {
    /// Until the end of the last answer.
    pub(crate) elapsed: Duration,
    /// Ended early by a signal.
    pub(crate) interrupted: bool,
    /// Requests of the schedule that were never begun.
    pub(crate) dropped: u64,
    /// Requests that were begun later than a millisecond after their intended start.
    pub(crate) late: u64,
    /// How late, of all.
    pub(crate) lateness: Times,
    /// All requests.
    pub(crate) total: Tally,
    /// Of each target of the plan.
    pub(crate) targets: Vec<Tally>,
    /// Of each stage of the plan, by the intended start.
    pub(crate) stages: Vec<Tally>,
    /// Answers by revision: the first hundred names, the rest as `(other)`.
    pub(crate) revisions: BTreeMap<String, RevisionTally>,
    /// Answers by the value of the counted header: the first thousand values, the rest as `(other)`, and `(none)`.
    pub(crate) counted: BTreeMap<String, u64>,
    /// What queues took, by the position of their target in the plan.
    pub(crate) queues: BTreeMap<usize, QueueTally>,
    /// Each second from 0.
    pub(crate) seconds: Vec<SecondTally>,
}

/// What a queue took, beside what became of its messages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueueTally {
    /// Messages that the broker said it has.
    pub(crate) enqueued: u64,
    /// Completions of messages that were completed before, or given up.
    pub(crate) repeated: u64,
    /// From handing a message over until the broker said so.
    pub(crate) enqueue: Times,
}

/// Counts and times of some requests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    /// Intended by the schedule.
    pub(crate) offered: u64,
    /// Begun.
    pub(crate) sent: u64,
    /// Got a complete answer.
    pub(crate) answered: u64,
    /// Got a right one.
    pub(crate) succeeded: u64,
    pub(crate) bytes: u64,
    pub(crate) connections_opened: u64,
    pub(crate) waited: u64,
    pub(crate) cold_starts: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Without an answer.
    pub(crate) failures: BTreeMap<FailureKind, Sampled>,
    /// Answers with a status that counts as failed.
    pub(crate) wrong_status: Sampled,
    /// Answers that do not pass another check.
    pub(crate) wrong_check: Sampled,
    pub(crate) response: Times,
    pub(crate) service: Times,
    pub(crate) first_byte: Times,
    pub(crate) connect: Times,
    pub(crate) cold_start: Times,
}

/// How often something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sampled {
    pub(crate) count: u64,
    /// The first, in words.
    pub(crate) first: Option<String>,
}

/// The answers of one revision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RevisionTally {
    pub(crate) answered: u64,
    pub(crate) succeeded: u64,
    /// By replica: the first hundred names.
    pub(crate) replicas: BTreeMap<String, u64>,
    pub(crate) response: Times,
}

/// A second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecondTally {
    /// Intended in it.
    pub(crate) offered: u64,
    /// Begun in it.
    pub(crate) sent: u64,
    /// Ended in it with a right answer.
    pub(crate) succeeded: u64,
    /// Ended in it without.
    pub(crate) failed: u64,
    /// Ended in it after waiting for a replica.
    pub(crate) cold_starts: u64,
    /// Response times of what ended in it, with two significant digits; none if nothing did. Kept small: there is
    /// one for each second of the run.
    pub(crate) response: Option<Box<SecondTimes>>,
}

/// Response times of a second, as counts of microsecond buckets with two significant digits, sparse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecondTimes {
    /// (highest value of the bucket, count), in order.
    pub(crate) buckets: Vec<(u64, u64)>,
}

/// How far a run is, for whoever watches: sent four times a second at most.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// The time of the run.
    pub(crate) at: Duration,
    /// When the last request of the schedule is due; none if that is not known.
    pub(crate) until: Option<Duration>,
    /// Waits for what is outstanding; nothing more is begun.
    pub(crate) ending: bool,
    /// All requests so far.
    pub(crate) total: Tally,
    /// How late they were begun.
    pub(crate) lateness: Times,
    /// The seconds so far; the last one is not complete.
    pub(crate) seconds: Vec<SecondTally>,
}

impl Live {
    /// Before the run has begun.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            at: Duration::ZERO,
            until: None,
            ending: false,
            total: Tally::new()?,
            lateness: super::tally::times()?,
            seconds: Vec::new(),
        })
    }
}
