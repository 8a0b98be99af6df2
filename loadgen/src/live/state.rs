//! What a view shows, made of what was published last.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::{Judge, Judged, Sources};
use crate::observe::model::{Observation, Replicas};
use crate::record::recording::Times;
use crate::record::recording::{Live, SecondTally};
use crate::report::head::Head;
use crate::report::histogram::{add, empty, of_second};

/// Seconds of which the recent percentiles are.
pub(super) const RECENT: usize = 10;

/// What a view shows.
pub(super) struct State {
    pub(super) head: Head,
    pub(super) live: Live,
    pub(super) scaling: Option<Scaling>,
    pub(super) thresholds: Vec<Judged>,
    /// How often the end was asked for.
    pub(super) ends: u32,
    sources: Watched,
}

struct Watched {
    live: watch::Receiver<Live>,
    observation: Option<watch::Receiver<Observation>>,
    judge: Option<Judge>,
    /// The second in which the thresholds were last judged.
    judged: Option<u64>,
}

/// What the autoscaler has now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scaling {
    /// By revision.
    pub(super) replicas: BTreeMap<String, Replicas>,
    pub(super) waiting: Option<u64>,
    pub(super) queued: Option<f64>,
    /// The last decision's sentence.
    pub(super) decision: Option<String>,
}

impl Scaling {
    /// The last of what was seen of each revision.
    pub(super) fn of(observation: &Observation) -> Self {
        let mut last = BTreeMap::new();
        for sample in &observation.samples {
            last.insert(&sample.revision, sample);
        }
        let waiting = last.values().filter_map(|sample| sample.waiting);
        let queues = last.values().flat_map(|sample| sample.queues.values());
        let mut decisions = observation
            .events
            .iter()
            .rev()
            .filter(|event| event.reason == "Decision");
        Self {
            waiting: waiting.reduce(|one, other| one + other),
            queued: queues.copied().reduce(|one, other| one + other),
            decision: decisions.next().map(|event| event.message.clone()),
            replicas: (last.iter())
                .map(|(name, sample)| ((*name).clone(), sample.replicas))
                .collect(),
        }
    }
}

impl State {
    pub(super) fn new(sources: Sources) -> Self {
        let Sources {
            head,
            live,
            observation,
            judge,
        } = sources;
        let first = live.borrow().clone();
        Self {
            head,
            live: first,
            scaling: None,
            thresholds: Vec::new(),
            ends: 0,
            sources: Watched {
                live,
                observation,
                judge,
                judged: None,
            },
        }
    }

    /// Takes over what was published since. None once nothing more will be; else whether there was anything.
    pub(super) fn refresh(&mut self) -> Option<bool> {
        let changed = self.sources.live.has_changed().ok()?;
        if changed {
            self.live = self.sources.live.borrow_and_update().clone();
        }
        let seen = self
            .sources
            .observation
            .as_mut()
            .is_some_and(|seen| seen.has_changed().unwrap_or(false));
        if let Some(observation) = self.sources.observation.as_mut().filter(|_| seen) {
            self.scaling = Some(Scaling::of(&observation.borrow_and_update()));
        }
        if changed {
            self.judge();
        }
        Some(changed || seen)
    }

    /// Once a second: it costs more than to look.
    fn judge(&mut self) {
        let second = self.live.at.as_secs();
        if self.sources.judged != Some(second) {
            self.sources.judged = Some(second);
            if let Some(judge) = &self.sources.judge {
                self.thresholds = judge(&self.live);
            }
        }
    }

    /// The last complete second.
    pub(super) fn last_second(&self) -> Option<&SecondTally> {
        self.live.seconds.iter().nth_back(1)
    }

    /// Requests that are begun and not answered.
    pub(super) fn outstanding(&self) -> u64 {
        let total = &self.live.total;
        let lost: u64 = total.failures.values().map(|failure| failure.count).sum();
        total.sent.saturating_sub(total.answered + lost)
    }

    /// Requests that have failed.
    pub(super) fn failed(&self) -> u64 {
        let total = &self.live.total;
        let lost: u64 = total.failures.values().map(|failure| failure.count).sum();
        lost + total.answered.saturating_sub(total.succeeded)
    }

    /// Response times of the last seconds.
    pub(super) fn recent(&self) -> Option<Times> {
        let mut all = empty().ok()?;
        for second in self.live.seconds.iter().rev().take(RECENT) {
            if let Some(times) = &second.response {
                add(&mut all, &of_second(times).ok()?);
            }
        }
        Some(all)
    }
}
