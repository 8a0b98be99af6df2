//! After each message: decide what is due, start and let go replicas, publish.

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::app::Change;
use ebbtide_core::document::Template;
use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_core::time::Timestamp;
use ebbtide_ingress::Replica;
use ebbtide_runtime::ReplicaSpec;
use tokio::time::timeout;

use super::app::AppControl;
use super::handle::{Published, RevisionMetrics};
use super::journal::{is_news, record_of};
use super::plan::plan;
use super::replica::{ReplicaControl, ReplicaState};
use super::status::View;
use super::task::{ControlTask, PUBLISH_INTERVAL};

/// `terminationGracePeriodSeconds` when the document does not say.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A replica that gets no new requests from the next publication on.
struct Going {
    name: ReplicaName,
    endpoint: Option<Arc<Replica>>,
    grace: Duration,
}

impl ControlTask {
    /// Brings everything in line with the state: decisions, replicas, the ingress's table, the
    /// published status.
    pub(super) fn settle(&mut self) {
        let now = self.now();
        let mut going = Vec::new();
        let names: Vec<AppName> = self.apps.keys().cloned().collect();
        for name in &names {
            self.decide_due(name, now);
            self.observe(name);
            going.extend(self.reconcile(name, now));
        }
        // First no worker routes to them any more, then they are closed and drained.
        self.routing.publish(self.apps.values_mut());
        for one in going {
            self.let_go(one);
        }
        self.leaving
            .retain(|app| app.revisions.values().any(|one| !one.replicas.is_empty()));
        if self
            .published_at
            .is_none_or(|at| now.since(at) >= PUBLISH_INTERVAL)
        {
            self.publish(now);
        }
    }

    /// Decides for each active revision of an app whose time has come.
    fn decide_due(&mut self, name: &AppName, now: Timestamp) {
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        let app = &control.app;
        for (revision, one) in &mut control.revisions {
            let active = app
                .revision(revision)
                .is_some_and(|revision| revision.active);
            if !active || one.next_decision > now {
                continue;
            }
            let before = one.decision.clone();
            let decision = one.decide(now, app.takeover_replicas(revision)).clone();
            let (app, time) = (name.as_str(), self.options.clock.rfc3339(decision.at));
            let record = if is_news(&decision, before.as_ref()) {
                control.journal.keep(app, time, &decision)
            } else {
                let sequence = one.record.as_ref().map_or(0, |record| record.sequence);
                record_of(sequence, app, time, &decision)
            };
            if decision.changed() {
                self.events.decision(&record);
            }
            one.record = Some(record);
        }
    }

    /// Lets the app's state machine see how its revisions fare, and act on it.
    fn observe(&mut self, name: &AppName) {
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        let changes = control.observe();
        for change in &changes {
            self.events.change(name, change);
        }
        self.changed(name, &changes);
    }

    /// Takes in what changed: a revision that is active again starts from nothing.
    pub(super) fn changed(&mut self, name: &AppName, changes: &[Change]) {
        let now = self.now();
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        for change in changes {
            if let Change::RevisionActivated(revision) = change
                && let Some(one) = control.revisions.get_mut(revision)
            {
                one.wake(now);
            }
        }
        control.forget_purged();
    }

    /// Starts replicas that are missing and returns those that have to go.
    fn reconcile(&mut self, name: &AppName, now: Timestamp) -> Vec<Going> {
        let Some(control) = self.apps.get_mut(name) else {
            return Vec::new();
        };
        let mut going = Vec::new();
        let names: Vec<RevisionName> = control.revisions.keys().cloned().collect();
        for revision in names {
            let desired = control.desired(&revision) as usize;
            let known = control.app.revision(&revision);
            let generation = known.map_or(0, |known| known.restarts);
            let template = known.map(|known| known.template.clone());
            let Some(one) = control.revisions.get_mut(&revision) else {
                continue;
            };
            let plan = plan(one.replicas.values(), desired, generation);
            let grace = template.as_ref().map_or(GRACE_PERIOD, grace_period);
            for replica in plan.stop {
                going.extend(one.replicas.get_mut(&replica).map(|one| part(one, grace)));
            }
            let Some(template) = template.filter(|_| plan.start > 0) else {
                continue;
            };
            for _ in 0..plan.start {
                let identifier = self.identifiers.next_identifier();
                let replica = ReplicaName::new(&revision, &identifier);
                let spec = replica_spec(control, &revision, &template, &replica, &self.options);
                let Some(one) = control.revisions.get_mut(&revision) else {
                    break;
                };
                match self.runtime.start_replica(spec) {
                    Ok(()) => {
                        let starting = ReplicaControl::starting(replica.clone(), generation, now);
                        one.replicas.insert(replica, starting);
                    }
                    Err(error) => {
                        one.failure = Some(error.to_string());
                        break;
                    }
                }
            }
        }
        going
    }

    /// Closes a replica to new requests and has it stopped once its last one has ended.
    fn let_go(&mut self, going: Going) {
        let Going {
            name,
            endpoint,
            grace,
        } = going;
        let Some(endpoint) = endpoint else {
            self.drained(&name);
            return;
        };
        endpoint.close();
        self.drains.spawn(async move {
            // Past the grace period it is stopped with requests in flight.
            drop(timeout(grace, endpoint.drained()).await);
            name
        });
    }

    /// A replica has no request left: it is stopped.
    pub(super) fn drained(&mut self, name: &ReplicaName) {
        let apps = self.apps.values_mut().chain(&mut self.leaving);
        let mut revisions = apps.flat_map(|app| app.revisions.values_mut());
        if let Some(replica) = revisions.find_map(|one| one.replicas.get_mut(name)) {
            replica.state = ReplicaState::Stopping;
        }
        self.runtime.stop_replica(name);
    }

    /// Lets all replicas of an app go, and keeps it until they are gone.
    pub(super) fn leave(&mut self, mut control: AppControl) {
        let mut going = Vec::new();
        for (name, one) in &mut control.revisions {
            let template = control
                .app
                .revision(name)
                .map(|revision| &revision.template);
            let grace = template.map_or(GRACE_PERIOD, grace_period);
            let live = one
                .replicas
                .values_mut()
                .filter(|replica| replica.is_live());
            going.extend(live.map(|replica| part(replica, grace)));
        }
        self.leaving.push(control);
        self.routing.publish(self.apps.values_mut());
        for one in going {
            self.let_go(one);
        }
    }

    /// Keeps a point of each revision's past.
    pub(super) fn keep_history(&mut self, now: Timestamp) {
        let clock = Arc::clone(&self.options.clock);
        let view = View {
            clock: &clock,
            now,
            ingress_port: self.options.ingress_port,
        };
        for control in self.apps.values_mut() {
            let names: Vec<RevisionName> = control.revisions.keys().cloned().collect();
            for name in names {
                let point = view.history_point(control, &name);
                if let (Some(point), Some(one)) = (point, control.revisions.get_mut(&name)) {
                    one.history.keep(point);
                }
            }
        }
    }

    /// Publishes the state of every app.
    fn publish(&mut self, now: Timestamp) {
        let view = View {
            clock: &self.options.clock,
            now,
            ingress_port: self.options.ingress_port,
        };
        let apps = self
            .apps
            .values()
            .map(|control| view.app(control))
            .collect();
        let metrics = |(name, control): (&AppName, &AppControl)| {
            let of_app = control
                .revisions
                .iter()
                .map(|(revision, one)| RevisionMetrics {
                    app: name.to_string(),
                    revision: revision.to_string(),
                    meter: Arc::clone(&one.meter),
                    decisions: one.counts,
                    replicas: one.replica_counts(control.desired(revision)),
                });
            of_app.collect::<Vec<_>>()
        };
        let sequence = self.published.load().sequence + 1;
        self.published.store(Arc::new(Published {
            apps,
            revisions: self.apps.iter().flat_map(metrics).collect(),
            ready: self.has_documents,
            sequence,
        }));
        self.published_at = Some(now);
    }
}

/// Marks a replica as going.
fn part(replica: &mut ReplicaControl, grace: Duration) -> Going {
    replica.state = ReplicaState::Draining;
    Going {
        name: replica.name.clone(),
        endpoint: replica.endpoint.clone(),
        grace,
    }
}

fn grace_period(template: &Template) -> Duration {
    template.termination_grace_period.unwrap_or(GRACE_PERIOD)
}

/// What the runtime is to start.
fn replica_spec(
    control: &AppControl,
    revision: &RevisionName,
    template: &Template,
    replica: &ReplicaName,
    options: &super::task::ControlOptions,
) -> ReplicaSpec {
    let document = control.app.document();
    let configuration = &document.configuration;
    let named = |name: &str, value: String| (name.to_owned(), value);
    let secrets = configuration.secrets.iter();
    ReplicaSpec {
        name: replica.clone(),
        revision: revision.clone(),
        app: document.name.clone(),
        target_port: configuration
            .ingress
            .as_ref()
            .and_then(|ingress| ingress.target_port),
        init_containers: template.init_containers.clone(),
        containers: template.containers.clone(),
        secrets: secrets
            .filter_map(|one| Some((one.name.clone(), one.value.clone()?)))
            .collect(),
        termination_grace_period: grace_period(template),
        environment: vec![
            named("CONTAINER_APP_NAME", document.name.to_string()),
            named("CONTAINER_APP_REVISION", revision.to_string()),
            named(
                "CONTAINER_APP_HOSTNAME",
                format!("{}.localhost", document.name),
            ),
            named("CONTAINER_APP_ENV_DNS_SUFFIX", "localhost".to_owned()),
            named("EBBTIDE_PROGRAM", options.program.display().to_string()),
        ],
        working_directory: control.folder.clone(),
    }
}
