//! `rules[].targets`.

use crate::document::model::{HttpRouteRevision, HttpRouteTarget};
use crate::document::reader::{Field, Reader};
use crate::name::{AppName, RevisionName};

use super::super::traffic;

/// Reads the targets. Their weights sum to 100; one alone may leave it out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    entries: &[Field<'_>],
) -> Vec<HttpRouteTarget> {
    let errors = reader.errors.len();
    let is_alone = entries.len() == 1;
    let mut targets: Vec<HttpRouteTarget> = Vec::new();
    for entry in entries {
        let Some(target) = target(reader, entry, is_alone) else {
            continue;
        };
        let same = |one: &HttpRouteTarget| one.app == target.app && one.revision == target.revision;
        if targets.iter().any(same) {
            reader.error(
                entry,
                "is the same target a second time; give it once, with one weight",
            );
        }
        targets.push(target);
    }
    let sum: u32 = targets.iter().map(|target| target.weight).sum();
    if sum != 100 && !targets.is_empty() && reader.errors.len() == errors {
        let message = format!("weights sum to {sum}; they must sum to 100");
        reader.error(field, message);
    }
    targets
}

fn target(reader: &mut Reader<'_>, field: &Field<'_>, is_alone: bool) -> Option<HttpRouteTarget> {
    let mut object = reader.object(field)?;
    let app = object.require(reader, "containerApp", "the app's name");
    let given = |field: &Field<'_>| field.node.text() != Some("");
    let revision = object.get("revision").filter(given);
    let label = object.get("label").filter(given);
    let weight = object.get("weight");
    object.finish(reader);

    let weight = match weight {
        Some(field) => reader.integer(&field, 0..=100)?,
        None if is_alone => 100,
        None => 0,
    };
    let app = app?;
    let name = reader.text(&app)?;
    let name = AppName::new(&name).map_err(|error| reader.error(&app, error.to_string()));
    let name = name.ok()?;
    let revision = match (revision, label) {
        (Some(_), Some(_)) => {
            reader.error(field, "give `revision` or `label`, not both");
            return None;
        }
        (Some(field), None) => HttpRouteRevision::Named(revision_name(reader, &field, &name)?),
        (None, Some(field)) => HttpRouteRevision::Labelled(traffic::label(reader, &field)?),
        (None, None) => HttpRouteRevision::ByTraffic,
    };
    Some(HttpRouteTarget {
        app: name,
        revision,
        weight,
    })
}

/// A revision's name; without `--` it is the suffix of one of the app's revisions.
fn revision_name(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    app: &AppName,
) -> Option<RevisionName> {
    let text = reader.text(field)?;
    let name = if text.contains("--") {
        RevisionName::parse(&text)
    } else {
        RevisionName::new(app, &text)
    };
    match name {
        Ok(name) if name.app() == app.as_str() => Some(name),
        Ok(name) => {
            let message = format!("`{name}` is a revision of `{}`, not of `{app}`", name.app());
            reader.error(field, message);
            None
        }
        Err(error) => {
            reader.error(field, error.to_string());
            None
        }
    }
}
