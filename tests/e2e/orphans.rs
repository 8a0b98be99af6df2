//! Killed with SIGKILL, Ebbtide leaves no child behind, and starts again.

use std::fs;

use rustix::process::{Signal, kill_process};

use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::load::Document;

/// A replica whose shell starts the server as its child: a grandchild of Ebbtide.
const ARGS: &str = "[-c, \"\\\"$EBBTIDE_PROGRAM\\\" sample-app --work-time 10ms; exit 0\"]";

#[test]
fn kill_nine_leaves_no_child_and_it_starts_again() {
    let _machine = machine();
    let scale = "{minReplicas: 2, maxReplicas: 3}";
    let yaml = Document {
        args: ARGS,
        scale,
        ..Document::default()
    }
    .yaml();
    let yaml = yaml.replace("[\"$(EBBTIDE_PROGRAM)\", sample-app]", "[sh]");
    let ebbtide = Ebbtide::up(&[("web.yaml", &yaml)]);
    eventually(SOON, "two replicas are ready", || {
        ebbtide.ready("web", "web--one") == 2
    });
    let started = descendants(ebbtide.pid().as_raw_nonzero().get());
    assert!(
        started.len() >= 5,
        "a guardian, two shells and two servers: {started:?}"
    );

    kill_process(ebbtide.pid(), Signal::KILL).unwrap();
    eventually(SOON, "every process it started is gone", || {
        started.iter().all(|pid| !is_running(*pid))
    });
    drop(ebbtide);

    let again = Ebbtide::up(&[("web.yaml", &yaml)]);
    assert_eq!(again.request("web.localhost", "/").status, 200);
    again.stop();
}

/// Every process below `ancestor`.
pub(crate) fn descendants(ancestor: i32) -> Vec<i32> {
    let parents: Vec<(i32, i32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&one) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == one)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}

/// The fields of `/proc/PID/stat` after the name: state, parent, …
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn parent(pid: i32) -> Option<i32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// Whether it runs: one that has ended and waits to be reaped does not.
pub(crate) fn is_running(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| fields[0] != "Z")
}
