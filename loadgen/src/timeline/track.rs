//! One revision over time, and the moments at which something changed.
//!
//! Samples come up to a quarter of a second after what they tell; events have the time at which it happened. A moment
//! is therefore that of the event that goes with a change, where there is one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::observe::model::{Event, Observation, Replicas, Sample};

/// How long before the sample ahead of a change the change's event may be: that sample was on its way already.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// One revision over time.
#[derive(Debug)]
pub(super) struct Track<'a> {
    pub(super) name: &'a str,
    /// In order.
    pub(super) samples: Vec<&'a Sample>,
    /// When replicas became ready, in order.
    ready: Vec<Duration>,
    /// When which number was decided, in order.
    decided: Vec<(Duration, u32)>,
    /// The changes of the desired number, in order.
    pub(super) turns: Vec<Turn>,
}

/// A change of the desired number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) at: Duration,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// Replicas over time, in replica-nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    pub(super) under: u128,
    pub(super) over: u128,
    pub(super) there: u128,
}

impl<'a> Track<'a> {
    /// Those of all revisions, by name.
    pub(super) fn all(observation: &'a Observation) -> Vec<Self> {
        let mut tracks: BTreeMap<&str, Self> = BTreeMap::new();
        for sample in &observation.samples {
            let name = sample.revision.as_str();
            let track = tracks.entry(name).or_insert_with(|| Self::new(name));
            track.samples.push(sample);
        }
        for event in &observation.events {
            let revision = event.revision.as_deref();
            if let Some(track) = revision.and_then(|name| tracks.get_mut(name)) {
                track.take_in(event);
            }
        }
        for track in tracks.values_mut() {
            track.turns = track.find_turns();
        }
        tracks.into_values().collect()
    }

    fn new(name: &'a str) -> Self {
        Self {
            name,
            samples: Vec::new(),
            ready: Vec::new(),
            decided: Vec::new(),
            turns: Vec::new(),
        }
    }

    fn take_in(&mut self, event: &Event) {
        match event.reason.as_str() {
            "ReplicaReady" => self.ready.push(event.at),
            "Decision" => {
                let decided = decided(&event.message);
                self.decided.extend(decided.map(|to| (event.at, to)));
            }
            _ => {}
        }
    }

    /// Whether it ever had, or was to have, a replica, or anything waited for one.
    pub(super) fn had_anything(&self) -> bool {
        (self.samples.iter()).any(|sample| {
            let replicas = sample.replicas;
            replicas != Replicas::default() || sample.waiting.is_some_and(|waiting| waiting > 0)
        })
    }

    fn find_turns(&self) -> Vec<Turn> {
        let pairs = self.samples.windows(2);
        pairs
            .filter_map(|pair| {
                let (from, to) = (pair[0].replicas.desired, pair[1].replicas.desired);
                let at = self.decided_at(to, pair[0].at, pair[1].at);
                (from != to).then_some(Turn { at, from, to })
            })
            .collect()
    }

    /// When this number was decided, which was seen first at `seen`, and not yet at `before`.
    fn decided_at(&self, number: u32, before: Duration, seen: Duration) -> Duration {
        let earliest = before.saturating_sub(UNDER_WAY);
        let known = self.decided.partition_point(|(at, _)| *at <= seen);
        let mut possible =
            (self.decided[..known].iter().rev()).take_while(|(at, _)| *at >= earliest);
        let decision = possible.find(|(_, to)| *to == number);
        decision.map_or(seen, |(at, _)| *at)
    }

    /// The first moment, from `from` on, at which at least so many are ready.
    pub(super) fn reached(&self, from: Duration, ready: u32) -> Option<Duration> {
        let later = self.samples.partition_point(|sample| sample.at <= from);
        let mut before = later.checked_sub(1).map(|position| self.samples[position]);
        if before.map_or(0, |sample| sample.replicas.ready) >= ready {
            return Some(from);
        }
        for sample in &self.samples[later..] {
            if sample.replicas.ready >= ready {
                return Some(self.became_ready(ready, before, sample).max(from));
            }
            before = Some(sample);
        }
        None
    }

    /// When the replica became ready that made it so many: one of those that did between two samples.
    fn became_ready(&self, number: u32, before: Option<&Sample>, sample: &Sample) -> Duration {
        let known = self.ready.partition_point(|at| *at <= sample.at);
        // Those that became ready before the sample, and counted back from it, are those that it has more.
        let back = (sample.replicas.ready - number) as usize + 1;
        let event = known.checked_sub(back).map(|position| self.ready[position]);
        let earliest = before.map_or(Duration::ZERO, |before| before.at.saturating_sub(UNDER_WAY));
        event.filter(|at| *at >= earliest).unwrap_or(sample.at)
    }

    /// What was missing, too much and there, from the start until then.
    pub(super) fn areas(&self, until: Duration) -> Areas {
        let mut areas = Areas::default();
        for (position, sample) in self.samples.iter().enumerate() {
            let end = self.samples.get(position + 1).map_or(until, |next| next.at);
            let lasted = end.min(until).saturating_sub(sample.at).as_nanos();
            let Replicas { desired, ready, .. } = sample.replicas;
            areas.under += u128::from(desired.saturating_sub(ready)) * lasted;
            areas.over += u128::from(ready.saturating_sub(desired)) * lasted;
            areas.there += u128::from(sample.replicas.there()) * lasted;
        }
        areas
    }
}

/// The number that a decision's sentence ends in: `hello--blue 4 → 6: …` decides 6.
fn decided(sentence: &str) -> Option<u32> {
    let (_, after) = sentence.split_once(" → ")?;
    let digits = after.find(|character: char| !character.is_ascii_digit());
    after[..digits.unwrap_or(after.len())].parse().ok()
}
