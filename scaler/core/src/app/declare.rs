//! Revisions that documents of their own declare.

use std::collections::BTreeSet;

use super::apply::other_template;
use super::{App, AppError, Change, Revision};
use crate::document::DeclaredRevision;
use crate::name::RevisionName;
use crate::time::Timestamp;

impl App {
    /// Makes the declared revisions, which are older than the latest one, and makes those that
    /// exist active or inactive as declared.
    pub(super) fn declare(
        &mut self,
        declared: Vec<DeclaredRevision>,
        now: Timestamp,
        changes: &mut Vec<Change>,
    ) -> Result<(), AppError> {
        let mut names = BTreeSet::new();
        let mut new = Vec::new();
        for declared in declared {
            self.check_declared(&declared)?;
            if !names.insert(declared.name.clone()) {
                let message = format!("revision {} is declared twice", declared.name);
                return Err(AppError::Conflict(message));
            }
            if self.revision(&declared.name).is_some() {
                self.declare_existing(&declared, changes)?;
            } else {
                changes.push(Change::RevisionCreated(declared.name.clone()));
                new.push(Revision {
                    active: declared.active,
                    ..Revision::new(declared.name, declared.template, now)
                });
            }
        }
        self.revisions.splice(0..0, new);
        for revision in &mut self.revisions {
            revision.declared = names.contains(&revision.name);
        }
        Ok(())
    }

    fn declare_existing(
        &mut self,
        declared: &DeclaredRevision,
        changes: &mut Vec<Change>,
    ) -> Result<(), AppError> {
        let Some(existing) = self.revision_mut(&declared.name) else {
            return Ok(());
        };
        if !existing.has_template(&declared.template) {
            return Err(other_template(&declared.name));
        }
        match (existing.active, declared.active) {
            (false, true) => {
                existing.activate();
                changes.push(Change::RevisionActivated(declared.name.clone()));
            }
            (true, false) => {
                existing.active = false;
                changes.push(Change::RevisionDeactivated(declared.name.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn check_declared(&self, declared: &DeclaredRevision) -> Result<(), AppError> {
        let name: &RevisionName = &declared.name;
        let app = self.name();
        if name.app() != app.as_str() {
            let message = format!("{name} is not a revision of the app {app}");
            return Err(AppError::invalid("name", message));
        }
        if *name == self.latest && !declared.active {
            let message = format!(
                "{name} is the revision of the app's own template, so it is active; leave active \
                 out, or give the app another template"
            );
            return Err(AppError::invalid("properties.active", message));
        }
        if *name != self.latest && declared.active && self.is_single() {
            let message = format!(
                "{name} cannot be active beside {}, because activeRevisionsMode of {app} is \
                 Single; make that Multiple, or this false",
                self.latest
            );
            return Err(AppError::invalid("properties.active", message));
        }
        Ok(())
    }
}
