//! Why something could not be done to an app. Nothing was changed.

use thiserror::Error;

use crate::name::RevisionName;

/// Why something could not be done to an app. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppError {
    /// There is no such revision; says which there are.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for does not go with the present state; says what to do first.
    #[error("{0}")]
    Conflict(String),
    /// What was asked for is wrong in itself; all that is wrong, at least one.
    #[error("{}", join(.0))]
    Invalid(Vec<Problem>),
}

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct Problem {
    /// The field's path: `properties.configuration.ingress.traffic[1].label`.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl AppError {
    pub(super) fn invalid(path: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(path, message)])
    }
}

impl Problem {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

fn join(problems: &[Problem]) -> String {
    let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
    problems.join("; ")
}

/// `hello--v1, hello--v2`, at most ten of them.
pub(super) fn list<'a>(names: impl ExactSizeIterator<Item = &'a RevisionName>) -> String {
    const SHOWN: usize = 10;
    let more = names.len().saturating_sub(SHOWN);
    let names: Vec<&str> = names.take(SHOWN).map(RevisionName::as_str).collect();
    let names = names.join(", ");
    if more == 0 {
        return names;
    }
    format!("{names} and {more} more")
}
