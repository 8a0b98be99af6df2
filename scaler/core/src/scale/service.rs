//! How fast replicas work a queue off, and how many that takes in a given time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::input::{Inputs, Reading, Work};
use super::number::{replicas_for, shortest};
use super::spec::ScaleSpec;
use crate::time::Timestamp;

/// The part of what is known that a new measurement replaces.
const WEIGHT: f64 = 0.3;

/// What one replica finishes in a second, by rule; of rules that a time to drain is given for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ServiceRates(BTreeMap<String, ServiceRate>);

/// What one replica finishes in a second, an exponentially weighted mean of measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ServiceRate {
    per_replica: f64,
    /// When it was measured last.
    at: Timestamp,
}

impl ServiceRates {
    /// Takes in what was read. Replicas show how fast they are only while there is more to do than
    /// they have in hand; what an idle one finishes says how much there was to do.
    pub(super) fn measure(&mut self, spec: &ScaleSpec, inputs: &Inputs<'_>) {
        let rules = spec
            .rules
            .iter()
            .filter(|rule| rule.target_latency.is_some());
        let names: Vec<&str> = rules.map(|rule| rule.name.as_str()).collect();
        self.0.retain(|name, _| names.contains(&name.as_str()));
        for (rule, reading) in spec.rules.iter().zip(inputs.readings) {
            let (Some(_), Reading::Known { value, work, at }) = (rule.target_latency, reading)
            else {
                continue;
            };
            let waiting = value - work.in_process.unwrap_or(0.0);
            let known = self.0.get(&rule.name).copied();
            let is_new = known.is_none_or(|known| known.at < *at);
            let Some(finished) = work.completions.filter(|rate| *rate > 0.0) else {
                continue;
            };
            if inputs.ready == 0 || waiting <= 0.0 || !is_new {
                continue;
            }
            let measured = finished / f64::from(inputs.ready);
            let per_replica = known.map_or(measured, |known| {
                known.per_replica + WEIGHT * (measured - known.per_replica)
            });
            let rate = ServiceRate {
                per_replica,
                at: *at,
            };
            self.0.insert(rule.name.clone(), rate);
        }
    }

    /// The replicas that finish `value` messages in `latency` beside those that arrive meanwhile, and
    /// the arithmetic. None while it is not known how fast replicas are.
    pub(super) fn replicas(
        &self,
        rule: &str,
        value: f64,
        work: &Work,
        latency: Duration,
    ) -> Option<(u32, String)> {
        let per_replica = self.0.get(rule)?.per_replica;
        let seconds = latency.as_secs_f64();
        let arriving = work.arrivals.filter(|rate| rate.is_finite() && *rate > 0.0);
        let needed = value / seconds + arriving.unwrap_or(0.0);
        let replicas = replicas_for(needed / per_replica);
        let arriving = arriving.map_or_else(String::new, |rate| {
            format!(" and {}/s arriving", shortest(rate))
        });
        let (shown, seconds) = (shortest(value), shortest(seconds));
        let rate = shortest(per_replica);
        Some((
            replicas,
            format!("{shown} in {seconds} s{arriving}, at {rate}/s a replica = {replicas}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::fixtures::{Run, queue};

    fn reading(value: f64, arrivals: f64, completions: f64, at: Timestamp) -> Reading {
        let work = Work {
            arrivals: Some(arrivals),
            completions: Some(completions),
            ..Work::default()
        };
        Reading::Known { value, work, at }
    }

    fn run(replicas: u32) -> Run {
        let mut rule = queue(5.0);
        rule.target_latency = Some(Duration::from_secs(30));
        Run::new(replicas, vec![rule])
    }

    #[test]
    fn the_target_counts_until_the_rate_is_known() {
        let mut run = run(2);
        let at = run.now;
        let decision = run.decide_on(&[reading(20.0, 1.0, 0.0, at)]);
        let because = &decision.recommendations[0].because;
        assert_eq!(
            because,
            "20 / target 5 = 4 (no replica has shown yet how fast it is)"
        );
    }

    #[test]
    fn what_waits_is_done_in_time_beside_what_arrives() {
        let mut run = run(2);
        let at = run.now;
        // Two replicas finish 2 a second: 90 in 30 s are 3 a second, and 2 arrive: 5 replicas.
        let decision = run.decide_on(&[reading(90.0, 2.0, 2.0, at)]);
        let because = &decision.recommendations[0].because;
        assert_eq!(because, "90 in 30 s and 2/s arriving, at 1/s a replica = 5");
        assert_eq!(decision.recommendations[0].replicas, Some(5));
    }

    #[test]
    fn a_replica_that_waits_for_work_does_not_look_slow() {
        let mut run = run(2);
        let at = run.now;
        run.decide_on(&[reading(90.0, 2.0, 2.0, at)]);
        run.wait(30_000);
        let at = run.now;
        run.decide_on(&[reading(0.0, 0.1, 0.1, at)]);
        run.wait(30_000);
        let at = run.now;
        let decision = run.decide_on(&[reading(0.0, 2.0, 0.0, at)]);
        let because = &decision.recommendations[0].because;
        assert_eq!(because, "0 in 30 s and 2/s arriving, at 1/s a replica = 2");
    }

    #[test]
    fn one_reading_counts_once_and_a_new_one_in_part() {
        let mut rates = ServiceRates::default();
        let run = run(2);
        let spec = &run.spec;
        let mut measure = |completions, second| {
            let at = Timestamp::from_secs(second);
            let inputs = Inputs {
                now: at,
                readings: &[reading(90.0, 0.0, completions, at)],
                requests: 0,
                requests_since_last: 0,
                ready: 2,
                takeover: 0,
            };
            rates.measure(spec, &inputs);
            rates.0["orders"].per_replica
        };
        for (completions, second, rate) in [(2.0, 1, 1.0), (9.0, 1, 1.0), (4.0, 2, 1.3)] {
            assert!(
                (measure(completions, second) - rate).abs() < 1e-9,
                "{second}"
            );
        }
    }
}
