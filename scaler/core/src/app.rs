//! One app: its document, its revisions, and which of them get its requests.
//!
//! An [`App`] is a value. What is asked of it ([`App::apply`], [`App::set_traffic`],
//! [`App::activate`] and their siblings) gives the app as it is then, and what changed; an error
//! leaves everything as it was. [`App::observe`] tells it what became of its replicas.
//!
//! A revision that replaces another one has to prove itself first: with as many replicas as the
//! other has for what it takes over, of which `revisionTransitionThreshold` percent must be ready.
//! Until then, however often it fails, the other one keeps the requests.

mod apply;
mod change;
mod commands;
mod configuration;
mod declare;
mod error;
mod observe;
mod revision;
mod settle;
mod shares;
mod suffix;
mod takeover;
mod validate;

#[cfg(test)]
mod tests;

pub use change::{Change, Share};
pub use error::{AppError, Problem};
pub use revision::{Failure, Observation, Provisioning, RECOVERY, Revision};

use crate::document::{ActiveRevisionsMode, ContainerApp, TrafficWeight};
use crate::name::{AppName, RevisionName};

/// One app: its document, its revisions, and which of them get its requests.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    document: ContainerApp,
    /// In the order in which they became the latest, and so the latest last.
    revisions: Vec<Revision>,
    latest: RevisionName,
    /// Where traffic for the latest revision goes now: the latest one, or until that has proved
    /// itself another, which is active and provisioned.
    carrier: RevisionName,
}

impl App {
    /// The app's name.
    pub fn name(&self) -> &AppName {
        &self.document.name
    }

    /// The document in force, with the traffic weights that were set last.
    pub fn document(&self) -> &ContainerApp {
        &self.document
    }

    /// Every revision, the inactive ones too, oldest first and the latest last.
    pub fn revisions(&self) -> impl ExactSizeIterator<Item = &Revision> + DoubleEndedIterator {
        self.revisions.iter()
    }

    /// The revision of this name.
    pub fn revision(&self, name: &RevisionName) -> Option<&Revision> {
        self.revisions
            .iter()
            .find(|revision| revision.name == *name)
    }

    /// The revision of the document's template.
    pub fn latest(&self) -> &RevisionName {
        &self.latest
    }

    /// The latest revision that has been provisioned and is active; none before the first.
    pub fn latest_ready(&self) -> Option<&RevisionName> {
        let proven = |revision: &&Revision| revision.active && revision.proven;
        let carrier = self.revision(&self.carrier).filter(proven);
        let ready = carrier.or_else(|| self.revisions.iter().rev().find(proven))?;
        Some(&ready.name)
    }

    fn revision_mut(&mut self, name: &RevisionName) -> Option<&mut Revision> {
        let mut revisions = self.revisions.iter_mut();
        revisions.find(|revision| revision.name == *name)
    }

    fn is_single(&self) -> bool {
        self.document.configuration.active_revisions_mode == ActiveRevisionsMode::Single
    }

    /// The document's traffic entries; none means all to the latest revision.
    fn traffic(&self) -> &[TrafficWeight] {
        let ingress = self.document.configuration.ingress.as_ref();
        ingress.map_or(&[], |ingress| &ingress.traffic)
    }

    /// `hello--v1, hello--v2`: the revisions, newest first, for an error.
    fn revision_list(&self) -> String {
        error::list(self.revisions.iter().rev().map(|revision| &revision.name))
    }
}
