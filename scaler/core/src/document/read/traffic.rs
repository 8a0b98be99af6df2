//! `ingress.traffic`.

use std::collections::BTreeSet;

use crate::document::model::{ActiveRevisionsMode, TrafficTarget, TrafficWeight};
use crate::document::reader::{Field, Reader, shortened};
use crate::name::{AppName, RevisionName};

/// Reads the entries. Their weights sum to 100, or there are none.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    app: Option<&AppName>,
    mode: ActiveRevisionsMode,
) -> Vec<TrafficWeight> {
    let errors = reader.errors.len();
    let mut labels = BTreeSet::new();
    let mut weights = Vec::new();
    for entry in reader.list(field) {
        if let Some(weight) = weight(reader, &entry, app, mode) {
            if let Some(label) = &weight.label
                && !labels.insert(label.clone())
            {
                reader.error(&entry, format!("the label `{label}` is given twice"));
            }
            weights.push(weight);
        }
    }
    let sum: u32 = weights.iter().map(|weight| weight.weight).sum();
    if sum != 100 && !weights.is_empty() && reader.errors.len() == errors {
        let message = format!("traffic weights sum to {sum}; they must sum to 100");
        reader.error(field, message);
    }
    weights
}

fn weight(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    app: Option<&AppName>,
    mode: ActiveRevisionsMode,
) -> Option<TrafficWeight> {
    let mut object = reader.object(field)?;
    let latest = object.boolean(reader, "latestRevision");
    let revision = object.get("revisionName").filter(|name| {
        // An empty name is how some tools write none.
        name.node.text().is_none_or(|text| !text.is_empty())
    });
    let weight_field = object.get("weight");
    let label = object
        .get("label")
        .filter(|label| label.node.text() != Some(""));
    object.finish(reader);

    let weight = match weight_field {
        Some(field) => reader.integer(&field, 0..=100)?,
        None => 0,
    };
    let label = label.and_then(|label| read_label(reader, &label, mode));
    let target = match (latest, revision) {
        (true, None) => TrafficTarget::LatestRevision,
        (false, Some(name)) => TrafficTarget::Revision(revision_name(reader, &name, app, mode)?),
        (true, Some(_)) => {
            reader.error(
                field,
                "give `latestRevision: true` or `revisionName`, not both",
            );
            return None;
        }
        (false, None) => {
            reader.error(field, "needs `latestRevision: true` or `revisionName`");
            return None;
        }
    };
    Some(TrafficWeight {
        target,
        weight,
        label,
    })
}

/// A revision's name; without `--` it is the suffix of one of this app's revisions.
fn revision_name(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    app: Option<&AppName>,
    mode: ActiveRevisionsMode,
) -> Option<RevisionName> {
    let text = reader.text(field)?;
    let is_suffix = !text.contains("--");
    let name = match app.filter(|_| is_suffix) {
        Some(app) => RevisionName::new(app, &text),
        // The app's name is wrong, which is reported; with it, this may be right.
        None if is_suffix => return None,
        None => RevisionName::parse(&text),
    };
    let name = match name {
        Ok(name) => name,
        Err(error) => {
            reader.error(field, error.to_string());
            return None;
        }
    };
    if is_suffix {
        reader.warn(field, format!("is not `app--suffix`; read as `{name}`"));
    }
    if let Some(app) = app
        && app.as_str() != name.app()
    {
        let message = format!("`{name}` is a revision of `{}`, not of `{app}`", name.app());
        reader.error(field, message);
        return None;
    }
    if mode == ActiveRevisionsMode::Single {
        let message = "in Single mode the latest ready revision gets all traffic; set \
                       `activeRevisionsMode: Multiple` to send it to this one";
        reader.warn(field, message);
    }
    Some(name)
}

fn read_label(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    mode: ActiveRevisionsMode,
) -> Option<String> {
    let label = label(reader, field)?;
    if mode == ActiveRevisionsMode::Single {
        reader.warn(field, "labels take effect in Multiple mode only");
    }
    Some(label)
}

/// Whether a text can be a label.
pub(crate) fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text.bytes().all(allowed)
        && !text.contains("--")
        && !text.ends_with('-')
}

/// A label's name.
pub(super) fn label(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<String> {
    let label = reader.text(field)?;
    if !is_label(&label) {
        let rule = "begin with a lowercase letter, use lowercase letters, digits and single '-', \
                    and at most 64 characters";
        reader.error(
            field,
            format!("`{}` is not a label: {rule}", shortened(&label)),
        );
        return None;
    }
    Some(label)
}
