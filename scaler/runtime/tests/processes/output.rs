//! What is kept of what containers write.

use ebbtide_core::document::{EnvironmentValue, EnvironmentVariable, SecretValue};
use ebbtide_runtime::Stream;

use crate::support::{Harness, runs, shell, until};

#[tokio::test]
async fn lines_are_kept_with_their_stream_and_container() {
    let mut harness = Harness::start().await;
    let web = shell(
        "web",
        "echo out; printf '\\377\\n'; printf partial; exec sleep 1000",
    );
    let log = shell("log", "echo err >&2; exec sleep 1000");
    let spec = harness.spec("1", vec![web, log]);
    let logs = harness.runtime.logs();
    let mut follower = logs.follow();
    harness.run(spec.clone());
    harness.line("\u{fffd}").await;
    harness.line("err").await;
    harness.stop(&spec.name).await;
    let of = |container: &str, stream| -> Vec<String> {
        let lines = logs.tail("hello", None, Some(spec.name.as_str()), 100);
        let found = lines.iter().filter(|line| &*line.container == container);
        let found = found.inspect(|line| assert_eq!(line.stream, stream));
        found.map(|line| line.line.clone()).collect()
    };
    assert_eq!(of("web", Stream::Stdout), ["out", "\u{fffd}", "partial"]);
    assert_eq!(of("log", Stream::Stderr), ["err"]);
    let live = std::iter::from_fn(|| follower.try_recv().ok());
    assert_eq!(live.count(), 4);
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_output_keeps_the_newest_and_does_not_block_the_child() {
    let mut harness = Harness::start().await;
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i; done; \
                  echo done >end; exec sleep 1000";
    let spec = harness.spec("1", vec![shell("web", script)]);
    harness.run(spec);
    harness.file("end").await;
    harness.line("line 20000").await;
    let lines = harness.lines();
    assert_eq!(lines.len(), 100);
    assert_eq!(lines[0], "line 19901");
    harness.runtime.shutdown().await;
}

#[tokio::test]
async fn output_held_open_by_a_runaway_does_not_hold_up_the_restart() {
    let mut harness = Harness::start().await;
    let script = "setsid sh -c 'echo $$ >runaway; exec sleep 1000' & \
                  while ! [ -s runaway ]; do sleep 0.01; done; printf last; exit 4";
    let spec = harness.spec("1", vec![shell("web", script)]);
    harness.run(spec.clone());
    harness.started().await;
    let (because, ..) = harness.backoff().await;
    assert_eq!(
        because,
        "container `web` exited with status 4; its last output: last"
    );
    let runaway: u32 = harness.file("runaway").await.trim().parse().unwrap();
    assert!(runs(runaway), "it left the group, so it lives for now");
    harness.runtime.shutdown().await;
    until("the end of the runaway", || !runs(runaway)).await;
}

#[tokio::test]
async fn secrets_reach_the_child_and_only_it() {
    let mut harness = Harness::start().await;
    let script = "echo ${#KEY} $CONTAINER_APP_REPLICA_NAME; exec sleep 1000";
    let mut container = shell("web", script);
    container.env.push(EnvironmentVariable {
        name: "KEY".to_owned(),
        value: EnvironmentValue::SecretRef("key".to_owned()),
    });
    let mut spec = harness.spec("1", vec![container]);
    let secret = SecretValue::new("hunter2".to_owned());
    spec.secrets.insert("key".to_owned(), secret);
    assert!(!format!("{spec:?}").contains("hunter2"));
    harness.run(spec);
    harness.line("7 hello--v1-1").await;
    harness.runtime.shutdown().await;
}
