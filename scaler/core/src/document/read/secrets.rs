//! `configuration.secrets`, and references to them.

use std::collections::BTreeSet;

use crate::document::model::{Secret, SecretValue};
use crate::document::nearest::suggestion;
use crate::document::node::NodeValue;
use crate::document::reader::{Field, Reader};

/// The most secrets that a message lists.
const MOST_LISTED: usize = 10;

/// The names of an app's secrets.
#[derive(Debug, Default)]
pub(super) struct SecretNames(BTreeSet<String>);

/// Reads the list. Values never get into a message.
pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>) -> (Vec<Secret>, SecretNames) {
    let mut names = SecretNames::default();
    let mut secrets = Vec::new();
    for entry in reader.list(field) {
        secrets.extend(secret(reader, &entry, &mut names));
    }
    (secrets, names)
}

fn secret(reader: &mut Reader<'_>, field: &Field<'_>, names: &mut SecretNames) -> Option<Secret> {
    let mut object = reader.object(field)?;
    let name = object.require(reader, "name", "the name that `secretRef` uses");
    let value = object.get("value");
    object.accept(reader, &["keyVaultUrl", "identity"]);
    object.finish(reader);
    let name_field = name?;
    let name = reader.text(&name_field)?;
    if name.is_empty() {
        reader.error(&name_field, "must not be empty");
    }
    if !names.0.insert(name.clone()) {
        reader.error(
            &name_field,
            format!("a second secret has the name `{name}`"),
        );
    }
    // Azure's own tools leave values out, and a vault is somewhere else: whoever needs the value looks
    // for it there, or says that it is missing.
    let value = match value {
        Some(value) => Some(SecretValue::new(secret_text(reader, &value)?)),
        None => None,
    };
    Some(Secret { name, value })
}

/// A text that must not be shown, whatever is wrong with it.
fn secret_text(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<String> {
    if !matches!(field.node.value, NodeValue::Scalar(_)) {
        reader.error(field, "must be text");
        return None;
    }
    reader.text(field)
}

impl SecretNames {
    /// Reads a `secretRef` and reports it if there is no such secret.
    pub(super) fn reference(&self, reader: &mut Reader<'_>, field: &Field<'_>) -> Option<String> {
        let name = reader.text(field)?;
        if !self.0.contains(&name) {
            let known = || self.0.iter().map(String::as_str);
            let hint = match known().take(MOST_LISTED).collect::<Vec<_>>() {
                names if names.is_empty() => "; the app has none".to_owned(),
                names => match suggestion(&name, known()) {
                    hint if hint.is_empty() => format!("; the app has {}", names.join(", ")),
                    hint => hint,
                },
            };
            reader.error(field, format!("there is no secret `{name}`{hint}"));
        }
        Some(name)
    }
}

/// Reads a `secretRef`; the names are not known when only a revision is declared.
pub(super) fn reference(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    secrets: Option<&SecretNames>,
) -> Option<String> {
    match secrets {
        Some(secrets) => secrets.reference(reader, field),
        None => reader.text(field),
    }
}
