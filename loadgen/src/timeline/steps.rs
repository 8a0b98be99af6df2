//! What there is, as a function of time that changes in steps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::observe::model::{Replicas, Sample};

/// What there is from a moment on, until the next step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) replicas: Replicas,
    pub(super) waiting: Option<u64>,
    pub(super) queued: Option<f64>,
}

/// The steps of one revision.
pub(super) fn of_revision(samples: &[&Sample]) -> Vec<Step> {
    let step = |sample: &&Sample| Step {
        at: sample.at,
        replicas: sample.replicas,
        waiting: sample.waiting,
        queued: sample
            .queues
            .values()
            .copied()
            .reduce(|one, other| one + other),
    };
    samples.iter().map(step).collect()
}

/// The steps of all revisions together. A queue that several revisions of an app read counts once.
pub(super) fn together(samples: &[Sample]) -> Vec<Step> {
    let mut sum = Sum::default();
    samples.iter().map(|sample| sum.take_in(sample)).collect()
}

/// The sum of what each revision had last.
#[derive(Default)]
struct Sum<'a> {
    last: BTreeMap<&'a str, &'a Sample>,
    replicas: Replicas,
    /// The sum, and of how many revisions.
    waiting: (u64, usize),
    /// What each revision reads of a queue, by the app and the rule.
    queues: BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, f64>>,
    queued: Option<f64>,
}

impl<'a> Sum<'a> {
    fn take_in(&mut self, sample: &'a Sample) -> Step {
        let before = self.last.insert(&sample.revision, sample);
        if let Some(before) = before {
            self.change(before.replicas, u32::saturating_sub);
            if let Some(waiting) = before.waiting {
                self.waiting.0 -= waiting;
                self.waiting.1 -= 1;
            }
        }
        self.change(sample.replicas, u32::saturating_add);
        if let Some(waiting) = sample.waiting {
            self.waiting.0 += waiting;
            self.waiting.1 += 1;
        }
        if before.map(|before| &before.queues) != Some(&sample.queues) {
            self.read_queues(before, sample);
        }
        Step {
            at: sample.at,
            replicas: self.replicas,
            waiting: (self.waiting.1 > 0).then_some(self.waiting.0),
            queued: self.queued,
        }
    }

    fn change(&mut self, by: Replicas, how: fn(u32, u32) -> u32) {
        let now = &mut self.replicas;
        now.desired = how(now.desired, by.desired);
        now.ready = how(now.ready, by.ready);
        now.starting = how(now.starting, by.starting);
        now.draining = how(now.draining, by.draining);
    }

    fn read_queues(&mut self, before: Option<&'a Sample>, sample: &'a Sample) {
        let revision = sample.revision.as_str();
        let app = revision.split("--").next().unwrap_or(revision);
        for rule in before.iter().flat_map(|before| before.queues.keys()) {
            if let Some(readings) = self.queues.get_mut(&(app, rule.as_str())) {
                readings.remove(revision);
            }
        }
        for (rule, value) in &sample.queues {
            let readings = self.queues.entry((app, rule)).or_default();
            readings.insert(revision, *value);
        }
        self.queues.retain(|_, readings| !readings.is_empty());
        let deepest =
            |readings: &BTreeMap<&str, f64>| readings.values().copied().fold(0.0, f64::max);
        let depths = self.queues.values().map(deepest);
        self.queued = depths.reduce(|one, other| one + other);
    }
}
