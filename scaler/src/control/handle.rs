//! How everything but the control task itself reaches the control state.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ebbtide_core::name::AppName;
use ebbtide_signals::SourceState;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::adoption::Adoption;
use super::counters::Counters;
use crate::api::model::{
    AppStatus, ApplyResult, DecisionRecord, EventRecord, ReplicaCounts, RevisionHistory,
    RouteConfigStatus, TrafficEntry,
};
use crate::documents::{Documents, InvalidDocument};

/// The way to the control task. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    /// The control task's mailbox.
    pub(crate) commands: mpsc::Sender<Command>,
    /// What it published last.
    pub(crate) published: Arc<ArcSwap<Published>>,
    /// The sequence of what was published last.
    pub(crate) publications: watch::Receiver<u64>,
    /// Grows each time that requests begin to wait for a revision.
    pub(crate) activations: watch::Receiver<u64>,
    /// What happens, as it happens. A slow receiver loses the oldest.
    pub(crate) events: broadcast::Sender<Arc<EventRecord>>,
}

/// What the control task publishes after each change and at least once a second.
#[derive(Default)]
pub struct Published {
    /// Every app, by name.
    pub apps: Vec<Arc<PublishedApp>>,
    /// Every HTTP route config, by name.
    pub routes: Vec<RouteConfigStatus>,
    /// The apps that stand for rules of ScaledObjects, by name. There may be thousands, so they are in
    /// no list of apps.
    pub rules: Vec<Arc<PublishedApp>>,
    /// Whether the first documents have been applied and the ingress has its table.
    pub ready: bool,
    /// Whether an ingress elsewhere has reported, or has been waited for long enough; also true when
    /// none has to.
    pub informed: bool,
    /// The ingresses elsewhere that report, and how many may; none if none can.
    pub ingresses: Option<(usize, usize)>,
    /// Grows by one each time.
    pub sequence: u64,
}

impl Published {
    /// The app of this name.
    pub fn app(&self, name: &str) -> Option<&AppStatus> {
        self.find(name).map(|app| &app.status)
    }

    /// The state of every app, by name.
    pub fn statuses(&self) -> impl Iterator<Item = &AppStatus> {
        self.apps.iter().map(|app| &app.status)
    }

    /// The counters of each app's revisions, by the app's name.
    pub fn revisions(&self) -> impl Iterator<Item = &RevisionMetrics> {
        self.apps.iter().flat_map(|app| &app.revisions)
    }

    /// Whether the last change of an app's number of replicas, or of the one revision's that `wanted`
    /// finds, was to fewer.
    pub fn lowered(&self, app: &str, wanted: impl Fn(&str) -> bool) -> bool {
        let mut revisions = self.find(app).into_iter().flat_map(|app| &app.revisions);
        revisions.any(|one| one.lowered && wanted(&one.revision))
    }

    fn find(&self, name: &str) -> Option<&PublishedApp> {
        let find = |apps: &'_ Vec<Arc<PublishedApp>>| {
            apps.binary_search_by(|app| app.status.name.as_str().cmp(name))
        };
        match find(&self.apps) {
            Ok(place) => Some(&self.apps[place]),
            Err(_) => find(&self.rules).ok().map(|place| &*self.rules[place]),
        }
    }
}

/// What was published of an app, and is published again for as long as it is so.
pub struct PublishedApp {
    /// Its state.
    pub status: AppStatus,
    /// Counters of its revisions.
    pub revisions: Vec<RevisionMetrics>,
}

#[cfg(test)]
impl From<AppStatus> for PublishedApp {
    fn from(status: AppStatus) -> Self {
        Self {
            status,
            revisions: Vec::new(),
        }
    }
}

/// Counters of a revision, for `/metrics`, and what else is not for people to read.
pub struct RevisionMetrics {
    /// The app.
    pub app: String,
    /// The revision.
    pub revision: String,
    /// What is counted of its requests.
    pub meter: Counters,
    /// Decisions that changed the number of replicas, and those that did not.
    pub decisions: DecisionCounts,
    /// Replicas by state.
    pub replicas: ReplicaCounts,
    /// Whether the last change of the number of replicas was to fewer.
    pub lowered: bool,
    /// How its rules' sources are read, of rules that have one.
    pub readings: Vec<RuleReadings>,
}

/// How a rule's source is read.
#[derive(Clone, Debug)]
pub struct RuleReadings {
    /// The rule's name.
    pub rule: String,
    /// What is known of its source.
    pub state: SourceState,
}

/// How many decisions were made.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecisionCounts {
    /// To more replicas.
    pub out: u64,
    /// To fewer.
    pub r#in: u64,
    /// To as many as before.
    pub hold: u64,
}

/// Where documents come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Files that are followed. They are all there are, so apps from other files go.
    Files,
    /// The status API.
    Api,
}

/// What can be asked of the control task. Each carries the way back for its answer.
pub enum Command {
    /// Apply documents, all or none.
    Apply {
        /// The documents.
        documents: Documents,
        /// Where they come from.
        origin: Origin,
        /// What was done to each app.
        reply: Reply<Vec<ApplyResult>>,
    },
    /// Replace the traffic weights of an app.
    SetTraffic {
        /// The app.
        app: String,
        /// The new entries.
        traffic: Vec<TrafficEntry>,
        /// What changed.
        reply: Reply<ApplyResult>,
    },
    /// Activate, deactivate or restart a revision.
    Revision {
        /// The app.
        app: String,
        /// The revision, `app--suffix`.
        revision: String,
        /// What to do.
        action: RevisionAction,
        /// What changed.
        reply: Reply<ApplyResult>,
    },
    /// Take an app away: drain, stop, forget.
    Delete {
        /// The app.
        app: String,
        /// What changed.
        reply: Reply<ApplyResult>,
    },
    /// Take an HTTP route config away.
    DeleteRoutes {
        /// The config.
        name: String,
        /// What changed.
        reply: Reply<ApplyResult>,
    },
    /// Decide by rules that a ScaledObject brings itself.
    Adopt {
        /// The rules, and who brings them.
        adoption: Adoption,
        /// Done, or done already.
        reply: Reply<()>,
    },
    /// Forget the rules of ScaledObjects that ask no more.
    Release {
        /// The apps that stand for rules of those that do.
        keep: BTreeSet<AppName>,
        /// Done.
        reply: Reply<()>,
    },
    /// The newest decisions of an app, newest first.
    Decisions {
        /// The app.
        app: String,
        /// At most this many.
        limit: usize,
        /// The decisions.
        reply: Reply<Vec<DecisionRecord>>,
    },
    /// The past of an app's revisions, for charts.
    History {
        /// The app.
        app: String,
        /// The past of each.
        reply: Reply<Vec<RevisionHistory>>,
    },
}

/// The way back for an answer.
pub type Reply<T> = oneshot::Sender<Result<T, ControlError>>;

/// What can be done to a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionAction {
    /// Let it have replicas again.
    Activate,
    /// Take its replicas and its traffic away.
    Deactivate,
    /// Replace its replicas by new ones, without losing a request.
    Restart,
}

/// Why the control task did not do what was asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum ControlError {
    /// There is no such app or revision.
    #[error("{0}")]
    NotFound(String),
    /// Documents are not valid, or cannot run here.
    #[error(transparent)]
    InvalidDocument(#[from] InvalidDocument),
    /// What was asked for is wrong in itself.
    #[error("{0}")]
    Invalid(String),
    /// What was asked for does not go with the present state.
    #[error("{0}")]
    Conflict(String),
    /// The mailbox is full.
    #[error("the control loop is busy; try again")]
    Busy,
    /// The control task has ended.
    #[error("ebbtide is shutting down")]
    Stopping,
}

impl Control {
    /// What the control task published last.
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Changes each time the control task publishes: at once when the number of replicas decided
    /// for a revision changes, otherwise at most ten times a second.
    pub fn publications(&self) -> watch::Receiver<u64> {
        self.publications.clone()
    }

    /// Changes each time that requests begin to wait for a revision.
    pub fn activations(&self) -> watch::Receiver<u64> {
        self.activations.clone()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Arc<EventRecord>> {
        self.events.subscribe()
    }

    /// Sends a command and waits for the answer. `build` is given the way back.
    ///
    /// # Errors
    /// What the control task answered, [`ControlError::Busy`] if its mailbox is full, or
    /// [`ControlError::Stopping`] if it has ended.
    pub async fn ask<T>(&self, build: impl FnOnce(Reply<T>) -> Command) -> Result<T, ControlError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .try_send(build(reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => ControlError::Busy,
                mpsc::error::TrySendError::Closed(_) => ControlError::Stopping,
            })?;
        answer.await.unwrap_or(Err(ControlError::Stopping))
    }

    /// The same, but waits for a place in the mailbox: for those of whom many come at once, and who
    /// have a bound on how long they wait.
    ///
    /// # Errors
    /// What the control task answered, or [`ControlError::Stopping`] if it has ended.
    pub async fn ask_in_turn<T>(
        &self,
        build: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, ControlError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(build(reply)).await;
        sent.map_err(|_| ControlError::Stopping)?;
        answer.await.unwrap_or(Err(ControlError::Stopping))
    }
}
