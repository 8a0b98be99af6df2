//! Reading a tree with every complaint collected: the reader goes on after an error, so that all
//! errors of a document are reported at once.
//!
//! The properties that are asked of an [`Object`] are its known ones. Whatever else it has is
//! reported by [`Object::finish`].

mod object;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_json::Value;

use super::diagnostic::Diagnostic;
use super::nearest::suggestion;
use super::node::{Entry, Node, NodeValue, Position, Scalar, Unresolved};
pub(crate) use object::Object;

/// The most errors, and the most warnings, that are kept of a document.
pub(crate) const MOST_DIAGNOSTICS: usize = 1000;

/// What messages say in the place of a value that may be a secret.
pub(crate) const HIDDEN: &str = "the variable's value";

/// Collects what is wrong with a document, and what it has that is not acted on.
pub(crate) struct Reader<'s> {
    source: &'s str,
    /// Where in the file the document is, such as `resources[3]`.
    prefix: String,
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// The properties that nothing reads, as said beside errors, which they may explain.
    pub(crate) unknown: Vec<Diagnostic>,
    /// Properties accepted and not acted on, by their path.
    pub(crate) accepted: BTreeMap<String, Value>,
    reported: BTreeSet<String>,
}

/// A node and the path that leads to it.
#[derive(Clone, Debug)]
pub(crate) struct Field<'n> {
    pub(crate) node: &'n Node,
    pub(crate) path: String,
}

impl<'s> Reader<'s> {
    /// A reader of one document of `source`.
    pub(crate) fn new(source: &'s str, prefix: String) -> Self {
        Self {
            source,
            prefix,
            errors: Vec::new(),
            warnings: Vec::new(),
            unknown: Vec::new(),
            accepted: BTreeMap::new(),
            reported: BTreeSet::new(),
        }
    }

    pub(crate) fn error(&mut self, field: &Field<'_>, message: impl Into<String>) {
        self.error_at(field.node.at, &field.path, message);
    }

    pub(crate) fn warn(&mut self, field: &Field<'_>, message: impl Into<String>) {
        self.warn_at(field.node.at, &field.path, message);
    }

    pub(crate) fn error_at(&mut self, at: Position, path: &str, message: impl Into<String>) {
        if self.errors.len() < MOST_DIAGNOSTICS {
            let diagnostic = self.diagnostic(at, path, message.into());
            self.errors.push(diagnostic);
        }
    }

    pub(crate) fn warn_at(&mut self, at: Position, path: &str, message: impl Into<String>) {
        if self.warnings.len() < MOST_DIAGNOSTICS {
            let diagnostic = self.diagnostic(at, path, message.into());
            self.warnings.push(diagnostic);
        }
    }

    /// Warns of a property that nothing reads; `hint` says what was probably meant.
    pub(crate) fn unknown_at(&mut self, at: Position, path: &str, hint: &str) {
        self.warn_at(at, path, format!("unknown property, ignored{hint}"));
        if self.unknown.len() < MOST_DIAGNOSTICS {
            let diagnostic = self.diagnostic(at, path, format!("unknown property{hint}"));
            self.unknown.push(diagnostic);
        }
    }

    /// What messages call the text.
    pub(crate) fn source(&self) -> &'s str {
        self.source
    }

    pub(crate) fn diagnostic(&self, at: Position, path: &str, message: String) -> Diagnostic {
        Diagnostic {
            source: self.source.to_owned(),
            line: at.line,
            column: at.column,
            path: join(&self.prefix, path),
            message,
        }
    }

    /// Keeps a property as it was written and says once that it is not acted on; the same
    /// property of further list entries is not mentioned again.
    pub(crate) fn accept(&mut self, field: &Field<'_>) {
        self.report_placeholders(field);
        self.accepted
            .insert(field.path.clone(), field.node.to_value());
        self.not_acted_on(field);
    }

    fn report_placeholders(&mut self, field: &Field<'_>) {
        match &field.node.value {
            NodeValue::Scalar(scalar) => {
                if let Some(Unresolved::Placeholder(message)) = &scalar.unresolved {
                    self.error(field, message);
                }
            }
            NodeValue::Sequence(items) => {
                for (index, node) in items.iter().enumerate() {
                    let path = format!("{}[{index}]", field.path);
                    self.report_placeholders(&Field { node, path });
                }
            }
            NodeValue::Mapping(entries) => {
                for entry in entries {
                    self.report_placeholders(&entry.field(&field.path));
                }
            }
        }
    }

    /// Says that a property which is kept in the model is not acted on.
    pub(crate) fn not_acted_on(&mut self, field: &Field<'_>) {
        if self.reported.insert(without_indices(&field.path)) {
            self.warn(field, "accepted, not acted on yet");
        }
    }

    /// The properties of a mapping.
    pub(crate) fn object<'n>(&mut self, field: &Field<'n>) -> Option<Object<'n>> {
        if let NodeValue::Mapping(entries) = &field.node.value {
            return Some(Object::new(entries, field.node.at, field.path.clone()));
        }
        self.error_type(field, "a mapping");
        None
    }

    /// The keys and values of a mapping whose keys are the user's own; those that are null are
    /// left out.
    pub(crate) fn entries<'n>(&mut self, field: &Field<'n>) -> Vec<(&'n str, Field<'n>)> {
        let NodeValue::Mapping(entries) = &field.node.value else {
            self.error_type(field, "a mapping");
            return Vec::new();
        };
        (entries.iter())
            .filter(|entry| !entry.value.is_null())
            .map(|entry| (entry.key.as_str(), entry.field(&field.path)))
            .collect()
    }

    /// The entries of a list; those that are null are left out.
    pub(crate) fn list<'n>(&mut self, field: &Field<'n>) -> Vec<Field<'n>> {
        let NodeValue::Sequence(items) = &field.node.value else {
            self.error_type(field, "a list");
            return Vec::new();
        };
        let path = |index| format!("{}[{index}]", field.path);
        (items.iter().filter(|node| !node.is_null()).enumerate())
            .map(|(index, node)| Field {
                node,
                path: path(index),
            })
            .collect()
    }

    /// A text, or a number or boolean as text, as Azure's command line takes them.
    pub(crate) fn text(&mut self, field: &Field<'_>) -> Option<String> {
        let text = self.scalar(field, "text")?.text.clone();
        if text.contains('\0') {
            self.error(field, "must not have a NUL character");
            return None;
        }
        Some(text)
    }

    /// `true` or `false`, in any case, as a boolean or as text.
    pub(crate) fn boolean(&mut self, field: &Field<'_>) -> Option<bool> {
        let scalar = self.scalar(field, "true or false")?;
        let (text, plain) = (scalar.text.to_ascii_lowercase(), scalar.plain);
        match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            // Azure's command line reads YAML 1.1.
            "yes" | "on" if plain => Some(true),
            "no" | "off" if plain => Some(false),
            _ => {
                self.error_type(field, "true or false");
                None
            }
        }
    }

    /// A whole number, as a number or as text.
    pub(crate) fn integer(&mut self, field: &Field<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let (low, high) = range.clone().into_inner();
        let wanted = match high {
            u32::MAX => format!("a whole number of at least {low}"),
            _ => format!("a whole number from {low} to {high}"),
        };
        let text = self.scalar(field, &wanted)?.text.trim();
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.error_type(field, &wanted);
        }
        number
    }

    /// A port.
    pub(crate) fn port(&mut self, field: &Field<'_>) -> Option<u16> {
        let number = self.integer(field, 1..=u32::from(u16::MAX))?;
        u16::try_from(number).ok()
    }

    /// One of the given names, in any case.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        field: &Field<'_>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let wanted = format!("one of {}", names().collect::<Vec<_>>().join(", "));
        let text = &self.scalar(field, &wanted)?.text;
        let chosen = choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        if chosen.is_none() {
            let hint = suggestion(text, names());
            self.error_type(field, &format!("{wanted}{hint}"));
        }
        chosen.map(|(_, value)| *value)
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, field: &Field<'_>) -> Vec<String> {
        let items = self.list(field);
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// A scalar that has a value.
    pub(crate) fn scalar<'n>(&mut self, field: &Field<'n>, wanted: &str) -> Option<&'n Scalar> {
        let NodeValue::Scalar(scalar) = &field.node.value else {
            self.error_type(field, wanted);
            return None;
        };
        if scalar.unresolved.is_some() {
            self.report_unresolved(field, scalar);
            return None;
        }
        Some(scalar)
    }

    fn report_unresolved(&mut self, field: &Field<'_>, scalar: &Scalar) {
        match &scalar.unresolved {
            None | Some(Unresolved::Reported) => {}
            Some(Unresolved::Placeholder(message) | Unresolved::Expression(message)) => {
                self.error(field, message);
            }
        }
    }

    /// Says what was expected in the place of what is there.
    pub(crate) fn error_type(&mut self, field: &Field<'_>, wanted: &str) {
        let found = match &field.node.value {
            NodeValue::Scalar(scalar) if scalar.unresolved.is_some() => {
                self.report_unresolved(field, scalar);
                return;
            }
            NodeValue::Scalar(scalar) if scalar.hidden => HIDDEN.to_owned(),
            NodeValue::Scalar(scalar) => format!("`{}`", shortened(&scalar.text)),
            NodeValue::Sequence(_) => "a list".to_owned(),
            NodeValue::Mapping(_) => "a mapping".to_owned(),
        };
        self.error(field, format!("found {found}; expected {wanted}"));
    }
}

impl Entry {
    /// The entry's value under the path of its mapping.
    pub(crate) fn field(&self, parent: &str) -> Field<'_> {
        Field {
            node: &self.value,
            path: join(parent, &self.key),
        }
    }
}

fn join(parent: &str, key: &str) -> String {
    match (parent, key) {
        ("", _) => key.to_owned(),
        (_, "") => parent.to_owned(),
        _ => format!("{parent}.{key}"),
    }
}

/// The path with `[]` in the place of `[3]`.
fn without_indices(path: &str) -> String {
    path.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// At most the first 60 characters, on one line.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = line.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
