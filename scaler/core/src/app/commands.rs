//! What can be asked of an app beside applying a document.

use super::validate::{TRAFFIC, sum_message};
use super::{App, AppError, Change, Revision};
use crate::document::TrafficWeight;
use crate::name::RevisionName;

impl App {
    /// The app with these traffic entries in its document; `self` stays as it is. The latest
    /// revision takes over what follows it once it has proved itself; a revision that is named
    /// gets its weight at once, unless it has failed.
    ///
    /// # Errors
    /// When the weights do not sum to 100, a revision does not exist or is not active, a label is
    /// used twice or is none, a revision is named in Single mode, or the app has no ingress.
    pub fn set_traffic(
        &self,
        traffic: Vec<TrafficWeight>,
    ) -> Result<(Self, Vec<Change>), AppError> {
        if traffic.is_empty() {
            return Err(AppError::invalid(TRAFFIC, sum_message(0)));
        }
        let mut document = self.document.clone();
        let Some(ingress) = &mut document.configuration.ingress else {
            return Err(AppError::Conflict(format!(
                "app {} has no ingress, so it takes no traffic; apply a document with \
                 properties.configuration.ingress first",
                self.name()
            )));
        };
        ingress.traffic = traffic;
        let changes = self.configuration_change(&document).into_iter().collect();
        let mut next = self.clone();
        next.document = document;
        next.check_traffic()?;
        Ok(self.finish(next, changes))
    }

    /// The app with this revision active, which then has to start anew; `self` stays as it is.
    ///
    /// # Errors
    /// When there is no such revision, or in Single mode when it is not the latest one.
    pub fn activate(&self, name: &RevisionName) -> Result<(Self, Vec<Change>), AppError> {
        if self.existing(name)?.active {
            return Ok((self.clone(), Vec::new()));
        }
        if self.is_single() && *name != self.latest {
            return Err(AppError::Conflict(format!(
                "activeRevisionsMode is Single, where only the latest revision, {}, is active; \
                 make it Multiple first, or apply the template of {name} with its revisionSuffix",
                self.latest
            )));
        }
        let mut next = self.clone();
        if let Some(revision) = next.revision_mut(name) {
            revision.activate();
        }
        Ok(self.finish(next, vec![Change::RevisionActivated(name.clone())]))
    }

    /// The app with this revision inactive; `self` stays as it is.
    ///
    /// # Errors
    /// When there is no such revision, when weights lead to it, or when it is the latest one in
    /// Single mode.
    pub fn deactivate(&self, name: &RevisionName) -> Result<(Self, Vec<Change>), AppError> {
        if !self.existing(name)?.active {
            return Ok((self.clone(), Vec::new()));
        }
        self.check_expendable(name)?;
        let mut next = self.clone();
        if let Some(revision) = next.revision_mut(name) {
            revision.active = false;
        }
        Ok(self.finish(next, vec![Change::RevisionDeactivated(name.clone())]))
    }

    /// The app after a restart of this revision was asked for; `self` stays as it is. The control
    /// loop replaces the replicas that are older than the newest restart.
    ///
    /// # Errors
    /// When there is no such revision, or it is not active.
    pub fn restart(&self, name: &RevisionName) -> Result<(Self, Vec<Change>), AppError> {
        if !self.existing(name)?.active {
            return Err(AppError::Conflict(format!(
                "revision {name} is not active, so it has no replicas to restart; activate it"
            )));
        }
        let mut next = self.clone();
        if let Some(revision) = next.revision_mut(name) {
            revision.restarts += 1;
        }
        Ok(self.finish(next, vec![Change::RevisionRestarted(name.clone())]))
    }

    fn existing(&self, name: &RevisionName) -> Result<&Revision, AppError> {
        self.revision(name).ok_or_else(|| {
            let revisions = self.revision_list();
            let message = format!(
                "there is no revision {name}; {} has {revisions}",
                self.name()
            );
            AppError::NotFound(message)
        })
    }

    fn check_expendable(&self, name: &RevisionName) -> Result<(), AppError> {
        if self.is_single() && *name == self.latest {
            return Err(AppError::Conflict(format!(
                "{name} is the latest revision, which is always active in Single mode; apply a \
                 document with another template, or make activeRevisionsMode Multiple"
            )));
        }
        if self.is_single() && *name == self.carrier {
            return Err(AppError::Conflict(format!(
                "{name} has the traffic until {} is ready, and is deactivated then",
                self.latest
            )));
        }
        let mut entries = self.entries().into_iter();
        let weight = entries.find(|entry| entry.revision == *name);
        match weight.map_or(0, |entry| entry.weight) {
            0 => Ok(()),
            weight => Err(AppError::Conflict(format!(
                "{name} has a traffic weight of {weight}%; give it to another revision first"
            ))),
        }
    }

    fn finish(&self, mut next: Self, mut changes: Vec<Change>) -> (Self, Vec<Change>) {
        next.settle(&mut changes);
        next.report_traffic(&self.shares(), &mut changes);
        (next, changes)
    }
}
