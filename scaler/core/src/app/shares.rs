//! Which revision gets which part of the requests.

use std::collections::BTreeMap;

use super::{App, Change, Share};
use crate::document::{TrafficTarget, TrafficWeight};
use crate::name::RevisionName;
use crate::traffic::apportion;

/// What the weights of an app sum to.
pub(super) const WHOLE: u32 = 100;

impl App {
    /// The weights in force, one share a revision, in the document's order. They sum to 100, or
    /// there are none, while no revision can take traffic.
    ///
    /// What a failed revision would get goes to the others in proportion to their weights.
    /// Entries of weight zero are there too, for their labels.
    pub fn shares(&self) -> Vec<Share> {
        let mut shares = self.entries();
        shares.retain(|share| {
            let revision = self.revision(&share.revision);
            revision.is_some_and(super::Revision::takes_traffic)
        });
        let weights: Vec<u32> = shares.iter().map(|share| share.weight).collect();
        if weights.iter().all(|weight| *weight == 0) {
            return Vec::new();
        }
        for (share, weight) in shares.iter_mut().zip(apportion(&weights, WHOLE)) {
            share.weight = weight;
        }
        shares
    }

    /// The active revision that each label leads to, whatever its weight and even if it failed.
    pub fn labels(&self) -> BTreeMap<String, RevisionName> {
        let labelled = self.traffic().iter().filter_map(|entry| {
            let revision = self.revision(self.target(entry))?;
            let label = entry.label.clone()?;
            revision.active.then(|| (label, revision.name.clone()))
        });
        labelled.collect()
    }

    /// The document's entries resolved, those that lead to one revision summed.
    pub(super) fn entries(&self) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        for entry in self.traffic() {
            let revision = self.target(entry);
            let latest = entry.target == TrafficTarget::LatestRevision;
            match shares.iter_mut().find(|share| share.revision == *revision) {
                Some(share) => {
                    share.weight += entry.weight;
                    share.latest |= latest;
                    share.label = share.label.take().or_else(|| entry.label.clone());
                }
                None => shares.push(Share {
                    revision: revision.clone(),
                    weight: entry.weight,
                    label: entry.label.clone(),
                    latest,
                }),
            }
        }
        if shares.is_empty() {
            shares.push(self.all_to_latest());
        }
        shares
    }

    /// Whether some traffic follows the latest revision.
    pub(super) fn follows_latest(&self) -> bool {
        let mut targets = self.traffic().iter().map(|entry| &entry.target);
        self.traffic().is_empty() || targets.any(|target| *target == TrafficTarget::LatestRevision)
    }

    /// Appends that the shares changed, if they did.
    pub(super) fn report_traffic(&self, before: &[Share], changes: &mut Vec<Change>) {
        let shares = self.shares();
        if shares != before {
            changes.push(Change::TrafficChanged { shares });
        }
    }

    fn target<'a>(&'a self, entry: &'a TrafficWeight) -> &'a RevisionName {
        match &entry.target {
            TrafficTarget::LatestRevision => &self.carrier,
            TrafficTarget::Revision(name) => name,
        }
    }

    fn all_to_latest(&self) -> Share {
        Share {
            revision: self.carrier.clone(),
            weight: WHOLE,
            label: None,
            latest: true,
        }
    }
}
