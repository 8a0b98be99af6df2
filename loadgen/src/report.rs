//! The report of a run.

pub(crate) mod model;

use crate::report::model::Report;

/// The JSON schema of a report.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Report)
}
