//! The engine against servers that do what a test says, over sockets.

mod grpc;
mod http1;
mod http2;
mod load;
mod server;
mod tls;
mod truth;
mod websocket;

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use ebbtide_core::arrival::{Arrival, Schedule};
use http::{HeaderName, Method};
use tokio::sync::watch;

use super::*;
use crate::plan::{
    Connections, HttpTarget, Load, Piece, Target as PlanTarget, TargetKind, Template, Validity,
    Version,
};
use crate::record::outcome::FailureKind;
use server::Server;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

fn count(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn text(text: &str) -> Template {
    Template::Fixed(Bytes::copy_from_slice(text.as_bytes()))
}

/// `GET /N` for the N-th request.
fn target(server: &Server, connections: Connections) -> PlanTarget {
    let slash = Piece::Text(Bytes::from_static(b"/"));
    let http = HttpTarget {
        url: format!("http://{}/", server.address),
        address: server.address,
        tls: None,
        authority: server.address.to_string(),
        version: Version::Http1,
        connections,
        method: Method::GET,
        path: Template::Pieces(vec![slash, Piece::Sequence]),
        headers: vec![(HeaderName::from_static("accept"), text("*/*"))],
        body: text(""),
        count_header: None,
    };
    PlanTarget {
        name: "it".to_owned(),
        share: 1.0,
        kind: TargetKind::Http(http),
        timeout: LONG,
        checks: Vec::new(),
    }
}

fn http(target: &mut PlanTarget) -> &mut HttpTarget {
    match &mut target.kind {
        TargetKind::Http(http) => http,
        TargetKind::Queue(_) => panic!("it is of HTTP"),
        TargetKind::WebSocket(of) => &mut of.http,
        TargetKind::Grpc(of) => &mut of.http,
    }
}

fn pool(connections: usize) -> Connections {
    Connections::Pool(count(connections))
}

fn burst(burst: u64) -> Load {
    Load::Open {
        burst,
        schedule: None,
    }
}

/// So many, evenly, at so many per second.
fn even(requests: u32, rate: f64) -> Load {
    let duration = Duration::from_secs_f64(f64::from(requests) / rate - 0.5 / rate);
    Load::Open {
        burst: 0,
        schedule: Some(Schedule::new(Arrival::Constant, rate, duration, 0).unwrap()),
    }
}

fn plan(load: Load, targets: Vec<PlanTarget>) -> Plan {
    Plan {
        until: Duration::ZERO,
        name: "test".to_owned(),
        seed: 1,
        load,
        stages: Vec::new(),
        targets,
        workers: count(1),
        validity: Validity { lateness_p99: LONG },
    }
}

async fn run(plan: Plan) -> Recording {
    let engine = prepare(plan).await.unwrap();
    let (_stop, stopped) = watch::channel(Stop::No);
    let running = engine.run(RunClock::start(), None, stopped);
    running.await.unwrap()
}

/// Starts a run beside the test.
fn start(
    engine: Engine,
    live: Option<watch::Sender<Live>>,
    stop: watch::Receiver<Stop>,
) -> JoinSet<anyhow::Result<Recording>> {
    let mut running = JoinSet::new();
    running.spawn(engine.run(RunClock::start(), live, stop));
    running
}

/// What came of it.
async fn ended(mut running: JoinSet<anyhow::Result<Recording>>) -> Recording {
    running.join_next().await.unwrap().unwrap().unwrap()
}

/// Waits until something has come about.
async fn until(mut condition: impl FnMut() -> bool) {
    let asking = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, asking).await.unwrap();
}

/// How often each kind of failure came, with the words of the first.
fn failures(recording: &Recording) -> Vec<(FailureKind, u64, String)> {
    let failures = recording.total.failures.iter();
    failures
        .map(|(kind, found)| (*kind, found.count, found.first.clone().unwrap_or_default()))
        .collect()
}

/// What every run has in common: each request is counted once, wherever it is counted.
fn assert_adds_up(recording: &Recording) {
    let total = &recording.total;
    let failed: u64 = total.failures.values().map(|found| found.count).sum();
    assert_eq!(total.offered, total.sent + recording.dropped);
    assert_eq!(total.sent, total.answered + failed);
    assert_eq!(total.answered, total.response.len());
    assert_eq!(total.answered, total.statuses.values().sum::<u64>());
    let sum = |of: fn(&crate::record::recording::SecondTally) -> u64| {
        recording.seconds.iter().map(of).sum::<u64>()
    };
    assert_eq!(sum(|second| second.offered), total.offered);
    assert_eq!(sum(|second| second.sent), total.sent);
    assert_eq!(sum(|second| second.succeeded), total.succeeded);
    assert_eq!(sum(|second| second.failed), total.sent - total.succeeded);
}
