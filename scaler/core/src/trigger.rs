//! The trigger of a ScaledObject: what its metadata asks Ebbtide for.

mod keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

pub use keys::{KEYS, Key, keys_markdown};

use crate::document::suggestion;
use crate::name::{AppName, RevisionName};

/// The most that the metadata of a trigger may have, in bytes of keys and values.
pub const MAX_METADATA: usize = 64 * 1024;

/// What a trigger asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Whose replicas it is about.
    pub subject: Subject,
    /// What the HPA is to reckon with.
    pub metrics: Metrics,
    /// What may surprise its author.
    pub warnings: Vec<String>,
}

/// Whose replicas a trigger is about: those of an app that Ebbtide runs, all or one revision's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The app.
    pub app: AppName,
    /// One of its revisions; none is all that are active.
    pub revision: Option<RevisionName>,
}

impl Subject {
    /// `hello` or `hello--v1`.
    pub fn name(&self) -> &str {
        match &self.revision {
            Some(revision) => revision.as_str(),
            None => self.app.as_str(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.revision.is_some() {
            "revision"
        } else {
            "app"
        };
        write!(f, "{kind} {}", self.name())
    }
}

/// What the HPA is to reckon with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metrics {
    /// One metric, the number of replicas decided, with target 1.
    #[default]
    Aggregate,
    /// A metric for each rule, with the rule's target, so that the HPA shows them.
    PerRule,
}

/// What is wrong with a key of a trigger's metadata, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {message}")]
pub struct TriggerError {
    /// The key.
    pub key: String,
    /// What was given, and what would be right.
    pub message: String,
}

impl Trigger {
    /// Reads the metadata of a trigger as KEDA sends it: all keys of the trigger, KEDA's own too.
    ///
    /// A key that ends in `FromEnv` has the value of a variable, which may be a secret: it is not
    /// repeated in any message.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(metadata: &BTreeMap<String, String>) -> Result<Self, Vec<TriggerError>> {
        let mut reading = Reading {
            metadata,
            errors: Vec::new(),
        };
        reading.check_size()?;
        let warnings = reading.unknown_keys();
        let app = reading.app();
        let revision = app.as_ref().and_then(|app| reading.revision(app));
        let metrics = reading.metrics();
        match app {
            Some(app) if reading.errors.is_empty() => Ok(Self {
                subject: Subject { app, revision },
                metrics,
                warnings,
            }),
            _ => Err(reading.errors),
        }
    }
}

/// The bytes of a trigger's metadata, keys and values.
pub fn metadata_size(metadata: &BTreeMap<String, String>) -> usize {
    let sizes = metadata.iter().map(|(key, value)| key.len() + value.len());
    sizes.sum()
}

struct Reading<'m> {
    metadata: &'m BTreeMap<String, String>,
    errors: Vec<TriggerError>,
}

impl<'m> Reading<'m> {
    fn wrong(&mut self, key: &str, message: String) {
        let key = key.to_owned();
        self.errors.push(TriggerError { key, message });
    }

    /// A key's value, given itself or by a variable; one without a value is none.
    fn text(&mut self, key: &str) -> Option<Given<'m>> {
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
            self.wrong(key, format!("give {key} or {key}{FROM_ENV}, not both"));
        }
        plain.or(variable).filter(|given| !given.value.is_empty())
    }

    fn check_size(&self) -> Result<(), Vec<TriggerError>> {
        let size = metadata_size(self.metadata);
        if size <= MAX_METADATA {
            return Ok(());
        }
        Err(vec![TriggerError {
            key: "metadata".to_owned(),
            message: format!("has {size} bytes; at most {MAX_METADATA} are read"),
        }])
    }

    fn app(&mut self) -> Option<AppName> {
        let Some(given) = self.text("app") else {
            let message = "is missing; give the name of an app that Ebbtide runs. Rules of a \
                           trigger's own are not read yet";
            self.wrong("app", message.to_owned());
            return None;
        };
        match AppName::new(given.value) {
            Ok(app) => Some(app),
            Err(error) if given.is_shown => {
                self.wrong("app", error.to_string());
                None
            }
            Err(_) => {
                self.wrong("app", format!("{} is not an app name", given.shown()));
                None
            }
        }
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
            self.wrong("revision", message);
        }
        revision
    }

    fn metrics(&mut self) -> Metrics {
        let Some(given) = self.text("metrics") else {
            return Metrics::default();
        };
        match given.value.to_ascii_lowercase().as_str() {
            "aggregate" => Metrics::Aggregate,
            "per-rule" => Metrics::PerRule,
            _ => {
                let shown = given.shown();
                self.wrong(
                    "metrics",
                    format!("{shown} is neither aggregate nor per-rule"),
                );
                Metrics::default()
            }
        }
    }

    /// A warning for each key that means nothing, with the one that was probably meant.
    fn unknown_keys(&self) -> Vec<String> {
        let known = || KEYS.iter().map(|key| key.name);
        let keys = self.metadata.keys().map(String::as_str);
        let unknown = keys.filter(|key| {
            let name = key.strip_suffix(FROM_ENV).unwrap_or(key);
            !known().any(|known| known == name)
        });
        unknown
            .take(MOST_WARNINGS)
            .map(|key| {
                let key: String = key.chars().take(LONGEST_SHOWN).collect();
                format!("{key}: unknown key, ignored{}", suggestion(&key, known()))
            })
            .collect()
    }
}

/// The most warnings about one trigger.
const MOST_WARNINGS: usize = 16;

/// The most of a key or value that a message shows, in characters.
const LONGEST_SHOWN: usize = 80;

const FROM_ENV: &str = "FromEnv";

/// A value, and whether messages may show it.
#[derive(Clone, Copy)]
struct Given<'m> {
    value: &'m str,
    is_shown: bool,
}

impl Given<'_> {
    fn shown(&self) -> String {
        if self.is_shown {
            let start: String = self.value.chars().take(LONGEST_SHOWN).collect();
            format!("{start:?}")
        } else {
            "the variable's value".to_owned()
        }
    }
}
