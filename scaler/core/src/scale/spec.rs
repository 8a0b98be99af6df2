//! What a revision's scaling follows: limits, policy and rules, resolved from its document.

use std::time::Duration;

/// The age that any reading may have.
const LEAST_ALLOWED_AGE: Duration = Duration::from_secs(15);

/// All that a revision's scaling follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleSpec {
    /// Fewest replicas.
    pub min_replicas: u32,
    /// Most replicas, at least one and at least `min_replicas`.
    pub max_replicas: u32,
    /// Time without any activity before the last replicas are taken away.
    pub cooldown_period: Duration,
    /// Time from one reading of a polled rule (queues and the like) to the next.
    pub polling_interval: Duration,
    /// How fast the number may change.
    pub policy: Policy,
    /// The rules; the largest recommendation counts.
    pub rules: Vec<RuleSpec>,
}

impl ScaleSpec {
    /// How old a reading of this rule may be before it counts as unknown: three polls for a polled
    /// rule (two may be missed), and never less than 15 s.
    pub fn allowed_age(&self, rule: &RuleSpec) -> Duration {
        match rule.metric {
            Metric::External => LEAST_ALLOWED_AGE.max(self.polling_interval.saturating_mul(3)),
            _ => LEAST_ALLOWED_AGE,
        }
    }
}

/// How fast the number of replicas may change.
///
/// The default is what Azure Container Apps documents: up at once in steps of 1, 4, then doubling;
/// down, all at once, to the largest recommendation of the last 300 s.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Scaling out waits until the recommendation has held this long.
    pub scale_out_stabilization: Duration,
    /// Scaling in goes to the largest recommendation of this long.
    pub scale_in_stabilization: Duration,
    /// How much may be added in one step.
    pub step: StepLimit,
}

/// The most replicas that one step may lead to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLimit {
    /// From zero, a step leads to at most this many.
    pub from_zero: u32,
    /// From one or more, a step leads to at least this many if they are wanted …
    pub at_least: u32,
    /// … or to this many times the present number, if that is more.
    pub factor: f64,
    /// A step is counted once in this time, from the number of replicas when it began.
    pub period: Duration,
}

/// One rule, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// The rule's name in the document.
    pub name: String,
    /// The scaler in KEDA's words: `http`, `cpu`, `azure-servicebus`, …
    pub scaler: String,
    /// What is measured and compared with the target.
    pub metric: Metric,
    /// How much of the metric one replica is there for. Greater than zero.
    pub target: f64,
    /// The rule wakes the revision from zero when its value is greater than this.
    pub activation: f64,
}

/// What a rule measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Requests in flight and held, averaged over the window by time.
    HttpConcurrency {
        /// The window.
        window: Duration,
    },
    /// Requests per second over the window.
    HttpRequestRate {
        /// The window.
        window: Duration,
    },
    /// Open connections, averaged over the window by time.
    TcpConnections {
        /// The window.
        window: Duration,
    },
    /// Percent of the requested cores in use, averaged over replicas.
    CpuUtilization,
    /// Percent of the requested memory in use, averaged over replicas.
    MemoryUtilization,
    /// Average of bytes in use by a replica.
    MemoryAverage,
    /// Average of cores in use by a replica.
    CpuAverage,
    /// A number read from elsewhere (a queue's length), known by the scaler's type.
    External,
}
