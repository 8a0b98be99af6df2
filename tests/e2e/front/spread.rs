//! How requests are spread over replicas: curl counts.

use super::bed::{App, Asked, ask, count, each, file, ready, up};
use crate::harness::{SOON, eventually, machine};

#[test]
fn a_replica_with_fewer_requests_is_preferred_and_many_are_filled_evenly() {
    let _machine = machine();
    let few = App {
        scale: "{minReplicas: 3, maxReplicas: 3}",
        ..App::default()
    };
    let many = App {
        name: "many",
        scale: "{minReplicas: 10, maxReplicas: 10}",
        ..App::default()
    };
    let documents = [("web.yaml", &*few.yaml()), ("many.yaml", &many.yaml())];
    let ebbtide = up(&documents, &[]);
    ready(&ebbtide, "web", "one", 3);
    let held = Asked::start(&ebbtide, "web", "/wait/a", &[]);
    eventually(SOON, "it is at the app", || {
        file(&ebbtide, "web-came") == "a "
    });
    let others = each(&ebbtide, "web", "/who?[1-30]", 1, "%header{x-replica}");
    ebbtide.write("go", "");
    let busy = held.answer().body;
    assert_eq!((others.len(), count(&others, &busy)), (30, 0), "{others:?}");

    ready(&ebbtide, "many", "one", 10);
    let answers = each(&ebbtide, "many", "/busy?[1-600]", 30, "%header{x-replica}");
    let mut replicas = answers.clone();
    replicas.sort_unstable();
    replicas.dedup();
    let counts: Vec<_> = replicas.iter().map(|one| count(&answers, one)).collect();
    // Sixty for each.
    assert_eq!((replicas.len(), answers.len()), (10, 600), "{counts:?}");
    assert!(
        counts.iter().all(|one| (30..120).contains(one)),
        "{counts:?}"
    );
}

#[test]
fn a_replica_that_joins_another_begins_with_a_part_of_its_share() {
    let _machine = machine();
    let rule = "rules: [{name: http, http: {metadata: {concurrentRequests: '2'}}}]";
    let app = App {
        tags: "ebbtide.slowStartSeconds: '3600'",
        scale: &format!("{{minReplicas: 1, maxReplicas: 2, {rule}}}"),
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    let old = ask(&ebbtide, "web", "/who", &[]).body;
    let held: Vec<_> = (0..4)
        .map(|_| Asked::start(&ebbtide, "web", "/wait/a", &[]))
        .collect();
    ready(&ebbtide, "web", "one", 2);
    ebbtide.write("go", "");
    for asked in held {
        assert_eq!(asked.answer().body, old);
    }
    let answers = each(&ebbtide, "web", "/busy?[1-600]", 30, "%header{x-replica}");
    let new = answers.len() - count(&answers, &old);
    // About a tenth of what the other one has.
    assert!(answers.len() == 600 && (1..150).contains(&new), "{new}");
}
