//! From start to stop.

use std::collections::BTreeSet;
use std::time::Duration;

use ebbtide_core::document::Container;
use ebbtide_runtime::{ReplicaEventKind, SpecError};

use crate::support::{Harness, runs, server, set, shell, until};

#[tokio::test]
async fn a_server_becomes_ready_on_a_port_of_its_own_and_stops() {
    let mut harness = Harness::start().await;
    let mut ports = BTreeSet::new();
    for identifier in ["1", "2", "3"] {
        let mut container = server("web");
        set(&mut container, "PORT", "80");
        let mut spec = harness.spec(identifier, vec![container]);
        spec.target_port = Some(80);
        harness.run(spec.clone());
        let (pid, port) = harness.started().await;
        assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
        let port = port.unwrap();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(ports.insert(port), "each has another port than the others");
        assert!(
            harness
                .runtime
                .processes()
                .contains(&(spec.name, vec![pid]))
        );
    }
    let replicas = harness.runtime.processes();
    assert_eq!(replicas.len(), 3);
    for (name, processes) in replicas {
        harness.stop(&name).await;
        assert!(!processes.into_iter().any(runs));
    }
    assert!(harness.runtime.processes().is_empty());
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn arguments_and_variables_expand() {
    let mut harness = Harness::start().await;
    let mut container = Container {
        name: "web".to_owned(),
        command: ["sh", "-c"].map(str::to_owned).to_vec(),
        args: ["echo \"$0 $URL\"; sleep 1000", "$(PORT)/$(NONE)/$$(PORT)"]
            .map(str::to_owned)
            .to_vec(),
        ..Container::default()
    };
    set(
        &mut container,
        "URL",
        "http://$(CONTAINER_APP_NAME):$(PORT)",
    );
    let mut spec = harness.spec("1", vec![container]);
    spec.target_port = Some(80);
    harness.run(spec);
    let (_, port) = harness.started().await;
    let port = port.unwrap();
    let expected = format!("{port}/$(NONE)/$(PORT) http://hello:{port}");
    harness.line(&expected).await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn all_containers_are_told_of_the_additional_ports_of_their_replica() {
    let mut harness = Harness::start().await;
    let said = "echo $CONTAINER_APP_REPLICA_NAME $PORT $PORT_81 $PORT_80; sleep 1000";
    let mut ports = BTreeSet::new();
    for identifier in ["1", "2"] {
        let mut spec = harness.spec(identifier, vec![shell("web", said), shell("side", said)]);
        spec.target_port = Some(80);
        spec.additional_ports = vec![81, 80];
        let name = spec.name.clone();
        harness.run(spec);
        let (_, own) = harness.started_with_ports().await;
        let (main, additional) = (own.main.unwrap(), own.additional[&81]);
        harness
            .line(&format!("{name} {main} {additional} {main}"))
            .await;
        assert!(ports.insert(main) && ports.insert(additional), "{ports:?}");
    }
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn init_containers_run_in_turn_and_from_the_first_again_after_a_failure() {
    let mut harness = Harness::start().await;
    let mut spec = harness.spec("1", vec![shell("web", "echo web >>order; sleep 1000")]);
    spec.init_containers = vec![
        shell("one", "echo one >>order"),
        shell(
            "two",
            "echo two >>order; echo no luck; test -e again || ! touch again",
        ),
    ];
    harness.run(spec);
    let (because, last_lines, restarts) = harness.backoff().await;
    assert_eq!(
        because,
        "container `two` exited with status 1; its last output: no luck"
    );
    assert_eq!((last_lines, restarts), (vec!["no luck".to_owned()], 1));
    harness.started().await;
    assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
    let web = || std::fs::read_to_string(harness.folder.path().join("order")).unwrap();
    until("web", || web() == "one\ntwo\none\ntwo\nweb\n").await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_crash_is_told_with_its_last_lines_and_tried_again() {
    let mut harness = Harness::start().await;
    let script = "echo one; echo two >&2; until rm go 2>&-; do sleep 0.01; done; kill -9 $$";
    let spec = harness.spec("1", vec![shell("web", script)]);
    harness.run(spec.clone());
    for run in 1..=2 {
        harness.started().await;
        assert_eq!(harness.kind().await, ReplicaEventKind::Ready);
        std::fs::write(harness.folder.path().join("go"), "").unwrap();
        // Said at once, before what it printed is gathered: it gets no more requests.
        let ended = harness.kind().await;
        assert!(
            matches!(ended, ReplicaEventKind::NotReady { .. }),
            "{ended:?}"
        );
        let ReplicaEventKind::Backoff {
            because,
            mut last_lines,
            retry_in,
            restarts,
        } = harness.kind().await
        else {
            panic!("no backoff");
        };
        let how = "container `web` was killed by signal 9 (SIGKILL); its last output: ";
        assert!(because.starts_with(how), "{because}");
        last_lines.sort();
        assert_eq!(last_lines, ["one", "two"]);
        assert_eq!(retry_in, Duration::from_millis(250) * run);
        assert_eq!(restarts, run);
    }
    // In the midst of the wait.
    harness.stop(&spec.name).await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_started_is_told_and_tried_again() {
    let mut harness = Harness::start().await;
    let mut container = shell("web", "");
    container.command = vec!["ebbtide-no-such-program".to_owned()];
    let spec = harness.spec("1", vec![container]);
    harness.run(spec.clone());
    for restarts in 1..=2 {
        let (because, last_lines, told) = harness.backoff().await;
        let how = "container `web` could not be started: there is no program \
                   `ebbtide-no-such-program` in PATH or in ";
        assert!(because.starts_with(how), "{because}");
        assert_eq!((last_lines.len(), told), (0, restarts));
    }
    harness.stop(&spec.name).await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn stopping_lets_a_container_finish() {
    let mut harness = Harness::start().await;
    let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    let spec = harness.spec("1", vec![shell("web", script)]);
    harness.run(spec.clone());
    harness.line("up").await;
    harness.stop(&spec.name).await;
    assert_eq!(harness.lines().last().unwrap(), "bye");
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_after_the_grace_period() {
    let mut harness = Harness::start().await;
    let script = "trap '' TERM; sleep 1000 & echo $! >child; echo up; while :; do sleep 1000; done";
    let mut spec = harness.spec("1", vec![shell("web", script)]);
    spec.termination_grace_period = Duration::from_millis(20);
    harness.run(spec.clone());
    let (pid, _) = harness.started().await;
    let child: u32 = harness.file("child").await.trim().parse().unwrap();
    harness.line("up").await;
    harness.stop(&spec.name).await;
    assert!(!runs(pid));
    until("the end of the child", || !runs(child)).await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn what_a_container_leaves_in_its_group_is_killed() {
    let mut harness = Harness::start().await;
    let script = "sleep 1000 & echo $! >child; exit 3";
    let spec = harness.spec("1", vec![shell("web", script)]);
    harness.run(spec);
    harness.started().await;
    let (because, ..) = harness.backoff().await;
    assert_eq!(because, "container `web` exited with status 3");
    let child: u32 = harness.file("child").await.trim().parse().unwrap();
    until("the end of the child", || !runs(child)).await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_replica_stops_in_the_midst_of_its_init_containers() {
    let mut harness = Harness::start().await;
    let mut spec = harness.spec("1", vec![shell("web", "echo web; sleep 1000")]);
    spec.init_containers = vec![shell("one", "echo init; exec sleep 1000")];
    harness.run(spec.clone());
    harness.line("init").await;
    harness.runtime.stop_replica(&spec.name);
    assert_eq!(harness.kind().await, ReplicaEventKind::Stopped);
    assert_eq!(harness.lines(), ["init"]);
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_wrong_specification_starts_nothing() {
    let mut harness = Harness::start().await;
    let none = harness.spec("1", Vec::new());
    let refused = harness.runtime.start_replica(none);
    assert_eq!(refused, Err(SpecError::NoContainers));
    let spec = harness.spec("1", vec![shell("web", "exec sleep 1000")]);
    harness.run(spec.clone());
    let again = harness.runtime.start_replica(spec.clone());
    assert_eq!(again, Err(SpecError::AlreadyRunning(spec.name.clone())));
    harness.stop(&spec.name).await;
    until("the name is free again", || {
        harness.runtime.start_replica(spec.clone()).is_ok()
    })
    .await;
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn shutdown_waits_for_no_reader() {
    let mut harness = Harness::with_queue(1).await;
    let spec = harness.spec("1", vec![shell("web", "exec sleep 1000")]);
    harness.run(spec);
    until("the process", || !harness.runtime.processes().is_empty()).await;
    let (_, processes) = harness.runtime.processes().remove(0);
    harness.runtime.shutdown().await;
    assert!(!runs(processes[0]));
    assert!(harness.events.recv().await.is_some());
}
