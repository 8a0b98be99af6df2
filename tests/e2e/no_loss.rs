//! What changes under 200 requests a second, and loses none of them.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::load::{Document, Load};

const LOAD: &str = "--rate 200 --duration 10s --arrival poisson --count-header x-revision";

const TWO: Document<'_> = Document {
    name: "web",
    suffix: "two",
    mode: "Multiple",
    args: "[--work-time, 20ms]",
    scale: "{minReplicas: 1, maxReplicas: 5}",
    traffic: "[{revisionName: web--two, weight: 100}]",
};

#[test]
fn scaling_in_loses_no_request() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 6, rules: [{name: http, http: {metadata: \
                {concurrentRequests: \"2\", windowSeconds: \"2\"}}}]}",
        args: "[--work-time, 60ms]",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    // Twelve in flight call for six replicas; then a trickle calls for one.
    Load::start(&ebbtide, "web.localhost", "--rate 200 --duration 6s").without_loss();
    eventually(SOON, "several replicas are there", || {
        ebbtide.ready("web", "web--one") > 1
    });
    let trickle = Load::start(&ebbtide, "web.localhost", "--rate 30 --duration 12s");
    eventually(SOON, "it scaled in", || {
        ebbtide.ready("web", "web--one") == 1
    });
    trickle.without_loss();
}

#[test]
fn a_new_revision_takes_over_without_losing_a_request() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 5}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    let load = Load::start(&ebbtide, "web.localhost", LOAD);
    eventually(SOON, "the first revision serves", || {
        finished(&ebbtide, "web--one") > 200
    });
    ebbtide.write(
        "web.yaml",
        &Document {
            suffix: "two",
            ..document
        }
        .yaml(),
    );
    eventually(SOON, "the second revision serves", || {
        revisions(&ebbtide)
            .iter()
            .any(|one| one["name"] == "web--two")
            && finished(&ebbtide, "web--two") > 200
    });
    load.without_loss();
    eventually(SOON, "the first revision is gone", || {
        let one = ebbtide.revision("web", "web--one");
        one["active"] == false && one["replicas"]["ready"] == 0
    });
}

#[test]
fn a_traffic_change_loses_no_request() {
    let _machine = machine();
    let one = Document {
        suffix: "one",
        traffic: "[{latestRevision: true, weight: 100}]",
        ..TWO
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &one.yaml())]);
    // The same document with another suffix adds a revision; named weights keep the first one's.
    let split = "[{revisionName: web--one, weight: 100}, {revisionName: web--two, weight: 0}]";
    ebbtide.write(
        "web.yaml",
        &Document {
            traffic: split,
            ..TWO
        }
        .yaml(),
    );
    eventually(SOON, "both revisions are ready", || {
        revisions(&ebbtide)
            .iter()
            .filter(|one| one["replicas"]["ready"] == 1)
            .count()
            == 2
    });
    let load = Load::start(&ebbtide, "web.localhost", LOAD);
    eventually(SOON, "the first revision serves", || {
        finished(&ebbtide, "web--one") > 200
    });
    ebbtide.cli_text(&["traffic", "set", "web", "web--one=50", "web--two=50"]);
    eventually(SOON, "the second revision serves too", || {
        finished(&ebbtide, "web--two") > 200
    });
    load.without_loss();
    let traffic = ebbtide.api("/api/v1/apps/web")["traffic"].clone();
    for place in 0..2 {
        let observed = traffic[place]["observedPercent"].as_f64().unwrap();
        assert!((observed - 50.0).abs() < 1.0, "{traffic}");
    }
}

#[test]
fn a_restart_of_a_revision_loses_no_request() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 2, maxReplicas: 5}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    eventually(SOON, "two replicas are ready", || {
        ebbtide.ready("web", "web--one") == 2
    });
    let before = replica_names(&ebbtide);
    let load = Load::start(&ebbtide, "web.localhost", LOAD);
    eventually(SOON, "it serves", || finished(&ebbtide, "web--one") > 200);
    ebbtide.cli_text(&["revision", "restart", "web", "web--one"]);
    eventually(SOON, "every replica is a new one", || {
        let now = replica_names(&ebbtide);
        now.len() == 2 && now.iter().all(|name| !before.contains(name))
    });
    load.without_loss();
}

#[test]
fn what_comes_after_a_crash_of_the_only_replica_waits_for_its_next_run() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 1}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    eventually(SOON, "it is ready", || {
        ebbtide.ready("web", "web--one") == 1
    });
    for restarts in 1..=2 {
        let replica = ebbtide.revision("web", "web--one")["replicaList"][0].clone();
        let pid = replica["pid"]
            .as_i64()
            .and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        kill_process(pid.unwrap(), Signal::KILL).unwrap();
        for _ in 0..5 {
            assert_eq!(ebbtide.request("web.localhost", "/").status, 200);
        }
        eventually(SOON, "the restart is told", || {
            let one = ebbtide.revision("web", "web--one");
            one["replicaList"][0]["restarts"] == restarts && one["replicas"]["ready"] == 1
        });
    }
}

fn revisions(ebbtide: &Ebbtide) -> Vec<Value> {
    let revisions = ebbtide.api("/api/v1/apps/web/revisions");
    revisions["value"].as_array().cloned().unwrap_or_default()
}

fn finished(ebbtide: &Ebbtide, revision: &str) -> u64 {
    ebbtide.revision("web", revision)["finishedRequests"]
        .as_u64()
        .unwrap()
}

fn replica_names(ebbtide: &Ebbtide) -> Vec<String> {
    let list = ebbtide.revision("web", "web--one")["replicaList"].clone();
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].to_string())
        .collect()
}
