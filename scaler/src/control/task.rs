//! The control task: takes in messages one at a time, decides, and has the decisions carried out.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_runtime::endpoints::Endpoints;
use ebbtide_runtime::{ReplicaEvent, Runtime};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::adoption::Adopted;
use super::app::AppControl;
use super::counters::Counting;
use super::events::Events;
use super::handle::{Command, Control, Published};
use super::http_routes::RouteConfigs;
use super::identifier::Identifiers;
use super::ingresses::Ingresses;
use super::pods::PodLink;
use super::role::{Kind, Role};
use super::routing::Routing;
use super::sources::{SignalOptions, Signals};
use super::touched::{Part, Round, TICK, Touched};
use super::usage::{self, Roots, Usages};
use crate::clock::SystemClock;
use crate::telemetry::Report;

/// Commands that may wait for the control task.
const MAILBOX: usize = 256;

/// Events that a slow follower may fall behind by.
const EVENTS: usize = 1024;

/// Rounds of all apps that make a second of history.
const ROUNDS_PER_SECOND: u32 = 4;

/// The state is published at most this often.
pub(super) const PUBLISH_INTERVAL: Duration = Duration::from_millis(100);

/// What the control task works with.
pub struct ControlOptions {
    /// The clock, shared with the ingress and the runtime.
    pub clock: Arc<SystemClock>,
    /// The ingress's workers, each of which has a shard of the counters.
    pub workers: NonZeroUsize,
    /// The port of the ingress, if this process has one.
    pub ingress_port: Option<u16>,
    /// The address of the status API, for messages.
    pub status_url: String,
    /// This program, which documents may run as `$(EBBTIDE_PROGRAM)`.
    pub program: PathBuf,
    /// What names and suffixes are made from.
    pub seed: u64,
    /// What the sources of rules are read with.
    pub signals: SignalOptions,
}

/// What comes to the control task from the parts it steers.
pub struct Inbox {
    /// Revisions whose requests wait, from the ingress.
    pub activations: mpsc::Receiver<RevisionName>,
    /// What becomes of replicas, from the runtime.
    pub replicas: mpsc::Receiver<ReplicaEvent>,
    /// What ingresses elsewhere count.
    pub reports: mpsc::Receiver<Report>,
    /// Where replicas are that something else runs; none until that is known.
    pub endpoints: watch::Receiver<Option<Endpoints>>,
    /// Who reads what pods use that something else runs, if anyone does.
    pub pods: Option<PodLink>,
}

impl Default for Inbox {
    /// One to which nothing comes.
    fn default() -> Self {
        Self {
            activations: mpsc::channel(1).1,
            replicas: mpsc::channel(1).1,
            reports: mpsc::channel(1).1,
            endpoints: watch::channel(None).1,
            pods: None,
        }
    }
}

/// The control task's state.
pub struct ControlTask {
    pub(super) options: ControlOptions,
    pub(super) apps: BTreeMap<AppName, AppControl>,
    /// Hosts whose requests go to apps by rules.
    pub(super) routes: RouteConfigs,
    /// Apps that were taken away and whose replicas are still going.
    pub(super) leaving: Vec<AppControl>,
    pub(super) kind: Kind,
    pub(super) counting: Counting,
    /// Runs the replicas, if this process does.
    pub(super) runtime: Option<Runtime>,
    /// The way to the ingress, if this process has one.
    pub(super) routing: Option<Routing>,
    /// The ingresses elsewhere.
    pub(super) ingresses: Ingresses,
    /// The rules that ScaledObjects bring, each an app of its own.
    pub(super) adopted: Adopted,
    /// Whether the endpoints of replicas are known, where something else runs them.
    pub(super) knows_endpoints: bool,
    /// What rules read from other servers.
    pub(super) signals: Signals,
    pub(super) events: Events,
    pub(super) identifiers: Identifiers,
    pub(super) drains: JoinSet<ReplicaName>,
    pub(super) published: Arc<ArcSwap<Published>>,
    pub(super) publications: watch::Sender<u64>,
    /// When the state was published last; none when it must be at once.
    pub(super) published_at: Option<Timestamp>,
    pub(super) has_documents: bool,
    activations: watch::Sender<u64>,
    roots: watch::Sender<Roots>,
    measured: mpsc::Receiver<Usages>,
    measuring: JoinSet<()>,
    commands: mpsc::Receiver<Command>,
    pub(super) inbox: Inbox,
    round: Round,
    rounds: u32,
}

impl ControlTask {
    /// A control task without apps, and the way to it.
    pub fn new(options: ControlOptions, role: Role, inbox: Inbox) -> (Self, Control) {
        let (kind, runtime, publisher) = role.into_parts();
        let (commands_in, commands) = mpsc::channel(MAILBOX);
        let (events_in, _) = broadcast::channel(EVENTS);
        let state = Arc::new(ArcSwap::from_pointee(Published::default()));
        let (publications, publications_out) = watch::channel(0);
        let (roots, roots_out) = watch::channel(Roots::new());
        let (measured_in, measured) = mpsc::channel(1);
        let (activations, activations_out) = watch::channel(0);
        let mut measuring = JoinSet::new();
        if kind.runs_replicas() {
            let clock = Arc::clone(&options.clock);
            measuring.spawn(usage::measure(clock, roots_out, measured_in));
        }
        let control = Control {
            commands: commands_in,
            published: Arc::clone(&state),
            publications: publications_out,
            activations: activations_out,
            events: events_in.clone(),
        };
        let task = Self {
            apps: BTreeMap::new(),
            routes: RouteConfigs::new(),
            leaving: Vec::new(),
            counting: match kind {
                Kind::Scaler => Counting::Elsewhere,
                Kind::Machine | Kind::Ingress => Counting::Here(options.workers),
            },
            kind,
            runtime,
            routing: publisher.map(|to| Routing::new(to, options.status_url.clone(), kind)),
            ingresses: Ingresses::new(options.clock.now()),
            adopted: Adopted::default(),
            knows_endpoints: kind != Kind::Ingress,
            signals: Signals::new(options.signals.clone(), &options.clock, options.seed),
            events: Events::new(events_in, Arc::clone(&options.clock)),
            identifiers: if kind.runs_replicas() {
                Identifiers::new(options.seed)
            } else {
                Identifiers::alike()
            },
            drains: JoinSet::new(),
            published: state,
            publications,
            published_at: None,
            has_documents: false,
            activations,
            roots,
            measured,
            measuring,
            commands,
            inbox,
            round: Round::default(),
            rounds: 0,
            options,
        };
        (task, control)
    }

    /// Runs until told to stop; then stops every replica.
    pub async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = self.now();
            let mut touched = Touched::All;
            tokio::select! {
                _ = ticks.tick() => {
                    let part = self.tick();
                    ticks.reset_after(part.pause);
                    self.settle(&Touched::Only(part.apps.clone()));
                    self.describe(&part.apps);
                    continue;
                }
                _ = &mut stop => break,
                Some(event) = self.inbox.replicas.recv() => touched = self.replica_event(&event),
                Some(revision) = self.inbox.activations.recv() => touched = self.activate(&revision),
                Some(command) = self.commands.recv() => self.command(command),
                Some(Ok(replica)) = self.drains.join_next() => touched = self.drained(&replica),
                Some(usages) = self.measured.recv() => touched = self.measured(usages),
                Some(report) = self.inbox.reports.recv() => self.reported(report),
                Some(read) = PodLink::next(&mut self.inbox.pods) => self.take_in_pods(read),
                Ok(()) = self.inbox.endpoints.changed() => self.discovered(),
                () = self.signals.were_read(now) => self.look_at_sources(),
            }
            self.settle_changed(&touched);
        }
        self.finish().await;
    }

    /// Stops every replica while what they say is still taken in, since the way to here is bounded.
    async fn finish(mut self) {
        // Whoever asks for something now, or still waits for an answer, hears that it is too late.
        drop(self.commands);
        drop(self.measured);
        self.drains.shutdown().await;
        self.signals.shutdown().await;
        let Some(runtime) = self.runtime else {
            return;
        };
        let mut replicas = self.inbox.replicas;
        let events = &self.events;
        let shutdown = runtime.shutdown();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(event) = replicas.recv() => events.replica(&event),
            }
        }
        while self.measuring.join_next().await.is_some() {}
    }

    /// The present time.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Looks at the counters of the next apps, and once a second at everything else of them that grows old.
    fn tick(&mut self) -> Part {
        let now = self.now();
        let part = self.round.part(&self.apps);
        let second = self.rounds == 0;
        for name in &part.apps {
            if let Some(app) = self.apps.get_mut(name) {
                app.grow_old(second, now);
            }
        }
        if second {
            self.keep_history(&part.apps, now);
        }
        if part.ends {
            self.end_round(second, now);
        }
        part
    }

    /// Looks at what is not an app's own, after all apps.
    fn end_round(&mut self, second: bool, now: Timestamp) {
        self.rounds = (self.rounds + 1) % ROUNDS_PER_SECOND;
        self.tell_adopted(now);
        if self.kind.decides() && (second || self.signals.is_stale) {
            self.follow_sources();
        }
        if second {
            self.forget_silent_ingresses(now);
            self.want_pods();
            if let Some(runtime) = &self.runtime {
                self.roots.send_replace(runtime.processes());
            }
        }
    }

    /// Requests wait for a revision: it is decided for at once.
    fn activate(&mut self, name: &RevisionName) -> Touched {
        let now = self.now();
        let app = AppName::new(name.app())
            .ok()
            .and_then(|app| self.apps.get_mut(&app));
        if let Some(revision) = app.and_then(|app| app.revisions.get_mut(name)) {
            revision.next_decision = now;
        }
        self.tell_adopted(now);
        self.activations.send_modify(|count| *count += 1);
        Touched::app(name.app())
    }

    /// Takes in what replicas use, which is looked at when each app's time comes.
    fn measured(&mut self, mut usages: Usages) -> Touched {
        let now = self.now();
        let revisions = self
            .apps
            .values_mut()
            .flat_map(|app| app.revisions.values_mut());
        for replica in revisions.flat_map(|revision| revision.replicas.values_mut()) {
            if let Some(usage) = usages.remove(&replica.name) {
                replica.usage = Some(usage);
                replica.measured = now;
            }
        }
        Touched::Only(Vec::new())
    }

    fn replica_event(&mut self, event: &ReplicaEvent) -> Touched {
        self.events.replica(event);
        let apps = self.apps.values_mut().chain(&mut self.leaving);
        for app in apps.filter(|app| app.app.name().as_str() == event.revision.app()) {
            let Some(revision) = app.revisions.get_mut(&event.revision) else {
                continue;
            };
            if matches!(event.kind, ebbtide_runtime::ReplicaEventKind::Stopped) {
                revision.replicas.remove(&event.replica);
            } else if let Some(replica) = revision.replicas.get_mut(&event.replica) {
                replica.observe(&event.kind, event.at);
            }
        }
        Touched::app(event.revision.app())
    }
}

impl AppControl {
    /// Takes in what its requests were since it was looked at last, and once a second how long they took.
    fn grow_old(&mut self, second: bool, now: Timestamp) {
        let mut rests = true;
        for revision in self.revisions.values_mut() {
            let sums = revision.observe_counters(now);
            rests &= revision.replicas.is_empty() && sums.started == sums.ended;
            if second {
                let durations = revision.meter.read().durations;
                revision.history.observe(now, sums.ended, durations);
            }
        }
        // What is known of an app that rests changes slowly.
        if second || !rests {
            self.published = None;
        }
    }
}
