//! What a revision has to show before it takes over from another one.

use super::shares::WHOLE;
use super::{App, Provisioning, Revision};
use crate::document::TrafficTarget;
use crate::name::RevisionName;

impl App {
    /// The fewest replicas a revision must have now because it has something to prove, else zero.
    ///
    /// The latest revision, while another one keeps its traffic, starts with as many as that one
    /// has for this traffic, at least one, within its own `minReplicas` and `maxReplicas`. A failed
    /// revision that traffic or a label leads to keeps one, because only a replica that becomes
    /// ready shows that it works again.
    pub fn takeover_replicas(&self, revision: &RevisionName) -> u32 {
        let Some(revision) = self.revision(revision) else {
            return 0;
        };
        match self.predecessor(revision) {
            Some(predecessor) => self.takeover(predecessor, revision),
            None => u32::from(self.must_recover(revision)),
        }
    }

    /// The ready replicas that show that a revision works: one, or when it takes over, the
    /// `revisionTransitionThreshold` (100% if absent) of those it takes over with.
    pub(super) fn required_replicas(&self, revision: &Revision) -> u32 {
        let threshold = self.document.configuration.revision_transition_threshold;
        let percent = threshold.unwrap_or(100).clamp(1, 100);
        self.predecessor(revision).map_or(1, |predecessor| {
            let replicas = self.takeover(predecessor, revision);
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

    fn takeover(&self, predecessor: &Revision, revision: &Revision) -> u32 {
        let scale = &revision.template.scale;
        let wanted = self.moving(predecessor).max(scale.min_replicas).max(1);
        wanted.min(scale.max_replicas.max(1))
    }

    /// The replicas of `predecessor` that work on what the latest revision is to take over: all of
    /// them, but for those that work on weights of its own.
    fn moving(&self, predecessor: &Revision) -> u32 {
        let own = self.traffic().iter().filter(|entry| {
            matches!(&entry.target, TrafficTarget::Revision(name) if *name == predecessor.name)
        });
        let own: u64 = own.map(|entry| u64::from(entry.weight)).sum();
        let following = self.following_weight();
        let replicas = u64::from(predecessor.desired) * following;
        u32::try_from(replicas.div_ceil((own + following).max(1))).unwrap_or(u32::MAX)
    }

    /// Percent of the requests that follow the latest revision.
    fn following_weight(&self) -> u64 {
        if self.traffic().is_empty() {
            return u64::from(WHOLE);
        }
        let following = self.traffic().iter();
        let following = following.filter(|entry| entry.target == TrafficTarget::LatestRevision);
        following.map(|entry| u64::from(entry.weight)).sum()
    }
}
