//! What pods use that something else runs: which are wanted, and what was read of them.

use std::collections::BTreeMap;

use ebbtide_core::app::App;
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::scale::Reading;
use ebbtide_core::scale::pods::Resource;
use ebbtide_core::time::Timestamp;
use ebbtide_signals::{PodSelection, PodTarget, PodUsage};
use tokio::sync::{mpsc, watch};

use super::app::{AppControl, Source};
use super::endpoints::service;
use super::revision::RevisionControl;
use super::task::ControlTask;

/// The pods whose use is wanted, by the revision whose rules want it.
pub type WantedPods = BTreeMap<RevisionName, PodTarget>;

/// The way to someone who reads what pods use.
pub struct PodLink {
    /// The namespace of the apps' services.
    pub namespace: String,
    /// Which pods are wanted.
    pub wanted: watch::Sender<WantedPods>,
    /// What was read of them.
    pub read: mpsc::Receiver<PodsRead>,
}

impl PodLink {
    /// The next that was read; none once nobody reads any more, or if nobody does.
    pub(super) async fn next(link: &mut Option<Self>) -> Option<PodsRead> {
        link.as_mut()?.read.recv().await
    }
}

/// What was read of a revision's pods.
#[derive(Debug)]
pub struct PodsRead {
    /// The revision.
    pub revision: RevisionName,
    /// When it was read.
    pub at: Timestamp,
    /// The same as the wall clock had it, from 1970: pods have their times from such clocks.
    pub wall: Timestamp,
    /// The pods, or why they could not be read.
    pub outcome: Result<Vec<PodUsage>, String>,
}

impl PodsRead {
    /// What a rule for `resource` reads.
    pub(super) fn reading(&self, resource: Resource) -> Reading {
        match &self.outcome {
            Ok(pods) => Reading::Pods {
                pods: pods
                    .iter()
                    .map(|pod| pod.sample(resource, self.wall))
                    .collect(),
                at: self.at,
            },
            Err(because) => Reading::Unknown {
                because: because.clone(),
            },
        }
    }

    /// How many pods there are that stay, if that is known.
    pub(super) fn replicas(&self) -> Option<u32> {
        let pods = self.outcome.as_ref().ok()?;
        u32::try_from(pods.iter().filter(|pod| pod.counts()).count()).ok()
    }
}

impl ControlTask {
    /// Says which pods are wanted, if that has changed.
    pub(super) fn want_pods(&self) {
        let Some(link) = &self.inbox.pods else {
            return;
        };
        let apps = self.apps.values().chain(self.adopted.apps.values());
        let wanted: WantedPods = apps
            .flat_map(|app| app.wanted_pods(&link.namespace))
            .collect();
        link.wanted.send_if_modified(|known| {
            let is_new = *known != wanted;
            *known = wanted;
            is_new
        });
    }

    /// Takes in what was read of a revision's pods.
    pub(super) fn take_in_pods(&mut self, read: PodsRead) {
        let Ok(name) = AppName::new(read.revision.app()) else {
            return;
        };
        let app = self.apps.get_mut(&name);
        let app = app.or_else(|| self.adopted.apps.get_mut(&name));
        if let Some(one) = app.and_then(|app| app.revisions.get_mut(&read.revision)) {
            one.pods = Some(read);
        }
    }
}

impl AppControl {
    /// The pods of those revisions that are decided for by what they use.
    fn wanted_pods(&self, namespace: &str) -> impl Iterator<Item = (RevisionName, PodTarget)> {
        let wanting = self.revisions.iter().filter(|(name, one)| {
            let is_active = self.app.revision(name).is_some_and(|one| one.active);
            is_active && one.measures_replicas()
        });
        wanting.map(move |(name, _)| {
            (
                name.clone(),
                target(&self.source, &self.app, name, namespace),
            )
        })
    }
}

/// Where the pods of a revision are: behind the service that the ingress finds them by, or in what a
/// ScaledObject scales.
fn target(source: &Source, app: &App, revision: &RevisionName, namespace: &str) -> PodTarget {
    match source {
        Source::ScaledObject { namespace, name } => PodTarget {
            namespace: namespace.clone(),
            pods: PodSelection::ScaledObject(name.clone()),
        },
        Source::File(_) | Source::Api => PodTarget {
            namespace: namespace.to_owned(),
            pods: PodSelection::Service(service(app, revision).to_owned()),
        },
    }
}

impl RevisionControl {
    /// Whether any of its rules is about cpu or memory.
    fn measures_replicas(&self) -> bool {
        self.spec.rules.iter().any(|rule| rule.metric.is_resource())
    }
}
