//! A control task that decides by what ingresses elsewhere report.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ebbtide::api::model::RevisionStatus;
use ebbtide::clock::SystemClock;
use ebbtide::control::{
    Command, Control, ControlError, ControlOptions, ControlTask, Inbox, Origin, PodLink, Role,
    SignalOptions,
};
use ebbtide::documents;
use ebbtide::telemetry::{Counts, Report};
use ebbtide_core::name::RevisionName;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Far longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const HELLO: &str = "
name: hello
properties:
  configuration: {ingress: {targetPort: 80}}
  template:
    revisionSuffix: v1
    containers: [{name: web, image: example/web}]
    scale: {maxReplicas: 9, rules: [{name: http, http: {metadata: {concurrentRequests: '1'}}}]}
";

/// The options of a control task that runs no replicas.
pub(crate) fn options(signals: SignalOptions) -> ControlOptions {
    ControlOptions {
        clock: Arc::new(SystemClock::start()),
        workers: NonZeroUsize::MIN,
        ingress_port: None,
        status_url: String::new(),
        program: PathBuf::new(),
        seed: 0,
        signals,
    }
}

/// A control task that runs no replicas.
pub(crate) struct Scaler {
    pub(crate) control: Control,
    reports: mpsc::Sender<Report>,
    stop: oneshot::Sender<()>,
    task: JoinSet<()>,
}

impl Scaler {
    async fn start() -> Self {
        Self::start_with(HELLO, None).await
    }

    /// One that decides for the app of a document, and reads what its pods use.
    pub(crate) async fn start_with(document: &str, pods: Option<PodLink>) -> Self {
        let (reports, reported) = mpsc::channel(1);
        let inbox = Inbox {
            reports: reported,
            pods,
            ..Inbox::default()
        };
        let (task, control) =
            ControlTask::new(options(SignalOptions::default()), Role::Scaler, inbox);
        let mut scaler = Self::run(task, control, document).await;
        scaler.reports = reports;
        scaler
    }

    /// Runs a control task with a document. Nothing can be reported to it.
    pub(crate) async fn run(task: ControlTask, control: Control, document: &str) -> Self {
        let (stop, stopped) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run(stopped));
        let scaler = Self {
            control,
            reports: mpsc::channel(1).0,
            stop,
            task: tasks,
        };
        scaler.apply(document).await;
        scaler
    }

    pub(crate) async fn apply(&self, text: &str) {
        let texts = vec![("hello.yaml".to_owned(), text.to_owned())];
        let documents = documents::parse(&texts, &BTreeMap::new()).unwrap();
        let origin = Origin::Files;
        let apply = |reply| Command::Apply {
            documents,
            origin,
            reply,
        };
        self.control.ask(apply).await.unwrap();
    }

    /// Reports what a run of the ingress `pod` has counted.
    pub(crate) async fn report(&self, run: u64, sequence: u64, counts: Counts) {
        let report = Report {
            ingress: Arc::from("pod"),
            run,
            sequence,
            // Longer than the scaler is there.
            running: Duration::from_secs(3600),
            whole: sequence == 1,
            revisions: vec![(RevisionName::parse("hello--v1").unwrap(), counts)],
            removed: Vec::new(),
            last: false,
        };
        self.reports.send(report).await.unwrap();
    }

    fn revision(&self) -> RevisionStatus {
        self.control.published().apps[0].status.revisions[0].clone()
    }

    /// The revision as soon as it satisfies `condition`.
    pub(crate) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&RevisionStatus) -> bool,
    ) -> RevisionStatus {
        let mut publications = self.control.publications();
        let look = async {
            while !condition(&self.revision()) {
                publications.changed().await.unwrap();
            }
            self.revision()
        };
        let Ok(revision) = timeout(PATIENCE, look).await else {
            panic!("not in time: {what}: {:#?}", self.revision());
        };
        revision
    }

    /// Stops it.
    pub(crate) async fn end(mut self) {
        self.stop.send(()).unwrap();
        self.task.join_next().await.unwrap().unwrap();
    }
}

pub(crate) fn counts(started: u64, ended: u64, waiting: u32, ready: u32) -> Counts {
    Counts {
        started,
        ended,
        request_nanos: 0,
        waiting,
        ready,
    }
}

#[tokio::test]
async fn nothing_is_decided_before_an_ingress_has_reported() {
    let scaler = Scaler::start().await;
    let unknown = scaler
        .until("its rule is read", |one| !one.rules[0].because.is_empty())
        .await;
    assert_eq!(unknown.rules[0].because, "no ingress has reported it");
    assert!(unknown.decision.is_none());
    scaler.report(1, 1, counts(0, 0, 0, 0)).await;
    let idle = scaler
        .until("it is decided for", |one| one.decision.is_some())
        .await;
    assert_eq!((idle.replicas.desired, idle.rules[0].value), (0, Some(0.0)));
    scaler.end().await;
}

#[tokio::test]
async fn it_starts_from_the_replicas_there_are() {
    let scaler = Scaler::start().await;
    scaler.report(1, 1, counts(700, 700, 0, 4)).await;
    let first = scaler
        .until("it is decided for", |one| one.decision.is_some())
        .await;
    assert_eq!((first.replicas.desired, first.replicas.ready), (4, 4));
    assert_eq!(first.finished_requests, 0, "what was before it is past");
    scaler.end().await;
}

#[tokio::test]
async fn the_first_request_wakes_it_and_what_is_told_late_or_again_counts_once() {
    let scaler = Scaler::start().await;
    scaler.report(1, 1, counts(10, 10, 0, 0)).await;
    scaler
        .until("it is at none", |one| one.decision.is_some())
        .await;
    scaler.report(1, 2, counts(11, 10, 1, 0)).await;
    let awake = scaler
        .until("it is awake", |one| one.replicas.desired == 1)
        .await;
    assert_eq!((awake.waiting_requests, awake.in_flight_requests), (1, 1));
    scaler.report(1, 4, counts(15, 13, 0, 1)).await;
    scaler.report(1, 3, counts(13, 12, 0, 1)).await;
    scaler.report(1, 4, counts(15, 13, 0, 1)).await;
    // Another run of the same ingress: what the one before had in flight is gone.
    scaler.report(2, 1, counts(6, 5, 0, 1)).await;
    // Three had ended, and the two that were in flight are cut off.
    let after = |one: &RevisionStatus| (one.finished_requests, one.in_flight_requests) == (5, 1);
    scaler.until("each counts once", after).await;
    scaler.end().await;
}

#[tokio::test]
async fn a_request_that_did_not_wait_wakes_it_too() {
    let scaler = Scaler::start().await;
    scaler.report(1, 1, counts(10, 10, 0, 0)).await;
    scaler
        .until("it is at none", |one| one.decision.is_some())
        .await;
    scaler.report(1, 2, counts(11, 11, 0, 0)).await;
    scaler
        .until("it is awake", |one| one.replicas.desired == 1)
        .await;
    scaler.end().await;
}

#[tokio::test]
async fn a_document_that_comes_here_before_the_ingress_changes_no_number() {
    let scaler = Scaler::start().await;
    scaler.report(1, 1, counts(3, 0, 0, 3)).await;
    scaler
        .until("three are there", |one| one.replicas.desired == 3)
        .await;
    scaler
        .apply(&HELLO.replace("v1", "v2").replace("'1'", "'2'"))
        .await;
    let app = scaler.control.published().apps[0].status.clone();
    let active = app.revisions.iter().filter(|one| one.active);
    let active: Vec<_> = active
        .map(|one| (one.name.as_str(), one.replicas.desired))
        .collect();
    assert_eq!(active, [("hello--v2", 3)]);
    // The ingress goes on with the name that it knows.
    scaler.report(1, 2, counts(8, 0, 0, 3)).await;
    scaler
        .until("they are counted", |one| one.in_flight_requests == 8)
        .await;
    scaler.end().await;
}

#[tokio::test]
async fn what_other_processes_go_by_is_not_changed_here() {
    let scaler = Scaler::start().await;
    let refused = scaler
        .control
        .ask(|reply| Command::SetTraffic {
            app: "hello".to_owned(),
            traffic: Vec::new(),
            reply,
        })
        .await;
    assert!(matches!(refused, Err(ControlError::Conflict(_))));
    // The same template is the same revision in every process.
    let again = Scaler::start().await;
    let unnamed = HELLO.replace("    revisionSuffix: v1\n", "");
    for one in [&scaler, &again] {
        one.apply(&unnamed.replace("web}", "webs}")).await;
    }
    let latest = |one: &Scaler| {
        one.control.published().apps[0]
            .status
            .latest_revision_name
            .clone()
    };
    assert_eq!(latest(&scaler), latest(&again));
    assert_ne!(latest(&scaler), "hello--v1");
    scaler.end().await;
    again.end().await;
}
