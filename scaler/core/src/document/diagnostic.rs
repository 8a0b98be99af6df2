//! What is said about a document, and where.

use std::cmp::Ordering;
use std::fmt;

/// Something to say about one place of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file's path, or `request body`.
    pub source: String,
    /// The line, from one.
    pub line: u64,
    /// The column, from one, in characters.
    pub column: u64,
    /// The property, as in `properties.template.scale.minReplicas`; empty for the document.
    pub path: String,
    /// What is wrong and what would be right. Never the value of a secret.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.source, self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl Diagnostic {
    /// By place first.
    pub(crate) fn in_order(&self, other: &Self) -> Ordering {
        let place = |one: &Self| (one.line, one.column);
        place(self).cmp(&place(other)).then_with(|| self.cmp(other))
    }
}

/// A value and where it was declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The file's path, or `request body`.
    pub source: String,
    /// The line at which it begins, from one.
    pub line: u64,
}
