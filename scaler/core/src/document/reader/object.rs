//! The properties of a mapping, asked for by name.

use std::ops::RangeInclusive;

use super::{Field, MOST_DIAGNOSTICS, Reader, join, shortened};
use crate::document::nearest::nearest;
use crate::document::node::{Entry, Position, find};

/// A mapping that is being read.
pub(crate) struct Object<'n> {
    entries: &'n [Entry],
    at: Position,
    pub(crate) path: String,
    known: Vec<&'static str>,
}

impl<'n> Object<'n> {
    /// The mapping of these entries, which begins at `at`.
    pub(super) fn new(entries: &'n [Entry], at: Position, path: String) -> Self {
        Self {
            entries,
            at,
            path,
            known: Vec::new(),
        }
    }

    /// The value of `key`, which becomes a known key; none when it is absent or null.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.known.push(key);
        let entry = find(self.entries, key).filter(|entry| !entry.value.is_null())?;
        Some(Field {
            node: &entry.value,
            path: join(&self.path, key),
        })
    }

    /// The value of `key`, or an error that it is missing and what it must be.
    pub(crate) fn require(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        what: &str,
    ) -> Option<Field<'n>> {
        let field = self.get(key);
        if field.is_none() {
            let path = join(&self.path, key);
            reader.error_at(self.at, &path, format!("is missing; give {what}"));
        }
        field
    }

    /// Keeps these properties without acting on them.
    pub(crate) fn accept(&mut self, reader: &mut Reader<'_>, keys: &[&'static str]) {
        for key in keys {
            if let Some(field) = self.get(key) {
                reader.accept(&field);
            }
        }
    }

    /// Knows these properties, which say nothing to whoever declares an app.
    pub(crate) fn ignore(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// A text, if given.
    pub(crate) fn text(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
        self.get(key).and_then(|field| reader.text(&field))
    }

    /// A boolean; false if absent.
    pub(crate) fn boolean(&mut self, reader: &mut Reader<'_>, key: &'static str) -> bool {
        (self.get(key).and_then(|field| reader.boolean(&field))).unwrap_or(false)
    }

    /// A whole number, if given.
    pub(crate) fn integer(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        (self.get(key)).and_then(|field| reader.integer(&field, range))
    }

    /// A port, if given.
    pub(crate) fn port(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u16> {
        self.get(key).and_then(|field| reader.port(&field))
    }

    /// The entries of a list; none if it is absent.
    pub(crate) fn list(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<Field<'n>> {
        self.get(key)
            .map_or_else(Vec::new, |field| reader.list(&field))
    }

    /// A list of texts; empty if absent.
    pub(crate) fn texts(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<String> {
        self.get(key)
            .map_or_else(Vec::new, |field| reader.texts(&field))
    }

    /// Where the mapping begins.
    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// Warns of the properties that nobody asked for.
    pub(crate) fn finish(self, reader: &mut Reader<'_>) {
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            if reader.warnings.len() >= MOST_DIAGNOSTICS {
                return;
            }
            let known = || self.known.iter().copied();
            let path = join(&self.path, &shortened(&entry.key));
            let hint = match nearest(&entry.key, known()) {
                Some(key) if key.eq_ignore_ascii_case(&entry.key) => {
                    let message = format!("read as `{key}`, which is how it is written");
                    reader.warn_at(entry.at, &path, message);
                    continue;
                }
                Some(key) => format!("; did you mean `{key}`?"),
                // Azure shows properties that are not set as null, new ones too.
                None if entry.value.is_null() => continue,
                None => String::new(),
            };
            reader.unknown_at(entry.at, &path, &hint);
        }
    }
}
