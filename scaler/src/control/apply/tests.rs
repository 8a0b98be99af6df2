//! Tests of applying documents.

use ebbtide_core::document::{TrafficTarget, TrafficWeight};

use super::super::fixtures::{Apps, HELLO, TWO, apply, prepared};
use super::super::replica::ReplicaState;
use super::*;

const FILE: &str = "apps/app.yaml";
const API: &str = "request body";

const OTHER: &str = "{name: other, properties: {template: {revisionSuffix: v1, \
                     containers: [{name: web, command: [serve]}]}}}";

fn hello(apps: &mut Apps) -> &mut AppControl {
    apps.get_mut(&AppName::new("hello").unwrap()).unwrap()
}

fn names(apps: &Apps) -> Vec<&str> {
    let apps = apps.values();
    apps.flat_map(|one| one.revisions.keys().map(RevisionName::as_str))
        .collect()
}

/// What is wrong, as text.
fn errors(texts: &[(&str, &str)], origin: Origin, present: &Apps) -> String {
    match prepared(texts, origin, present) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// All traffic to the first revision, by hand.
fn move_traffic(apps: &mut Apps) {
    let control = hello(apps);
    let entry = |name: &str, weight| TrafficWeight {
        target: TrafficTarget::Revision(RevisionName::parse(name).unwrap()),
        weight,
        label: None,
    };
    let traffic = vec![entry("hello--v1", 100), entry("hello--v2", 0)];
    control.app = control.app.set_traffic(traffic).unwrap().0;
}

fn weights(apps: &mut Apps) -> Vec<u32> {
    let shares = hello(apps).app.shares();
    shares.iter().map(|share| share.weight).collect()
}

#[test]
fn apps_and_declared_revisions_are_made_together() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, TWO), ("b.yaml", OTHER)], Origin::Files);
    assert_eq!(names(&apps), ["hello--v1", "hello--v2", "other--v1"]);
    assert_eq!(hello(&mut apps).source, Source::File(FILE.into()));
}

#[test]
fn all_that_is_wrong_with_any_document_is_said_and_nothing_is_prepared() {
    let image = HELLO.replace("command: [serve]", "image: nginx");
    let orphan = "{type: Microsoft.App/containerApps/revisions, name: lost--v1, \
                  properties: {template: {containers: [{name: web, command: [serve]}]}}}";
    let texts = [
        ("a.yaml", image.as_str()),
        ("b.yaml", OTHER),
        ("c.yaml", orphan),
    ];
    let text = errors(&texts, Origin::Files, &Apps::new());
    for expected in [
        "2 errors",
        "a.yaml:2:1",
        "image but no command",
        "c.yaml:1:1",
        "no document declares the app lost",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

#[test]
fn a_revision_cannot_be_changed_under_its_name() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, HELLO)], Origin::Files);
    let other = HELLO.replace("[serve]", "[serve, more]");
    let text = errors(&[(FILE, &other)], Origin::Files, &apps);
    assert!(
        text.contains("hello--v1 exists with another template"),
        "{text}"
    );
    assert_eq!(names(&apps), ["hello--v1"]);
}

#[test]
fn files_that_say_nothing_new_leave_hand_made_changes_alone() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, TWO)], Origin::Files);
    move_traffic(&mut apps);
    apply(&mut apps, &[(FILE, TWO), ("b.yaml", OTHER)], Origin::Files);
    assert_eq!(weights(&mut apps), [100, 0]);
    let changed = TWO
        .replace("weight: 80", "weight: 70")
        .replace("weight: 20", "weight: 30");
    apply(&mut apps, &[(FILE, &changed)], Origin::Files);
    assert_eq!(weights(&mut apps), [70, 30]);
}

#[test]
fn a_document_given_by_hand_is_in_force_even_if_it_is_the_one_from_before() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, TWO)], Origin::Files);
    move_traffic(&mut apps);
    apply(&mut apps, &[(API, TWO)], Origin::Api);
    assert_eq!(weights(&mut apps), [80, 20]);
}

#[test]
fn what_was_given_by_hand_stays_until_the_file_of_that_app_changes() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, HELLO)], Origin::Files);
    let by_hand = HELLO
        .replace("v1", "v2")
        .replace("[serve]", "[serve, more]");
    apply(&mut apps, &[(API, &by_hand)], Origin::Api);
    apply(
        &mut apps,
        &[(FILE, HELLO), ("b.yaml", OTHER)],
        Origin::Files,
    );
    assert_eq!(hello(&mut apps).app.latest().as_str(), "hello--v2");
    assert_eq!(hello(&mut apps).source, Source::Api);
    let changed = HELLO
        .replace("v1", "v3")
        .replace("[serve]", "[serve, most]");
    apply(&mut apps, &[(FILE, &changed)], Origin::Files);
    assert_eq!(hello(&mut apps).app.latest().as_str(), "hello--v3");
    assert_eq!(hello(&mut apps).source, Source::File(FILE.into()));
}

#[test]
fn a_revision_given_by_hand_leaves_the_app_where_it_is_from() {
    let mut apps = Apps::new();
    let multiple = HELLO.replace("{ingress", "{activeRevisionsMode: Multiple, ingress");
    apply(&mut apps, &[(FILE, &multiple)], Origin::Files);
    hello(&mut apps).folder = "apps".into();
    let revision = TWO.split("---").nth(1).unwrap().replace("--v1", "--v0");
    apply(&mut apps, &[(API, &revision)], Origin::Api);
    assert_eq!(names(&apps), ["hello--v0", "hello--v1"]);
    let control = hello(&mut apps);
    assert_eq!(control.source, Source::File(FILE.into()));
    assert_eq!(control.folder, PathBuf::from("apps"));
}

#[test]
fn an_app_goes_with_its_document_although_one_of_a_revision_remains() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, TWO)], Origin::Files);
    let rest = TWO.split("---").nth(1).unwrap();
    let text = errors(&[(FILE, rest)], Origin::Files, &apps);
    assert!(
        text.contains("no document declares the app hello"),
        "{text}"
    );
}

#[test]
fn relative_paths_start_where_a_revision_was_declared() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.yaml").display().to_string();
    let mut apps = Apps::new();
    apply(&mut apps, &[(&file, HELLO)], Origin::Files);
    let by_hand = HELLO
        .replace("v1", "v2")
        .replace("[serve]", "[serve, more]");
    apply(&mut apps, &[(API, &by_hand)], Origin::Api);
    let revisions = hello(&mut apps).revisions.values();
    let folders: Vec<_> = revisions.map(|one| one.folder.as_path()).collect();
    assert_eq!(folders, [folder.path(), Path::new(".")]);
}

#[test]
fn replicas_are_replaced_when_they_are_to_be_reached_in_another_way() {
    let mut apps = Apps::new();
    apply(&mut apps, &[(FILE, HELLO)], Origin::Files);
    let generation = |apps: &mut Apps| {
        let control = hello(apps);
        let one = control.revisions.values().next().unwrap();
        one.generation(&control.app)
    };
    for (port, expected) in [
        ("targetPort: 80", 0),
        ("targetPort: 80, allowInsecure: true", 0),
        ("targetPort: 80, transport: http2", 1),
        ("targetPort: 81, transport: http2", 2),
    ] {
        let text = HELLO.replace("targetPort: 80", port);
        apply(&mut apps, &[(FILE, &text)], Origin::Files);
        assert_eq!(generation(&mut apps), expected, "{port}");
    }
}

#[test]
fn a_purged_revision_drains_and_one_of_its_name_starts_from_nothing() {
    let mut apps = Apps::new();
    let limited = |text: &str| text.replace("{ingress", "{maxInactiveRevisions: 0, ingress");
    apply(&mut apps, &[(FILE, &limited(HELLO))], Origin::Files);
    let v1 = RevisionName::parse("hello--v1").unwrap();
    let one = hello(&mut apps).revisions.get_mut(&v1).unwrap();
    super::super::fixtures::add_replica(one, "a", ReplicaState::Ready);
    one.state = ebbtide_core::scale::ScaleState::starting_with(5, Timestamp::ORIGIN);
    hello(&mut apps).observe(Timestamp::from_secs(1));
    let next = limited(HELLO)
        .replace("v1", "v2")
        .replace("[serve]", "[serve, more]");
    apply(&mut apps, &[(FILE, &next)], Origin::Files);
    let v2 = RevisionName::parse("hello--v2").unwrap();
    let two = hello(&mut apps).revisions.get_mut(&v2).unwrap();
    two.state = ebbtide_core::scale::ScaleState::starting_with(5, Timestamp::ORIGIN);
    for id in ["a", "b", "c", "d", "e"] {
        super::super::fixtures::add_replica(two, id, ReplicaState::Ready);
    }
    let changes = hello(&mut apps).observe(Timestamp::from_secs(1));
    assert!(
        changes.contains(&Change::RevisionPurged(v1.clone())),
        "{changes:?}"
    );
    hello(&mut apps).forget_purged();
    assert_eq!(
        names(&apps),
        ["hello--v1", "hello--v2"],
        "its replica is there"
    );
    assert_eq!(hello(&mut apps).desired(&v1), 0);
    let again = limited(HELLO).replace("[serve]", "[serve, anew]");
    apply(&mut apps, &[(FILE, &again)], Origin::Files);
    let one = &hello(&mut apps).revisions[&v1];
    assert_eq!((one.state.desired(), one.replicas.len()), (0, 1));
    assert_eq!(one.template.containers[0].command, ["serve", "anew"]);
}
