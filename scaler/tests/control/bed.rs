//! A control task, a runtime and an ingress in this process, and a client.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ebbtide::api::model::{AppStatus, ApplyResult, EventRecord, RevisionStatus};
use ebbtide::clock::SystemClock;
use ebbtide::control::{
    Command, Control, ControlError, ControlOptions, ControlTask, Inbox, Origin, RevisionAction,
    Role, SignalOptions,
};
use ebbtide::documents;
use ebbtide_ingress::{Ingress, IngressOptions};
use ebbtide_runtime::{Runtime, RuntimeOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Far longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const WORKERS: NonZeroUsize = NonZeroUsize::MIN;

/// Everything that `ebbtide up` has but for the status API.
pub(crate) struct Bed {
    control: Control,
    ingress: Ingress,
    stop: oneshot::Sender<()>,
    task: JoinSet<()>,
}

impl Bed {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(SystemClock::start());
        let (activated, activations) = mpsc::channel(16);
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut options = IngressOptions::new(any_port, Arc::clone(&clock) as _);
        options.workers = WORKERS;
        let ingress = Ingress::start(options, activated).unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_ebbtide"));
        let options = RuntimeOptions {
            program: program.clone(),
            log_lines_per_replica: 100,
            clock: Arc::clone(&clock) as _,
        };
        let (events, replicas) = mpsc::channel(16);
        let runtime = Runtime::start(options, events).await.unwrap();
        let options = ControlOptions {
            clock,
            workers: WORKERS,
            ingress_port: Some(ingress.local_address().port()),
            status_url: String::new(),
            program,
            seed: 7,
            signals: SignalOptions::default(),
        };
        let inbox = Inbox {
            activations,
            replicas,
            ..Inbox::default()
        };
        let role = Role::Machine {
            runtime,
            publisher: ingress.publisher(),
        };
        let (control_task, control) = ControlTask::new(options, role, inbox);
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(control_task.run(stopped));
        Self {
            control,
            ingress,
            stop,
            task,
        }
    }

    /// Ends everything, and fails if the control task did.
    pub(crate) async fn end(mut self) {
        self.ingress.shutdown(PATIENCE).await;
        self.stop.send(()).unwrap();
        self.task.join_next().await.unwrap().unwrap();
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<Arc<EventRecord>> {
        self.control.events()
    }

    pub(crate) async fn apply(&self, text: &str) {
        let texts = vec![("app.yaml".to_owned(), text.to_owned())];
        let documents = documents::parse(&texts, &BTreeMap::new()).unwrap();
        let origin = Origin::Api;
        let apply = |reply| Command::Apply {
            documents,
            origin,
            reply,
        };
        self.control.ask(apply).await.unwrap();
    }

    pub(crate) async fn delete(&self, app: &str) {
        let app = app.to_owned();
        let delete = |reply| Command::Delete { app, reply };
        self.control.ask(delete).await.unwrap();
    }

    pub(crate) async fn act(
        &self,
        revision: &str,
        action: RevisionAction,
    ) -> Result<ApplyResult, ControlError> {
        let (app, _) = revision.split_once("--").unwrap();
        let (app, revision) = (app.to_owned(), revision.to_owned());
        let act = |reply| Command::Revision {
            app,
            revision,
            action,
            reply,
        };
        self.control.ask(act).await
    }

    /// The state of an app as soon as it satisfies `condition`.
    pub(crate) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&AppStatus) -> bool,
    ) -> AppStatus {
        let look = async {
            loop {
                let published = self.control.published();
                if let Some(app) = published.statuses().find(|app| condition(app)) {
                    return app.clone();
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let Ok(app) = timeout(PATIENCE, look).await else {
            panic!(
                "not in time: {what}: {:#?}",
                self.control.published().statuses().collect::<Vec<_>>()
            );
        };
        app
    }

    /// Sends a request and returns the answer's status and body.
    pub(crate) async fn get(&self, host: &str) -> (u16, String) {
        get(self.ingress.local_address(), host.to_owned()).await
    }

    /// Sends a request beside what follows.
    pub(crate) fn send(&self, host: &str) -> JoinSet<(u16, String)> {
        let mut request = JoinSet::new();
        request.spawn(get(self.ingress.local_address(), host.to_owned()));
        request
    }
}

async fn get(address: SocketAddr, host: String) -> (u16, String) {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = timeout(PATIENCE, exchange).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// The revision of an app that has this name.
pub(crate) fn revision<'a>(app: &'a AppStatus, name: &str) -> &'a RevisionStatus {
    let mut revisions = app.revisions.iter();
    revisions.find(|revision| revision.name == name).unwrap()
}

/// The requests that the replicas of a revision have, by their processes.
pub(crate) fn in_flight(app: &AppStatus, name: &str) -> u32 {
    let replicas = &revision(app, name).replica_list;
    replicas.iter().map(|one| one.in_flight_requests).sum()
}
