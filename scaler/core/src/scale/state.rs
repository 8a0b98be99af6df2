//! What one decision leaves for the next.

use std::time::Duration;

use super::history::History;
use super::service::ServiceRates;
use super::spec::ScaleSpec;
use crate::time::Timestamp;

/// What one decision leaves for the next. Bounded in size, whatever happens.
///
/// The default is that of a revision that has never had a replica.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScaleState {
    /// The replicas decided last.
    pub(super) desired: u32,
    /// When the revision was last active, or may have been because a rule was unknown.
    pub(super) last_active: Timestamp,
    /// Whether the last decision found it inactive.
    pub(super) idle: bool,
    /// Whether the last decision was kept from scaling in by the stabilization window.
    pub(super) scale_in_held: bool,
    /// What was recommended of late.
    pub(super) history: History,
    /// The step of scaling out that began last.
    pub(super) step: Option<Step>,
    /// How fast replicas work queues off.
    pub(super) service_rates: ServiceRates,
}

/// A step of scaling out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// When it began.
    pub(super) began: Timestamp,
    /// The replicas then.
    pub(super) from: u32,
}

impl ScaleState {
    /// The state of a revision that has `replicas` as the first decision is about to be made.
    ///
    /// What it has counts as recommended and as active now, so a restart of Ebbtide takes nothing
    /// away before a stabilization window or a cooldown has passed.
    pub fn starting_with(replicas: u32, now: Timestamp) -> Self {
        Self {
            desired: replicas,
            last_active: now,
            history: History::starting_with(replicas, now),
            ..Self::default()
        }
    }

    /// The replicas decided last.
    pub fn desired(&self) -> u32 {
        self.desired
    }

    /// The time until the cooldown takes the revision to zero; none while it is active, uncertain,
    /// at zero already, or kept up by `minReplicas`.
    pub fn cooldown_remaining(&self, spec: &ScaleSpec, now: Timestamp) -> Option<Duration> {
        let counting = self.idle && self.desired > 0 && spec.min_replicas == 0;
        let idle_for = now.since(self.last_active);
        counting.then(|| spec.cooldown_period.saturating_sub(idle_for))
    }

    /// The time until the stabilization window lets a replica go; none if it holds none.
    pub fn stabilization_remaining(&self, spec: &ScaleSpec, now: Timestamp) -> Option<Duration> {
        let window = spec.policy.scale_in_stabilization;
        let remaining = self.history.highest.remaining(self.desired, now, window);
        remaining.filter(|_| self.scale_in_held)
    }
}
