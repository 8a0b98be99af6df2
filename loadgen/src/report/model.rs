//! The report: what JSON has, what every other output is made of, and what is read back to compare and to merge.
//!
//! Field names are camelCase, durations carry their unit in the name, times are RFC 3339 in UTC. Fields may be added
//! within a version of the schema; none changes its meaning.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::observe::model::Replicas;

/// The version of the schema.
pub(crate) const VERSION: u32 = 1;

/// A run, or several machines' runs of the same scenario at the same time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Of this schema.
    pub(crate) schema_version: u32,
    /// `loadgen 0.1.0`.
    pub(crate) generator: String,
    /// The scenario's name, or the URL.
    pub(crate) name: String,
    /// When the run started.
    pub(crate) started: String,
    /// From the start to the end of the last answer.
    pub(crate) elapsed_seconds: f64,
    /// `open` or `closed`. The times of a closed loop leave out what nobody asked for while an answer was late.
    pub(crate) loop_kind: LoopKind,
    /// The load in words: `poisson 50/s for 60 s`, `closed loop, 16 clients`.
    pub(crate) load: String,
    /// What random choices were made from.
    pub(crate) seed: u64,
    /// What was asked for, of each target.
    pub(crate) destinations: Vec<Destination>,
    /// Runs that were merged into this one; 1 for a run.
    pub(crate) runs: u32,
    /// Ended early by a signal.
    pub(crate) interrupted: bool,
    /// False if the generator itself lagged or left requests out.
    pub(crate) valid: bool,
    /// Why not, a sentence each.
    pub(crate) invalid_reasons: Vec<String>,
    /// How late requests were begun.
    pub(crate) lateness: Lateness,
    /// All requests.
    pub(crate) total: Summary,
    /// The requests of each target, if there are several.
    pub(crate) targets: Vec<Named<Summary>>,
    /// The requests of each stage, if there are several.
    pub(crate) stages: Vec<Stage>,
    /// Answers by the revision that they name.
    pub(crate) revisions: Vec<RevisionShare>,
    /// How often each value of the counted header came.
    pub(crate) counted_header: Option<CountedHeader>,
    /// Each second of the run, from 0.
    pub(crate) seconds: Vec<Second>,
    /// What each queue took, if any was loaded.
    pub(crate) queues: Vec<Named<QueueSummary>>,
    /// What the autoscaler did, if it was followed.
    pub(crate) autoscaler: Option<Autoscaler>,
    /// Whether each threshold holds.
    pub(crate) thresholds: Vec<ThresholdResult>,
}

/// What starts the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LoopKind {
    /// A schedule.
    Open,
    /// The answer to the one before.
    Closed,
}

impl LoopKind {
    /// As JSON has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Something with a name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Named<T> {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) value: T,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Destination {
    /// The name of the target.
    pub(crate) target: String,
    /// What is sent, where: `GET http://hello.localhost:8080/`.
    pub(crate) what: String,
    /// How: `HTTP/1.1, at most 1000 connections`.
    pub(crate) how: String,
    /// Its percentage of the requests.
    pub(crate) share_percent: f64,
}

/// The requests of a stage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stage {
    pub(crate) name: String,
    /// Requests intended from here on are its, in seconds from the start.
    pub(crate) from_seconds: f64,
    /// Up to here.
    pub(crate) until_seconds: f64,
    #[serde(flatten)]
    pub(crate) value: Summary,
}

/// How long after their intended start the generator turned to requests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lateness {
    /// Later than this is late.
    pub(crate) threshold_ms: f64,
    /// Of a valid run the 99th percentile is not above this.
    pub(crate) limit_ms: f64,
    /// How many were late.
    pub(crate) late: u64,
    /// Requests of the schedule that were never begun, because too many were outstanding or the run was ended.
    pub(crate) dropped: u64,
    /// All of them.
    pub(crate) times: Distribution,
}

/// What became of requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// Intended by the schedule.
    pub(crate) offered: u64,
    /// Begun.
    pub(crate) sent: u64,
    /// Got a complete answer, whatever its status.
    pub(crate) answered: u64,
    /// Got a right one.
    pub(crate) succeeded: u64,
    /// Sent, and not among the succeeded or the abandoned.
    pub(crate) failed: u64,
    /// Among the failed, those without any answer: what a client would have lost.
    pub(crate) lost: u64,
    /// Given up when the run was ended for good.
    pub(crate) abandoned: u64,
    /// Answers in a second, over the run.
    pub(crate) answers_per_second: f64,
    pub(crate) bytes_received: u64,
    pub(crate) connections_opened: u64,
    /// Requests that waited for one in flight to end, since as many were as there may be connections.
    pub(crate) waited_for_connection: u64,
    /// Requests that waited for a replica to start.
    pub(crate) cold_starts: u64,
    #[serde(deserialize_with = "numbered")]
    pub(crate) status_codes: BTreeMap<u16, u64>,
    /// Failures by kind: `connect`, `reset`, `timeout`, `protocol`, `status`, `check`.
    pub(crate) errors: BTreeMap<String, u64>,
    /// The first failure of each kind, in words.
    pub(crate) error_samples: BTreeMap<String, String>,
    /// From the intended start to the end of the answer: what a user would have felt.
    pub(crate) response_time: Option<Distribution>,
    /// From the send to the end of the answer: what the server did.
    pub(crate) service_time: Option<Distribution>,
    /// From the send to the first byte of the answer.
    pub(crate) first_byte_time: Option<Distribution>,
    /// To open a connection.
    pub(crate) connect_time: Option<Distribution>,
    /// How long those that waited for a replica did.
    pub(crate) cold_start_time: Option<Distribution>,
}

/// In a flattened struct serde has the keys of JSON's objects only as text.
fn numbered<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u16, u64>, D::Error> {
    let named = BTreeMap::<String, u64>::deserialize(from)?;
    let number = |(code, count): (String, u64)| match code.parse() {
        Ok(code) => Ok((code, count)),
        Err(_) => Err(D::Error::custom(format!("`{code}` is no status code"))),
    };
    named.into_iter().map(number).collect()
}

/// A distribution of times, in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Distribution {
    pub(crate) count: u64,
    pub(crate) mean_ms: f64,
    pub(crate) std_dev_ms: f64,
    pub(crate) min_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p75_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) p9999_ms: f64,
    pub(crate) max_ms: f64,
    /// The whole histogram, of microseconds with three significant digits, as HdrHistogram's V2 encoding with
    /// DEFLATE, in base64: any of its tools reads it, and several add up exactly.
    pub(crate) histogram: String,
}

/// The answers of a revision.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevisionShare {
    pub(crate) revision: String,
    pub(crate) answered: u64,
    pub(crate) succeeded: u64,
    /// Answers by replica, of the first hundred replicas.
    pub(crate) replicas: BTreeMap<String, u64>,
    /// Its percentage of all answers that name a revision.
    pub(crate) percent: f64,
    /// The 95 % confidence interval of that percentage (Wilson's).
    pub(crate) percent_low: f64,
    pub(crate) percent_high: f64,
    /// Its weight, where the autoscaler was followed.
    pub(crate) weight_percent: Option<f64>,
    pub(crate) response_time: Option<Distribution>,
}

/// How often each value of a header came.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CountedHeader {
    pub(crate) name: String,
    pub(crate) values: BTreeMap<String, u64>,
}

/// A second of the run.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Second {
    /// Requests intended in it.
    pub(crate) offered: u64,
    /// Requests begun in it.
    pub(crate) sent: u64,
    /// Right answers whose end is in it.
    pub(crate) succeeded: u64,
    /// Failures that were noticed in it.
    pub(crate) failed: u64,
    /// Requests that ended in it and had waited for a replica to start.
    pub(crate) cold_starts: u64,
    /// Begun and not answered at its end.
    pub(crate) outstanding: u64,
    /// Response times of what ended in it; none if nothing did.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
    /// Their histogram with two significant digits, as above.
    pub(crate) histogram: Option<String>,
}

/// What a queue took.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueSummary {
    /// Messages that the broker said it has.
    pub(crate) enqueued: u64,
    /// Messages that a worker said it has completed.
    pub(crate) completed: u64,
    /// Messages that were not enqueued, or not completed within the target's timeout, or given up.
    pub(crate) failed: u64,
    /// Completions of messages that were completed before, or given up: what brokers deliver again.
    #[serde(default)]
    pub(crate) repeated: u64,
    /// To hand a message to the broker.
    pub(crate) enqueue_time: Option<Distribution>,
    /// From the intended time of a message to its completion by the worker.
    pub(crate) completion_time: Option<Distribution>,
}

/// What the autoscaler did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Autoscaler {
    /// What was followed.
    pub(crate) source: String,
    /// Each second, from 0, of all revisions together.
    pub(crate) seconds: Vec<ScaleSecond>,
    /// Each second of each revision, if there are several.
    pub(crate) revisions: Vec<Named<RevisionSeconds>>,
    pub(crate) events: Vec<ScaleEvent>,
    /// Times when nothing could be seen, in words.
    pub(crate) gaps: Vec<String>,
    pub(crate) figures: ScaleFigures,
}

/// A revision's seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevisionSeconds {
    pub(crate) seconds: Vec<ScaleSecond>,
}

/// What the autoscaler had at the end of a second.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleSecond {
    #[serde(flatten)]
    pub(crate) replicas: Replicas,
    /// Requests that wait for a replica.
    pub(crate) waiting: Option<u64>,
    /// What lies in the queues of its rules, added up.
    pub(crate) queued: Option<f64>,
}

/// Something that the autoscaler did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleEvent {
    pub(crate) at_seconds: f64,
    pub(crate) reason: String,
    pub(crate) revision: Option<String>,
    pub(crate) replica: Option<String>,
    pub(crate) message: String,
}

/// What the scaling was worth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleFigures {
    /// From the first request to the first ready replica; none if there was one already or never.
    pub(crate) time_to_first_replica_seconds: Option<f64>,
    /// The longest time from a decision that raises the replicas until so many are ready.
    pub(crate) time_to_target_seconds: Option<f64>,
    /// From the last request to the moment without a replica.
    pub(crate) time_to_zero_seconds: Option<f64>,
    /// Replicas missing while there were fewer ready than desired, added up over time.
    pub(crate) under_provisioned_replica_seconds: f64,
    /// Replicas too many while there were more ready than desired, added up over time.
    pub(crate) over_provisioned_replica_seconds: f64,
    /// Replicas that were there (starting, ready or draining), added up over time.
    pub(crate) replica_seconds: f64,
    pub(crate) most_ready: u32,
    /// Percentage of answers that waited for a replica.
    pub(crate) waited_percent: Option<f64>,
    /// Failures within two seconds after replicas were taken away.
    pub(crate) lost_on_scale_in: u64,
    /// Times the desired number went up after it had gone down within the minute before, or the reverse.
    pub(crate) flaps: u64,
}

/// A threshold and what was found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThresholdResult {
    /// As in the scenario: `p99 < 250ms`.
    pub(crate) expression: String,
    pub(crate) holds: bool,
    /// What was found, in words: `p99 is 312 ms`.
    pub(crate) found: String,
}
