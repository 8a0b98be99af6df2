//! What pods use, from a cluster: what they request and how they are from the API server, what they use
//! from `metrics.k8s.io`, or finer from the kubelets.

mod api;
mod error;
mod metrics;
mod pod;
mod selection;
mod summary;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::time::Duration;

use ebbtide_core::time::Timestamp;
use kube::{Client, Config};
use tokio::time::timeout;

use self::api::Api;
pub use self::error::PodUsageError;
use self::pod::Pod;
use self::summary::Summaries;
use crate::pods::{PodTarget, PodUsage, Used};

/// The longest that a read takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where it is read what pods use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageSource {
    /// From `metrics.k8s.io`, which the metrics server answers: on average over its last 15 s or so,
    /// measured each 15 s.
    MetricsServer,
    /// From the summaries of the kubelets, by the API server's proxy to nodes: on average since the last
    /// read, measured each 10 s or so. Whoever may use that proxy may do much on a node.
    Kubelet,
}

/// Reads what pods use.
pub struct PodUsageReader {
    api: Api,
    namespace: String,
    source: Source,
}

enum Source {
    MetricsServer,
    Kubelet(Summaries),
}

impl PodUsageReader {
    /// A reader of the cluster that this pod is in, or that KUBECONFIG names.
    ///
    /// # Errors
    /// When there is none.
    pub async fn connect(source: UsageSource) -> Result<Self, PodUsageError> {
        let config = Config::infer().await;
        let config = config.map_err(|error| unconfigured(kube::Error::InferConfig(error)))?;
        Self::new(config, source)
    }

    /// A reader of the cluster that `config` leads to.
    ///
    /// # Errors
    /// When it does not lead to one: a certificate that cannot be read, and the like.
    pub fn new(mut config: Config, source: UsageSource) -> Result<Self, PodUsageError> {
        // Whoever reads does so again soon, and is to hear of what is wrong in the meantime.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(unconfigured)?;
        Ok(Self {
            namespace: client.default_namespace().to_owned(),
            api: Api::new(client),
            source: match source {
                UsageSource::MetricsServer => Source::MetricsServer,
                UsageSource::Kubelet => Source::Kubelet(Summaries::default()),
            },
        })
    }

    /// The namespace of this pod, or of the kubeconfig's context.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What each of the pods uses. `now` counts from 1970.
    ///
    /// # Errors
    /// When the cluster does not answer in time, refuses, or answers with more than there may be.
    pub async fn read(
        &self,
        target: &PodTarget,
        now: Timestamp,
    ) -> Result<Vec<PodUsage>, PodUsageError> {
        let read = timeout(DEADLINE, self.read_in_time(target, now));
        read.await.map_err(|_| PodUsageError::TooLate(DEADLINE))?
    }

    async fn read_in_time(
        &self,
        target: &PodTarget,
        now: Timestamp,
    ) -> Result<Vec<PodUsage>, PodUsageError> {
        let namespace = api::name("namespace", &target.namespace)?;
        let labels = selection::labels(&self.api, namespace, &target.pods).await?;
        let pods: Vec<Pod> = pod::list(&self.api, namespace, &labels).await?;
        if pods.is_empty() {
            return Ok(Vec::new());
        }
        // Names are enough: all are of one namespace, and those of nodes are looked up by number.
        let mut used: BTreeMap<String, Used> = match &self.source {
            Source::MetricsServer => metrics::read(&self.api, namespace, &labels).await?,
            Source::Kubelet(summaries) => summaries.read(&self.api, &pods, now).await?,
        };
        let usage = pods.into_iter().map(|pod| {
            let used = used.remove(pod.name()).unwrap_or_default();
            pod.usage(used)
        });
        Ok(usage.collect())
    }
}

fn unconfigured(error: kube::Error) -> PodUsageError {
    PodUsageError::Configuration(Box::new(error))
}
