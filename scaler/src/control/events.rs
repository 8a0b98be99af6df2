//! Telling what happens: to the log, and to whoever follows the events.

use std::sync::Arc;

use ebbtide_core::app::Change;
use ebbtide_core::name::AppName;
use ebbtide_core::time::Clock;
use ebbtide_runtime::{ReplicaEvent, ReplicaEventKind};
use tokio::sync::broadcast;

use crate::api::model::{DecisionRecord, EventRecord};
use crate::clock::SystemClock;

/// Where events go.
pub(super) struct Events {
    sender: broadcast::Sender<Arc<EventRecord>>,
    clock: Arc<SystemClock>,
}

/// What an event is about, beside the app.
#[derive(Default)]
struct About {
    revision: Option<String>,
    replica: Option<String>,
}

impl Events {
    /// Events sent to `sender`, with the times of `clock`.
    pub(super) fn new(
        sender: broadcast::Sender<Arc<EventRecord>>,
        clock: Arc<SystemClock>,
    ) -> Self {
        Self { sender, clock }
    }

    fn send(&self, app: &str, about: About, reason: &str, message: String) {
        let record = EventRecord {
            time: self.clock.rfc3339(self.clock.now()),
            app: app.to_owned(),
            revision: about.revision,
            replica: about.replica,
            reason: reason.to_owned(),
            message,
        };
        // Nobody following is fine.
        drop(self.sender.send(Arc::new(record)));
    }

    /// Something happened to an app as a whole.
    pub(super) fn app(&self, app: &str, reason: &str, message: String) {
        tracing::info!(app, reason, "{message}");
        self.send(app, About::default(), reason, message);
    }

    /// A decision changed the number of replicas.
    pub(super) fn decision(&self, record: &DecisionRecord) {
        tracing::info!(app = record.app, "{}", record.sentence);
        let about = About {
            revision: Some(record.revision.clone()),
            replica: None,
        };
        self.send(&record.app, about, "Decision", record.sentence.clone());
    }

    /// An app's state changed.
    pub(super) fn change(&self, app: &AppName, change: &Change) {
        let (reason, revision) = (reason_of(change), change.revision());
        let message = change.to_string();
        if matches!(change, Change::RevisionFailed { .. }) {
            tracing::warn!(app = app.as_str(), reason, "{message}");
        } else {
            tracing::info!(app = app.as_str(), reason, "{message}");
        }
        let about = About {
            revision: revision.map(ToString::to_string),
            replica: None,
        };
        self.send(app.as_str(), about, reason, message);
    }

    /// Something happened to a replica.
    pub(super) fn replica(&self, event: &ReplicaEvent) {
        let name = &event.replica;
        let (reason, message) = match &event.kind {
            ReplicaEventKind::Started { pid, ports } => {
                let port = ports.main;
                let port = port.map_or(String::new(), |port| format!(", port {port}"));
                (
                    "ReplicaStarted",
                    format!("{name} started (process {pid}{port})"),
                )
            }
            ReplicaEventKind::Ready => ("ReplicaReady", format!("{name} is ready")),
            ReplicaEventKind::NotReady { because } => {
                ("ReplicaNotReady", format!("{name} is not ready: {because}"))
            }
            ReplicaEventKind::Backoff {
                because, retry_in, ..
            } => {
                let wait = retry_in.as_secs_f64();
                let message = format!("{name} {because}; starting it again in {wait:.1} s");
                ("ReplicaRestarting", message)
            }
            ReplicaEventKind::Stopped => ("ReplicaStopped", format!("{name} stopped")),
        };
        if matches!(event.kind, ReplicaEventKind::Backoff { .. }) {
            tracing::warn!(reason, "{message}");
        } else {
            tracing::debug!(reason, "{message}");
        }
        let revision = &event.revision;
        let about = About {
            revision: Some(revision.to_string()),
            replica: Some(name.to_string()),
        };
        self.send(revision.app(), about, reason, message);
    }
}

/// The event's reason.
fn reason_of(change: &Change) -> &'static str {
    match change {
        Change::RevisionCreated(_) => "RevisionCreated",
        Change::LatestRevisionChanged(_) => "LatestRevisionChanged",
        Change::RevisionProvisioned(_) => "RevisionReady",
        Change::RevisionFailed { .. } => "RevisionFailed",
        Change::RevisionActivated(_) => "RevisionActivated",
        Change::RevisionDeactivated(_) => "RevisionDeactivated",
        Change::RevisionRestarted(_) => "RevisionRestarted",
        Change::RevisionPurged(_) => "RevisionPurged",
        Change::TrafficChanged { .. } => "TrafficChanged",
        Change::ConfigurationChanged { .. } => "DocumentApplied",
    }
}
