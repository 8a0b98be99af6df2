//! Pods: what they request and how they are.

use std::collections::BTreeMap;

use ebbtide_core::scale::pods::{PodState, Readiness};
use ebbtide_core::time::Timestamp;
use kube::api::ListParams;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::api::{Access, Api};
use super::error::PodUsageError;
use super::value::{Quantity, Time};
use crate::pods::{PodUsage, Requested, Used};

/// Pods in one answer.
const PAGE: u32 = 250;

/// The most pods that are looked at: a revision has up to 1000 replicas, and each may have one that ends
/// and one that takes its place.
const MOST: usize = 3000;

/// Amounts by resource.
type Amounts = BTreeMap<String, Quantity>;

/// A page of a list.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct List<T> {
    #[serde(default)]
    metadata: ListMetadata,
    // Go writes an empty list as null in places.
    pub(super) items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// A pod, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Pod {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    uid: String,
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
    containers: Vec<Container>,
    #[serde(default)]
    init_containers: Vec<Container>,
    #[serde(default)]
    resources: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    resources: Resources,
    restart_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Resources {
    requests: Option<Amounts>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    phase: String,
    start_time: Option<Time>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    r#type: String,
    status: String,
    last_transition_time: Option<Time>,
}

/// Lists the pods of a namespace with these labels.
///
/// # Errors
/// When the API server does not answer, refuses, or knows of too many.
pub(super) async fn list(
    api: &Api,
    namespace: &str,
    labels: &str,
) -> Result<Vec<Pod>, PodUsageError> {
    let access = Access {
        verb: "list",
        resource: "pods",
        group: "",
        namespace: Some(namespace),
        name: None,
    };
    let mut parameters = ListParams::default().labels(labels).limit(PAGE);
    let mut pods = Vec::new();
    loop {
        let page: List<Pod> = api.list(&access, "v1", &parameters).await?;
        pods.extend(page.items.unwrap_or_default());
        if pods.len() > MOST {
            return Err(PodUsageError::TooMany { most: MOST });
        }
        match page.metadata.next {
            Some(next) if !next.is_empty() => parameters.continue_token = Some(next),
            _ => return Ok(pods),
        }
    }
}

impl Pod {
    pub(super) fn name(&self) -> &str {
        &self.metadata.name
    }

    pub(super) fn uid(&self) -> &str {
        &self.metadata.uid
    }

    pub(super) fn node(&self) -> Option<&str> {
        self.spec.node_name.as_deref()
    }

    /// The pod with what it uses.
    pub(super) fn usage(self, used: Used) -> PodUsage {
        PodUsage {
            requested: Requested {
                cores: self.spec.requested("cpu"),
                bytes: self.spec.requested("memory"),
            },
            state: self.state(),
            name: self.metadata.name,
            used,
        }
    }

    fn state(&self) -> PodState {
        let status = &self.status;
        let started = status.start_time.map(|time| time.0);
        let conditions = status.conditions.iter().flatten();
        let mut ready = conditions.filter(|condition| condition.r#type == "Ready");
        let readiness = ready.next().map(|ready| Readiness {
            // What is unknown, since the node is silent, is not known to be unready.
            is_ready: ready.status != "False",
            since: ready
                .last_transition_time
                .map_or(Timestamp::ORIGIN, |time| time.0),
        });
        PodState {
            is_ending: self.metadata.deletion_timestamp.is_some() || status.phase == "Failed",
            is_pending: status.phase == "Pending",
            started,
            readiness,
        }
    }
}

impl Spec {
    /// What the pod requests as a whole, or else its containers together: those that run beside the
    /// others, init containers that are always restarted, are among them.
    fn requested(&self, resource: &str) -> Option<f64> {
        let of = |resources: &Resources| {
            let requests = resources.requests.as_ref();
            requests.and_then(|requests| requests.get(resource).map(|amount| amount.0))
        };
        if let Some(whole) = of(&self.resources) {
            return Some(whole);
        }
        let beside = self.init_containers.iter();
        let beside = beside.filter(|one| one.restart_policy.as_deref() == Some("Always"));
        let containers = self.containers.iter().chain(beside);
        containers.map(|container| of(&container.resources)).sum()
    }
}
