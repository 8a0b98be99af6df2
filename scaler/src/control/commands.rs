//! Carrying out what was asked of the control task.

use std::collections::BTreeSet;

use ebbtide_core::app::{App, AppError, Change};
use ebbtide_core::document::{TrafficTarget, TrafficWeight};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;

use super::app::{AppControl, Source};
use super::apply::{Against, Prepared, prepare, specs};
use super::handle::{Command, ControlError, Origin, Reply, RevisionAction};
use super::http_routes::{self, check_hosts};
use super::mirror;
use super::task::ControlTask;
use super::touched::Touched;
use crate::api::model::{ApplyResult, RevisionHistory, TrafficEntry};
use crate::documents::{Documents, InvalidDocument};

impl ControlTask {
    /// Carries out a command and answers it. Whoever asked may have gone; then nobody is told.
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Apply {
                documents,
                origin,
                reply,
            } => {
                let applied = self.apply(documents, origin);
                self.answer(reply, applied);
            }
            Command::SetTraffic {
                app,
                traffic,
                reply,
            } => {
                let changed = self.set_traffic(&app, traffic);
                self.answer(reply, changed);
            }
            Command::Revision {
                app,
                revision,
                action,
                reply,
            } => {
                let changed = self.act_on_revision(&app, &revision, action);
                self.answer(reply, changed);
            }
            Command::Delete { app, reply } => {
                let deleted = self.delete(&app);
                self.answer(reply, deleted);
            }
            Command::DeleteRoutes { name, reply } => {
                let deleted = self.delete_routes(&name);
                self.answer(reply, deleted);
            }
            // There may be thousands at a time, so they are published together, in a moment.
            Command::Adopt { adoption, reply } => drop(reply.send(self.adopt(adoption))),
            Command::Release { keep, reply } => {
                self.release(&keep);
                drop(reply.send(Ok(())));
            }
            Command::Decisions { app, limit, reply } => {
                let decisions = self.find(&app).map(|control| control.journal.newest(limit));
                drop(reply.send(decisions));
            }
            Command::History { app, reply } => drop(reply.send(self.history(&app))),
        }
    }

    /// Answers after what was done is in force and published, so that whoever asked sees it.
    fn answer<T>(&mut self, reply: Reply<T>, result: Result<T, ControlError>) {
        self.published_at = None;
        self.signals.is_stale = true;
        self.settle_changed(&Touched::All);
        drop(reply.send(result));
    }

    /// Applies documents, all or none.
    fn apply(
        &mut self,
        documents: Documents,
        origin: Origin,
    ) -> Result<Vec<ApplyResult>, ControlError> {
        let now = self.now();
        let mut errors = check_hosts(&documents, origin, &self.apps, &self.routes);
        let (routes, documents) = http_routes::split(documents);
        let against = Against {
            origin,
            kind: self.kind,
            present: &self.apps,
            now,
        };
        let prepared = match prepare(documents, against, &mut self.identifiers) {
            Ok(prepared) if errors.is_empty() => prepared,
            Ok(_) => return Err(InvalidDocument(errors).into()),
            Err(found) => {
                errors.extend(found.0);
                return Err(InvalidDocument(errors).into());
            }
        };
        let named: BTreeSet<AppName> = prepared.iter().map(|one| one.app.name().clone()).collect();
        let mut results: Vec<ApplyResult> = prepared
            .into_iter()
            .map(|one| self.commit_documents(one, now))
            .collect();
        if origin == Origin::Files {
            results.extend(self.prune(&named));
        }
        for result in &mut results {
            let control = self.apps.get(result.app.as_str());
            let problem = control.and_then(|control| mirror::problem(control, &self.apps));
            result.warnings.extend(problem);
        }
        results.extend(self.commit_routes(routes, origin));
        self.has_documents = true;
        self.introduce(now);
        Ok(results)
    }

    fn commit_documents(&mut self, prepared: Prepared, now: Timestamp) -> ApplyResult {
        let (app, changes) = (prepared.app.clone(), prepared.changes.clone());
        let name = app.name().clone();
        let result = result_of(&name, &changes, prepared.warnings.clone());
        for change in &changes {
            self.events.change(&name, change);
        }
        let new = || AppControl::new(app, prepared.source.clone());
        let control = self.apps.entry(name.clone()).or_insert_with(new);
        control.commit(prepared, self.counting, now);
        self.changed(&name, &changes);
        result
    }

    /// Takes away apps that came from files and are in none any more.
    fn prune(&mut self, named: &BTreeSet<AppName>) -> Vec<ApplyResult> {
        let from_files = |control: &AppControl| matches!(control.source, Source::File(_));
        let gone = self
            .apps
            .iter()
            .filter(|(name, control)| from_files(control) && !named.contains(*name));
        let gone: Vec<AppName> = gone.map(|(name, _)| name.clone()).collect();
        gone.iter()
            .filter_map(|name| self.take_away(name))
            .map(|(_, result)| result)
            .collect()
    }

    fn set_traffic(
        &mut self,
        app: &str,
        traffic: Vec<TrafficEntry>,
    ) -> Result<ApplyResult, ControlError> {
        let weights: Vec<TrafficWeight> =
            traffic.into_iter().map(weight).collect::<Result<_, _>>()?;
        self.transition(app, |app| app.set_traffic(weights))
    }

    fn act_on_revision(
        &mut self,
        app: &str,
        revision: &str,
        action: RevisionAction,
    ) -> Result<ApplyResult, ControlError> {
        let known = self
            .find(app)?
            .app
            .revisions()
            .any(|one| one.name.as_str() == revision);
        let name = RevisionName::parse(revision).ok().filter(|_| known);
        let name = name.ok_or_else(|| {
            ControlError::NotFound(format!("app {app} has no revision {revision}"))
        })?;
        self.transition(app, |app| match action {
            RevisionAction::Activate => app.activate(&name),
            RevisionAction::Deactivate => app.deactivate(&name),
            RevisionAction::Restart => app.restart(&name),
        })
    }

    /// Replaces the state of an app by what `next` makes of it.
    fn transition(
        &mut self,
        app: &str,
        next: impl FnOnce(&App) -> Result<(App, Vec<Change>), AppError>,
    ) -> Result<ApplyResult, ControlError> {
        if !self.kind.runs_replicas() {
            return Err(ControlError::Conflict(
                "the documents alone say what is so here, since other processes go by them too; \
                 change them"
                    .to_owned(),
            ));
        }
        let now = self.now();
        let control = self.find(app)?;
        let place = (control.source.name(), 0);
        let (next, changes) = next(&control.app).map_err(refused)?;
        let specs = specs(&next, &place).map_err(InvalidDocument)?;
        let name = next.name().clone();
        for change in &changes {
            self.events.change(&name, change);
        }
        if let Some(control) = self.apps.get_mut(&name) {
            control.app = next;
            control.sync(specs, &changes, self.counting, now);
        }
        self.changed(&name, &changes);
        Ok(result_of(&name, &changes, Vec::new()))
    }

    fn delete(&mut self, app: &str) -> Result<ApplyResult, ControlError> {
        let name = self.find(app)?.app.name().clone();
        let missing = || ControlError::NotFound(format!("there is no app {app}"));
        let (source, mut result) = self.take_away(&name).ok_or_else(missing)?;
        result.changes.extend(brought_back(&source));
        Ok(result)
    }

    /// Takes an app away, and says where it came from; none if there is no such app.
    fn take_away(&mut self, name: &AppName) -> Option<(Source, ApplyResult)> {
        let control = self.apps.remove(name)?;
        let source = control.source.clone();
        self.leave(control);
        let message = format!("app {name} was taken away");
        self.events
            .app(name.as_str(), "AppDeleted", message.clone());
        let result = ApplyResult {
            app: name.to_string(),
            created_revision: None,
            changes: vec![message],
            warnings: Vec::new(),
        };
        Some((source, result))
    }

    fn history(&self, app: &str) -> Result<Vec<RevisionHistory>, ControlError> {
        let past =
            |(name, one): (&RevisionName, &super::revision::RevisionControl)| RevisionHistory {
                revision: name.to_string(),
                points: one.history.points(),
            };
        Ok(self.find(app)?.revisions.iter().map(past).collect())
    }

    fn find(&self, app: &str) -> Result<&AppControl, ControlError> {
        let name = AppName::new(app).ok();
        let adopted = |name: &AppName| self.adopted.apps.get(name);
        let found = name.and_then(|name| self.apps.get(&name).or_else(|| adopted(&name)));
        found.ok_or_else(|| {
            let known: Vec<&str> = self.apps.keys().map(AppName::as_str).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            ControlError::NotFound(format!("there is no app {app}; there are: {known}"))
        })
    }
}

/// What to say of something that was taken away and whose document is still in a file.
pub(super) fn brought_back(source: &Source) -> Option<String> {
    let Source::File(path) = source else {
        return None;
    };
    let path = path.display();
    Some(format!("{path} brings it back when it is read again"))
}

fn refused(error: AppError) -> ControlError {
    match error {
        AppError::NotFound(message) => ControlError::NotFound(message),
        AppError::Conflict(message) => ControlError::Conflict(message),
        AppError::Invalid(_) => ControlError::Invalid(error.to_string()),
    }
}

/// What was done, in words.
fn result_of(app: &AppName, changes: &[Change], warnings: Vec<String>) -> ApplyResult {
    let created = changes.iter().find_map(|change| match change {
        Change::RevisionCreated(revision) => Some(revision.to_string()),
        _ => None,
    });
    ApplyResult {
        app: app.to_string(),
        created_revision: created,
        changes: changes.iter().map(ToString::to_string).collect(),
        warnings,
    }
}

/// An entry of a traffic request as the document has it.
fn weight(entry: TrafficEntry) -> Result<TrafficWeight, ControlError> {
    let invalid = ControlError::Invalid;
    let target = match (entry.latest_revision, entry.revision_name) {
        (true, None) => TrafficTarget::LatestRevision,
        (false, Some(name)) => {
            let name = RevisionName::parse(&name).map_err(|error| invalid(error.to_string()))?;
            TrafficTarget::Revision(name)
        }
        (true, Some(_)) | (false, None) => {
            return Err(invalid(
                "each entry of traffic needs either revisionName or latestRevision: true".into(),
            ));
        }
    };
    Ok(TrafficWeight {
        target,
        weight: entry.weight,
        label: entry.label,
    })
}
