//! The decision itself.

mod limits;

#[cfg(test)]
mod journey;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sentences;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::decision::{Decision, Limit, LimitKind};
use super::history::History;
use super::input::Inputs;
use super::number::passed;
use super::recommend::Demand;
use super::spec::ScaleSpec;
use super::state::ScaleState;
use crate::name::RevisionName;

/// Decides how many replicas `revision` gets now, and returns the state for the next decision.
///
/// Two questions are kept apart, as KEDA and the HPA keep them apart.
///
/// **Whether it has replicas at all.** A revision is *active* when a request waits or is in flight,
/// one has started since the last decision, or a rule's value is greater than its activation. From
/// zero it gets its first replica when it becomes active and not before. It goes to zero, from any
/// number, when it has been inactive for `cooldownPeriod`; time in which a rule was unknown does
/// not count, and `minReplicas` or a takeover forbids it.
///
/// **How many.** The largest recommendation, then these limits, in this order:
/// 1. *Unknown*: while any rule is unknown the number is not lowered. The rules that are known may
///    raise it. If none is known it stays, and it stays too if there is no replica to measure.
/// 2. *Max*, then *Min*, then *Takeover* (itself within `maxReplicas`).
/// 3. *Stabilization*: it goes no lower than the largest number that came out of 1 and 2 in the
///    scale-in window, no higher than the smallest in the scale-out window.
/// 4. *Step*: it grows by one step in a period.
/// 5. *Activity* and *Cooldown* keep the last replica, or bring the first.
///
/// Stabilization and steps never hold it below `minReplicas` or the takeover. A limit is recorded
/// when it changed the number.
pub fn decide(
    revision: &RevisionName,
    spec: &ScaleSpec,
    state: &ScaleState,
    inputs: &Inputs<'_>,
) -> (ScaleState, Decision) {
    let mut service_rates = state.service_rates.clone();
    service_rates.measure(spec, inputs);
    let demand = Demand::read(spec, state.desired, inputs, &service_rates);
    let mut deciding = Deciding::begin(spec, state, inputs, &demand);
    deciding.next.service_rates = service_rates;
    if deciding.has_no_reason_to_run() {
        deciding.stay_at_or_go_to_zero();
    } else {
        deciding.hold_while_unknown();
        deciding.keep_within_bounds();
        deciding.stabilize();
        deciding.step();
        deciding.keep_the_last_replica();
    }
    let Deciding {
        number,
        limits,
        mut next,
        ..
    } = deciding;
    next.desired = number;
    let decision = Decision {
        revision: revision.clone(),
        at: inputs.now,
        from: state.desired,
        to: number,
        recommendations: demand.recommendations,
        limits,
    };
    (next, decision)
}

/// A decision in the making.
struct Deciding<'a> {
    spec: &'a ScaleSpec,
    inputs: &'a Inputs<'a>,
    demand: &'a Demand,
    /// The replicas decided last.
    current: u32,
    /// The least that the document and a takeover allow.
    floor: u32,
    /// Whether there is a request, or a rule above its activation.
    active: bool,
    /// For how long it has been neither active nor uncertain.
    idle_for: Duration,
    /// The number as it stands.
    number: u32,
    /// What has changed it so far.
    limits: Vec<Limit>,
    next: ScaleState,
}

impl<'a> Deciding<'a> {
    fn begin(
        spec: &'a ScaleSpec,
        state: &ScaleState,
        inputs: &'a Inputs<'a>,
        demand: &'a Demand,
    ) -> Self {
        let requests = inputs.requests > 0 || inputs.requests_since_last > 0;
        let active = requests || demand.active.is_some();
        let idle = !active && demand.unknown.is_none();
        let last_active = if idle { state.last_active } else { inputs.now };
        let floor = spec.min_replicas.max(inputs.takeover);
        // Without a rule nothing is asked for; without a value nothing is changed.
        let otherwise = if spec.rules.is_empty() {
            0
        } else {
            state.desired
        };
        Self {
            spec,
            inputs,
            demand,
            current: state.desired,
            floor: floor.min(spec.max_replicas),
            active,
            idle_for: inputs.now.since(last_active),
            number: demand.largest.unwrap_or(otherwise),
            limits: Vec::new(),
            next: ScaleState {
                last_active,
                idle,
                scale_in_held: false,
                ..state.clone()
            },
        }
    }

    /// Sets the number, and records that and why if it is another one.
    fn limit(&mut self, kind: LimitKind, to: u32, because: impl FnOnce() -> String) {
        if to != self.number {
            let (from, because) = (self.number, because());
            self.limits.push(Limit {
                kind,
                from,
                to,
                because,
            });
            self.number = to;
        }
    }

    fn has_no_reason_to_run(&self) -> bool {
        let cooled_down = self.next.idle && self.idle_for >= self.spec.cooldown_period;
        self.floor == 0 && !self.active && (self.current == 0 || cooled_down)
    }

    fn stay_at_or_go_to_zero(&mut self) {
        if self.current == 0 {
            self.limit(LimitKind::Activity, 0, || {
                "not woken, since there is no request and no rule above its activation".to_owned()
            });
        } else {
            // Whatever was recommended, it is the present number that the cooldown takes away.
            self.number = self.current;
            let idle_for = passed(self.idle_for);
            self.limit(LimitKind::Cooldown, 0, || {
                format!("no activity for {idle_for}")
            });
        }
        // At zero nothing is asked for, and scaling out has to hold its ground from here.
        self.next.history = History::starting_with(0, self.inputs.now);
    }
}
