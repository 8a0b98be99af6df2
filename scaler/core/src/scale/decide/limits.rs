//! The limits between the largest recommendation and the decision, in their order.

use std::cmp::Reverse;
use std::time::Duration;

use super::Deciding;
use crate::scale::history::History;
use crate::scale::number::{counted, left, shortest};
use crate::scale::state::Step;
use crate::scale::{Limit, LimitKind};
use crate::time::Timestamp;

impl Deciding<'_> {
    /// Unknown is not zero: what cannot be read may be all that the replicas are there for.
    pub(super) fn hold_while_unknown(&mut self) {
        if let Some(rule) = &self.demand.unknown {
            let held = self.number.max(self.current);
            self.limit(LimitKind::Unknown, held, || {
                format!("scale-in held while {rule} is unknown")
            });
        }
    }

    /// `maxReplicas`, `minReplicas`, and the replicas of the revision it takes over from.
    pub(super) fn keep_within_bounds(&mut self) {
        let (spec, takeover) = (self.spec, self.floor);
        let capped = self.number.min(spec.max_replicas);
        self.limit(LimitKind::Max, capped, || {
            format!("capped by maxReplicas {}", spec.max_replicas)
        });
        let least = self.number.max(spec.min_replicas).min(spec.max_replicas);
        self.limit(LimitKind::Min, least, || {
            format!("raised to minReplicas {least}")
        });
        self.limit(LimitKind::Takeover, self.number.max(takeover), || {
            format!("takes over from a revision, so at least {takeover}")
        });
    }

    /// The HPA's rule: the present number stands, as far as it lies between the smallest number of
    /// the scale-out window and the largest of the scale-in window.
    pub(super) fn stabilize(&mut self) {
        let (now, number, policy) = (self.inputs.now, self.number, &self.spec.policy);
        let out_window = policy.scale_out_stabilization;
        let in_window = policy.scale_in_stabilization;
        let History { highest, lowest } = &mut self.next.history;
        lowest.note(now, Reverse(number), out_window);
        highest.note(now, number, in_window);
        let low = lowest.largest(now, out_window).map_or(number, |it| it.0);
        let high = highest.largest(now, in_window).unwrap_or(number);
        let low = low.min(number);
        let high = high.max(number).min(self.spec.max_replicas);
        let held = self.current.clamp(low, high).max(self.floor);
        self.next.scale_in_held = held > number;
        let (what, remaining) = if held > number {
            ("scale-in", highest.remaining(held, now, in_window))
        } else {
            (
                "scale-out",
                lowest.remaining(Reverse(held), now, out_window),
            )
        };
        self.limit(LimitKind::Stabilization, held, || {
            format!("{what} held {} more", left(remaining.unwrap_or_default()))
        });
    }

    /// Grows by one step, counted from the number at the beginning of the period as the HPA counts
    /// its policies, so that more decisions in a period are not more steps.
    pub(super) fn step(&mut self) {
        let (now, current, limit) = (self.inputs.now, self.current, &self.spec.policy.step);
        let running = self
            .next
            .step
            .filter(|step| !is_over(*step, now, limit.period));
        let from = running.map_or(current, |step| step.from.min(current));
        let allowed = limit.allows(from).max(self.floor).max(current);
        self.limit(LimitKind::Step, self.number.min(allowed), || {
            let rest = running.map(|step| limit.period.saturating_sub(now.since(step.began)));
            let next = rest.map(|rest| format!(", the next in {}", left(rest)));
            let next = next.unwrap_or_default();
            format!("step from {from} allows {allowed}{next}")
        });
        if self.number > current && running.is_none() {
            self.next.step = Some(Step {
                began: now,
                from: current,
            });
        }
    }

    /// The number is one at least, or else the revision would have no reason to run.
    pub(super) fn keep_the_last_replica(&mut self) {
        let one = self.number.max(1);
        if self.active {
            let because = self.what_is_going_on();
            if self.current == 0 && self.number > 0 {
                // Whatever is recommended, it is the activity that brings the first replica.
                let (kind, to) = (LimitKind::Activity, self.number);
                self.limits.push(Limit {
                    kind,
                    from: 0,
                    to,
                    because,
                });
            } else {
                self.limit(LimitKind::Activity, one, || because);
            }
        } else {
            let period = self.spec.cooldown_period;
            let rest = left(period.saturating_sub(self.idle_for));
            self.limit(LimitKind::Cooldown, one, || {
                format!("held at 1 by cooldown, {rest} of {} left", left(period))
            });
        }
    }

    /// The activity, in words.
    fn what_is_going_on(&self) -> String {
        let (requests, lately) = (self.inputs.requests, self.inputs.requests_since_last);
        match &self.demand.active {
            _ if requests > 0 && self.inputs.ready == 0 => {
                counted(requests, "request waits", "requests wait")
            }
            _ if requests > 0 => counted(requests, "request in flight", "requests in flight"),
            _ if lately > 0 => counted(lately, "request came just now", "requests came just now"),
            Some(rule) => match rule.in_process {
                Some(count) => format!("{} has {} in hand", rule.name, shortest(count)),
                None => format!("{} is active", rule.name),
            },
            None => "active".to_owned(),
        }
    }
}

/// Whether a step's period is over. A tick that comes a tenth of the period early, as ticks do,
/// still begins the next one; and a clock that went back holds nothing up.
fn is_over(step: Step, now: Timestamp, period: Duration) -> bool {
    now < step.began || now.since(step.began).saturating_add(period / 10) >= period
}
