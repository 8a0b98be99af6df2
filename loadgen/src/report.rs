//! What a run found: one model, and every form in which it is shown.

pub(crate) mod columns;
pub(crate) mod compare;
pub(crate) mod csv;
pub(crate) mod head;
pub(crate) mod hgrm;
pub(crate) mod histogram;
pub(crate) mod html;
pub(crate) mod interval;
pub(crate) mod make;
pub(crate) mod merge;
pub(crate) mod model;
pub(crate) mod read;
pub(crate) mod text;
pub(crate) mod verdict;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod tests;

use crate::report::model::Report;

/// The JSON schema of a report.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Report)
}
