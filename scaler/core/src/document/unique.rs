//! No name is declared twice.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Located};
use super::model::Declaration;

/// Checks that no two documents declare the same app or the same revision.
///
/// # Errors
/// One for each document that comes second; it names both places.
pub fn check_unique(declarations: &[Located<Declaration>]) -> Result<(), Vec<Diagnostic>> {
    let mut first: BTreeMap<String, &Located<Declaration>> = BTreeMap::new();
    let mut errors = Vec::new();
    for declaration in declarations {
        for (name, what) in names(&declaration.value) {
            let before = *first.entry(name.clone()).or_insert(declaration);
            if !std::ptr::eq(before, declaration) {
                errors.push(twice(declaration, before, &name, what));
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// The names that a document takes. An app's `revisionSuffix` names its latest revision.
fn names(declaration: &Declaration) -> Vec<(String, &'static str)> {
    match declaration {
        Declaration::App(app) => {
            let suffix = app.template.revision_suffix.as_ref();
            let revision = suffix.map(|suffix| (format!("{}--{suffix}", app.name), "revision"));
            let name = (app.name.to_string(), "app");
            [Some(name), revision].into_iter().flatten().collect()
        }
        Declaration::Revision(revision) => vec![(revision.name.to_string(), "revision")],
    }
}

fn twice(
    second: &Located<Declaration>,
    first: &Located<Declaration>,
    name: &str,
    what: &str,
) -> Diagnostic {
    let (source, line) = (&first.source, first.line);
    Diagnostic {
        source: second.source.clone(),
        line: second.line,
        column: 1,
        path: "name".to_owned(),
        message: format!(
            "the {what} `{name}` is declared a second time; {source}:{line} declares it too"
        ),
    }
}
