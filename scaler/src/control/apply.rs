//! Applying documents: everything is checked first, for all of them; then everything is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ebbtide_core::app::{App, Change};
use ebbtide_core::document::{
    ContainerApp, Declaration, DeclaredRevision, Diagnostic, Located, Template,
};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::scale::ScaleSpec;
use ebbtide_core::time::Timestamp;

use super::app::{AppControl, Source};
use super::handle::Origin;
use super::identifier::Identifiers;
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
    /// The documents themselves.
    pub(super) declared: Declared,
}

/// What documents an app was last declared by.
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

/// Checks all documents against the present state, and says what applying them would lead to.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn prepare(
    documents: Documents,
    origin: Origin,
    present: &BTreeMap<AppName, AppControl>,
    identifiers: &mut Identifiers,
    now: Timestamp,
) -> Result<Vec<Prepared>, InvalidDocument> {
    let mut errors: Vec<Diagnostic> = Vec::new();
    if let Err(twice) = ebbtide_core::document::check_unique(&documents.declarations) {
        errors.extend(twice);
    }
    let mut prepared = Vec::new();
    let warnings = documents.warnings;
    for (name, group) in groups(documents.declarations) {
        let warnings = warnings_of(&group, &warnings);
        let seed = identifiers.next_seed();
        match prepare_app(&name, group, present.get(&name), seed, now) {
            Ok(mut app) => {
                app.warnings.splice(0..0, warnings);
                if origin == Origin::Api {
                    app.source = Source::Api;
                    app.folder = PathBuf::from(".");
                }
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
        }
    }
    groups
}

/// Warnings that were found in the files of this group.
fn warnings_of(group: &Group, warnings: &[Diagnostic]) -> Vec<String> {
    let sources = || {
        let revisions = group.revisions.iter().map(|one| one.source.as_str());
        revisions.chain(group.app.iter().map(|one| one.source.as_str()))
    };
    let here = warnings
        .iter()
        .filter(|warning| sources().any(|one| one == warning.source));
    here.map(ToString::to_string).collect()
}

fn prepare_app(
    name: &AppName,
    group: Group,
    present: Option<&AppControl>,
    seed: u64,
    now: Timestamp,
) -> Result<Prepared, Vec<Diagnostic>> {
    let located = group.app.as_ref().map(|app| (app.source.clone(), app.line));
    let place = located.or_else(|| group.revisions.first().map(|r| (r.source.clone(), r.line)));
    let place = place.unwrap_or_default();
    let fail = |message: String| vec![problem(&place, message)];
    let document = match (group.app, present) {
        (Some(app), _) => app.value,
        (None, Some(present)) => present.app.document().clone(),
        (None, None) => {
            return Err(fail(format!(
                "this is a revision of {name}, but no document declares the app {name}; \
                 add one of type Microsoft.App/containerApps"
            )));
        }
    };
    let declared: Vec<DeclaredRevision> = group
        .revisions
        .into_iter()
        .map(|located| located.value)
        .collect();
    let templates = || {
        declared
            .iter()
            .map(|one| &one.template)
            .chain([&document.template])
    };
    check_templates(templates(), &place)?;
    let declared = Declared {
        app: document,
        revisions: declared,
    };
    let applied = match present {
        // Nothing new: what was changed by hand since stays.
        Some(present) if present.declared.as_ref() == Some(&declared) => {
            Ok((present.app.clone(), Vec::new()))
        }
        Some(present) => {
            present
                .app
                .apply(declared.app.clone(), declared.revisions.clone(), now, seed)
        }
        None => App::create(declared.app.clone(), declared.revisions.clone(), now, seed),
    };
    let (app, changes) = applied.map_err(|error| fail(error.to_string()))?;
    let specs = specs(&app, &place)?;
    let path = PathBuf::from(&place.0);
    let folder = folder_of(&path);
    let latest = app.revision(app.latest()).zip(specs.get(app.latest()));
    let warnings = latest.map(|(latest, spec)| spec.warnings(app.document(), &latest.template));
    let warnings = warnings.unwrap_or_default();
    let source = Source::File(path);
    Ok(Prepared {
        app,
        specs,
        changes,
        source,
        warnings,
        folder,
        declared,
    })
}

/// Whether each template can run here as local processes.
fn check_templates<'a>(
    templates: impl Iterator<Item = &'a Template>,
    place: &(String, u64),
) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    for template in templates {
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
