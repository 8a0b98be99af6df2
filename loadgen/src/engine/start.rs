//! What a worker's thread does from its beginning to its end.

use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::arrivals::Arrivals;
use super::clients::Clients;
use super::driver::Driver;
use super::http1::Pool;
use super::http2::Http2;
use super::live::{self, Report};
use super::queue::Queue;
use super::random::Shares;
use super::tasks::{Protocol, Tasks};
use super::websocket::WebSocket;
use super::worker::{Source, Worker};
use super::{OUTSTANDING, Stop, Target, share};
use crate::clock::RunClock;
use crate::plan::{
    self, Connections, GrpcTarget, HttpTarget, Load, Plan, Stage, TargetKind, Template, Version,
    WebSocketTarget,
};
use crate::record::recorder::Recorder;
use crate::record::recording::Recording;

/// After how many tasks the runtime looks whether something came from the network. Fewer cost more calls of the
/// system; more make what came wait.
const LOOK_AFTER: u32 = 31;

/// What all workers have in common.
pub(super) struct Whole {
    seed: u64,
    stages: Vec<Stage>,
    targets: Vec<plan::Target>,
    workers: usize,
}

/// What one worker has of its own.
pub(super) struct Spec {
    pub(super) worker: usize,
    load: Share,
}

/// A worker's share of the load.
enum Share {
    Open {
        burst: u64,
        schedule: Option<ebbtide_core::arrival::Schedule>,
    },
    Closed {
        clients: usize,
        duration: Duration,
        pause: Duration,
    },
}

/// The run starts.
pub(super) struct Signal {
    pub(super) clock: RunClock,
    pub(super) stop: watch::Receiver<Stop>,
    /// Where it is told how far it is, if somebody watches.
    pub(super) report: Option<mpsc::Sender<Report>>,
}

/// Splits a plan between its workers.
pub(super) fn split(plan: Plan) -> (Arc<Whole>, Vec<Spec>) {
    let workers = plan.workers.get();
    let load = || match &plan.load {
        Load::Open { burst, schedule } => Share::Open {
            burst: *burst,
            schedule: schedule.clone(),
        },
        Load::Closed {
            clients,
            duration,
            pause,
        } => Share::Closed {
            clients: clients.get(),
            duration: *duration,
            pause: *pause,
        },
    };
    let specs = (0..workers).map(|worker| Spec {
        worker,
        load: load(),
    });
    let specs = specs.collect();
    let whole = Whole {
        seed: plan.seed,
        stages: plan.stages,
        targets: plan.targets,
        workers,
    };
    (Arc::new(whole), specs)
}

/// Prepares, waits for the start, and runs.
pub(super) fn run(
    whole: &Whole,
    spec: Spec,
    ready: oneshot::Sender<anyhow::Result<()>>,
    started: oneshot::Receiver<Signal>,
) -> anyhow::Result<Recording> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .event_interval(LOOK_AFTER)
        .build_local(LocalOptions::default())
        .context("cannot start a runtime")?;
    runtime.block_on(async {
        let worker = match prepare(whole, spec).await {
            Ok(worker) => worker,
            Err(error) => {
                // Who waits for it says so.
                let _ = ready.send(Err(error));
                anyhow::bail!("it could not be prepared");
            }
        };
        let _ = ready.send(Ok(()));
        let signal = started.await.context("the run was given up")?;
        let reporting = signal
            .report
            .map(|report| tokio::task::spawn_local(live::report(Rc::downgrade(&worker), report)));
        let interrupted = worker.run(signal.clock, signal.stop).await;
        let interrupted = interrupted.context("the alarm of the schedule failed")?;
        let at = worker.now();
        if let Some(reporting) = reporting {
            reporting.abort();
        }
        let recording = worker.recorder.borrow_mut().finish(at, interrupted);
        worker.close().await;
        Ok(recording?)
    })
}

async fn prepare(whole: &Whole, spec: Spec) -> anyhow::Result<Rc<Worker>> {
    let counts_header = whole.targets.iter().any(|target| {
        let http = target.kind.http();
        http.is_some_and(|http| http.count_header.is_some())
    });
    let recorder = Recorder::new(whole.targets.len(), &whole.stages, counts_header)?;
    let weights: Vec<_> = whole.targets.iter().map(|target| target.share).collect();
    let shares = Shares::new(whole.seed, &weights);
    let number = spec.worker;
    let most = share(OUTSTANDING, number, whole.workers).len();
    let source = source(spec, whole.workers);
    let worker = Rc::new(Worker::new(number, recorder, source, shares, most));
    let mut drivers = Vec::new();
    for (position, target) in whole.targets.iter().enumerate() {
        let target = Target {
            position,
            seed: whole.seed,
            plan: target,
        };
        let driver = driver(&target, Rc::downgrade(&worker), (number, whole.workers));
        let driver = driver.with_context(|| format!("target {}", target.plan.name))?;
        let prepared = timeout(target.plan.timeout, driver.prepare()).await;
        let late = |_| format!("not within {:?}", target.plan.timeout);
        let prepared = prepared.map_err(late).flatten().map_err(anyhow::Error::msg);
        prepared.with_context(|| cannot_prepare(&target.plan.kind))?;
        drivers.push(driver);
    }
    worker.drive(drivers);
    Ok(worker)
}

fn cannot_prepare(kind: &TargetKind) -> String {
    match kind {
        TargetKind::Queue(queue) => format!("cannot use the {}", queue.broker.in_words()),
        TargetKind::Http(http)
        | TargetKind::WebSocket(WebSocketTarget { http, .. })
        | TargetKind::Grpc(GrpcTarget { http, .. }) => {
            format!("cannot open the connections to {}", http.url)
        }
    }
}

fn source(spec: Spec, workers: usize) -> Source {
    match spec.load {
        Share::Open { burst, schedule } => {
            Source::Open(Arrivals::new(burst, schedule, spec.worker, workers))
        }
        Share::Closed {
            clients,
            duration,
            pause,
        } => {
            let own = share(clients, spec.worker, workers);
            let own = own.start as u64..own.end as u64;
            Source::Closed(Clients::new(clients as u64, own, duration, pause))
        }
    }
}

/// How many connections a target may have open at once.
pub(super) fn connections(target: &plan::Target) -> usize {
    // Brokers have one.
    let Some(http) = target.kind.http() else {
        return 1;
    };
    match http.connections {
        Connections::Pool(_) if http.version == Version::Http2 => 1,
        connections => connections.most().get(),
    }
}

/// What drives a target, in worker `of.0` of `of.1`.
fn driver(target: &Target<'_>, worker: Weak<Worker>, of: (usize, usize)) -> anyhow::Result<Driver> {
    let (protocol, at_once) = match &target.plan.kind {
        TargetKind::Http(http) if http.version == Version::Http1 => {
            let own = Own::of(http, of)?;
            let pool = Pool::new(target, http, worker, own.most)?;
            return Ok(Driver::Http1(Rc::new(pool)));
        }
        TargetKind::Http(http) | TargetKind::Grpc(GrpcTarget { http, .. }) => {
            let own = Own::of(http, of)?;
            let http2 = Http2::new(target, http, own.connections)?;
            (Protocol::Http2(http2), own.streams)
        }
        TargetKind::WebSocket(socket) => {
            let own = Own::of(&socket.http, of)?;
            let socket = WebSocket::new(target, socket, own.most)?;
            (Protocol::WebSocket(socket), own.most)
        }
        TargetKind::Queue(queue) => {
            let queue = Queue::new(target, queue, Weak::clone(&worker));
            (Protocol::Queue(queue), OUTSTANDING)
        }
    };
    let timeout = target.plan.timeout;
    let tasks = Tasks::new(target.position, worker, protocol, timeout, at_once);
    Ok(Driver::Tasks(Rc::new(tasks)))
}

/// What one of several workers has of a target's connections.
struct Own {
    /// Connections with one request each.
    most: usize,
    /// Connections with several requests each; 0 if each request makes one.
    connections: usize,
    /// Requests on these at once.
    streams: usize,
}

impl Own {
    /// Of worker `of.0` of `of.1`.
    fn of(http: &HttpTarget, of: (usize, usize)) -> anyhow::Result<Self> {
        check(http)?;
        let most = share(http.connections.most().get(), of.0, of.1).len();
        let (connections, streams) = match http.connections {
            Connections::Pool(_) => (1, most),
            Connections::PerRequest(_) => (0, most),
            Connections::Fixed(_) => (most, OUTSTANDING),
        };
        Ok(Self {
            most,
            connections,
            streams,
        })
    }
}

/// Refuses what would end a line of the request's head, or its path.
fn check(http: &HttpTarget) -> anyhow::Result<()> {
    let ends_line = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    let is_clean = |template: &Template| {
        let mut bytes = template.texts().into_iter().flatten();
        !bytes.any(ends_line)
    };
    for (name, value) in &http.headers {
        ensure!(
            is_clean(value),
            "the header {name} has a line break or a null byte"
        );
    }
    let mut path = http.path.texts().into_iter().flatten();
    ensure!(
        path.all(u8::is_ascii_graphic),
        "the path has a space or something else that a URL cannot have: write it as %20"
    );
    Ok(())
}
