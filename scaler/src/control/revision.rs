//! A revision as the control task sees it: what it measures, what was decided, its replicas.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ebbtide_core::app::{App, Failure, Revision};
use ebbtide_core::document::{ContainerApp, Template, Transport};
use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::scale::{
    self, Decision, Inputs, Metric, Reading, RuleSpec, ScaleSpec, ScaleState,
};
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::{RequestSums, RequestWindow};
use ebbtide_ingress::UpstreamProtocol;

use super::counters::{Counters, Counting};
use super::handle::DecisionCounts;
use super::journal::History;
use super::pods::PodsRead;
use super::readings::{Counted, Sources, requested};
use super::replica::ReplicaControl;
use super::sources::RuleSource;
use crate::api::model::DecisionRecord;
use crate::telemetry::Counts;

/// `terminationGracePeriodSeconds` when the document does not say.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A revision, what it measures and what was decided for it.
pub(super) struct RevisionControl {
    /// Its name.
    pub(super) name: RevisionName,
    /// What its replicas run.
    pub(super) template: Template,
    /// Where relative paths of its commands start.
    pub(super) folder: PathBuf,
    /// What its scaling follows.
    pub(super) spec: ScaleSpec,
    /// What is counted of its requests.
    pub(super) meter: Counters,
    /// When the ingress was heard that has been silent longest, if ingresses elsewhere count.
    pub(super) heard: Option<Timestamp>,
    /// What was read of its pods last, if something else runs them.
    pub(super) pods: Option<PodsRead>,
    /// How its replicas are reached.
    pub(super) access: Access,
    /// Its replicas, those that are going included.
    pub(super) replicas: BTreeMap<ReplicaName, ReplicaControl>,
    /// Why its replicas cannot start; none when they can or when there are none.
    pub(super) failure: Option<Failure>,
    /// What the runtime said when it refused to start a replica.
    pub(super) refused: Option<Refused>,
    /// The newest decision.
    pub(super) decision: Option<Decision>,
    /// It as a record, numbered as the newest one of this revision in the journal.
    pub(super) record: Option<DecisionRecord>,
    /// What its rules read from, one for each; empty until that is found out.
    pub(super) sources: Vec<RuleSource>,
    /// What its rules read at that decision.
    pub(super) readings: Vec<Reading>,
    /// When the next decision is due.
    pub(super) next_decision: Timestamp,
    /// How many decisions were made.
    pub(super) counts: DecisionCounts,
    /// Whether the last change of the number of replicas was to fewer.
    pub(super) lowered: bool,
    /// Its past.
    pub(super) history: History,
    /// Where its decisions stand.
    pub(super) state: ScaleState,
    /// Whether it is known where it starts from: how many replicas there are, or some rule.
    was_known: bool,
    window: RequestWindow,
    started_at_decision: u64,
    access_changes: u64,
}

/// A replica that was not started.
pub(super) struct Refused {
    /// Why not.
    pub(super) because: String,
    /// Not before this time it is tried again.
    pub(super) retry_at: Timestamp,
}

/// How the replicas of an app are reached: what they have to be started for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// How the ingress speaks to them.
    pub(super) protocol: UpstreamProtocol,
    /// The `targetPort` that a port of their own stands for.
    pub(super) target_port: Option<u16>,
    /// The same for further ports.
    pub(super) additional_ports: Vec<u16>,
}

impl Access {
    /// As the document's ingress has it.
    pub(super) fn of(document: &ContainerApp) -> Self {
        let ingress = document.configuration.ingress.as_ref();
        let protocol = match ingress.map(|ingress| ingress.transport) {
            Some(Transport::Http2) => UpstreamProtocol::Http2,
            _ => UpstreamProtocol::Http1,
        };
        let mappings = ingress.map_or(&[][..], |ingress| &ingress.additional_port_mappings);
        Self {
            protocol,
            target_port: ingress.and_then(|ingress| ingress.target_port),
            additional_ports: mappings.iter().map(|one| one.target_port).collect(),
        }
    }
}

impl RevisionControl {
    /// A revision without replicas, whose commands' relative paths start in `folder`.
    pub(super) fn new(
        revision: &Revision,
        spec: ScaleSpec,
        folder: PathBuf,
        access: Access,
        counting: Counting,
        now: Timestamp,
    ) -> Self {
        let longest = spec.longest_window();
        let mut control = Self {
            name: revision.name.clone(),
            template: revision.template.clone(),
            folder,
            spec,
            meter: counting.counters(),
            heard: None,
            pods: None,
            was_known: counting != Counting::Elsewhere,
            access,
            access_changes: 0,
            replicas: BTreeMap::new(),
            failure: None,
            refused: None,
            decision: None,
            record: None,
            sources: Vec::new(),
            readings: Vec::new(),
            next_decision: now,
            counts: DecisionCounts::default(),
            lowered: false,
            history: History::default(),
            state: ScaleState::starting_with(0, now),
            window: RequestWindow::new(longest),
            started_at_decision: 0,
        };
        control.observe_counters(now);
        control
    }

    /// Follows another document of its app: it is decided for at once, and what the runtime
    /// refused is tried again. Replicas that are reached in another way are replaced.
    pub(super) fn follow(&mut self, spec: ScaleSpec, access: Access, now: Timestamp) {
        self.spec = spec;
        self.next_decision = now;
        self.refused = None;
        if self.access != access {
            self.access = access;
            self.access_changes += 1;
        }
    }

    /// Starts again from no replicas, as when it was deactivated and is active again.
    pub(super) fn wake(&mut self, now: Timestamp) {
        self.state = ScaleState::starting_with(0, now);
        self.next_decision = now;
        self.started_at_decision = self.meter.sums().started;
        self.refused = None;
    }

    /// How many replicas it is to have; none when it is not active.
    pub(super) fn desired(&self, app: &App) -> u32 {
        let revision = app.revision(&self.name);
        if revision.is_some_and(|revision| revision.active) {
            self.state.desired()
        } else {
            0
        }
    }

    /// What its replicas have to be of; those of an earlier generation are replaced.
    pub(super) fn generation(&self, app: &App) -> u64 {
        let revision = app.revision(&self.name);
        revision.map_or(0, |revision| revision.restarts) + self.access_changes
    }

    /// From SIGTERM to SIGKILL, and before that at most from the last new request to SIGTERM.
    pub(super) fn grace_period(&self) -> Duration {
        let given = self.template.termination_grace_period;
        given.unwrap_or(GRACE_PERIOD)
    }

    /// Reads the ingress's counters into the windows.
    pub(super) fn observe_counters(&mut self, now: Timestamp) -> RequestSums {
        let sums = self.meter.sums();
        self.window.observe(now, sums);
        sums
    }

    /// Takes in what a run of an ingress has counted of a revision. It is decided for at once when
    /// requests begin to wait, or find no replica and do not wait for one; the first time it starts from
    /// the replicas that the ingress knows.
    pub(super) fn count(
        &mut self,
        run: u64,
        revision: &RevisionName,
        counts: Counts,
        from_zero: bool,
        now: Timestamp,
    ) {
        let Counters::Reported(meter) = &self.meter else {
            return;
        };
        let waited = meter.waiting() > 0;
        meter.take_in(run, revision, counts, from_zero, now);
        if !self.was_known {
            self.was_known = true;
            self.state = ScaleState::starting_with(counts.ready, now);
            self.next_decision = now;
        }
        let is_asked = self.meter.read().sums.started != self.started_at_decision;
        let begins_to_wait = counts.waiting > 0 && !waited;
        if begins_to_wait || (self.state.desired() == 0 && (counts.waiting > 0 || is_asked)) {
            self.next_decision = now;
        }
        self.observe_counters(now);
    }

    /// What is counted of its requests, as an ingress would report it.
    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        let reading = self.meter.read();
        Counts {
            started: reading.sums.started,
            ended: reading.sums.ended,
            request_nanos: reading.sums.request_nanos(now),
            waiting: reading.waiting,
            ready: self.ready(),
        }
    }

    /// Whether it has taken in what a run of an ingress reports of `revision`.
    pub(super) fn is_reported_by(&self, run: u64, revision: &RevisionName) -> bool {
        match &self.meter {
            Counters::Reported(meter) => meter.is_reported_by(run, revision),
            Counters::Own(_) => false,
        }
    }

    /// A run of an ingress routes to a revision no more.
    pub(super) fn forget(&mut self, run: u64, revision: &RevisionName) {
        if let Counters::Reported(meter) = &self.meter {
            meter.forget(run, revision);
        }
    }

    /// Whether it can be decided for. Before anything is known of it that would be a decision from
    /// nothing, and those who carry it out would take away what there is.
    pub(super) fn can_be_decided_for(&mut self, now: Timestamp) -> bool {
        if !self.was_known {
            self.readings = self.read_rules(now);
            let known = |reading: &Reading| !matches!(reading, Reading::Unknown { .. });
            self.was_known = self.readings.iter().any(known);
            if let Some(replicas) = self.pods.as_ref().and_then(PodsRead::replicas) {
                self.state = ScaleState::starting_with(replicas, now);
            }
            self.next_decision = now + self.spec.policy.step.period;
        }
        self.was_known
    }

    /// Decides how many replicas there are to be, `takeover` at least.
    pub(super) fn decide(&mut self, now: Timestamp, takeover: u32) -> &Decision {
        let sums = self.observe_counters(now);
        self.readings = self.read_rules(now);
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
        if decision.changed() {
            self.lowered = decision.to < decision.from;
        }
        match decision.to.cmp(&decision.from) {
            std::cmp::Ordering::Greater => self.counts.out += 1,
            std::cmp::Ordering::Less => self.counts.r#in += 1,
            std::cmp::Ordering::Equal => self.counts.hold += 1,
        }
        self.decision.insert(decision)
    }

    fn read_rules(&self, now: Timestamp) -> Vec<Reading> {
        let replicas = self.replicas.values();
        let sources = Sources {
            window: &self.window,
            ready: replicas.filter(|replica| replica.is_ready()),
            requested: requested(&self.template),
            pods: self.pods.as_ref(),
            counted: match &self.meter {
                Counters::Own(_) => Counted::Here,
                Counters::Reported(meter) if meter.is_reported() => Counted::Elsewhere(self.heard),
                Counters::Reported(_) => Counted::Nowhere,
            },
            now,
        };
        let rules = self.spec.rules.iter().enumerate();
        let read = |(place, rule): (usize, &RuleSpec)| match (&rule.metric, self.sources.get(place))
        {
            (Metric::External, Some(source)) => source.reading(now, self.spec.allowed_age(rule)),
            (metric, _) => sources.read(metric),
        };
        rules.map(read).collect()
    }
}
