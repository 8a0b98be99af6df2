//! The report of a run.

pub(crate) mod model;
