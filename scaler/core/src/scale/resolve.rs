//! From a document's rules to what decisions follow.

use thiserror::Error;

use super::spec::ScaleSpec;
use crate::document::{ContainerApp, Template};

/// What is wrong with a scale rule, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct RuleError {
    /// The rule's name.
    pub rule: String,
    /// The field's path: `properties.template.scale.rules[0].http.metadata.concurrentRequests`.
    pub path: String,
    /// What is wrong with it, and what is allowed.
    pub message: String,
}

impl ScaleSpec {
    /// The spec of a revision: its template's limits and rules, and the app's policy.
    ///
    /// # Errors
    /// Every rule that cannot be understood.
    pub fn from_document(app: &ContainerApp, template: &Template) -> Result<Self, Vec<RuleError>> {
        let _ = (app, template);
        Err(Vec::new())
    }

    /// What about the spec will surprise its author, a sentence each.
    pub fn warnings(&self, app: &ContainerApp, template: &Template) -> Vec<String> {
        let _ = (app, template);
        Vec::new()
    }

    /// The longest window of any rule; what a [`RequestWindow`](crate::window::RequestWindow) of
    /// the revision has to remember.
    pub fn longest_window(&self) -> std::time::Duration {
        std::time::Duration::from_secs(15)
    }
}
