//! What a revision has to show before it takes over from another one.

use super::{App, Provisioning, Revision};
use crate::document::TrafficTarget;
use crate::name::RevisionName;

impl App {
    /// The fewest replicas a revision must have now because it has something to prove, else zero.
    ///
    /// The latest revision, while another one keeps its traffic, starts with as many as that one
    /// is to have, at least one, within its own `minReplicas` and `maxReplicas`. A failed revision
    /// that traffic or a label leads to keeps one, because only a replica that becomes ready shows
    /// that it works again.
    pub fn takeover_replicas(&self, revision: &RevisionName) -> u32 {
        let Some(revision) = self.revision(revision) else {
            return 0;
        };
        match self.predecessor(revision) {
            Some(predecessor) => takeover(predecessor, revision),
            None => u32::from(self.must_recover(revision)),
        }
    }

    /// The ready replicas that show that a revision works: one, or when it takes over, the
    /// `revisionTransitionThreshold` (100% if absent) of those it takes over with.
    pub(super) fn required_replicas(&self, revision: &Revision) -> u32 {
        let threshold = self.document.configuration.revision_transition_threshold;
        let percent = threshold.unwrap_or(100).clamp(1, 100);
        self.predecessor(revision).map_or(1, |predecessor| {
            let replicas = takeover(predecessor, revision);
            replicas.saturating_mul(percent).div_ceil(100).max(1)
        })
    }

    /// The revision that `revision` is to take over from; none when it has nothing to prove.
    fn predecessor(&self, revision: &Revision) -> Option<&Revision> {
        let takes_over = revision.name == self.latest && self.follows_latest();
        if !takes_over || !revision.active || revision.is_provisioned() {
            return None;
        }
        if self.carrier != self.latest {
            return self.revision(&self.carrier);
        }
        // It already has the traffic, because the one before it failed.
        self.revisions.iter().rev().find(|other| {
            let failed = other.proven && other.provisioning == Provisioning::Failed;
            other.name != self.latest && other.active && (failed || self.is_single())
        })
    }

    fn must_recover(&self, revision: &Revision) -> bool {
        let leads_here = |target: &TrafficTarget| match target {
            TrafficTarget::LatestRevision => revision.name == self.latest,
            TrafficTarget::Revision(name) => revision.name == *name,
        };
        let mut entries = self.traffic().iter();
        let wanted = (self.traffic().is_empty() && revision.name == self.latest)
            || entries.any(|entry| {
                leads_here(&entry.target) && (entry.weight > 0 || entry.label.is_some())
            });
        wanted && revision.active && revision.provisioning == Provisioning::Failed
    }
}

fn takeover(predecessor: &Revision, revision: &Revision) -> u32 {
    let scale = &revision.template.scale;
    let wanted = predecessor.desired.max(scale.min_replicas).max(1);
    wanted.min(scale.max_replicas.max(1))
}
