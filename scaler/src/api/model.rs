//! The JSON of the status API. Field names are camelCase, like the documents; times are RFC 3339
//! in UTC, durations carry their unit in the name.

mod routes;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use routes::{RouteConfigStatus, RouteMatchStatus, RouteRuleStatus, RouteTargetStatus};

/// A list, so that more can be said beside it later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The items.
    pub value: Vec<T>,
}

/// An app and all that is known of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppStatus {
    /// The app's name.
    pub name: String,
    /// Where requests reach it; none without ingress.
    pub url: Option<String>,
    /// The ports of `additionalPortMappings`.
    #[serde(default)]
    pub additional_ports: Vec<PortStatus>,
    /// `Single` or `Multiple`.
    pub active_revisions_mode: String,
    /// The revision of the app's present template.
    pub latest_revision_name: String,
    /// The latest revision that has been ready; none before the first.
    pub latest_ready_revision_name: Option<String>,
    /// What is going on, in one sentence, with the arithmetic.
    pub sentence: String,
    /// Where the app's document came from: a file's path, or `api`.
    pub source: String,
    /// Properties accepted and not acted on, and other things worth knowing.
    pub warnings: Vec<String>,
    /// How requests are split now.
    pub traffic: Vec<TrafficStatus>,
    /// `ingress.traffic` as it is set, which a client that changes some weights starts from; none
    /// means all to the latest ready revision. `traffic` has one entry for each revision instead.
    pub traffic_entries: Vec<TrafficEntry>,
    /// The app's revisions, newest first, inactive ones too.
    pub revisions: Vec<RevisionStatus>,
}

/// A port for TCP beside an app's own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortStatus {
    /// Whether it is for others than the apps beside it.
    pub external: bool,
    /// The port of the app.
    pub target_port: u16,
    /// The port at the ingress.
    pub exposed_port: u16,
    /// Where connections reach it; none if no ingress is here.
    pub url: Option<String>,
}

/// One revision's part of an app's requests.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficStatus {
    /// The revision.
    pub revision_name: String,
    /// The weight in force, in percent.
    pub weight: u32,
    /// Whether this entry follows the latest ready revision.
    pub latest_revision: bool,
    /// The label, if it has one.
    pub label: Option<String>,
    /// The URL of the label.
    pub label_url: Option<String>,
    /// The percentage of requests it got since the weights were set; none before the first.
    pub observed_percent: Option<f64>,
    /// Requests it got since the weights were set.
    pub observed_requests: u64,
}

/// A revision.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// `app--suffix`.
    pub name: String,
    /// Whether it may have replicas.
    pub active: bool,
    /// When it was made.
    pub created_time: String,
    /// The weight in force, in percent; 0 when it gets none.
    pub traffic_weight: u32,
    /// Its labels.
    pub labels: Vec<String>,
    /// `Provisioning`, `Provisioned` or `Failed`.
    pub provisioning_state: String,
    /// `Scaled to 0`, `Activating`, `Activation failed`, `Scaling`, `Running`, `Running at max`,
    /// `Deprovisioning`, `Degraded`, `Failed` or `Inactive`.
    pub running_state: String,
    /// Why, when something is wrong.
    pub running_state_details: Option<String>,
    /// How many replicas there are, by state.
    pub replicas: ReplicaCounts,
    /// Fewest replicas.
    pub min_replicas: u32,
    /// Most replicas.
    pub max_replicas: u32,
    /// Requests held in the waiting room.
    pub waiting_requests: u32,
    /// Requests in flight, held ones included.
    pub in_flight_requests: u64,
    /// Requests finished since Ebbtide started.
    pub finished_requests: u64,
    /// Requests per second, over the last second.
    pub requests_per_second: f64,
    /// Median time to answer over the last ten seconds, in milliseconds.
    pub p50_milliseconds: Option<f64>,
    /// 99th percentile over the last ten seconds, in milliseconds.
    pub p99_milliseconds: Option<f64>,
    /// Its scale rules and what they read.
    pub rules: Vec<RuleStatus>,
    /// The newest decision, changed or not.
    pub decision: Option<DecisionRecord>,
    /// What it is waiting for.
    pub countdowns: Countdowns,
    /// Each replica.
    pub replica_list: Vec<ReplicaStatus>,
}

/// Replicas by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaCounts {
    /// As decided.
    pub desired: u32,
    /// May get requests.
    pub ready: u32,
    /// Started, not ready yet, or waiting to be started again.
    pub starting: u32,
    /// Finishing their requests before they stop.
    pub draining: u32,
}

/// A scale rule and what it reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleStatus {
    /// The rule's name.
    pub name: String,
    /// The scaler: `http`, `cpu`, `azure-servicebus`, …
    pub scaler: String,
    /// What is measured, in words: `concurrency over 15 s`.
    pub metric: String,
    /// The value; none when unknown.
    pub value: Option<f64>,
    /// How much of the metric one replica is there for.
    pub target: f64,
    /// The replicas it recommends; none when unknown.
    pub replicas: Option<u32>,
    /// Seconds since the value was read; none when it never was.
    pub age_seconds: Option<f64>,
    /// `active`, `idle` or `unknown`.
    pub state: String,
    /// The arithmetic, or why the value is unknown.
    pub because: String,
    /// How long the newest reading took; none where nothing is asked.
    #[serde(default)]
    pub read_milliseconds: Option<f64>,
    /// Why the last reading failed; none if it did not. The value is then an earlier one.
    #[serde(default)]
    pub error: Option<String>,
    /// How many readings there were, and how many of them failed; none where nothing is asked.
    #[serde(default)]
    pub readings: Option<ReadingCounts>,
}

/// How often a source was read.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReadingCounts {
    /// In all.
    pub total: u64,
    /// Without success.
    pub failed: u64,
}

/// Seconds until something may happen; none when nothing is pending.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the unit belongs in the name")]
pub struct Countdowns {
    /// Until the next decision.
    pub next_decision_seconds: Option<f64>,
    /// Until the cooldown is over and the revision may go to zero.
    pub cooldown_seconds: Option<f64>,
    /// Until the stabilization window lets replicas go.
    pub stabilization_seconds: Option<f64>,
}

/// One replica.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaStatus {
    /// `app--suffix-id`.
    pub name: String,
    /// `starting`, `ready`, `notReady`, `backoff` or `draining`.
    pub state: String,
    /// Why, when something is wrong.
    pub because: Option<String>,
    /// The process of its first container.
    pub pid: Option<u32>,
    /// The port on 127.0.0.1.
    pub port: Option<u16>,
    /// Requests in flight on it.
    pub in_flight_requests: u32,
    /// How often its containers were started again.
    pub restarts: u32,
    /// When it was started.
    pub started_time: String,
    /// Milliseconds from its start to its being ready.
    pub start_milliseconds: Option<f64>,
    /// Cores in use by its process tree.
    pub cpu_cores: Option<f64>,
    /// Bytes in use by its process tree.
    pub memory_bytes: Option<u64>,
}

/// A decision, and everything that led to it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionRecord {
    /// Grows by one with each record of an app.
    pub sequence: u64,
    /// When.
    pub time: String,
    /// The app.
    pub app: String,
    /// The revision.
    pub revision: String,
    /// The replicas before.
    pub from: u32,
    /// The replicas now.
    pub to: u32,
    /// The decision in one sentence.
    pub sentence: String,
    /// What each rule recommended.
    pub recommendations: Vec<RecommendationRecord>,
    /// What changed the number on the way.
    pub limits: Vec<LimitRecord>,
}

/// What one rule recommended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecommendationRecord {
    /// The rule's name.
    pub rule: String,
    /// The scaler.
    pub scaler: String,
    /// The value; none when unknown.
    pub value: Option<f64>,
    /// How much of the metric one replica is there for.
    pub target: f64,
    /// The replicas; none when unknown.
    pub replicas: Option<u32>,
    /// The arithmetic, or why the value is unknown.
    pub because: String,
}

/// What changed the number between the recommendations and the decision.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitRecord {
    /// `min`, `max`, `step`, `stabilization`, `cooldown`, `activity`, `unknown` or `takeover`.
    pub kind: String,
    /// The replicas before it.
    pub from: u32,
    /// The replicas after it.
    pub to: u32,
    /// In words.
    pub because: String,
}

/// A second of a revision's past, for charts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPoint {
    /// When, in milliseconds since 1970.
    pub time_milliseconds: u64,
    /// The value of the rule that recommended most; none when unknown.
    pub metric_value: Option<f64>,
    /// That value divided by the rule's target: the replicas it calls for, unrounded.
    pub metric_ratio: Option<f64>,
    /// That rule's name.
    pub metric_rule: Option<String>,
    /// Replicas.
    pub replicas: ReplicaCounts,
    /// Requests held in the waiting room.
    pub waiting_requests: u32,
    /// Requests in flight, held ones included.
    pub in_flight_requests: u64,
    /// Requests per second.
    pub requests_per_second: f64,
    /// Median time to answer, in milliseconds.
    pub p50_milliseconds: Option<f64>,
    /// 99th percentile of it, in milliseconds.
    pub p99_milliseconds: Option<f64>,
}

/// A revision's past, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionHistory {
    /// The revision.
    pub revision: String,
    /// One point a second, at most 600.
    pub points: Vec<HistoryPoint>,
}

/// One line that a replica printed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogRecord {
    /// When it was read.
    pub time: String,
    /// The revision.
    pub revision: String,
    /// The replica.
    pub replica: String,
    /// The container.
    pub container: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// The line, without its end.
    pub line: String,
}

/// Something that happened, for the events stream.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord {
    /// When.
    pub time: String,
    /// The app.
    pub app: String,
    /// The revision, if it is about one.
    pub revision: Option<String>,
    /// The replica, if it is about one.
    pub replica: Option<String>,
    /// `DocumentApplied`, `AppDeleted`, `RevisionCreated`, `LatestRevisionChanged`,
    /// `RevisionReady`, `RevisionFailed`, `RevisionActivated`, `RevisionDeactivated`,
    /// `RevisionRestarted`, `RevisionPurged`, `TrafficChanged`, `Decision`, `ReplicaStarted`,
    /// `ReplicaReady`, `ReplicaNotReady`, `ReplicaRestarting` or `ReplicaStopped`.
    pub reason: String,
    /// In one sentence.
    pub message: String,
}

/// A ScaledObject or ScaledJob that asks the KEDA service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScaledObjectStatus {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its triggers that point here, each with what it was answered; an edited one is another one.
    pub triggers: Vec<ScaledObjectTrigger>,
}

/// A trigger of a ScaledObject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScaledObjectTrigger {
    /// What it scales by, in words: `app hello`, `revision hello--v2`; none if it is wrong.
    pub subject: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What may surprise its author.
    pub warnings: Vec<String>,
    /// Streams that it has open.
    pub open_streams: usize,
    /// The last call of each kind.
    pub calls: Vec<ScaledObjectCall>,
}

/// A call of KEDA, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScaledObjectCall {
    /// `IsActive`, `StreamIsActive`, `GetMetricSpec`, `StreamMetricSpec` or `GetMetrics`.
    pub method: String,
    /// When.
    pub time: String,
    /// The address that it came from.
    pub peer: String,
    /// What was answered; none if it was an error.
    pub answer: Option<String>,
    /// The error that was answered.
    pub error: Option<String>,
    /// Why: the decision's sentence.
    pub because: String,
}

/// What `PUT /api/v1/apps/{app}` did, or another request that changes something.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplyResult {
    /// The app, or the HTTP route config.
    pub app: String,
    /// The revision made, if the template changed.
    pub created_revision: Option<String>,
    /// What changed, a sentence each; empty when nothing did.
    pub changes: Vec<String>,
    /// Properties accepted and not acted on, unknown keys, and the like.
    pub warnings: Vec<String>,
}

/// The body of `PUT /api/v1/apps/{app}/traffic`: the document's `ingress.traffic`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficRequest {
    /// The entries; weights sum to 100.
    pub traffic: Vec<TrafficEntry>,
}

/// One entry of `ingress.traffic`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficEntry {
    /// A revision, or absent with `latestRevision`.
    #[serde(default)]
    pub revision_name: Option<String>,
    /// Whether the entry follows the latest ready revision.
    #[serde(default)]
    pub latest_revision: bool,
    /// Percent.
    #[serde(default)]
    pub weight: u32,
    /// A label.
    #[serde(default)]
    pub label: Option<String>,
}

/// An error, as RFC 9457 has it (`application/problem+json`).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What kind of problem: a URI reference, `/problems/not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what would be right.
    pub detail: String,
    /// Each thing that was wrong with a document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemDetail>,
}

/// One thing that was wrong with a document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDetail {
    /// The field's path: `properties.template.scale.minReplicas`.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column, from 1.
    pub column: Option<u64>,
    /// What was wrong, and what is allowed.
    pub message: String,
}

/// A certificate that was given for HTTPS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateInForce {
    /// The certificate's path in its folder.
    pub name: String,
    /// The hosts it is for.
    pub hosts: Vec<String>,
    /// Until when it is valid; absent if none is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// Why what its files have now is not in force, or why no other could be had where one is ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Orders for it that failed since this process began; absent if it is not one that is ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_failures: Option<u64>,
}
