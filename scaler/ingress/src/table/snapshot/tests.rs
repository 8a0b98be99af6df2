//! Tests of looking up.

use super::*;
use crate::{AppPort, BackendState, HttpRoutes, RevisionMeter};
use ebbtide_core::document;
use ebbtide_core::name::RevisionName;
use std::num::NonZeroUsize;

fn table(revisions: &[&str], weights: &[u32], labels: &[(&str, usize)]) -> RoutingTable {
    let backends = revisions.iter().map(|name| {
        Arc::new(Backend {
            revision: RevisionName::parse(name).unwrap(),
            policy: Arc::default(),
            meter: RevisionMeter::new(NonZeroUsize::MIN),
            state: BackendState::Serving(Vec::new()),
        })
    });
    let labels = labels
        .iter()
        .map(|(label, index)| ((*label).to_owned(), *index));
    let route = AppRoute {
        app: AppName::new("hello").unwrap(),
        hosts: vec!["Shop.Example".to_owned()],
        policy: Arc::default(),
        split: Arc::new(Split::new(weights.to_vec())),
        labels: labels.collect(),
        backends: backends.collect(),
    };
    RoutingTable {
        apps: vec![Arc::new(route)],
        ..RoutingTable::default()
    }
}

fn found(snapshot: &Snapshot, host: &str, previous: Option<&Backend>) -> String {
    match snapshot.find(host, previous) {
        Found::Backend(backend) => backend.revision.to_string(),
        Found::NoRevision(app) => format!("no revision of {app}"),
        Found::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn hosts_lead_to_revisions() {
    let revisions = ["hello--v1", "hello--v2"];
    let labels = [("blue", 1), ("broken", 9)];
    let snapshot = Snapshot::new(table(&revisions, &[100, 0], &labels));
    for (host, expected) in [
        ("hello.localhost", "hello--v1"),
        ("hello", "hello--v1"),
        ("shop.example", "hello--v1"),
        ("hello---blue.localhost", "hello--v2"),
        ("hello---broken", "no revision of hello"),
        ("hello---green", "nothing"),
        ("", "nothing"),
    ] {
        assert_eq!(found(&snapshot, host, None), expected, "{host}");
    }
    let none = Snapshot::new(table(&revisions, &[0, 0], &[]));
    assert_eq!(found(&none, "hello", None), "no revision of hello");
}

#[test]
fn a_request_stays_with_its_revision_while_there_is_one() {
    let before = table(&["hello--v1"], &[1], &[]);
    let v1 = &before.apps[0].backends[0];
    let both = Snapshot::new(table(&["hello--v1", "hello--v2"], &[0, 1], &[]));
    assert_eq!(found(&both, "hello", Some(v1)), "hello--v1");
    let only = Snapshot::new(table(&["hello--v2"], &[1], &[]));
    assert_eq!(found(&only, "hello", Some(v1)), "hello--v2");
}

#[test]
fn a_host_is_routes_or_nothing_once_its_app_has_a_port() {
    let before = table(&["hello--v1"], &[1], &[]);
    let mut now = before.clone();
    let port = AppPort {
        app: AppName::new("hello").unwrap(),
        target: None,
        on_loopback: false,
    };
    now.ports.insert(9000, port);
    let before = Snapshot::new(before);
    let now = Snapshot::after(&before, now);
    assert_eq!(found(&before, "hello", None), "hello--v1");
    assert_eq!(found(&now, "hello", None), "nothing");
}

/// The table of one app, and routes that lead to it in all paths, by these targets.
fn routed(targets: &str) -> Snapshot {
    let text = format!("rules: [{{routes: [{{match: {{prefix: /}}}}], targets: {targets}}}]");
    let source = document::Source {
        name: "routes",
        text: &text,
    };
    let options = document::ParseOptions {
        default_name: Some("routes".to_owned()),
        ..document::ParseOptions::default()
    };
    let parsed = document::parse(&source, &options).unwrap();
    let document::Declaration::Routes(config) = &parsed.declarations[0].value else {
        panic!("routes");
    };
    let mut table = table(&["hello--v1", "hello--v2"], &[100, 0], &[("blue", 1)]);
    table.routes = vec![Arc::new(HttpRoutes::new((**config).clone()))];
    Snapshot::new(table)
}

/// Where the next request goes; it is answered at the door if it does not go on.
fn asked(snapshot: &Snapshot, goes_on: bool) -> String {
    let request = Request::new(());
    match snapshot.target("routes", &request) {
        Err(error) => format!("{error:?}"),
        Ok(None) => "no host".to_owned(),
        Ok(Some(_)) if !goes_on => String::new(),
        Ok(Some(target)) => match snapshot.find_at(target, None) {
            Found::Backend(backend) => backend.revision.to_string(),
            Found::NoRevision(_) | Found::Nothing => "nothing".to_owned(),
        },
    }
}

#[test]
fn a_request_that_is_answered_at_the_door_takes_no_turn() {
    let snapshot = routed(
        "[{containerApp: hello, weight: 50}, {containerApp: hello, label: blue, weight: 50}]",
    );
    let mut found = Vec::new();
    for _ in 0..4 {
        asked(&snapshot, false);
        found.push(asked(&snapshot, true));
    }
    found.sort_unstable();
    assert_eq!(found, ["hello--v1", "hello--v1", "hello--v2", "hello--v2"]);
}

#[test]
fn a_target_that_is_not_there_has_its_turns_and_no_more() {
    let snapshot = routed("[{containerApp: hello, weight: 50}, {containerApp: lost, weight: 50}]");
    let found: Vec<String> = (0..4).map(|_| asked(&snapshot, true)).collect();
    let lost = found.iter().filter(|one| one.contains("NoTarget"));
    assert_eq!(lost.count(), 2, "{found:?}");
}

#[test]
fn a_split_goes_on_from_table_to_table() {
    let revisions = ["hello--v1", "hello--v2"];
    let first = Snapshot::new(table(&revisions, &[1, 1], &[]));
    let mut same = table(&revisions, &[1, 1], &[]);
    same.keep_splits(&first);
    assert!(Arc::ptr_eq(
        &same.apps[0].split,
        &first.table().apps[0].split
    ));
    first.table().apps[0].split.pick();
    let mut other = table(&revisions, &[1, 3], &[]);
    other.keep_splits(&first);
    let fresh = Split::new(vec![1, 3]);
    fresh.pick();
    assert_eq!(other.apps[0].split.pick(), fresh.pick());
}
