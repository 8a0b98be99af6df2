//! Specs and inputs for tests.

use std::time::Duration;

use super::{Inputs, Metric, Policy, Reading, RuleSpec, ScaleSpec, ScaleState, StepLimit};
use crate::name::RevisionName;
use crate::scale::{Decision, decide};
use crate::time::Timestamp;

pub(super) const WINDOW: Duration = Duration::from_secs(15);

pub(super) fn rule(name: &str, scaler: &str, metric: Metric, target: f64) -> RuleSpec {
    RuleSpec {
        name: name.to_owned(),
        scaler: scaler.to_owned(),
        metric,
        target,
        activation: 0.0,
        target_latency: None,
    }
}

pub(super) fn http() -> RuleSpec {
    rule(
        "http",
        "http",
        Metric::HttpConcurrency { window: WINDOW },
        10.0,
    )
}

pub(super) fn queue(target: f64) -> RuleSpec {
    rule("orders", "azure-queue", Metric::External, target)
}

pub(super) fn cpu(target: f64) -> RuleSpec {
    rule("cpu", "cpu", Metric::CpuUtilization, target)
}

/// 0 to 20 replicas, a cooldown of 10 s, and a step for each poll if all is polled.
pub(super) fn spec(rules: Vec<RuleSpec>) -> ScaleSpec {
    let polled = rules.iter().all(|rule| rule.metric == Metric::External);
    let polling_interval = Duration::from_secs(30);
    let period = if polled {
        polling_interval
    } else {
        StepLimit::LIVE_PERIOD
    };
    ScaleSpec {
        min_replicas: 0,
        max_replicas: 20,
        cooldown_period: Duration::from_secs(10),
        polling_interval,
        policy: Policy {
            step: StepLimit {
                period,
                ..StepLimit::default()
            },
            ..Policy::default()
        },
        rules,
    }
}

pub(super) fn unknown(because: &str) -> Reading {
    Reading::Unknown {
        because: because.to_owned(),
    }
}

pub(super) fn revision() -> RevisionName {
    RevisionName::parse("hello--blue").unwrap()
}

/// A revision that is decided on again and again. Its replicas are ready at once.
pub(super) struct Run {
    pub(super) spec: ScaleSpec,
    pub(super) state: ScaleState,
    pub(super) now: Timestamp,
    pub(super) requests: u64,
    pub(super) requests_since_last: u64,
    /// Whether `requests_since_last` is all there is. If not, a request has come since the last
    /// decision whenever an http rule measured any.
    pub(super) requests_are_exact: bool,
    pub(super) ready: Option<u32>,
    pub(super) takeover: u32,
}

impl Run {
    /// Begins at one hour with `replicas` that have been there for long.
    pub(super) fn new(replicas: u32, rules: Vec<RuleSpec>) -> Self {
        let now = Timestamp::from_secs(3600);
        Self {
            spec: spec(rules),
            state: ScaleState::starting_with(replicas, Timestamp::from_secs(3000)),
            now,
            requests: 0,
            requests_since_last: 0,
            requests_are_exact: false,
            ready: None,
            takeover: 0,
        }
    }

    pub(super) fn wait(&mut self, milliseconds: u64) -> &mut Self {
        self.now = self.now + Duration::from_millis(milliseconds);
        self
    }

    /// Decides with these values, read just now.
    pub(super) fn decide(&mut self, values: &[f64]) -> Decision {
        let at = self.now;
        let known = |&value: &f64| Reading::known(value, at);
        self.decide_on(&values.iter().map(known).collect::<Vec<_>>())
    }

    /// Decides with these readings.
    pub(super) fn decide_on(&mut self, readings: &[Reading]) -> Decision {
        let measured = |(rule, reading): (&RuleSpec, &Reading)| {
            let some = matches!(reading, Reading::Known { value, .. } if *value > 0.0);
            rule.metric.is_http() && some
        };
        let came = !self.requests_are_exact && self.spec.rules.iter().zip(readings).any(measured);
        let inputs = Inputs {
            now: self.now,
            readings,
            requests: self.requests,
            requests_since_last: self.requests_since_last.max(u64::from(came)),
            ready: self.ready.unwrap_or(self.state.desired()),
            takeover: self.takeover,
        };
        let (next, decision) = decide(&revision(), &self.spec, &self.state, &inputs);
        self.state = next;
        decision
    }

    /// Decides every `period` milliseconds with the same value, and returns the numbers.
    pub(super) fn walk(&mut self, value: f64, period: u64, times: usize) -> Vec<u32> {
        let mut walk = Vec::new();
        for _ in 0..times {
            walk.push(self.decide(&[value]).to);
            self.wait(period);
        }
        walk
    }
}
