//! One revision of an app, and what is seen of it.

use std::time::Duration;

use crate::document::Template;
use crate::name::RevisionName;
use crate::time::Timestamp;

/// How long a revision whose containers ended has to have a ready replica, without a break, until
/// it is no longer failed. Without a probe a container is ready as soon as it runs, so one that
/// ends at once is ready for a moment between any two of its ends.
pub const RECOVERY: Duration = Duration::from_secs(10);

/// How far a revision has come.
#[expect(clippy::enum_variant_names, reason = "Azure's names of the states")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioning {
    /// It has not shown yet that it works.
    Provisioning,
    /// It had as many ready replicas as it needed, and has not failed since.
    Provisioned,
    /// None of its replicas was ready and they could not start. It takes no traffic until one is
    /// ready, and if they had [crashed](Failure::Crashed), has been for [`RECOVERY`].
    Failed,
}

/// Why none of a revision's replicas can start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// They were not started, for what the documents say.
    Refused(String),
    /// Containers ended before they were ready, and are started again and again.
    Crashed(String),
}

impl Failure {
    /// What is wrong, in one sentence.
    pub fn because(&self) -> &str {
        match self {
            Self::Refused(because) | Self::Crashed(because) => because,
        }
    }
}

/// A revision: a template of the app under a name. Its template never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// `app--suffix`.
    pub name: RevisionName,
    /// What its replicas run.
    pub template: Template,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it may have replicas.
    pub active: bool,
    /// How far it has come.
    pub provisioning: Provisioning,
    /// Why its replicas cannot start, as last seen; kept while it is failed.
    pub failure: Option<Failure>,
    /// How often a restart was asked for.
    pub restarts: u64,
    /// Whether it has been provisioned since it was last activated.
    pub proven: bool,
    /// Whether a document of its own declares it.
    pub declared: bool,
    /// The replicas decided for it, as last seen.
    pub desired: u32,
    /// The ready ones of its replicas, as last seen.
    pub ready: u32,
    /// Since when at least one of them is ready.
    pub(super) ready_since: Option<Timestamp>,
}

/// What the control loop sees of a revision's replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Replicas decided.
    pub desired: u32,
    /// Replicas that may get requests.
    pub ready: u32,
    /// Why replicas cannot start; none when nothing is wrong.
    pub failure: Option<Failure>,
}

impl Revision {
    pub(super) fn new(name: RevisionName, template: Template, created: Timestamp) -> Self {
        Self {
            name,
            template,
            created,
            active: true,
            provisioning: Provisioning::Provisioning,
            failure: None,
            restarts: 0,
            proven: false,
            declared: false,
            desired: 0,
            ready: 0,
            ready_since: None,
        }
    }

    /// What is wrong with its replicas, in one sentence, if anything is.
    pub fn because(&self) -> Option<&str> {
        self.failure.as_ref().map(Failure::because)
    }

    /// Whether it is active and provisioned.
    pub fn is_provisioned(&self) -> bool {
        self.active && self.provisioning == Provisioning::Provisioned
    }

    /// Whether it may be sent requests, held or not: active and not failed.
    pub fn takes_traffic(&self) -> bool {
        self.active && self.provisioning != Provisioning::Failed
    }

    /// Whether `template` is the same but for `revisionSuffix`, which is part of the name.
    pub(super) fn has_template(&self, template: &Template) -> bool {
        let without_suffix = |template: &Template| Template {
            revision_suffix: None,
            ..template.clone()
        };
        without_suffix(&self.template) == without_suffix(template)
    }

    /// Makes it active, with everything to prove again.
    pub(super) fn activate(&mut self) {
        self.active = true;
        self.provisioning = Provisioning::Provisioning;
        self.failure = None;
        self.proven = false;
        self.desired = 0;
        self.ready = 0;
        self.ready_since = None;
    }

    pub(super) fn record(&mut self, observation: &Observation, now: Timestamp) {
        self.desired = observation.desired;
        self.ready = observation.ready;
        self.ready_since = (self.ready > 0).then(|| self.ready_since.unwrap_or(now));
        self.record_failure(observation);
    }

    /// What was seen last, but the reason why it is failed for as long as it is.
    pub(super) fn record_failure(&mut self, observation: &Observation) {
        let is_failed = self.provisioning == Provisioning::Failed;
        if self.active && (observation.failure.is_some() || !is_failed) {
            self.failure.clone_from(&observation.failure);
        }
    }

    /// How far it has come, when `required` ready replicas show that it works.
    pub(super) fn judge(&self, required: u32, now: Timestamp) -> Provisioning {
        match self.provisioning {
            _ if self.ready == 0 && self.failure.is_some() => Provisioning::Failed,
            Provisioning::Provisioned => Provisioning::Provisioned,
            Provisioning::Failed if !self.has_recovered(now) => Provisioning::Failed,
            _ if self.ready >= required => Provisioning::Provisioned,
            _ => Provisioning::Provisioning,
        }
    }

    /// Whether a replica is ready, and stays so, after it has failed.
    fn has_recovered(&self, now: Timestamp) -> bool {
        let wait = match &self.failure {
            Some(Failure::Crashed(_)) => RECOVERY,
            Some(Failure::Refused(_)) | None => Duration::ZERO,
        };
        self.ready_since
            .is_some_and(|since| now.since(since) >= wait)
    }
}
