//! From the text of a scenario to its document.

use serde_saphyr::{DefaultMessageFormatter, Error, MessageFormatter as _};

use super::document::Document;
use super::positions::Positions;
use super::problem::{Placed, ScenarioError};
use crate::nearest::suggestion;

/// Reads a scenario; `name` is what errors call the file.
pub(super) fn read(name: &str, text: &str) -> Result<(Document, Positions), ScenarioError> {
    let mut path = String::new();
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|error| {
            path = error.path().to_string();
            error.into_inner()
        })
    });
    let positions = Positions::of(text);
    match read {
        Ok(document) => Ok((document, positions)),
        Err(error) => Err(ScenarioError(vec![placed(name, &path, &error, &positions)])),
    }
}

fn placed(name: &str, path: &str, error: &Error, positions: &Positions) -> Placed {
    // The place that a path is given where nothing of the document was begun.
    let path = if matches!(path, "." | "?") { "" } else { path };
    let own = error.location().filter(|location| location.line() > 0);
    let own = own.map(|location| (location.line(), location.column()));
    Placed {
        file: Some(name.to_owned()),
        position: own.or_else(|| positions.find(path)),
        field: path.to_owned(),
        message: message(error),
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => unknown("field", field, expected),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => unknown("choice", variant, expected),
        Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        Error::Eof { .. } => {
            "the file is empty: a scenario has `targets` and a `schedule`".to_owned()
        }
        Error::MultipleDocuments { .. } => {
            "a file has one scenario: remove what follows `---`".to_owned()
        }
        other => DefaultMessageFormatter.format_message(other).into_owned(),
    }
}

fn unknown(what: &str, given: &str, known: &[&'static str]) -> String {
    let meant = suggestion(given, known.iter().copied());
    let known = known.join(", ");
    format!("`{given}` is no {what} here{meant} (there are {known})")
}
