//! Follows a Deployment in a cluster, whoever scales it.
//!
//! Desired is what the Deployment's spec asks for; the rest are its pods: those that are ready, those that are not
//! yet, and those that are being deleted. That it is told of by watches, which need the verbs get, list and watch on
//! deployments and pods of the namespace.

mod error;
mod pods;
mod replicas;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use k8s_openapi::api::apps::v1::Deployment as Resource;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event as Change};
use kube::{Api, Client, Config};
use tokio::time::timeout;

pub(crate) use self::error::KubernetesError;
use self::pods::Pods;
use self::replicas::Desired;
use super::collect::{Collector, State};
use super::model::{Event, Replicas};
use super::{Clocks, Ready};

/// How long the cluster may take to tell of the Deployment and its pods before the run.
const FIRST: Duration = Duration::from_secs(15);

/// A Deployment to follow.
#[derive(Debug)]
pub(super) struct Deployment {
    namespace: String,
    name: String,
    clocks: Clocks,
}

/// What is known of it.
#[derive(Default)]
struct Known {
    desired: Option<Desired>,
    pods: Pods,
}

impl Deployment {
    pub(super) fn new(namespace: &str, name: &str, clocks: Clocks) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            clocks,
        }
    }

    /// Follows it until this is dropped; ends only if it cannot be followed at first.
    pub(super) async fn follow(self, collector: &mut Collector, ready: Ready) {
        let config = Config::infer().await;
        let config = config.map_err(|error| KubernetesError::Configuration(error.to_string()));
        match config {
            Ok(config) => self.follow_in(config, collector, ready).await,
            Err(error) => refuse(ready, error),
        }
    }

    async fn follow_in(self, mut config: Config, collector: &mut Collector, ready: Ready) {
        // The watches try again by themselves, and are to say that they have to.
        config.default_retry = false;
        let found = timeout(FIRST, self.find(config)).await;
        let found = found.unwrap_or_else(|_| Err(self.late()));
        match found {
            Ok((client, selector)) => self.watch(client, &selector, collector, ready).await,
            Err(error) => refuse(ready, error),
        }
    }

    /// Looks whether it is there, and which pods are its.
    async fn find(&self, config: Config) -> Result<(Client, String), KubernetesError> {
        let client = Client::try_from(config);
        let client = client.map_err(|error| KubernetesError::Configuration(error.to_string()))?;
        let deployments: Api<Resource> = Api::namespaced(client.clone(), &self.namespace);
        let found = deployments.get(&self.name).await;
        let found = found.map_err(|error| self.unreachable("get deployments", &error))?;
        let selector = replicas::selector(&found);
        let selector = selector.ok_or_else(|| KubernetesError::Selector(self.to_string()))?;
        let pods: Api<Pod> = Api::namespaced(client.clone(), &self.namespace);
        let listed = pods.list(&kube::api::ListParams::default().limit(1)).await;
        listed.map_err(|error| self.unreachable("list pods", &error))?;
        Ok((client, selector))
    }

    async fn watch(
        &self,
        client: Client,
        selector: &str,
        collector: &mut Collector,
        mut ready: Ready,
    ) {
        let deployments: Api<Resource> = Api::namespaced(client.clone(), &self.namespace);
        let one = watcher::Config::default().fields(&format!("metadata.name={}", self.name));
        let pods: Api<Pod> = Api::namespaced(client, &self.namespace);
        let its = watcher::Config::default().labels(selector);
        let mut deployments = pin!(watcher::watcher(deployments, one).default_backoff());
        let mut pods = pin!(watcher::watcher(pods, its).default_backoff());
        let mut known = Known::default();
        loop {
            let (what, changed) = tokio::select! {
                change = deployments.try_next() => {
                    ("watch deployments", change.map(|change| self.deployment(change, &mut known, collector)))
                }
                change = pods.try_next() => {
                    ("watch pods", change.map(|change| self.pods(change, &mut known, collector)))
                }
            };
            let at = self.clocks.elapsed();
            match changed {
                Ok(()) => {
                    if let Some(state) = known.state() {
                        collector.states(at, BTreeMap::from([(self.name.clone(), state)]));
                        if let Some(ready) = ready.take() {
                            // Who has given up waiting is not told.
                            let _ = ready.send(Ok(()));
                        }
                    }
                }
                Err(error) => collector.lose(at, self.broken(what, &error).to_string()),
            }
        }
    }

    fn deployment(
        &self,
        change: Option<Change<Resource>>,
        known: &mut Known,
        collector: &mut Collector,
    ) {
        let now = match change {
            Some(Change::Apply(resource) | Change::InitApply(resource)) => Desired::of(&resource),
            Some(Change::Delete(_)) => Desired::deleted(),
            _ => return,
        };
        let before = known.desired.replace(now.clone());
        if let Some(before) = before.filter(|before| before.replicas != now.replicas) {
            let message = format!(
                "{} {} → {}: {}",
                self.name, before.replicas, now.replicas, now.because
            );
            collector.event(self.event("Decision", None, message));
        }
    }

    fn pods(&self, change: Option<Change<Pod>>, known: &mut Known, collector: &mut Collector) {
        let Some(change) = change else { return };
        for (pod, reason) in known.pods.take_in(change) {
            let message = format!("{pod} {}", reason.words());
            collector.event(self.event(reason.name(), Some(pod), message));
        }
    }

    fn event(&self, reason: &str, replica: Option<String>, message: String) -> Event {
        Event {
            at: self.clocks.elapsed(),
            reason: reason.to_owned(),
            revision: Some(self.name.clone()),
            replica,
            message,
        }
    }
}

impl Known {
    /// What there is; none until both were listed.
    fn state(&self) -> Option<State> {
        let desired = self.desired.as_ref()?;
        Some(State {
            replicas: Replicas {
                desired: desired.replicas,
                ..self.pods.counted()?
            },
            ..State::default()
        })
    }
}

fn refuse(ready: Ready, error: KubernetesError) {
    if let Some(ready) = ready {
        let _ = ready.send(Err(error.into()));
    }
}

impl std::fmt::Display for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the Deployment {}/{}", self.namespace, self.name)
    }
}
