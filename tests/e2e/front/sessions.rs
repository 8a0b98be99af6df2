//! Sessions, by curl's cookie jar.

use super::bed::{App, Asked, ask, ready, up};
use crate::harness::{Answer, Ebbtide, SOON, eventually, machine};

/// A request with a jar that keeps what it is given.
fn with_jar(ebbtide: &Ebbtide, jar: &str) -> Answer {
    let jar = ebbtide.folder.path().join(jar);
    let jar = jar.to_str().unwrap();
    let answer = ask(ebbtide, "web", "/who", &["-b", jar, "-c", jar]);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn revision(answer: &Answer) -> &str {
    answer.header("x-revision").unwrap()
}

/// Two revisions of which each has half of the requests, and which have two replicas under load.
fn two() -> Ebbtide {
    let rule = "rules: [{name: http, http: {metadata: {concurrentRequests: '1'}}}]";
    let app = App {
        ingress: "stickySessions: {affinity: sticky}, traffic: [{revisionName: web--old, weight: 50}, \
                  {latestRevision: true, weight: 50}]",
        scale: &format!("{{minReplicas: 1, maxReplicas: 2, {rule}}}"),
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml_of_two())], &[]);
    for revision in ["old", "one"] {
        ready(&ebbtide, "web", revision, 1);
    }
    ebbtide
}

#[test]
fn a_jar_keeps_its_replica_when_revisions_grow_and_moves_when_its_revision_has_no_traffic() {
    let _machine = machine();
    let ebbtide = two();
    let jars = ["a", "b", "c", "d"];
    let first = jars.map(|jar| with_jar(&ebbtide, jar));
    for name in ["web--old", "web--one"] {
        let of = first.iter().filter(|one| revision(one) == name);
        assert_eq!(of.count(), 2, "{first:?}");
    }
    let held: Vec<_> = (0..4)
        .map(|_| Asked::start(&ebbtide, "web", "/wait/a", &[]))
        .collect();
    for revision in ["old", "one"] {
        ready(&ebbtide, "web", revision, 2);
    }
    ebbtide.write("go", "");
    for asked in held {
        assert_eq!(asked.answer().status, 200);
    }
    for _ in 0..3 {
        for (jar, first) in jars.iter().zip(&first) {
            let again = with_jar(&ebbtide, jar);
            assert_eq!(again.body, first.body, "{jar}");
            assert_eq!(again.header("set-cookie"), None);
        }
    }
    let forged = ["-b", "ebbtide-affinity=AAAA.AAAAAAAAAAAAAAAAAAAAAA"];
    let other = ask(&ebbtide, "web", "/who", &forged);
    assert!(other.header("set-cookie").is_some(), "{other:?}");

    ebbtide.cli_text(&["traffic", "set", "web", "web--old=0", "web--one=100"]);
    eventually(SOON, "the new one has all requests", || {
        (0..4).all(|_| revision(&ask(&ebbtide, "web", "/who", &[])) == "web--one")
    });
    for (jar, first) in jars.iter().zip(&first) {
        let moved = with_jar(&ebbtide, jar);
        assert_eq!(revision(&moved), "web--one");
        let has_moved = revision(first) == "web--old";
        assert_eq!(moved.header("set-cookie").is_some(), has_moved);
        assert_eq!(with_jar(&ebbtide, jar).body, moved.body);
        assert!(has_moved || moved.body == first.body);
    }
}
