//! An API over a control task that answers from a script, for tests.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};
use tower::ServiceExt;

use super::logs::{Followed, LogFilter, LogSource, LogStream};
use ebbtide_ingress::{LimitReading, MeterReading};

use super::metrics::{MeterSource, RevisionSample};
use super::model::{
    AppStatus, ApplyResult, Countdowns, EventRecord, LogRecord, ReplicaCounts, RevisionStatus,
};
use super::{ApiOptions, ApiState, Sources, router, serve};
use crate::certificates::{CertificateReports, CertificateStatus};
use crate::clock::SystemClock;
use crate::control::{Command, Control, ControlError, Published};
use crate::keda::{ExternalScaler, ScaledObjects, SourceBounds};

/// An API, and the other ends of everything that it was given.
pub(crate) struct Fixture {
    pub(crate) router: Router,
    control: Control,
    pub(crate) published: Arc<ArcSwap<Published>>,
    pub(crate) events: broadcast::Sender<Arc<EventRecord>>,
    pub(crate) stop: watch::Sender<bool>,
    mailbox: Mutex<mpsc::Receiver<Command>>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The problem's status and detail, after checking that it is a problem document.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.headers[CONTENT_TYPE], "application/problem+json",
            "{}",
            self.text
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/"));
        assert_ne!(problem["title"], "");
        (
            self.status.as_u16(),
            problem["detail"].as_str().unwrap().to_owned(),
        )
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let (commands, mailbox) = mpsc::channel(1);
        let (events, _) = broadcast::channel(4);
        let (stop, stopping) = watch::channel(false);
        let published = Arc::new(ArcSwap::from_pointee(Published {
            apps: vec![Arc::new(app("hello").into())],
            routes: Vec::new(),
            rules: Vec::new(),
            ready: true,
            informed: true,
            ingresses: None,
            sequence: 1,
        }));
        let control = Control {
            commands,
            published: Arc::clone(&published),
            publications: watch::channel(1).1,
            activations: watch::channel(0).1,
            events: events.clone(),
        };
        let sources = sources(control.clone());
        let options = ApiOptions {
            allowed_hosts: vec!["box.example".to_owned()],
        };
        let router = router::router(ApiState::new(sources, options, stopping));
        Self {
            router,
            control,
            published,
            events,
            stop,
            mailbox: Mutex::new(mailbox),
        }
    }

    /// Sends a request as curl would, and waits for all of the answer.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.start(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Sends a request, and waits for the head of the answer.
    pub(crate) async fn start(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a request while the control task answers one command with `reply`.
    pub(crate) async fn send_and_reply(
        &self,
        request: Request<Body>,
        reply: impl FnOnce(Command),
    ) -> Answer {
        let control = async {
            reply(self.mailbox.lock().await.recv().await.unwrap());
        };
        tokio::join!(self.send(request), control).0
    }

    /// Sends a request, and answers a command with `reply` if one comes.
    pub(crate) async fn send_and_maybe_reply(
        &self,
        request: Request<Body>,
        reply: impl Fn(Command),
    ) -> Answer {
        let control = async {
            while let Some(command) = self.mailbox.lock().await.recv().await {
                reply(command);
            }
            panic!("the mailbox was closed");
        };
        tokio::select! {
            answer = self.send(request) => answer,
            never = control => never,
        }
    }

    /// Serves the API on a port of its own while `client` runs; the control task echoes.
    pub(crate) async fn serve<T>(&self, client: impl AsyncFnOnce(SocketAddr) -> T) -> T {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            stopped.await.unwrap();
        };
        let sources = sources(self.control.clone());
        let server = serve(listener, sources, ApiOptions::default(), shutdown);
        let control = async {
            while let Some(command) = self.mailbox.lock().await.recv().await {
                echo(command);
            }
        };
        let client = async {
            let result = client(address).await;
            stop.send(()).unwrap();
            result
        };
        tokio::select! {
            (end, result) = async { tokio::join!(server, client) } => {
                end.unwrap();
                result
            }
            () = control => panic!("the mailbox was closed"),
        }
    }

    /// Whether a command waits in the mailbox.
    pub(crate) async fn asked(&self) -> bool {
        self.mailbox.lock().await.try_recv().is_ok()
    }
}

fn sources(control: Control) -> Sources {
    let scaled_objects = ScaledObjects::new(Arc::new(SystemClock::start()));
    Sources {
        scaler: ExternalScaler::new(control.clone(), scaled_objects, SourceBounds::default()),
        control,
        logs: Arc::new(Lines),
        meters: Arc::new(Meters),
        certificates: certificates(),
    }
}

fn certificates() -> CertificateReports {
    let in_force = CertificateStatus {
        name: "web.crt".to_owned(),
        hosts: vec!["www.example.com".to_owned()],
        not_after: jiff::Timestamp::from_second(1_800_000_000).ok(),
        problem: Some("web.key has no private key in PEM".to_owned()),
        ..CertificateStatus::default()
    };
    let none = CertificateStatus {
        name: "new.crt".to_owned(),
        ..CertificateStatus::default()
    };
    let ordered = CertificateStatus {
        name: "acme/a.example/tls.crt".to_owned(),
        order_failures: Some(3),
        ..CertificateStatus::default()
    };
    watch::channel(vec![in_force, none, ordered]).1
}

/// A request with the `Host` header that curl would send.
pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "127.0.0.1:8081")
}

pub(crate) fn applied(app: &str, change: &str) -> ApplyResult {
    ApplyResult {
        app: app.to_owned(),
        created_revision: None,
        changes: vec![change.to_owned()],
        warnings: Vec::new(),
    }
}

/// Answers a command that changes something, with its name and arguments as the change.
pub(crate) fn echo(command: Command) {
    match command {
        Command::Apply {
            documents,
            origin,
            reply,
        } => {
            let change = format!("apply {} from {origin:?}", documents.declarations.len());
            reply.send(Ok(vec![applied("hello", &change)])).unwrap();
        }
        Command::SetTraffic {
            app,
            traffic,
            reply,
        } => {
            let change = format!("traffic {traffic:?}");
            reply.send(Ok(applied(&app, &change))).unwrap();
        }
        Command::Revision {
            app,
            revision,
            action,
            reply,
        } => {
            let change = format!("{action:?} {revision}");
            reply.send(Ok(applied(&app, &change))).unwrap();
        }
        Command::Delete { app, reply } => {
            reply.send(Ok(applied(&app, "delete"))).unwrap();
        }
        Command::DeleteRoutes { name, reply } => {
            reply.send(Ok(applied(&name, "delete"))).unwrap();
        }
        Command::Adopt { reply, .. } | Command::Release { reply, .. } => {
            reply.send(Ok(())).unwrap();
        }
        Command::Decisions { app, limit, reply } => {
            let error = ControlError::NotFound(format!("{app} {limit}"));
            reply.send(Err(error)).unwrap();
        }
        Command::History { app, reply } => {
            reply.send(Err(ControlError::NotFound(app))).unwrap();
        }
    }
}

pub(crate) fn app(name: &str) -> AppStatus {
    AppStatus {
        name: name.to_owned(),
        url: Some(format!("http://{name}.localhost:8080/")),
        additional_ports: Vec::new(),
        active_revisions_mode: "Single".to_owned(),
        latest_revision_name: format!("{name}--v1"),
        latest_ready_revision_name: None,
        sentence: "at zero".to_owned(),
        source: "api".to_owned(),
        warnings: Vec::new(),
        traffic: Vec::new(),
        traffic_entries: Vec::new(),
        revisions: Vec::new(),
    }
}

/// A revision at zero.
pub(crate) fn revision(name: &str) -> RevisionStatus {
    RevisionStatus {
        name: name.to_owned(),
        active: true,
        created_time: "2026-01-01T00:00:00Z".to_owned(),
        traffic_weight: 0,
        labels: Vec::new(),
        provisioning_state: "Provisioned".to_owned(),
        running_state: "Scaled to 0".to_owned(),
        running_state_details: None,
        replicas: ReplicaCounts::default(),
        min_replicas: 0,
        max_replicas: 10,
        waiting_requests: 0,
        in_flight_requests: 0,
        finished_requests: 0,
        requests_per_second: 0.0,
        p50_milliseconds: None,
        p99_milliseconds: None,
        rules: Vec::new(),
        decision: None,
        countdowns: Countdowns::default(),
        replica_list: Vec::new(),
    }
}

pub(crate) fn line(text: &str) -> LogRecord {
    LogRecord {
        time: "2026-01-01T00:00:00Z".to_owned(),
        revision: "hello--v1".to_owned(),
        replica: "hello--v1-abc".to_owned(),
        container: "main".to_owned(),
        stream: "stdout".to_owned(),
        line: text.to_owned(),
    }
}

/// A log of four lines that says which filter it was asked with, and grows by two items. Only the
/// revision `hello--gone` has left none.
struct Lines;

impl LogSource for Lines {
    fn tail(&self, filter: &LogFilter, lines: usize) -> Vec<LogRecord> {
        if filter.revision.as_deref() == Some("hello--gone") {
            return Vec::new();
        }
        vec![
            line(&format!("{filter:?}")),
            line("two"),
            line("three"),
            line("four"),
        ]
        .into_iter()
        .take(lines)
        .collect()
    }

    fn follow(&self, filter: LogFilter, lines: usize) -> LogStream {
        let past = self.tail(&filter, lines).into_iter().map(Followed::Line);
        let new = [Followed::Missed(7), Followed::Line(line("new"))];
        Box::pin(stream::iter(past.chain(new)).chain(stream::pending()))
    }
}

struct Meters;

impl MeterSource for Meters {
    fn samples(&self) -> Vec<RevisionSample> {
        vec![RevisionSample {
            app: "hello".to_owned(),
            revision: "hello--v1".to_owned(),
            requests: MeterReading {
                codes: [(200, 3)].into(),
                ..MeterReading::default()
            },
            ..RevisionSample::default()
        }]
    }

    fn door(&self) -> Option<LimitReading> {
        None
    }
}
