//! What a stream says: everything at first, then what changed.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use ebbtide_core::time::Clock;
use ebbtide_proto::telemetry as proto;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::{PERIOD, Reporter};
use crate::control::{Counters, RevisionMetrics};
use crate::telemetry::report::{Counts, message};

/// The messages of one stream.
pub(super) struct Messages<'a> {
    reporter: &'a Reporter,
    said: BTreeMap<String, Counts>,
}

impl<'a> Messages<'a> {
    /// Nothing was said yet.
    pub(super) fn new(reporter: &'a Reporter) -> Self {
        Self {
            reporter,
            said: BTreeMap::new(),
        }
    }

    /// Sends a message at once when requests begin to wait, and otherwise regularly; the last one
    /// when `stopping`. Returns when that is sent, or nobody takes messages any more.
    pub(super) async fn send(
        mut self,
        sender: mpsc::Sender<proto::Counts>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut activations = self.reporter.control.activations();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                Ok(()) = activations.changed() => false,
                _ = stopping.wait_for(|stopping| *stopping) => true,
            };
            // Before the ingress knows where replicas are it has nothing to say of them.
            if !self.reporter.control.published().ready {
                continue;
            }
            // The place first: what is sent is of the moment in which it can be.
            let Ok(place) = sender.reserve().await else {
                return;
            };
            place.send(self.next(last));
            if last {
                return;
            }
        }
    }

    /// What is to be said now.
    fn next(&mut self, last: bool) -> proto::Counts {
        let reporter = self.reporter;
        let now = self.counts();
        let is_new = |(name, counts): &(&String, &Counts)| self.said.get(*name) != Some(*counts);
        let revisions = now.iter().filter(is_new);
        let revisions = revisions
            .map(|(name, counts)| message(name, counts))
            .collect();
        let removed = self.said.keys().filter(|name| !now.contains_key(*name));
        let removed = removed.cloned().collect();
        self.said = now;
        proto::Counts {
            ingress: reporter.ingress.to_string(),
            run: reporter.run,
            sequence: reporter.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            running_nanos: reporter.clock.now().as_nanos(),
            revisions,
            removed,
            last,
        }
    }

    fn counts(&self) -> BTreeMap<String, Counts> {
        let published = self.reporter.control.published();
        let revisions = published.revisions();
        let counts = revisions.filter_map(|one| Some((one.revision.clone(), self.counts_of(one)?)));
        counts.collect()
    }

    fn counts_of(&self, revision: &RevisionMetrics) -> Option<Counts> {
        let Counters::Own(meter) = &revision.meter else {
            return None;
        };
        let reading = meter.read();
        Some(Counts {
            started: reading.sums.started,
            ended: reading.sums.ended,
            request_nanos: reading.sums.request_nanos(self.reporter.clock.now()),
            waiting: reading.waiting,
            ready: revision.replicas.ready,
        })
    }
}
