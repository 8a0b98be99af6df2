//! One revision of an app, and what is seen of it.

use crate::document::Template;
use crate::name::RevisionName;
use crate::time::Timestamp;

/// How far a revision has come.
#[expect(clippy::enum_variant_names, reason = "Azure's names of the states")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioning {
    /// It has not shown yet that it works.
    Provisioning,
    /// It had as many ready replicas as it needed, and has not failed since.
    Provisioned,
    /// None of its replicas is ready and they cannot start. It takes no traffic until one is.
    Failed,
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
    pub failure: Option<String>,
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
}

/// What the control loop sees of a revision's replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Replicas decided.
    pub desired: u32,
    /// Replicas that may get requests.
    pub ready: u32,
    /// Why replicas cannot start; none when nothing is wrong.
    pub failure: Option<String>,
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
        }
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
    }

    pub(super) fn record(&mut self, observation: &Observation) {
        self.desired = observation.desired;
        self.ready = observation.ready;
        let known = observation.failure.is_some() || observation.ready > 0;
        if self.active && (known || self.provisioning != Provisioning::Failed) {
            self.failure.clone_from(&observation.failure);
        }
    }

    /// How far it has come, when `required` ready replicas show that it works.
    pub(super) fn judge(&self, required: u32) -> Provisioning {
        match self.provisioning {
            _ if self.ready == 0 && self.failure.is_some() => Provisioning::Failed,
            Provisioning::Provisioned => Provisioning::Provisioned,
            _ if self.ready >= required => Provisioning::Provisioned,
            Provisioning::Failed if self.ready == 0 => Provisioning::Failed,
            _ => Provisioning::Provisioning,
        }
    }
}
