//! The trigger of a ScaledObject: what its metadata asks Ebbtide for.

mod keys;
mod own;
pub mod reach;
mod reading;
mod source;
#[cfg(test)]
mod tests;
mod unknown;

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

pub use keys::{KEYS, Key, keys_markdown};
pub use reading::{MAX_METADATA, metadata_size};

use crate::document::ScaleRule;
use crate::name::{AppName, RevisionName};
use crate::scale::ScaleSpec;
use reading::{MOST_WARNINGS, Reading};
use source::Source;

/// What a trigger asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Whose replicas it is about.
    pub subject: Subject,
    /// What the HPA is to reckon with.
    pub metrics: Metrics,
    /// What may surprise its author.
    pub warnings: Vec<String>,
}

/// Whose replicas a trigger is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Those of an app that Ebbtide runs, all or one revision's.
    App(Scope),
    /// Those of any target, by rules of the trigger's own.
    Rules(OwnRules),
}

/// An app that Ebbtide runs, all of it or one revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The app.
    pub app: AppName,
    /// One of its revisions; none is all that are active.
    pub revision: Option<RevisionName>,
}

impl Scope {
    /// `hello` or `hello--v1`.
    pub fn name(&self) -> &str {
        match &self.revision {
            Some(revision) => revision.as_str(),
            None => self.app.as_str(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.revision.is_some() {
            "revision"
        } else {
            "app"
        };
        write!(f, "{kind} {}", self.name())
    }
}

/// Rules of a trigger's own, for a target that Ebbtide need not know.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRules {
    /// What decisions follow.
    pub spec: ScaleSpec,
    /// Whose requests count; always there if a rule counts requests.
    pub traffic: Option<Scope>,
    /// The rules as read, for whoever reads their values; as many as the spec has and in its order.
    /// A value that a variable gave (`hostFromEnv`) is under the key itself (`host`).
    pub rules: Vec<ScaleRule>,
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
    /// The key; or the path in the list of rules, as in `rules[0].http.metadata.requestRate`.
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
        let mut reading = Reading::new(metadata);
        reading.check_size()?;
        let source = reading.source();
        let mut warnings = reading.unknown_keys(&source);
        let scope = reading.scope(&source);
        let metrics = reading.metrics();
        let subject = match &source {
            Source::App => scope.map(Subject::App),
            Source::Refused => None,
            Source::Rules(rules) => {
                let own = reading.own_rules(rules, scope, &mut warnings);
                own.map(Subject::Rules)
            }
        };
        warnings.truncate(MOST_WARNINGS);
        match subject {
            Some(subject) if reading.errors.is_empty() => Ok(Self {
                subject,
                metrics,
                warnings,
            }),
            _ => Err(reading.errors),
        }
    }
}
