//! What becomes of an app as its replicas come and go.

use super::{App, Change, Observation, Provisioning};
use crate::name::RevisionName;
use crate::time::Timestamp;

impl App {
    /// Takes note of a revision's replicas, and of what follows: that it is provisioned or failed,
    /// that traffic moves, that revisions are deactivated. Nothing follows for an unknown revision.
    ///
    /// Call it on every change and tick, as some follows from how long replicas stay ready; the same
    /// observation twice at one time changes nothing the second time.
    pub fn observe(
        &mut self,
        revision: &RevisionName,
        observation: &Observation,
        now: Timestamp,
    ) -> Vec<Change> {
        let before = self.shares();
        let Some(observed) = self.revision_mut(revision) else {
            return Vec::new();
        };
        observed.record(observation, now);
        let mut changes = Vec::new();
        self.judge(revision, now, &mut changes);
        if let Some(judged) = self.revision_mut(revision) {
            judged.record_failure(observation);
        }
        self.settle(&mut changes);
        // What the latest one has to show depends on the one that has the traffic now.
        let latest = self.latest.clone();
        self.judge(&latest, now, &mut changes);
        self.settle(&mut changes);
        self.report_traffic(&before, &mut changes);
        changes
    }

    fn judge(&mut self, name: &RevisionName, now: Timestamp, changes: &mut Vec<Change>) {
        let revision = self.revision(name).filter(|revision| revision.active);
        let Some(required) = revision.map(|revision| self.required_replicas(revision)) else {
            return;
        };
        let Some(revision) = self.revision_mut(name) else {
            return;
        };
        let provisioning = revision.judge(required, now);
        if provisioning == revision.provisioning {
            return;
        }
        revision.provisioning = provisioning;
        match provisioning {
            Provisioning::Provisioning => {}
            Provisioning::Provisioned => {
                revision.proven = true;
                changes.push(Change::RevisionProvisioned(name.clone()));
            }
            Provisioning::Failed => changes.push(Change::RevisionFailed {
                revision: name.clone(),
                because: revision.because().unwrap_or_default().to_owned(),
            }),
        }
    }
}
