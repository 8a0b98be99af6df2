//! A revision as the control task sees it: what it measures, what was decided, its replicas.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use ebbtide_core::document::{Resources, Template};
use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::scale::{self, Decision, Inputs, Metric, Reading, ScaleSpec, ScaleState};
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestWindow;
use ebbtide_ingress::{BackendState, MeterReading, RevisionMeter, UpstreamProtocol};

use ebbtide_signals::Usage;

use super::handle::DecisionCounts;
use super::journal::History;
use super::replica::{ReplicaControl, ReplicaState};
use crate::api::model::{DecisionRecord, ReplicaCounts};

/// What a container is taken to ask for when its document does not say, as `az` fills it in.
const DEFAULT_RESOURCES: (f64, f64) = (0.5, 1_073_741_824.0);

/// A revision, what it measures and what was decided for it.
pub(super) struct RevisionControl {
    /// Its name.
    pub(super) name: RevisionName,
    /// What its scaling follows.
    pub(super) spec: ScaleSpec,
    /// Its counters, written by the ingress.
    pub(super) meter: Arc<RevisionMeter>,
    /// How the ingress speaks to its replicas.
    pub(super) protocol: UpstreamProtocol,
    /// Its replicas, those that are going included.
    pub(super) replicas: BTreeMap<ReplicaName, ReplicaControl>,
    /// Why its replicas cannot start; none when they can or when there are none.
    pub(super) failure: Option<String>,
    /// The newest decision.
    pub(super) decision: Option<Decision>,
    /// It as a record, numbered as the newest one of this revision in the journal.
    pub(super) record: Option<DecisionRecord>,
    /// What its rules read at that decision.
    pub(super) readings: Vec<Reading>,
    /// When the next decision is due.
    pub(super) next_decision: Timestamp,
    /// How many decisions were made.
    pub(super) counts: DecisionCounts,
    /// Its past.
    pub(super) history: History,
    /// Where its decisions stand.
    pub(super) state: ScaleState,
    window: RequestWindow,
    requested: Resources,
    started_at_decision: u64,
}

impl RevisionControl {
    /// A revision without replicas.
    pub(super) fn new(
        name: RevisionName,
        template: &Template,
        spec: ScaleSpec,
        protocol: UpstreamProtocol,
        workers: NonZeroUsize,
        now: Timestamp,
    ) -> Self {
        let longest = spec.longest_window();
        let mut revision = Self {
            name,
            spec,
            meter: RevisionMeter::new(workers),
            protocol,
            replicas: BTreeMap::new(),
            failure: None,
            decision: None,
            record: None,
            readings: Vec::new(),
            next_decision: now,
            counts: DecisionCounts::default(),
            history: History::default(),
            state: ScaleState::starting_with(0, now),
            window: RequestWindow::new(longest),
            requested: requested(template),
            started_at_decision: 0,
        };
        revision.observe_counters(now);
        revision
    }

    /// Starts again from no replicas, as when it was deactivated and is active again.
    pub(super) fn wake(&mut self, now: Timestamp) {
        self.state = ScaleState::starting_with(0, now);
        self.next_decision = now;
    }

    /// Reads the ingress's counters into the windows.
    pub(super) fn observe_counters(&mut self, now: Timestamp) -> MeterReading {
        let reading = self.meter.read();
        self.window.observe(now, reading.sums);
        reading
    }

    /// Decides how many replicas there are to be, `takeover` at least.
    pub(super) fn decide(&mut self, now: Timestamp, takeover: u32) -> &Decision {
        let sums = self.observe_counters(now).sums;
        self.readings = self
            .spec
            .rules
            .iter()
            .map(|rule| self.read(&rule.metric, now))
            .collect();
        let inputs = Inputs {
            now,
            readings: &self.readings,
            requests: sums.in_flight(),
            requests_since_last: sums.started.wrapping_sub(self.started_at_decision),
            ready: self.ready(),
            takeover,
        };
        let (state, decision) = scale::decide(&self.name, &self.spec, &self.state, &inputs);
        self.state = state;
        self.started_at_decision = sums.started;
        self.next_decision = now + self.spec.policy.step.period;
        match decision.to.cmp(&decision.from) {
            std::cmp::Ordering::Greater => self.counts.out += 1,
            std::cmp::Ordering::Less => self.counts.r#in += 1,
            std::cmp::Ordering::Equal => self.counts.hold += 1,
        }
        self.decision.insert(decision)
    }

    /// What one rule reads now.
    fn read(&self, metric: &Metric, now: Timestamp) -> Reading {
        let known = |value: f64, at: Timestamp| Reading::Known { value, at };
        let unknown = |because: &str| Reading::Unknown {
            because: because.to_owned(),
        };
        // Before two readings of the counters there was nothing to measure: that is zero.
        let counted =
            |value: Option<f64>| known(value.unwrap_or(0.0), self.window.newest().unwrap_or(now));
        let measured = |value: Option<f64>| match value {
            Some(value) => known(value, now),
            None => unknown("its processes have not been measured yet"),
        };
        match metric {
            Metric::HttpConcurrency { window } => counted(self.window.concurrency(now, *window)),
            Metric::HttpRequestRate { window } => counted(self.window.rate(now, *window)),
            Metric::CpuUtilization => measured(self.average(cpu, Share::OfCpu)),
            Metric::CpuAverage => measured(self.average(cpu, Share::None)),
            Metric::MemoryUtilization => measured(self.average(memory, Share::OfMemory)),
            Metric::MemoryAverage => measured(self.average(memory, Share::None)),
            Metric::TcpConnections { .. } => unknown("TCP ingress is not built yet"),
            Metric::External => unknown("this scaler is not read yet"),
        }
    }

    /// The average over ready replicas, 0 without any; none while one has not been measured.
    fn average(&self, of: impl Fn(&Usage) -> f64, share: Share) -> Option<f64> {
        let ready = || self.replicas.values().filter(|replica| replica.is_ready());
        let used: Option<Vec<f64>> = ready()
            .map(|replica| replica.usage.as_ref().map(&of))
            .collect();
        let used = used?;
        if used.is_empty() {
            return Some(0.0);
        }
        let (cpu, memory) = (self.requested.cpu, self.requested.memory);
        #[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
        let whole = match share {
            Share::OfCpu => cpu.unwrap_or(DEFAULT_RESOURCES.0) / 100.0,
            Share::OfMemory => memory.map_or(DEFAULT_RESOURCES.1, |bytes| bytes as f64) / 100.0,
            Share::None => 1.0,
        };
        #[expect(clippy::cast_precision_loss, reason = "at most 1000 replicas")]
        let count = used.len() as f64;
        Some(used.iter().sum::<f64>() / count / whole)
    }

    /// How many replicas may get requests.
    pub(super) fn ready(&self) -> u32 {
        count(
            self.replicas
                .values()
                .filter(|replica| replica.is_ready())
                .count(),
        )
    }

    /// Replicas by state, `desired` as decided.
    pub(super) fn replica_counts(&self, desired: u32) -> ReplicaCounts {
        let with = |wanted: &[ReplicaState]| {
            count(
                self.replicas
                    .values()
                    .filter(|one| wanted.contains(&one.state))
                    .count(),
            )
        };
        ReplicaCounts {
            desired,
            ready: with(&[ReplicaState::Ready]),
            starting: with(&[
                ReplicaState::Starting,
                ReplicaState::Backoff,
                ReplicaState::NotReady,
            ]),
            draining: with(&[ReplicaState::Draining, ReplicaState::Stopping]),
        }
    }

    /// What the ingress is to do with its requests: forward, hold, or say why not.
    pub(super) fn backend_state(&self) -> BackendState {
        let ready = self.replicas.values().filter(|replica| replica.is_ready());
        let endpoints: Vec<_> = ready
            .filter_map(|replica| replica.endpoint.clone())
            .collect();
        match &self.failure {
            Some(because) if endpoints.is_empty() => BackendState::Failed {
                because: because.clone(),
            },
            _ => BackendState::Serving(endpoints),
        }
    }

    /// Sets or clears the reason why its replicas cannot start, from what they do: it stands while
    /// none is ready and one waits to be started again.
    pub(super) fn observe_failure(&mut self) {
        let live = || self.replicas.values().filter(|replica| replica.is_live());
        if live().next().is_none() || live().any(ReplicaControl::is_ready) {
            self.failure = None;
            return;
        }
        let failed = live().find(|replica| replica.state == ReplicaState::Backoff);
        if let Some(because) = failed.and_then(|replica| replica.because.clone()) {
            self.failure = Some(because);
        }
    }
}

/// What an average is a share of.
#[derive(Clone, Copy)]
enum Share {
    /// Of the cores asked for, in percent.
    OfCpu,
    /// Of the memory asked for, in percent.
    OfMemory,
    /// Nothing: the plain average.
    None,
}

fn cpu(usage: &Usage) -> f64 {
    usage.cpu_cores
}

#[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
fn memory(usage: &Usage) -> f64 {
    usage.memory_bytes as f64
}

/// What the containers of a template ask for together; none where no container says.
fn requested(template: &Template) -> Resources {
    let containers = || {
        template
            .containers
            .iter()
            .map(|container| container.resources)
    };
    Resources {
        cpu: containers()
            .filter_map(|one| one.cpu)
            .reduce(|sum, cpu| sum + cpu),
        memory: containers()
            .filter_map(|one| one.memory)
            .reduce(u64::saturating_add),
    }
}

/// A number of replicas, of which there are at most a thousand or so.
fn count(replicas: usize) -> u32 {
    u32::try_from(replicas).unwrap_or(u32::MAX)
}
