//! What the control task publishes: the state of every app, as the status API shows it.

mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use ebbtide_core::app::Revision;
use ebbtide_core::document::{
    ActiveRevisionsMode, Ingress, PortMapping, TrafficTarget, TrafficWeight, Transport,
};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::scale::Reading;
use ebbtide_core::time::Timestamp;
use ebbtide_signals::SourceState;

use self::words::{metric_words, provisioning_state, running_state, sentence};
use super::app::AppControl;
use super::replica::ReplicaControl;
use super::revision::RevisionControl;
use super::sources::RuleSource;
use super::task::ControlOptions;
use crate::api::model::{
    AppStatus, Countdowns, HistoryPoint, PortStatus, ReadingCounts, ReplicaStatus, RevisionStatus,
    RuleStatus, TrafficEntry, TrafficStatus,
};
use crate::clock::SystemClock;

/// What a status is made from, beside the app itself.
pub(super) struct View<'a> {
    /// Converts times for people.
    clock: &'a SystemClock,
    /// Now.
    now: Timestamp,
    /// The port of the ingress, if this process has one.
    ingress_port: Option<u16>,
    /// What does not work as their documents have it.
    remarks: BTreeMap<AppName, Vec<String>>,
}

impl<'a> View<'a> {
    /// A view of now, for a control task with these options.
    pub(super) fn new(
        options: &'a ControlOptions,
        now: Timestamp,
        remarks: BTreeMap<AppName, Vec<String>>,
    ) -> Self {
        Self {
            clock: &options.clock,
            now,
            ingress_port: options.ingress_port,
            remarks,
        }
    }
}

impl View<'_> {
    /// The state of one app.
    pub(super) fn app(&self, control: &AppControl) -> AppStatus {
        let app = &control.app;
        let document = app.document();
        let revisions: Vec<RevisionStatus> = control
            .newest_first()
            .iter()
            .filter_map(|one| self.revision(control, one))
            .collect();
        let ingress = document.configuration.ingress.as_ref();
        let entries = ingress.iter().flat_map(|ingress| &ingress.traffic);
        let url = ingress.and_then(|ingress| match ingress.transport {
            Transport::Tcp => self.tcp_url(ingress),
            _ => self.url(app.name().as_str()),
        });
        AppStatus {
            name: app.name().to_string(),
            sentence: sentence(app.name().as_str(), url.is_some(), &revisions),
            url,
            additional_ports: ingress
                .map(|ingress| self.additional_ports(ingress))
                .unwrap_or_default(),
            active_revisions_mode: match document.configuration.active_revisions_mode {
                ActiveRevisionsMode::Single => "Single".to_owned(),
                ActiveRevisionsMode::Multiple => "Multiple".to_owned(),
            },
            latest_revision_name: app.latest().to_string(),
            latest_ready_revision_name: app.latest_ready().map(ToString::to_string),
            source: control.source.name(),
            warnings: self.warnings(control),
            traffic: self.traffic(control),
            traffic_entries: entries.map(traffic_entry).collect(),
            revisions,
        }
    }

    fn warnings(&self, control: &AppControl) -> Vec<String> {
        let remarks = self.remarks.get(control.app.name());
        let remarks = remarks.into_iter().flatten();
        control.warnings.iter().chain(remarks).cloned().collect()
    }

    /// Where requests reach a name, if this process has an ingress.
    pub(super) fn url(&self, host: &str) -> Option<String> {
        let port = self.ingress_port?;
        Some(format!("http://{host}.localhost:{port}/"))
    }

    /// TCP has no names: the port tells apps apart.
    fn tcp_url(&self, ingress: &Ingress) -> Option<String> {
        let port = ingress.tcp_port()?;
        self.ingress_port.map(|_| format!("tcp://localhost:{port}"))
    }

    /// The ports beside an app's own.
    fn additional_ports(&self, ingress: &Ingress) -> Vec<PortStatus> {
        let mappings = ingress.additional_port_mappings.iter();
        let status = |mapping: &PortMapping| PortStatus {
            external: mapping.external,
            target_port: mapping.target_port,
            exposed_port: mapping.port(),
            url: (self.ingress_port).map(|_| format!("tcp://localhost:{}", mapping.port())),
        };
        mappings.map(status).collect()
    }

    fn traffic(&self, control: &AppControl) -> Vec<TrafficStatus> {
        let shares = control.app.shares();
        let observed = |name: &RevisionName| control.observed_requests(name);
        let total: u64 = shares.iter().map(|share| observed(&share.revision)).sum();
        let app = control.app.name().as_str();
        let status = |share: &ebbtide_core::app::Share| TrafficStatus {
            revision_name: share.revision.to_string(),
            weight: share.weight,
            latest_revision: share.latest,
            label_url: share
                .label
                .as_ref()
                .and_then(|label| self.url(&format!("{app}---{label}"))),
            label: share.label.clone(),
            observed_percent: percent(observed(&share.revision), total),
            observed_requests: observed(&share.revision),
        };
        shares.iter().map(status).collect()
    }

    fn revision(&self, control: &AppControl, revision: &Revision) -> Option<RevisionStatus> {
        let name = &revision.name;
        let one = control.revisions.get(name)?;
        let reading = one.meter.read();
        let replicas = one.replica_counts(control.desired(name));
        let recent = one.history.recent();
        let shares = control.app.shares();
        let weights = shares.iter().filter(|share| share.revision == *name);
        let labels = control.app.labels();
        let (running_state, details) = running_state(revision, one, &replicas, self.now);
        Some(RevisionStatus {
            name: name.to_string(),
            active: revision.active,
            created_time: self.clock.rfc3339(revision.created),
            traffic_weight: weights.map(|share| share.weight).sum(),
            labels: labels
                .iter()
                .filter(|(_, to)| *to == name)
                .map(|(l, _)| l.clone())
                .collect(),
            provisioning_state: provisioning_state(revision.provisioning).to_owned(),
            running_state: running_state.to_owned(),
            running_state_details: details,
            replicas,
            min_replicas: one.spec.min_replicas,
            max_replicas: one.spec.max_replicas,
            waiting_requests: reading.waiting,
            in_flight_requests: reading.sums.in_flight(),
            finished_requests: reading.sums.ended,
            requests_per_second: recent.requests_per_second,
            p50_milliseconds: recent.p50.map(milliseconds),
            p99_milliseconds: recent.p99.map(milliseconds),
            rules: self.rules(one),
            decision: one.record.clone(),
            countdowns: self.countdowns(one, revision.active),
            replica_list: one
                .replicas
                .values()
                .map(|replica| self.replica(replica))
                .collect(),
        })
    }

    fn rules(&self, one: &RevisionControl) -> Vec<RuleStatus> {
        let recommendations = one
            .decision
            .as_ref()
            .map(|decision| decision.recommendations.as_slice());
        let status = |(place, rule): (usize, &ebbtide_core::scale::RuleSpec)| {
            let reading = one.readings.get(place);
            let recommended = recommendations.and_then(|all| all.get(place));
            let (value, age) = match reading {
                Some(Reading::Known { value, at, .. }) => {
                    (Some(*value), Some(self.now.since(*at).as_secs_f64()))
                }
                Some(Reading::Pods { at, .. }) => (
                    recommended.and_then(|one| one.value),
                    Some(self.now.since(*at).as_secs_f64()),
                ),
                // Known all the same while there is no replica that could be measured.
                _ => (recommended.and_then(|one| one.value), None),
            };
            let state = match value {
                Some(value) if value > rule.activation => "active",
                Some(_) => "idle",
                None => "unknown",
            };
            let source = one.sources.get(place).and_then(RuleSource::state);
            let counts = |state: &SourceState| ReadingCounts {
                total: state.reads,
                failed: state.failures,
            };
            let sample = source.as_ref().and_then(|state| state.sample);
            let error = source.as_ref().and_then(|state| state.error.as_ref());
            RuleStatus {
                read_milliseconds: sample.map(|sample| milliseconds(sample.took)),
                error: error.map(ToString::to_string),
                readings: source.as_ref().map(counts),
                name: rule.name.clone(),
                scaler: rule.scaler.clone(),
                metric: metric_words(&rule.metric),
                value,
                target: rule.target,
                replicas: recommended.and_then(|one| one.replicas),
                age_seconds: age,
                state: state.to_owned(),
                because: match (recommended, reading) {
                    (Some(one), _) => one.because.clone(),
                    (None, Some(Reading::Unknown { because })) => because.clone(),
                    _ => String::new(),
                },
            }
        };
        one.spec.rules.iter().enumerate().map(status).collect()
    }

    fn countdowns(&self, one: &RevisionControl, active: bool) -> Countdowns {
        if !active {
            return Countdowns::default();
        }
        let seconds = |left: Option<Duration>| left.map(|left| left.as_secs_f64());
        Countdowns {
            next_decision_seconds: Some(one.next_decision.since(self.now).as_secs_f64()),
            cooldown_seconds: seconds(one.state.cooldown_remaining(&one.spec, self.now)),
            stabilization_seconds: seconds(one.state.stabilization_remaining(&one.spec, self.now)),
        }
    }

    fn replica(&self, replica: &ReplicaControl) -> ReplicaStatus {
        let start = replica
            .first_ready
            .map(|ready| ready.since(replica.started));
        ReplicaStatus {
            name: replica.name.to_string(),
            state: replica.state.as_str().to_owned(),
            because: replica.because.clone().or_else(|| ejected(replica)),
            pid: replica.pid,
            port: replica.port,
            in_flight_requests: replica.endpoint.as_ref().map_or(0, |one| one.in_flight()),
            restarts: replica.restarts,
            started_time: self.clock.rfc3339(replica.started),
            start_milliseconds: start.map(milliseconds),
            cpu_cores: replica.usage.as_ref().map(|usage| usage.cpu_cores),
            memory_bytes: replica.usage.as_ref().map(|usage| usage.memory_bytes),
        }
    }

    /// The present second of a revision, for charts.
    pub(super) fn history_point(
        &self,
        control: &AppControl,
        name: &RevisionName,
    ) -> Option<HistoryPoint> {
        let one = control.revisions.get(name)?;
        let reading = one.meter.read();
        let recent = one.history.recent();
        let recommendations = one.decision.iter().flat_map(|one| &one.recommendations);
        let leading = recommendations
            .filter(|one| one.replicas.is_some())
            .max_by_key(|one| one.replicas);
        let value = leading.and_then(|one| one.value);
        Some(HistoryPoint {
            time_milliseconds: u64::try_from(self.clock.wall(self.now).as_millisecond())
                .unwrap_or(0),
            metric_value: value,
            metric_ratio: leading.and_then(|one| Some(one.value? / one.target)),
            metric_rule: leading.map(|one| one.rule.clone()),
            replicas: one.replica_counts(control.desired(name)),
            waiting_requests: reading.waiting,
            in_flight_requests: reading.sums.in_flight(),
            requests_per_second: recent.requests_per_second,
            p50_milliseconds: recent.p50.map(milliseconds),
            p99_milliseconds: recent.p99.map(milliseconds),
        })
    }
}

/// An entry of the document as the API has it.
fn traffic_entry(entry: &TrafficWeight) -> TrafficEntry {
    let revision_name = match &entry.target {
        TrafficTarget::LatestRevision => None,
        TrafficTarget::Revision(name) => Some(name.to_string()),
    };
    TrafficEntry {
        latest_revision: revision_name.is_none(),
        revision_name,
        weight: entry.weight,
        label: entry.label.clone(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay below 2^53"
)]
fn percent(part: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| part as f64 * 100.0 / total as f64)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
/// That the ingress sends a replica no requests, if it does not.
fn ejected(replica: &ReplicaControl) -> Option<String> {
    let endpoint = replica.endpoint.as_ref()?;
    let because = "failed several requests in a row, so that others get them for a while";
    endpoint.is_ejected().then(|| because.to_owned())
}
