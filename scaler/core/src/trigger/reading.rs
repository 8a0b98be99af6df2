//! The values of a trigger's metadata, with every error collected.

use std::collections::BTreeMap;

use super::{Metrics, Scope, Source, TriggerError};
use crate::document::HIDDEN;
use crate::name::{AppName, RevisionName};
use crate::scaler::FROM_ENV;

/// The most that the metadata of a trigger may have, in bytes of keys and values.
pub const MAX_METADATA: usize = 64 * 1024;

/// The most warnings about one trigger.
pub(super) const MOST_WARNINGS: usize = 16;

/// The most errors about one trigger: they are sent in a header.
const MOST_ERRORS: usize = 32;

/// The most of a key or value that a message shows, in characters.
pub(super) const LONGEST_SHOWN: usize = 80;

/// The most of a message about one key, in characters.
const LONGEST_MESSAGE: usize = 400;

/// The bytes of a trigger's metadata, keys and values.
pub fn metadata_size(metadata: &BTreeMap<String, String>) -> usize {
    let sizes = metadata.iter().map(|(key, value)| key.len() + value.len());
    sizes.sum()
}

/// At most the first `longest` characters.
pub(super) fn start(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// A value, and whether messages may show it.
#[derive(Clone, Copy)]
pub(super) struct Given<'m> {
    pub(super) value: &'m str,
    pub(super) is_shown: bool,
}

impl Given<'_> {
    pub(super) fn shown(&self) -> String {
        if self.is_shown {
            format!("{:?}", start(self.value, LONGEST_SHOWN))
        } else {
            HIDDEN.to_owned()
        }
    }
}

pub(super) struct Reading<'m> {
    pub(super) metadata: &'m BTreeMap<String, String>,
    pub(super) errors: Vec<TriggerError>,
}

impl<'m> Reading<'m> {
    pub(super) fn new(metadata: &'m BTreeMap<String, String>) -> Self {
        let errors = Vec::new();
        Self { metadata, errors }
    }

    pub(super) fn wrong(&mut self, key: &str, message: &str) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(TriggerError {
                key: start(key, LONGEST_SHOWN),
                message: start(message, LONGEST_MESSAGE),
            });
        }
    }

    /// A key's value, given itself or by a variable; one without a value is none. Asked twice, it
    /// reports twice.
    pub(super) fn text(&mut self, key: &str) -> Option<Given<'m>> {
        let plain = self.metadata.get(key).map(|value| Given {
            value: value.trim(),
            is_shown: true,
        });
        let variable = self.metadata.get(&format!("{key}{FROM_ENV}"));
        let variable = variable.map(|value| Given {
            value: value.trim(),
            is_shown: false,
        });
        if plain.is_some() && variable.is_some() {
            self.wrong(key, &format!("give {key} or {key}{FROM_ENV}, not both"));
        }
        plain.or(variable).filter(|given| !given.value.is_empty())
    }

    /// Whether a key has a value, from wherever.
    pub(super) fn has(&self, key: &str) -> bool {
        let has = |key: &str| {
            let value = self.metadata.get(key);
            value.is_some_and(|value| !value.trim().is_empty())
        };
        has(key) || has(&format!("{key}{FROM_ENV}"))
    }

    pub(super) fn check_size(&self) -> Result<(), Vec<TriggerError>> {
        let size = metadata_size(self.metadata);
        if size <= MAX_METADATA {
            return Ok(());
        }
        Err(vec![TriggerError {
            key: "metadata".to_owned(),
            message: format!("has {size} bytes; at most {MAX_METADATA} are read"),
        }])
    }

    /// The app that the trigger names, and its revision.
    pub(super) fn scope(&mut self, source: &Source<'_>) -> Option<Scope> {
        let Some(given) = self.text("app") else {
            if matches!(source, Source::App) {
                let message = "is missing; give the name of an app that Ebbtide runs, or rules of \
                               the trigger's own: rules, or type and its keys";
                self.wrong("app", message);
            } else if self.text("revision").is_some() {
                self.wrong("revision", "needs app, the app whose revision it is");
            }
            return None;
        };
        let app = match AppName::new(given.value) {
            Ok(app) => app,
            Err(error) => {
                let message = if given.is_shown {
                    error.to_string()
                } else {
                    format!("{HIDDEN} is not an app name")
                };
                self.wrong("app", &message);
                return None;
            }
        };
        let revision = self.revision(&app);
        Some(Scope { app, revision })
    }

    /// `hello--v1`, or `v1` alone.
    fn revision(&mut self, app: &AppName) -> Option<RevisionName> {
        let given = self.text("revision")?;
        let prefix = format!("{app}--");
        let suffix = given.value.strip_prefix(&prefix).unwrap_or(given.value);
        let revision = RevisionName::new(app, suffix).ok();
        if revision.is_none() {
            let shown = given.shown();
            let message =
                format!("{shown} is no revision of {app}; give {prefix}SUFFIX, or SUFFIX");
            self.wrong("revision", &message);
        }
        revision
    }

    pub(super) fn metrics(&mut self) -> Metrics {
        let Some(given) = self.text("metrics") else {
            return Metrics::default();
        };
        match given.value.to_ascii_lowercase().as_str() {
            "aggregate" => Metrics::Aggregate,
            "per-rule" => Metrics::PerRule,
            _ => {
                let shown = given.shown();
                let message = format!("{shown} is neither aggregate nor per-rule");
                self.wrong("metrics", &message);
                Metrics::default()
            }
        }
    }
}
