//! What must not go wrong when things happen in the wrong moment.

use ebbtide::control::RevisionAction::{Activate, Deactivate, Restart};

use crate::bed::{Bed, in_flight, revision};

/// One app at zero whose replica takes a while for each request.
fn hello(work_seconds: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/control/serve.py");
    format!(
        "
name: hello
properties:
  configuration: {{ingress: {{targetPort: 80}}}}
  template:
    revisionSuffix: v1
    containers: [{{name: web, command: [python3, {script}, '{work_seconds}']}}]
    scale: {{minReplicas: 0}}
"
    )
}

/// The same in Multiple mode, beside a revision without weight that a label leads to.
fn blue_and_green(work_seconds: &str) -> String {
    let traffic = "
  configuration:
    activeRevisionsMode: Multiple
    ingress:
      targetPort: 80
      traffic:
      - {revisionName: hello--v1, weight: 100}
      - {revisionName: hello--v0, weight: 0, label: blue}
";
    let one_line = "\n  configuration: {ingress: {targetPort: 80}}\n";
    let app = hello(work_seconds).replace(one_line, traffic);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/control/serve.py");
    format!(
        "{app}---
type: Microsoft.App/containerApps/revisions
name: hello--v0
properties:
  template:
    containers: [{{name: web, command: [python3, {script}, '{work_seconds}']}}]
    scale: {{minReplicas: 0}}
"
    )
}

#[tokio::test]
async fn an_app_applied_again_has_replicas_of_its_own_while_the_old_ones_drain() {
    let bed = Bed::start().await;
    bed.apply(&hello("1")).await;
    let mut first = bed.send("hello.localhost");
    bed.until("a request in flight", |app| {
        in_flight(app, "hello--v1") == 1
    })
    .await;
    bed.delete("hello").await;
    bed.apply(&hello("1")).await;
    let second = bed.get("hello.localhost").await;
    let first = first.join_next().await.unwrap().unwrap();
    assert_eq!((first.0, second.0), (200, 200));
    assert_ne!(first.1, second.1, "both answered by one process");
    // What becomes of the old replica is not taken for news of the new one.
    let app = bed
        .until("one ready", |app| {
            revision(app, "hello--v1").replicas.ready == 1
        })
        .await;
    let replicas = &revision(&app, "hello--v1").replica_list;
    let processes: Vec<_> = replicas.iter().filter_map(|one| one.pid).collect();
    assert_eq!(processes, [second.1.parse::<u32>().unwrap()]);
    bed.end().await;
}

#[tokio::test]
async fn a_revision_activated_while_it_drains_starts_anew_and_loses_no_request() {
    let bed = Bed::start().await;
    bed.apply(&blue_and_green("1")).await;
    let mut first = bed.send("hello---blue.localhost");
    bed.until("a request in flight", |app| {
        in_flight(app, "hello--v0") == 1
    })
    .await;
    bed.act("hello--v0", Deactivate).await.unwrap();
    bed.act("hello--v0", Activate).await.unwrap();
    let second = bed.get("hello---blue.localhost").await;
    let first = first.join_next().await.unwrap().unwrap();
    assert_eq!((first.0, second.0), (200, 200));
    assert_ne!(first.1, second.1, "a draining replica took a request");
    let none_draining = |app: &_| {
        let counts = revision(app, "hello--v0").replicas;
        (counts.ready, counts.draining) == (1, 0)
    };
    bed.until("the old one gone, the new one ready", none_draining)
        .await;
    bed.end().await;
}

#[tokio::test]
async fn a_restart_keeps_the_old_replica_until_its_request_has_ended() {
    let bed = Bed::start().await;
    bed.apply(&hello("1")).await;
    let mut first = bed.send("hello.localhost");
    bed.until("a request in flight", |app| {
        in_flight(app, "hello--v1") == 1
    })
    .await;
    bed.act("hello--v1", Restart).await.unwrap();
    let first = first.join_next().await.unwrap().unwrap();
    assert_eq!(first.0, 200);
    let old = first.1.parse::<u32>().unwrap();
    let replaced = |app: &_| {
        let replicas = &revision(app, "hello--v1").replica_list;
        replicas.len() == 1 && replicas[0].state == "ready" && replicas[0].pid != Some(old)
    };
    bed.until("the old one replaced", replaced).await;
    assert_eq!(bed.get("hello.localhost").await.0, 200);
    bed.end().await;
}

#[tokio::test]
async fn a_replica_that_cannot_be_started_fails_its_revision_until_another_document() {
    let bed = Bed::start().await;
    let with_secret = |secret: &str| {
        let secrets = format!("configuration: {{secrets: [{{name: key, {secret}}}], ");
        hello("0").replace("configuration: {", &secrets).replace(
            "{name: web, ",
            "{name: web, env: [{name: KEY, secretRef: key}], ",
        )
    };
    bed.apply(&with_secret(
        "keyVaultUrl: 'https://vault.example/key', identity: system",
    ))
    .await;
    let refused = bed.get("hello.localhost").await;
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert!(refused.1.contains("secretRef: key"), "{}", refused.1);
    let failed = |app: &_| revision(app, "hello--v1").provisioning_state == "Failed";
    bed.until("the revision failed", failed).await;
    bed.apply(&with_secret("value: sesame")).await;
    let recovered = |app: &_| revision(app, "hello--v1").provisioning_state == "Provisioned";
    bed.until("the revision recovered", recovered).await;
    assert_eq!(bed.get("hello.localhost").await.0, 200);
    bed.end().await;
}

#[tokio::test]
async fn a_worker_that_exits_time_and_again_fails_its_revision_once() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let seen = seen.display();
    let bed = Bed::start().await;
    let mut events = bed.events();
    // The first try ends before the worker runs, each later one when it has: without a probe it is ready then.
    let first = format!("if [ ! -e '{seen}' ]; then touch '{seen}'; exit 3; fi");
    bed.apply(&format!(
        "
name: worker
properties:
  configuration: {{}}
  template:
    revisionSuffix: v1
    initContainers: [{{name: first, command: [sh, -c, \"{first}\"]}}]
    containers: [{{name: main, command: [sh, -c, 'sleep 0.2; exit 4']}}]
    scale: {{minReplicas: 1, maxReplicas: 1}}
"
    ))
    .await;
    let mut told = Vec::new();
    let (mut runs, mut ends) = (0, 0);
    while ends < 4 {
        let event = events.recv().await.unwrap();
        match event.reason.as_str() {
            "ReplicaReady" => runs += 1,
            "ReplicaRestarting" => ends += 1,
            "RevisionFailed" | "RevisionReady" => told.push(event.message.clone()),
            _ => {}
        }
    }
    assert!(runs > 0, "no run was ready");
    let once = "revision worker--v1 failed: container `first` exited with status 3";
    assert_eq!(told, [once]);
    let failed = |app: &_| revision(app, "worker--v1").running_state == "Activation failed";
    bed.until("the revision failed", failed).await;
    bed.end().await;
}
