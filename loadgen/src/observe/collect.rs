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
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn state(ready: u32) -> State {
        State {
            replicas: Replicas {
                desired: ready,
                ready,
                ..Replicas::default()
            },
            ..State::default()
        }
    }

    fn states(ready: &[(&str, u32)]) -> BTreeMap<String, State> {
        let state = |(name, ready): &(&str, u32)| ((*name).to_owned(), state(*ready));
        ready.iter().map(state).collect()
    }

    fn words(observation: &Observation) -> Vec<String> {
        let samples = observation.samples.iter();
        let words = |sample: &Sample| {
            let millis = sample.at.as_millis();
            format!("{millis} {} {}", sample.revision, sample.replicas.ready)
        };
        samples.map(words).collect()
    }

    fn collector() -> Collector {
        Collector::new(watch::Sender::new(Observation::default()))
    }

    fn event(millis: u64) -> Event {
        Event {
            at: at(millis),
            reason: "Decision".to_owned(),
            revision: None,
            replica: None,
            message: millis.to_string(),
        }
    }

    #[test]
    fn only_changes_are_kept_and_what_is_gone_has_nothing() {
        let mut collector = collector();
        collector.states(at(100), states(&[("a", 1), ("b", 0)]));
        collector.states(at(200), states(&[("a", 1), ("b", 2)]));
        collector.states(at(300), states(&[("a", 1)]));
        collector.states(at(400), states(&[("a", 1)]));
        let observation = collector.finish(at(500));
        assert_eq!(
            words(&observation),
            ["100 a 1", "100 b 0", "200 b 2", "300 b 0"]
        );
        assert_eq!(observation.until, at(500));
        assert!(!observation.is_at_zero());
    }

    #[test]
    fn a_gap_lasts_until_the_next_state_and_has_its_first_reason() {
        let mut collector = collector();
        collector.lose(at(100), "closed".to_owned());
        collector.lose(at(200), "refused".to_owned());
        collector.states(at(300), states(&[("a", 0)]));
        collector.lose(at(400), "closed again".to_owned());
        let observation = collector.finish(at(500));
        let gap = |from, until, because: &str| Gap {
            from: at(from),
            until: at(until),
            because: because.to_owned(),
        };
        let expected = [gap(100, 300, "closed"), gap(400, 500, "closed again")];
        assert_eq!(observation.gaps, expected);
        assert!(observation.is_at_zero());
    }

    #[test]
    fn what_is_kept_is_bounded_and_that_is_said() {
        let mut collector = collector();
        collector.most = (20, 10);
        for number in 0..30 {
            let ready = u32::try_from(number % 7).unwrap();
            collector.states(at(number), states(&[("a", ready)]));
            collector.event(event(number));
        }
        let observation = collector.finish(at(100));
        assert_eq!(observation.samples.len(), 20);
        assert_eq!(observation.events.len(), 10);
        assert_eq!(observation.gaps.len(), 1);
        assert_eq!(observation.gaps[0].from, at(20));
        assert_eq!(observation.gaps[0].until, at(100));
        let expected = "events after the first 10 are left out";
        assert_eq!(observation.warnings, [expected]);
    }

    #[test]
    fn times_count_from_the_start_of_the_run() {
        let mut collector = collector();
        collector.states(at(100), states(&[("a", 0), ("b", 5)]));
        collector.states(at(200), states(&[("a", 1), ("b", 5)]));
        collector.gap(at(120), at(150), "early".to_owned());
        collector.gap(at(220), at(350), "over the start".to_owned());
        collector.states(at(400), states(&[("a", 2), ("b", 5)]));
        for millis in [90, 310, 305] {
            collector.event(event(millis));
        }
        let observation = collector.finish(at(500)).counted_from(at(300));
        assert_eq!(words(&observation), ["0 b 5", "0 a 1", "100 a 2"]);
        let events: Vec<_> = observation.events.iter().map(|event| event.at).collect();
        assert_eq!(events, [at(5), at(10)]);
        assert_eq!(observation.gaps.len(), 1);
        assert_eq!(
            (observation.gaps[0].from, observation.gaps[0].until),
            (at(0), at(50))
        );
        assert_eq!(observation.until, at(200));
    }

    #[test]
    fn whoever_watches_is_told_of_changes_alone() {
        let mut collector = collector();
        let mut watching = collector.seen.subscribe();
        collector.weights(BTreeMap::new());
        assert!(!watching.has_changed().unwrap());
        collector.states(at(100), states(&[("a", 0)]));
        assert!(watching.has_changed().unwrap());
        assert_eq!(words(&watching.borrow_and_update()), ["100 a 0"]);
    }
}
