//! Requests that a replica fails, and replicas that fail many.

use super::bed::{App, ask, count, each, file, metric, ready, up};
use crate::harness::{Ebbtide, SOON, eventually, machine};

#[test]
fn what_may_be_repeated_is_answered_by_another_replica() {
    let _machine = machine();
    let app = App {
        tags: "ebbtide.ejectAfterFailures: '0'",
        scale: "{minReplicas: 2, maxReplicas: 2}",
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &[]);
    ready(&ebbtide, "web", "one", 2);
    let retries = || metric(&ebbtide, "ebbtide_retries_total{app=\"web\"");
    // The first replica breaks off, or dies with what it has.
    let methods = ["GET", "PUT", "DELETE"].map(|method| ("break", "broke", method));
    for (kind, mark, method) in methods.into_iter().chain([("die", "died", "GET")]) {
        let before = retries();
        let path = format!("/{kind}/{method}");
        let answer = ask(&ebbtide, "web", &path, &["-X", method]);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_ne!(answer.body, file(&ebbtide, &format!("{mark}-{method}")));
        assert_eq!(retries(), before + 1, "{path}");
    }
    until_restarted(&ebbtide, 1);
    for kind in ["break", "die"] {
        let before = retries();
        let path = format!("/{kind}/POST");
        let answer = ask(&ebbtide, "web", &path, &["-X", "POST"]);
        assert_eq!((answer.status, retries()), (502, before), "{answer:?}");
    }
}

#[test]
fn retries_have_a_budget() {
    let _machine = machine();
    let app = App {
        tags: "ebbtide.ejectAfterFailures: '0'",
        scale: "{minReplicas: 2, maxReplicas: 2}",
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &["--workers", "1"]);
    ready(&ebbtide, "web", "one", 2);
    let answers = each(&ebbtide, "web", "/snap?[1-100]", 1, "%{http_code}");
    assert_eq!(count(&answers, "502"), 100, "{answers:?}");
    // Ten to begin with, twenty for the requests, and one for each second of the test.
    let retries = metric(&ebbtide, "ebbtide_retries_total{app=\"web\"");
    assert!((25..90).contains(&retries), "{retries}");
}

/// Waits until the replicas have been restarted so often, and are ready.
fn until_restarted(ebbtide: &Ebbtide, restarts: u64) {
    eventually(SOON, "both replicas are ready again", || {
        let one = ebbtide.revision("web", "web--one");
        let list = one["replicaList"].as_array().unwrap();
        let counts = list.iter().map(|one| one["restarts"].as_u64().unwrap());
        one["replicas"]["ready"] == 2 && counts.sum::<u64>() == restarts
    });
}

#[test]
fn a_replica_that_fails_several_in_a_row_gets_none_for_a_while() {
    let _machine = machine();
    let app = App {
        tags: "ebbtide.ejectAfterFailures: '3'",
        scale: "{minReplicas: 2, maxReplicas: 2}",
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &[]);
    ready(&ebbtide, "web", "one", 2);
    let ailing = ask(&ebbtide, "web", "/who", &[]).body;
    ebbtide.write("ailing", &ailing);
    let ejections = || metric(&ebbtide, "ebbtide_ejections_total{app=\"web\"");
    let mut failed = 0;
    while ejections() == 0 {
        let answer = ask(&ebbtide, "web", "/ail", &[]);
        failed += u64::from(answer.status == 503);
        assert!(failed <= 3, "{failed}");
    }
    assert_eq!(failed, 3);
    // The two would take turns.
    eventually(SOON, "ten are answered by the other one", || {
        (0..10).all(|_| ask(&ebbtide, "web", "/ail", &[]).status == 200)
    });
}
