//! Applying documents: everything is checked first, for all of them; then everything is done.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ebbtide_core::app::{App, AppError, Change};
use ebbtide_core::document::{
    ContainerApp, Declaration, DeclaredRevision, Diagnostic, IMAGE_ALONE, Located, SecretDisplay,
    to_yaml,
};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::scale::ScaleSpec;
use ebbtide_core::time::Timestamp;

use super::app::{AppControl, Source};
use super::handle::Origin;
use super::identifier::Identifiers;
use super::role::Kind;
use crate::documents::{Documents, InvalidDocument};

/// An app's documents, checked, and what applying them leads to.
pub(super) struct Prepared {
    /// The app as it will be.
    pub(super) app: App,
    /// What each of its revisions' scaling follows.
    pub(super) specs: BTreeMap<RevisionName, ScaleSpec>,
    /// What changes.
    pub(super) changes: Vec<Change>,
    /// Where its document came from.
    pub(super) source: Source,
    /// What its author should know.
    pub(super) warnings: Vec<String>,
    /// Where relative paths of its commands start.
    pub(super) folder: PathBuf,
    /// The documents themselves, if they are from files.
    pub(super) declared_by_files: Option<Declared>,
}

/// What documents declare of one app.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declared {
    /// The app's document.
    pub(super) app: ContainerApp,
    /// Documents of earlier revisions.
    pub(super) revisions: Vec<DeclaredRevision>,
}

/// The documents of one app.
#[derive(Default)]
struct Group {
    app: Option<Located<ContainerApp>>,
    revisions: Vec<Located<DeclaredRevision>>,
}

/// What documents are checked against.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    /// Where they come from.
    pub(super) origin: Origin,
    /// What this process is there for.
    pub(super) kind: Kind,
    /// The apps there are.
    pub(super) present: &'a BTreeMap<AppName, AppControl>,
    /// Now.
    pub(super) now: Timestamp,
}

/// Checks all documents against the present state, and says what applying them would lead to.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn prepare(
    documents: Documents,
    against: Against<'_>,
    identifiers: &mut Identifiers,
) -> Result<Vec<Prepared>, InvalidDocument> {
    let mut errors: Vec<Diagnostic> = Vec::new();
    if let Err(twice) = ebbtide_core::document::check_unique(&documents.declarations) {
        errors.extend(twice);
    }
    let mut prepared = Vec::new();
    let warnings = documents.warnings;
    for (name, group) in groups(documents.declarations) {
        let warnings = warnings_of(&group, &warnings, against.kind);
        match prepare_app(&name, group, against, identifiers) {
            Ok(mut app) => {
                app.warnings.splice(0..0, warnings);
                prepared.push(app);
            }
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() {
        Ok(prepared)
    } else {
        Err(InvalidDocument(errors))
    }
}

fn groups(declarations: Vec<Located<Declaration>>) -> BTreeMap<AppName, Group> {
    let mut groups: BTreeMap<AppName, Group> = BTreeMap::new();
    for Located {
        value,
        source,
        line,
    } in declarations
    {
        match value {
            Declaration::App(app) => {
                let group = groups.entry(app.name.clone()).or_default();
                group.app = Some(Located {
                    value: *app,
                    source,
                    line,
                });
            }
            Declaration::Revision(revision) => {
                let Ok(app) = AppName::new(revision.name.app()) else {
                    continue;
                };
                let located = Located {
                    value: *revision,
                    source,
                    line,
                };
                groups.entry(app).or_default().revisions.push(located);
            }
            // These are of no app.
            Declaration::Routes(_) => {}
        }
    }
    groups
}

/// Warnings that were found in the files of this group, and that matter to this process.
fn warnings_of(group: &Group, warnings: &[Diagnostic], kind: Kind) -> Vec<String> {
    let sources = || {
        let revisions = group.revisions.iter().map(|one| one.source.as_str());
        revisions.chain(group.app.iter().map(|one| one.source.as_str()))
    };
    let here = warnings
        .iter()
        .filter(|warning| sources().any(|one| one == warning.source))
        .filter(|warning| kind.runs_replicas() || warning.message != IMAGE_ALONE);
    here.map(ToString::to_string).collect()
}

fn prepare_app(
    name: &AppName,
    group: Group,
    against: Against<'_>,
    identifiers: &mut Identifiers,
) -> Result<Prepared, Vec<Diagnostic>> {
    let Against {
        origin, kind, now, ..
    } = against;
    let present = against.present.get(name);
    let place = place_of(&group);
    let fail = |message: String| vec![problem(&place, message)];
    let of_revisions = group.app.is_none();
    let declared = declare(name, group, origin, present).map_err(fail)?;
    if kind.runs_replicas() {
        check_templates(&declared, &place)?;
    }
    let seed = identifiers.seed_of_revision(|| printed(&declared.app));
    // Files that say nothing new leave alone what was changed since in other ways.
    let unchanged = present
        .filter(|one| origin == Origin::Files && one.declared_by_files.as_ref() == Some(&declared));
    let (document, revisions) = (declared.app.clone(), declared.revisions.clone());
    let applied = match (unchanged, present) {
        (Some(unchanged), _) => Ok((unchanged.app.clone(), Vec::new())),
        (None, Some(present)) => present.app.apply(document, revisions, now, seed),
        (None, None) => App::create(document, revisions, now, seed),
    };
    let (app, changes) = applied.map_err(|error| diagnostics(error, &place))?;
    let specs = specs(&app, &place)?;
    let stays = unchanged.filter(|one| one.source == Source::Api);
    let (source, folder) = match stays.or(present.filter(|_| of_revisions)) {
        Some(present) => (present.source.clone(), present.folder.clone()),
        None => source_of(origin, &place.0),
    };
    Ok(Prepared {
        warnings: warnings_of_latest(&app, &specs),
        app,
        specs,
        changes,
        source,
        folder,
        declared_by_files: (origin == Origin::Files).then_some(declared),
    })
}

/// The document as it is printed, without the values of secrets.
fn printed(app: &ContainerApp) -> String {
    let declaration = Declaration::App(Box::new(app.clone()));
    to_yaml(&declaration, SecretDisplay::Hidden)
}

/// What does not go with the state of the app, each with the field it is about.
fn diagnostics(error: AppError, place: &(String, u64)) -> Vec<Diagnostic> {
    let AppError::Invalid(problems) = error else {
        return vec![problem(place, error.to_string())];
    };
    let each = |one: ebbtide_core::app::Problem| Diagnostic {
        path: one.path,
        ..problem(place, one.message)
    };
    problems.into_iter().map(each).collect()
}

/// What the documents of an app declare; those of revisions alone are about the present app.
fn declare(
    name: &AppName,
    group: Group,
    origin: Origin,
    present: Option<&AppControl>,
) -> Result<Declared, String> {
    // An app goes with its document in a file, whatever documents of its revisions remain.
    let stands = |one: &&AppControl| origin == Origin::Api || one.source == Source::Api;
    let app = match (group.app, present.filter(stands)) {
        (Some(app), _) => app.value,
        (None, Some(present)) => present.app.document().clone(),
        (None, None) => {
            return Err(format!(
                "this is a revision of {name}, but no document declares the app {name}; \
                 add one of type Microsoft.App/containerApps"
            ));
        }
    };
    let revisions = group.revisions.into_iter();
    Ok(Declared {
        app,
        revisions: revisions.map(|located| located.value).collect(),
    })
}

/// Where errors of a group point to: the app's document, or without one the first.
fn place_of(group: &Group) -> (String, u64) {
    let app = group.app.as_ref().map(|app| (&app.source, app.line));
    let first = || group.revisions.first().map(|one| (&one.source, one.line));
    let place = app.or_else(first);
    place.map_or_else(Default::default, |(source, line)| (source.clone(), line))
}

/// Where an app comes from, and where relative paths of its commands start.
fn source_of(origin: Origin, file: &str) -> (Source, PathBuf) {
    let path = PathBuf::from(file);
    match origin {
        Origin::Api => (Source::Api, PathBuf::from(".")),
        Origin::Files => {
            let folder = folder_of(&path);
            (Source::File(path), folder)
        }
    }
}

fn warnings_of_latest(app: &App, specs: &BTreeMap<RevisionName, ScaleSpec>) -> Vec<String> {
    let latest = app.revision(app.latest()).zip(specs.get(app.latest()));
    let warnings = latest.map(|(latest, spec)| spec.warnings(app.document(), &latest.template));
    warnings.unwrap_or_default()
}

/// Whether each template can run here as local processes.
fn check_templates(declared: &Declared, place: &(String, u64)) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let earlier = declared.revisions.iter().map(|one| &one.template);
    for template in earlier.chain([&declared.app.template]) {
        for containers in [&template.init_containers, &template.containers] {
            if let Err(found) = ebbtide_runtime::check(containers) {
                errors.extend(found.iter().map(|error| problem(place, error.to_string())));
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// What each revision's scaling follows.
///
/// # Errors
/// Each rule that cannot be understood.
pub(super) fn specs(
    app: &App,
    place: &(String, u64),
) -> Result<BTreeMap<RevisionName, ScaleSpec>, Vec<Diagnostic>> {
    let mut specs = BTreeMap::new();
    let mut errors = Vec::new();
    for revision in app.revisions() {
        match ScaleSpec::from_document(app.document(), &revision.template) {
            Ok(spec) => {
                specs.insert(revision.name.clone(), spec);
            }
            Err(found) => {
                let diagnostics = found.into_iter().map(|error| Diagnostic {
                    path: error.path,
                    ..problem(place, error.message)
                });
                errors.extend(diagnostics);
            }
        }
    }
    if errors.is_empty() {
        Ok(specs)
    } else {
        Err(errors)
    }
}

/// The folder of a document's file; the present one if there is no such file, as for the bundled
/// example.
fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| folder.is_dir());
    folder.map_or_else(|| PathBuf::from("."), PathBuf::from)
}

fn problem((source, line): &(String, u64), message: String) -> Diagnostic {
    Diagnostic {
        source: source.clone(),
        line: *line,
        column: 1,
        path: String::new(),
        message,
    }
}
