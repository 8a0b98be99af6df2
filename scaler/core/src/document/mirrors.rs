//! Where mirrors lead to, among documents.

use super::diagnostic::{Diagnostic, Located};
use super::model::{ContainerApp, Declaration};
use crate::name::{AppName, RevisionName};
use crate::policy::{MirrorTarget, RequestPolicy};

/// A warning for each mirror whose target no document declares. The target may be there all the same, where
/// the documents are applied.
pub fn check_mirrors(declarations: &[Located<Declaration>]) -> Vec<Diagnostic> {
    let missing = |declared: &Located<Declaration>| {
        let Declaration::App(app) = &declared.value else {
            return None;
        };
        let mirror = RequestPolicy::of(app).mirror?;
        let missing = missing(app, &mirror.target, declarations)?;
        Some(Diagnostic {
            source: declared.source.clone(),
            line: declared.line,
            column: 1,
            path: "tags.ebbtide.mirror".to_owned(),
            message: format!("{missing}; unless it is there already, no request is copied"),
        })
    };
    declarations.iter().filter_map(missing).collect()
}

fn missing(
    app: &ContainerApp,
    target: &MirrorTarget,
    declarations: &[Located<Declaration>],
) -> Option<String> {
    match target {
        MirrorTarget::Latest => None,
        MirrorTarget::Revision(name) => {
            let mut all = declarations.iter();
            let is_declared = all.any(|one| declares(&one.value, name));
            (!is_declared).then(|| format!("no document declares revision {name}"))
        }
        MirrorTarget::Label { app: other, label } => {
            let name = other.as_ref().unwrap_or(&app.name);
            let Some(app) = find(name, declarations) else {
                return Some(format!("no document declares app {name}"));
            };
            let ingress = app.configuration.ingress.iter();
            let mut traffic = ingress.flat_map(|ingress| &ingress.traffic);
            let is_label = traffic.any(|entry| entry.label.as_ref() == Some(label));
            (!is_label).then(|| format!("app {name} has no label {label} in its traffic"))
        }
    }
}

fn find<'d>(name: &AppName, declarations: &'d [Located<Declaration>]) -> Option<&'d ContainerApp> {
    declarations.iter().find_map(|one| match &one.value {
        Declaration::App(app) if app.name == *name => Some(&**app),
        _ => None,
    })
}

fn declares(declaration: &Declaration, revision: &RevisionName) -> bool {
    match declaration {
        Declaration::App(app) => {
            let suffix = app.template.revision_suffix.as_ref();
            let name = suffix.map(|suffix| format!("{}--{suffix}", app.name));
            name.as_deref() == Some(revision.as_str())
        }
        Declaration::Revision(declared) => declared.name == *revision,
        Declaration::Routes(_) => false,
    }
}
