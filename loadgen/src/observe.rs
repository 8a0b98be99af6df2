//! Follows an autoscaler during a run.

pub(crate) mod model;
