//! What was seen of the autoscaler during a run. Times are offsets from the start of the run; what happened before it
//! is left out, but for the state at its start.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All that was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// Where it came from: a URL, or a namespace and a Deployment.
    pub(crate) source: String,
    /// Each change of a revision's state, in order. The first of each revision is its state at the start.
    pub(crate) samples: Vec<Sample>,
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
    /// Times when nothing could be seen, with why.
    pub(crate) gaps: Vec<Gap>,
    /// The weight of each revision of each app at the end, in percent.
    pub(crate) weights: BTreeMap<String, f64>,
    /// When it was last looked.
    pub(crate) until: Duration,
    /// What whoever reads the figures should know of how they came about, a sentence each.
    pub(crate) warnings: Vec<String>,
}

/// A revision (or a Deployment) at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    pub(crate) revision: String,
    pub(crate) replicas: Replicas,
    /// Requests that wait for a replica, where that is known.
    pub(crate) waiting: Option<u64>,
    /// The value of each rule that reads a queue, by the rule's name.
    pub(crate) queues: BTreeMap<String, f64>,
}

/// Replicas by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Replicas {
    /// As decided.
    pub(crate) desired: u32,
    /// May get requests.
    pub(crate) ready: u32,
    /// Started and not ready.
    pub(crate) starting: u32,
    /// Finishing their requests.
    pub(crate) draining: u32,
}

impl Replicas {
    /// Those that are there, in whatever state.
    pub(crate) fn there(self) -> u32 {
        let sum = self.ready.saturating_add(self.starting);
        sum.saturating_add(self.draining)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    /// `Decision`, `ReplicaStarted`, `ReplicaReady`, `TrafficChanged`, …
    pub(crate) reason: String,
    pub(crate) revision: Option<String>,
    pub(crate) replica: Option<String>,
    /// In one sentence; of a decision its own.
    pub(crate) message: String,
}

/// A time when nothing could be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) because: String,
}
