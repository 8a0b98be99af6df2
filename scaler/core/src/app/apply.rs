//! Applying a document.

use super::{App, AppError, Change, Provisioning, Revision, suffix};
use crate::document::{ContainerApp, DeclaredRevision, Template};
use crate::name::RevisionName;
use crate::time::Timestamp;

impl App {
    /// A new app. `seed` makes the suffix of its revision if the document gives none.
    ///
    /// # Errors
    /// When the declared revisions do not go with the document, or its traffic does not go with
    /// the revisions.
    pub fn create(
        document: ContainerApp,
        declared: Vec<DeclaredRevision>,
        now: Timestamp,
        seed: u64,
    ) -> Result<(Self, Vec<Change>), AppError> {
        let name = new_name(&document, &[], seed)?;
        let revision = Revision::new(name.clone(), document.template.clone(), now);
        let mut app = Self {
            document,
            revisions: vec![revision],
            latest: name.clone(),
            carrier: name.clone(),
        };
        let mut changes = vec![Change::RevisionCreated(name)];
        app.declare(declared, now, &mut changes)?;
        app.check_traffic()?;
        app.settle(&mut changes);
        app.report_traffic(&[], &mut changes);
        Ok((app, changes))
    }

    /// The app after a new document of the same name; `self` stays as it is.
    ///
    /// A template equal to the latest revision's makes no revision, whatever else changed. A
    /// changed one makes a revision with the suffix given, or a generated one. The suffix and
    /// template of an earlier revision make that one the latest again. `declared` are all the
    /// revisions that documents of their own declare; one that is no longer declared stays as it
    /// is.
    ///
    /// # Errors
    /// When the suffix belongs to a revision with another template, when a declared revision
    /// differs from the one of its name, or when the traffic does not go with the revisions.
    pub fn apply(
        &self,
        document: ContainerApp,
        declared: Vec<DeclaredRevision>,
        now: Timestamp,
        seed: u64,
    ) -> Result<(Self, Vec<Change>), AppError> {
        if document.name != *self.name() {
            let (given, own) = (&document.name, self.name());
            let message =
                format!("is {given}, but this is the app {own}, and apps keep their names");
            return Err(AppError::invalid("name", message));
        }
        let mut next = self.clone();
        let mut changes: Vec<Change> = self.configuration_change(&document).into_iter().collect();
        next.document = document;
        next.update_latest(now, seed, &mut changes)?;
        next.declare(declared, now, &mut changes)?;
        next.check_traffic()?;
        next.settle(&mut changes);
        next.report_traffic(&self.shares(), &mut changes);
        Ok((next, changes))
    }

    /// Makes the revision of the document's template the latest.
    fn update_latest(
        &mut self,
        now: Timestamp,
        seed: u64,
        changes: &mut Vec<Change>,
    ) -> Result<(), AppError> {
        if self.is_latest(&self.document.template) {
            return Ok(());
        }
        let name = new_name(&self.document, &self.revisions, seed)?;
        match self.revision(&name) {
            Some(existing) if existing.has_template(&self.document.template) => {
                self.promote(&name, changes);
            }
            Some(_) => return Err(other_template(&name)),
            None => {
                let template = self.document.template.clone();
                self.revisions
                    .push(Revision::new(name.clone(), template, now));
                changes.push(Change::RevisionCreated(name.clone()));
            }
        }
        self.latest = name;
        Ok(())
    }

    fn is_latest(&self, template: &Template) -> bool {
        let latest = self.revision(&self.latest);
        let suffix = template.revision_suffix.as_deref();
        latest.is_some_and(|latest| {
            latest.has_template(template) && suffix.is_none_or(|s| s == latest.name.suffix())
        })
    }

    /// Makes an earlier revision the newest one. Unless it has the traffic it proves itself anew.
    fn promote(&mut self, name: &RevisionName, changes: &mut Vec<Change>) {
        let Some(position) = self.revisions.iter().position(|r| r.name == *name) else {
            return;
        };
        let mut revision = self.revisions.remove(position);
        if !revision.active {
            revision.activate();
            changes.push(Change::RevisionActivated(name.clone()));
        }
        if *name != self.carrier && revision.is_provisioned() {
            revision.provisioning = Provisioning::Provisioning;
        }
        self.revisions.push(revision);
        changes.push(Change::LatestRevisionChanged(name.clone()));
    }
}

/// The name of the revision that the document's template makes.
fn new_name(
    document: &ContainerApp,
    existing: &[Revision],
    seed: u64,
) -> Result<RevisionName, AppError> {
    let named = |suffix: &str| {
        RevisionName::new(&document.name, suffix).map_err(|error| {
            AppError::invalid("properties.template.revisionSuffix", error.to_string())
        })
    };
    if let Some(suffix) = &document.template.revision_suffix {
        return named(suffix);
    }
    let taken = |suffix: &String| existing.iter().any(|r| r.name.suffix() == suffix);
    let mut generated = suffix::generate(seed).skip_while(taken);
    named(&generated.next().unwrap_or_default())
}

/// That a revision of this name exists and is another one.
pub(super) fn other_template(name: &RevisionName) -> AppError {
    AppError::Conflict(format!(
        "revision {name} exists with another template, and a revision never changes; give \
         another revisionSuffix, or none to have one generated"
    ))
}
