//! Follows an autoscaler during a run.

#![expect(
    dead_code,
    reason = "until the parts of the new load generator are joined"
)]

pub(crate) mod model;
