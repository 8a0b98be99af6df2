//! Keeps what is seen: changes only, and not without bound.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;

use super::model::{Event, Gap, Observation, Replicas, Sample};

/// Changes of state that are kept: a day of four a second, and more.
const MOST_SAMPLES: usize = 400_000;
/// Events that are kept.
const MOST_EVENTS: usize = 50_000;
/// Gaps and warnings that are kept.
const MOST_GAPS: usize = 1000;

/// What a revision has at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) replicas: Replicas,
    pub(super) waiting: Option<u64>,
    pub(super) queues: BTreeMap<String, f64>,
}

/// Keeps what is seen, and shows it to who watches. Times are offsets on the follower's clock.
#[derive(Debug)]
pub(super) struct Collector {
    seen: watch::Sender<Observation>,
    /// What each revision had last.
    last: BTreeMap<String, State>,
    /// Since when nothing can be seen, and why.
    lost: Option<(Duration, String)>,
    /// Changes and events that are kept.
    most: (usize, usize),
    /// Whether there were more changes than are kept.
    full: bool,
}

impl Collector {
    pub(super) fn new(seen: watch::Sender<Observation>) -> Self {
        Self {
            seen,
            last: BTreeMap::new(),
            lost: None,
            most: (MOST_SAMPLES, MOST_EVENTS),
            full: false,
        }
    }

    /// Takes in what all revisions have. Those that are not among them are gone.
    pub(super) fn states(&mut self, at: Duration, mut states: BTreeMap<String, State>) {
        self.regain(at);
        for gone in self.last.keys() {
            states.entry(gone.clone()).or_default();
        }
        for (revision, state) in states {
            if self.last.get(&revision) != Some(&state) {
                self.changed(at, revision, state);
            }
        }
        self.seen.send_if_modified(|seen| {
            seen.until = at;
            false
        });
    }

    fn changed(&mut self, at: Duration, revision: String, state: State) {
        let sample = Sample {
            at,
            revision: revision.clone(),
            replicas: state.replicas,
            waiting: state.waiting,
            queues: state.queues.clone(),
        };
        self.last.insert(revision, state);
        if self.seen.borrow().samples.len() < self.most.0 {
            self.seen.send_modify(|seen| seen.samples.push(sample));
        } else if !std::mem::replace(&mut self.full, true) {
            self.lose(at, "there were more changes than are kept".to_owned());
        }
    }

    /// Takes in the weights in force, in percent.
    pub(super) fn weights(&mut self, weights: BTreeMap<String, f64>) {
        self.seen.send_if_modified(|seen| {
            let changed = seen.weights != weights;
            seen.weights = weights;
            changed
        });
    }

    /// Takes in something that happened.
    pub(super) fn event(&mut self, event: Event) {
        let kept = self.seen.borrow().events.len();
        if kept == self.most.1 {
            self.warn(format!("events after the first {kept} are left out"));
        } else {
            self.seen.send_modify(|seen| seen.events.push(event));
        }
    }

    /// Nothing was seen between the two.
    pub(super) fn gap(&mut self, from: Duration, until: Duration, because: String) {
        let gap = Gap {
            from,
            until,
            because,
        };
        self.seen.send_if_modified(|seen| {
            let kept = seen.gaps.len() < MOST_GAPS;
            if kept {
                seen.gaps.push(gap);
            }
            kept
        });
    }

    /// From now on nothing can be seen, until a state comes.
    pub(super) fn lose(&mut self, at: Duration, because: String) {
        self.lost.get_or_insert((at, because));
    }

    fn regain(&mut self, at: Duration) {
        if self.full {
            return;
        }
        if let Some((from, because)) = self.lost.take() {
            self.gap(from, at, because);
        }
    }

    /// Says something once.
    pub(super) fn warn(&mut self, warning: String) {
        self.seen.send_if_modified(|seen| {
            let new = seen.warnings.len() < MOST_GAPS && !seen.warnings.contains(&warning);
            if new {
                seen.warnings.push(warning);
            }
            new
        });
    }

    /// Ends it.
    pub(super) fn finish(mut self, at: Duration) -> Observation {
        if let Some((from, because)) = self.lost.take() {
            self.gap(from, at, because);
        }
        let mut observation = self.seen.send_replace(Observation::default());
        observation.until = at;
        observation
    }
}

impl Observation {
    /// With times that count from `start` instead. What was before is left out, but for the last state of each
    /// revision, which is that at the start.
    pub(super) fn counted_from(mut self, start: Duration) -> Self {
        // The last of each before the start, and all later ones.
        let mut later = BTreeSet::new();
        self.samples.reverse();
        self.samples
            .retain(|sample| sample.at > start || later.insert(sample.revision.clone()));
        self.samples.reverse();
        for sample in &mut self.samples {
            sample.at = sample.at.saturating_sub(start);
        }
        self.events.retain(|event| event.at >= start);
        self.events.sort_by_key(|event| event.at);
        for event in &mut self.events {
            event.at -= start;
        }
        self.gaps.retain(|gap| gap.until > start);
        for gap in &mut self.gaps {
            gap.from = gap.from.saturating_sub(start);
            gap.until -= start;
        }
        self.until = self.until.saturating_sub(start);
        self
    }

    /// Whether anything had a replica, or was to have one.
    pub(super) fn had_a_replica(&self) -> bool {
        let mut replicas = self.samples.iter().map(|sample| sample.replicas);
        replicas.any(|replicas| replicas != Replicas::default())
    }

    /// Whether nothing has a replica, nor is to have one.
    pub(super) fn is_at_zero(&self) -> bool {
        let mut seen = BTreeSet::new();
        let last = (self.samples.iter().rev()).filter(|sample| seen.insert(&sample.revision));
        let mut replicas = last.map(|sample| sample.replicas);
        replicas.all(|replicas| replicas.there() == 0 && replicas.desired == 0)
    }
}

#[cfg(test)]
mod tests;
