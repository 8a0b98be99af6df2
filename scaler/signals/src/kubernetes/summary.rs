//! The summaries of the kubelets, by the API server's proxy to nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ebbtide_core::scale::pods::SampleTime;
use ebbtide_core::time::Timestamp;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::api::{Access, Api, name};
use super::error::PodUsageError;
use super::pod::Pod;
use super::value::Time;
use crate::pods::{Measured, Used};

/// Nodes that are asked at a time.
const AT_ONCE: usize = 8;

/// For how long a node's summary is taken for new: its pods may be those of many apps.
const NEW: Duration = Duration::from_secs(3);

/// The longest time that use is averaged over; the two ends say nothing of now when it was longer.
const LONGEST_WINDOW: Duration = Duration::from_secs(60);

/// What the nodes said last.
#[derive(Default)]
pub(super) struct Summaries {
    nodes: Mutex<BTreeMap<String, Arc<Node>>>,
}

/// What a node said, and what that makes of what it said before.
struct Node {
    read: Timestamp,
    /// By uid.
    pods: BTreeMap<String, Seen>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    /// CPU time so far, in nanoseconds, and when that was read.
    cpu: Option<(Timestamp, u64)>,
    used: Used,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    pods: Vec<PodStats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStats {
    pod_ref: PodReference,
    cpu: Option<CpuStats>,
    memory: Option<MemoryStats>,
}

#[derive(Deserialize)]
struct PodReference {
    uid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CpuStats {
    time: Time,
    usage_core_nano_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemoryStats {
    time: Time,
    working_set_bytes: Option<u64>,
}

impl Summaries {
    /// What the pods use, by their names. Of a pod that is seen for the first time CPU is not known.
    ///
    /// # Errors
    /// When a node does not answer or refuses.
    pub(super) async fn read(
        &self,
        api: &Api,
        pods: &[Pod],
        now: Timestamp,
    ) -> Result<BTreeMap<String, Used>, PodUsageError> {
        let nodes: BTreeSet<&str> = pods.iter().filter_map(Pod::node).collect();
        let nodes: Vec<String> = nodes.into_iter().map(str::to_owned).collect();
        let read = stream::iter(nodes).map(|node| async move {
            let read = self.node(api, &node, now).await?;
            Ok::<_, PodUsageError>((node, read))
        });
        let read: BTreeMap<String, Arc<Node>> =
            read.buffer_unordered(AT_ONCE).try_collect().await?;
        let used = pods.iter().filter_map(|pod| {
            let seen = read.get(pod.node()?)?.pods.get(pod.uid())?;
            Some((pod.name().to_owned(), seen.used))
        });
        Ok(used.collect())
    }

    async fn node(
        &self,
        api: &Api,
        node: &str,
        now: Timestamp,
    ) -> Result<Arc<Node>, PodUsageError> {
        let known = self.known().get(node).cloned();
        if let Some(known) = known
            && now.since(known.read) < NEW
        {
            return Ok(known);
        }
        let access = Access {
            verb: "get",
            resource: "nodes/proxy",
            group: "",
            namespace: None,
            name: Some(name("node", node)?),
        };
        let summary: Summary = api.get(&access, "v1", "/stats/summary").await?;
        let mut known = self.known();
        known.retain(|_, node| now.since(node.read) <= LONGEST_WINDOW);
        let before = known.get(node).map(|before| &before.pods);
        let new = Arc::new(Node {
            read: now,
            pods: summary.seen(before.unwrap_or(&BTreeMap::new())),
        });
        known.insert(node.to_owned(), Arc::clone(&new));
        Ok(new)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Summary {
    fn seen(self, before: &BTreeMap<String, Seen>) -> BTreeMap<String, Seen> {
        let pods = self.pods.into_iter();
        pods.map(|pod| {
            let seen = pod.seen(before.get(&pod.pod_ref.uid));
            (pod.pod_ref.uid, seen)
        })
        .collect()
    }
}

impl PodStats {
    fn seen(&self, before: Option<&Seen>) -> Seen {
        let cpu = self.cpu.as_ref().and_then(|cpu| {
            let nanoseconds = cpu.usage_core_nano_seconds?;
            Some((cpu.time.0, nanoseconds))
        });
        let memory = self.memory.as_ref().and_then(|memory| {
            let time = SampleTime {
                at: memory.time.0,
                window: Duration::ZERO,
            };
            #[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
            let amount = memory.working_set_bytes? as f64;
            Some(Measured { amount, time })
        });
        Seen {
            cpu,
            used: Used {
                cores: cpu.and_then(|cpu| cores(before?, cpu)),
                bytes: memory,
            },
        }
    }
}

/// Cores in use since the summary before. A kubelet that has not measured again says what it said.
fn cores(before: &Seen, (at, nanoseconds): (Timestamp, u64)) -> Option<Measured> {
    let (since, used) = before.cpu?;
    if at == since {
        return before.used.cores;
    }
    let window = at.since(since);
    let used = Duration::from_nanos(nanoseconds.checked_sub(used)?);
    let is_of_now = window > Duration::ZERO && window <= LONGEST_WINDOW;
    is_of_now.then(|| Measured {
        amount: used.as_secs_f64() / window.as_secs_f64(),
        time: SampleTime { at, window },
    })
}
