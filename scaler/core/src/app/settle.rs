//! What follows from the state of an app's revisions: where traffic for the latest one goes, which
//! revisions are no longer needed, and which are forgotten.

use super::{App, Change, Revision};
use crate::document::TrafficTarget;
use crate::name::RevisionName;

/// `maxInactiveRevisions` if absent.
const MAX_INACTIVE_REVISIONS: u32 = 100;

impl App {
    /// Brings everything in line. Doing it twice changes nothing more.
    pub(super) fn settle(&mut self, changes: &mut Vec<Change>) {
        if self.is_single() {
            self.activate_latest(changes);
        }
        self.carrier = self.choose_carrier();
        if self.is_single() {
            self.deactivate_superseded(changes);
        }
        self.purge(changes);
    }

    /// The latest revision once it is provisioned. Until then the one that has the traffic, or, if
    /// that has failed, the newest that is provisioned. When there is none, the latest.
    fn choose_carrier(&self) -> RevisionName {
        let provisioned = |revision: &&Revision| revision.is_provisioned();
        let latest = self.revision(&self.latest).filter(provisioned);
        let present = self
            .revision(&self.carrier)
            .filter(|carrier| carrier.is_provisioned() || self.is_first(carrier));
        let newest = self.revisions.iter().rev().find(provisioned);
        let carrier = latest.or(present).or(newest);
        carrier
            .map_or(&self.latest, |carrier| &carrier.name)
            .clone()
    }

    /// Whether this is the latest revision, has the traffic unproven because there was none to take
    /// over from, and may keep it. In Multiple mode it may even when an older one, which has
    /// weights of its own, is provisioned before it.
    fn is_first(&self, carrier: &Revision) -> bool {
        carrier.name == self.latest
            && carrier.takes_traffic()
            && !(self.is_single() && self.revisions.iter().any(Revision::is_provisioned))
    }

    /// Activates the latest revision, which may have been deactivated while the mode was Multiple.
    fn activate_latest(&mut self, changes: &mut Vec<Change>) {
        let latest = self.latest.clone();
        let inactive = |revision: &&mut Revision| !revision.active;
        if let Some(revision) = self.revision_mut(&latest).filter(inactive) {
            revision.activate();
            changes.push(Change::RevisionActivated(latest));
        }
    }

    /// Deactivates all but the latest revision once that is provisioned, and until then those that
    /// have never been provisioned, as they have no traffic that it could take over.
    fn deactivate_superseded(&mut self, changes: &mut Vec<Change>) {
        let latest = self.revision(&self.latest);
        let done = latest.is_some_and(Revision::is_provisioned);
        for revision in &mut self.revisions {
            let superseded = revision.name != self.latest && (done || !revision.proven);
            if revision.active && superseded {
                revision.active = false;
                changes.push(Change::RevisionDeactivated(revision.name.clone()));
            }
        }
    }

    /// Forgets the oldest inactive revisions beyond `maxInactiveRevisions`, but none that a
    /// document names.
    fn purge(&mut self, changes: &mut Vec<Change>) {
        let limit = self.document.configuration.max_inactive_revisions;
        let limit = usize::try_from(limit.unwrap_or(MAX_INACTIVE_REVISIONS)).unwrap_or(usize::MAX);
        let inactive = self.revisions.iter().filter(|revision| !revision.active);
        let excess = inactive.count().saturating_sub(limit);
        let oldest = self.revisions.iter().filter(|revision| {
            !revision.active && !revision.declared && !self.is_named(&revision.name)
        });
        let purged: Vec<RevisionName> = oldest.take(excess).map(|r| r.name.clone()).collect();
        self.revisions
            .retain(|revision| !purged.contains(&revision.name));
        changes.extend(purged.into_iter().map(Change::RevisionPurged));
    }

    fn is_named(&self, name: &RevisionName) -> bool {
        let target = TrafficTarget::Revision(name.clone());
        *name == self.latest || self.traffic().iter().any(|entry| entry.target == target)
    }
}
