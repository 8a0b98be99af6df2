//! Readiness that comes and goes, and restarts.

use std::fs::{File, remove_file};
use std::time::Duration;

use ebbtide_core::document::{Container, Probe, ProbeAction, ProbeKind};
use ebbtide_runtime::ReplicaEventKind;

use crate::support::{Harness, server, shell};

fn probe(kind: ProbeKind, http: bool) -> Probe {
    let port = 80;
    Probe {
        kind,
        action: if http {
            ProbeAction::HttpGet {
                port,
                path: "/ready".to_owned(),
                host: None,
                https: false,
                headers: Vec::new(),
            }
        } else {
            ProbeAction::TcpSocket { port }
        },
        initial_delay: Duration::ZERO,
        period: Duration::from_millis(5),
        timeout: Duration::from_secs(10),
        failure_threshold: 2,
        success_threshold: 1,
    }
}

fn probed(kind: ProbeKind, http: bool) -> Container {
    Container {
        probes: vec![probe(kind, http)],
        ..server("web")
    }
}

async fn serve(harness: &mut Harness, containers: Vec<Container>) {
    let mut spec = harness.spec("1", containers);
    spec.target_port = Some(80);
    spec.termination_grace_period = Duration::from_millis(20);
    harness.run(spec);
    harness.started().await;
}

#[tokio::test]
async fn readiness_follows_the_answers() {
    let mut harness = Harness::start().await;
    let unready = harness.folder.path().join("unready");
    File::create(&unready).unwrap();
    serve(&mut harness, vec![probed(ProbeKind::Readiness, true)]).await;
    harness.line("listening").await;
    assert!(harness.events.try_recv().is_err(), "503 is not ready");
    for _ in 0..2 {
        remove_file(&unready).unwrap();
        assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
        File::create(&unready).unwrap();
        match harness.kind().await {
            ReplicaEventKind::NotReady { because } => assert_eq!(
                because,
                "container `web`: its readiness probe failed 2 times in a row: the answer had status 503, which is \
                 not one of 200 to 399"
            ),
            other => panic!("{other:?}"),
        }
    }
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_container_that_fails_its_liveness_probe_is_restarted() {
    let mut harness = Harness::start().await;
    serve(&mut harness, vec![probed(ProbeKind::Liveness, false)]).await;
    assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
    let closed = harness.folder.path().join("closed");
    File::create(&closed).unwrap();
    let (because, ..) = harness.backoff().await;
    assert!(
        because.starts_with(
            "container `web` was restarted: its liveness probe failed 2 times in a row: "
        ),
        "{because}"
    );
    remove_file(closed).unwrap();
    harness.started().await;
    assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_container_that_fails_its_startup_probe_is_restarted() {
    let mut harness = Harness::start().await;
    File::create(harness.folder.path().join("late")).unwrap();
    serve(&mut harness, vec![probed(ProbeKind::Startup, false)]).await;
    let (because, ..) = harness.backoff().await;
    assert!(
        because.starts_with("container `web` was restarted: its startup probe failed "),
        "{because}"
    );
    assert!(because.contains("refused"), "{because}");
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_replica_waits_for_all_its_containers() {
    let mut harness = Harness::start().await;
    let late = harness.folder.path().join("late");
    File::create(&late).unwrap();
    let side = shell("side", "echo side; exec sleep 1000");
    serve(&mut harness, vec![server("web"), side]).await;
    harness.line("side").await;
    assert!(
        harness.events.try_recv().is_err(),
        "the server does not listen yet"
    );
    remove_file(late).unwrap();
    assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
    assert_eq!(harness.runtime.processes()[0].1.len(), 2);
    harness.runtime.shutdown().await;
}
