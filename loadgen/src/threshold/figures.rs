//! The figures that there are, by name: where they are in the report, in what unit, and why one may be absent.

use super::bound::Unit;
use super::metric::Subject;
use crate::report::model::{
    Distribution, Named, QueueSummary, Report, RevisionShare, ScaleFigures, Summary,
};

/// The name of a distribution of times; empty for its subject's own.
pub(super) type Times = &'static str;

/// A number of `T`: its name, its unit, how it is read, and why it can be absent.
pub(super) struct Number<T: 'static> {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) read: fn(&T) -> Option<f64>,
    pub(super) absent: &'static str,
}

/// A distribution of `T` by its name.
pub(super) type Distributed<T> = (&'static str, fn(&T) -> Option<&Distribution>);

/// A statistic of a distribution, in milliseconds.
type Statistic = (&'static str, fn(&Distribution) -> f64);

/// The statistics of each distribution.
pub(super) const STATISTICS: [Statistic; 10] = [
    ("p50", |times| times.p50_ms),
    ("p75", |times| times.p75_ms),
    ("p90", |times| times.p90_ms),
    ("p95", |times| times.p95_ms),
    ("p99", |times| times.p99_ms),
    ("p99.9", |times| times.p999_ms),
    ("p99.99", |times| times.p9999_ms),
    ("mean", |times| times.mean_ms),
    ("min", |times| times.min_ms),
    ("max", |times| times.max_ms),
];

/// Kinds of failure.
pub(super) const ERROR_KINDS: [&str; 6] =
    ["connect", "reset", "timeout", "protocol", "status", "check"];

const NO_REQUEST: &str = "no request was sent";
const NO_ANSWER: &str = "no request was answered";

macro_rules! number {
    ($name:literal, $unit:ident, $read:expr) => {
        number!($name, $unit, $read, "")
    };
    ($name:literal, $unit:ident, $read:expr, $absent:expr) => {
        Number {
            name: $name,
            unit: Unit::$unit,
            read: $read,
            absent: $absent,
        }
    };
}

pub(super) const OF_REQUESTS: [Number<Summary>; 17] = [
    number!("offered", Count, |s| count(s.offered)),
    number!("sent", Count, |s| count(s.sent)),
    number!("answered", Count, |s| count(s.answered)),
    number!("succeeded", Count, |s| count(s.succeeded)),
    number!("failed", Count, |s| count(s.failed)),
    number!("lost", Count, |s| count(s.lost)),
    number!("abandoned", Count, |s| count(s.abandoned)),
    number!("coldStarts", Count, |s| count(s.cold_starts)),
    number!("waitedForConnection", Count, |s| count(
        s.waited_for_connection
    )),
    number!("connectionsOpened", Count, |s| count(s.connections_opened)),
    number!("bytesReceived", Count, |s| count(s.bytes_received)),
    number!("rate", PerSecond, |s| Some(s.answers_per_second)),
    number!(
        "errorRate",
        Percent,
        |s| percent(s.failed, s.sent),
        NO_REQUEST
    ),
    number!("lostRate", Percent, |s| percent(s.lost, s.sent), NO_REQUEST),
    number!(
        "successRate",
        Percent,
        |s| percent(s.succeeded, s.sent),
        NO_REQUEST
    ),
    number!(
        "coldStartRate",
        Percent,
        |s| percent(s.cold_starts, s.answered),
        NO_ANSWER
    ),
    number!(
        "deliveredRate",
        Percent,
        |s| percent(s.succeeded, s.offered),
        NO_REQUEST
    ),
];

pub(super) const OF_RUN: [Number<Report>; 3] = [
    number!("dropped", Count, |r| count(r.lateness.dropped)),
    number!("late", Count, |r| count(r.lateness.late)),
    number!("elapsed", Time, |r| Some(r.elapsed_seconds * 1e3)),
];

pub(super) const OF_SCALING: [Number<ScaleFigures>; 10] = [
    number!(
        "timeToFirstReplica",
        Time,
        |f| milliseconds(f.time_to_first_replica_seconds),
        "there was a replica from the start, or never one"
    ),
    number!(
        "timeToTarget",
        Time,
        |f| milliseconds(f.time_to_target_seconds),
        "the replicas were not raised, or never were as many as desired"
    ),
    number!(
        "timeToZero",
        Time,
        |f| milliseconds(f.time_to_zero_seconds),
        "there were replicas until the end of the observation"
    ),
    number!("underProvisioned", ReplicaSeconds, |f| Some(
        f.under_provisioned_replica_seconds
    )),
    number!("overProvisioned", ReplicaSeconds, |f| Some(
        f.over_provisioned_replica_seconds
    )),
    number!("replicaSeconds", ReplicaSeconds, |f| Some(
        f.replica_seconds
    )),
    number!("mostReady", Count, |f| Some(f64::from(f.most_ready))),
    number!("waitedRate", Percent, |f| f.waited_percent, NO_ANSWER),
    number!("lostOnScaleIn", Count, |f| count(f.lost_on_scale_in)),
    number!("flaps", Count, |f| count(f.flaps)),
];

pub(super) const OF_REVISION: [Number<RevisionShare>; 4] = [
    number!("percent", Percent, |r| Some(r.percent)),
    number!(
        "weight",
        Percent,
        |r| r.weight_percent,
        "the autoscaler did not say its weight"
    ),
    number!("answered", Count, |r| count(r.answered)),
    number!("succeeded", Count, |r| count(r.succeeded)),
];

pub(super) const OF_QUEUE: [Number<QueueSummary>; 4] = [
    number!("enqueued", Count, |q| count(q.enqueued)),
    number!("completed", Count, |q| count(q.completed)),
    number!("failed", Count, |q| count(q.failed)),
    number!("repeated", Count, |q| count(q.repeated)),
];

pub(super) const TIMES_OF_REQUESTS: [Distributed<Summary>; 6] = [
    ("", |s| s.response_time.as_ref()),
    ("responseTime", |s| s.response_time.as_ref()),
    ("serviceTime", |s| s.service_time.as_ref()),
    ("firstByteTime", |s| s.first_byte_time.as_ref()),
    ("connectTime", |s| s.connect_time.as_ref()),
    ("coldStartTime", |s| s.cold_start_time.as_ref()),
];

/// Of the run, beside those of its requests.
pub(super) const TIMES_OF_RUN: [Distributed<Report>; 1] =
    [("lateness", |r| Some(&r.lateness.times))];

pub(super) const TIMES_OF_REVISION: [Distributed<RevisionShare>; 2] = [
    ("", |r| r.response_time.as_ref()),
    ("responseTime", |r| r.response_time.as_ref()),
];

pub(super) const TIMES_OF_QUEUE: [Distributed<QueueSummary>; 3] = [
    ("", |q| q.completion_time.as_ref()),
    ("completionTime", |q| q.completion_time.as_ref()),
    ("enqueueTime", |q| q.enqueue_time.as_ref()),
];

/// The named one.
pub(super) fn named<'a, T>(all: &'a [Named<T>], name: &str) -> Option<&'a T> {
    all.iter()
        .find(|named| named.name == name)
        .map(|named| &named.value)
}

/// The number of the table that has the name.
pub(super) fn find<T>(table: &'static [Number<T>], name: &str) -> Option<&'static Number<T>> {
    table.iter().find(|number| number.name == name)
}

/// The name, if `subject` has such a number.
pub(super) fn number(subject: &Subject, name: &str) -> Option<&'static str> {
    number_names(subject)
        .into_iter()
        .find(|known| *known == name)
}

pub(super) fn unit(subject: &Subject, name: &str) -> Option<Unit> {
    let of_requests = find(&OF_REQUESTS, name).map(|number| number.unit);
    match subject {
        Subject::All => of_requests
            .or_else(|| find(&OF_RUN, name).map(|number| number.unit))
            .or_else(|| find(&OF_SCALING, name).map(|number| number.unit)),
        Subject::Stage(_) | Subject::Target(_) => of_requests,
        Subject::Revision(_) => find(&OF_REVISION, name).map(|number| number.unit),
        Subject::Queue(_) => find(&OF_QUEUE, name).map(|number| number.unit),
    }
}

/// Whether it is a figure of the autoscaler.
pub(super) fn is_of_scaling(name: &str) -> bool {
    find(&OF_SCALING, name).is_some()
}

/// Whether the subject is a number of requests that are answered.
pub(super) fn has_requests(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::All | Subject::Stage(_) | Subject::Target(_)
    )
}

pub(super) fn number_names(subject: &Subject) -> Vec<&'static str> {
    match subject {
        Subject::All => [names(&OF_REQUESTS), names(&OF_RUN), names(&OF_SCALING)].concat(),
        Subject::Stage(_) | Subject::Target(_) => names(&OF_REQUESTS),
        Subject::Revision(_) => names(&OF_REVISION),
        Subject::Queue(_) => names(&OF_QUEUE),
    }
}

pub(super) fn times_names(subject: &Subject) -> Vec<&'static str> {
    let requests = || TIMES_OF_REQUESTS.iter().map(|(name, _)| *name);
    let all: Vec<_> = match subject {
        Subject::All => requests()
            .chain(TIMES_OF_RUN.iter().map(|(name, _)| *name))
            .collect(),
        Subject::Stage(_) | Subject::Target(_) => requests().collect(),
        Subject::Revision(_) => TIMES_OF_REVISION.iter().map(|(name, _)| *name).collect(),
        Subject::Queue(_) => TIMES_OF_QUEUE.iter().map(|(name, _)| *name).collect(),
    };
    all.into_iter().filter(|name| !name.is_empty()).collect()
}

/// The name, if `subject` has such a distribution.
pub(super) fn times(subject: &Subject, name: &str) -> Option<Times> {
    times_names(subject)
        .into_iter()
        .find(|known| *known == name)
}

/// The name of a statistic; `p999` is another way to write `p99.9`.
pub(super) fn statistic(name: &str) -> Option<&'static str> {
    let name = match name {
        "p999" => "p99.9",
        "p9999" => "p99.99",
        other => other,
    };
    STATISTICS
        .iter()
        .map(|(known, _)| *known)
        .find(|known| *known == name)
}

pub(super) fn error_kind(name: &str) -> Option<&'static str> {
    ERROR_KINDS.into_iter().find(|known| *known == name)
}

fn names<T>(table: &'static [Number<T>]) -> Vec<&'static str> {
    table.iter().map(|number| number.name).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a count of 2^53 is beyond any run"
)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::unnecessary_wraps, reason = "as the other figures")]
fn count(count: u64) -> Option<f64> {
    Some(float(count))
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * float(part) / float(whole))
}

fn milliseconds(seconds: Option<f64>) -> Option<f64> {
    seconds.map(|seconds| seconds * 1e3)
}
