//! Documents: which change makes a revision, which name it gets, and which are refused.

use super::*;

#[test]
fn only_a_changed_template_makes_a_revision() {
    type Edit = fn(&mut ContainerApp);
    let cases: [(Edit, &[&str]); 9] = [
        (|_| {}, &[]),
        (|d| d.template.revision_suffix = None, &[]),
        (
            |d| {
                d.tags.insert("team".to_owned(), "a".to_owned());
                d.location = Some("here".to_owned());
            },
            &["location, tags changed"],
        ),
        (
            |d| d.configuration.max_inactive_revisions = Some(3),
            &["properties.configuration.maxInactiveRevisions changed"],
        ),
        (
            |d| d.configuration.ingress = None,
            &["properties.configuration.ingress changed"],
        ),
        (
            |d| d.configuration.ingress.as_mut().unwrap().target_port = Some(80),
            &["properties.configuration.ingress.targetPort changed"],
        ),
        (
            |d| {
                d.accepted.insert("identity".to_owned(), 1.into());
            },
            &["identity changed"],
        ),
        (
            |d| d.template.revision_suffix = Some("v2".to_owned()),
            &["revision hello--v2 was created"],
        ),
        (
            |d| {
                d.location = Some("here".to_owned());
                d.template = template("v2", "other");
            },
            &["location changed", "revision hello--v2 was created"],
        ),
    ];
    for (index, (edit, changes)) in cases.into_iter().enumerate() {
        let mut hello = Scenario::new(document("v1"));
        hello.observe("v1", 1, 1);
        let mut edited = document("v1");
        edit(&mut edited);
        assert_eq!(hello.apply(edited), changes, "case {index}");
    }
}

#[test]
fn without_a_suffix_one_is_generated_from_the_seed() {
    let mut hello = Scenario::new(document(""));
    let first = hello.app.latest().clone();
    assert_eq!(first.suffix().len(), 7);
    assert_eq!(&first, Scenario::new(document("")).app.latest());
    let mut changed = document("");
    changed.template = template("", "other");
    hello.apply(changed);
    let second = hello.app.latest().clone();
    assert_ne!(first, second, "the seed is the same, the name is taken");
    assert_eq!(hello.app.revisions().len(), 2);
}

#[test]
fn an_earlier_suffix_with_its_template_is_a_rollback() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    hello.apply(document("v2"));
    hello.observe("v2", 1, 1);
    assert_eq!(
        hello.apply(document("v1")),
        [
            "revision hello--v1 was activated",
            "revision hello--v1 is the latest again",
        ]
    );
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v1")),
        ("v2 100", 1)
    );
    hello.observe("v1", 1, 1);
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v1 100", "v1")
    );
    assert_eq!(hello.app.latest(), &name("v1"));
}

#[test]
fn an_existing_suffix_with_another_template_is_a_conflict() {
    let mut hello = Scenario::new(document("v1"));
    hello.apply(document("v2"));
    for suffix in ["v1", "v2"] {
        let mut other = document(suffix);
        other.template = template(suffix, "other");
        let error = try_apply(&hello.app, other, vec![]).unwrap_err();
        assert!(matches!(error, AppError::Conflict(_)), "{error}");
        assert!(error.to_string().contains("another template"), "{error}");
    }
}

#[test]
fn a_suffix_that_is_none_is_invalid() {
    let mut other = document("v1");
    other.template.revision_suffix = Some("V 1".to_owned());
    let error = App::create(other, vec![], Timestamp::ORIGIN, SEED).unwrap_err();
    let AppError::Invalid(problems) = error else {
        panic!("{error}");
    };
    assert_eq!(problems[0].path, "properties.template.revisionSuffix");
}

#[test]
fn a_document_of_another_app_is_refused() {
    let hello = Scenario::new(document("v1"));
    let mut other = document("v1");
    other.name = AppName::new("other").unwrap();
    let error = try_apply(&hello.app, other, vec![]).unwrap_err();
    assert!(
        error.to_string().contains("this is the app hello"),
        "{error}"
    );
}

#[test]
fn traffic_that_does_not_go_with_the_revisions_is_refused_with_every_reason() {
    let traffic_path = "properties.configuration.ingress.traffic";
    let cases: [(&str, &[(&str, &str)]); 8] = [
        ("v1=90", &[("", "sum to 90")]),
        ("v1=80 v2=80", &[("", "sum to 160")]),
        (
            "v1=80 v9=20",
            &[(
                "[1].revisionName",
                "no revision hello--v9; hello has hello--v2, hello--v1, hello--v0",
            )],
        ),
        (
            "v1=80 v0=20",
            &[("[1].revisionName", "hello--v0 is not active")],
        ),
        ("v0=0 v1=100", &[]),
        ("v1=100:Blue", &[("[0].label", "not a label")]),
        (
            "v1=50:blue v2=50:blue",
            &[("[1].label", "label blue is used twice")],
        ),
        (
            "v1=80:a--b v9=10",
            &[
                ("[0].label", "not a label"),
                ("[1].revisionName", "no revision"),
                ("", "sum to 90"),
            ],
        ),
    ];
    let app = Scenario::with(
        split("v2", ""),
        vec![declared("v0", false), declared("v1", true)],
    )
    .app;
    for (weights, expected) in cases {
        let by_document = try_apply(&app, split("v2", weights), vec![]);
        let by_command = app.set_traffic(traffic(weights));
        assert_eq!(by_document.is_err(), by_command.is_err(), "{weights}");
        for result in [by_document, by_command] {
            let problems = match result {
                Ok(_) => vec![],
                Err(AppError::Invalid(problems)) => problems,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(problems.len(), expected.len(), "{weights}: {problems:?}");
            for (problem, (path, message)) in problems.iter().zip(expected) {
                assert_eq!(problem.path, format!("{traffic_path}{path}"));
                assert!(problem.message.contains(message), "{problem}");
            }
        }
    }
}

#[test]
fn single_mode_takes_traffic_for_the_latest_only() {
    for (weights, right) in [
        ("latest=100:main", true),
        ("v1=100", false),
        ("latest=90", false),
    ] {
        let mut single = split("v1", weights);
        single.configuration.active_revisions_mode = ActiveRevisionsMode::Single;
        let created = App::create(single, vec![], Timestamp::ORIGIN, SEED);
        assert_eq!(created.is_ok(), right, "{weights}");
        let hello = Scenario::new(document("v1"));
        assert_eq!(hello.app.set_traffic(traffic(weights)).is_ok(), right);
    }
}

#[test]
fn a_declared_revision_is_made_once_and_never_changes() {
    let document = || split("v2", "v1=50 v2=50");
    let hello = Scenario::with(document(), vec![declared("v1", true)]);
    assert_eq!(hello.active(), "v1 v2");
    assert_eq!(hello.app.latest(), &name("v2"));
    let (same, changes) = try_apply(&hello.app, document(), vec![declared("v1", true)]).unwrap();
    assert_eq!((same, changes), (hello.app.clone(), vec![]));
    let mut other = declared("v1", true);
    other.template = template("", "other");
    let error = try_apply(&hello.app, document(), vec![other]).unwrap_err();
    assert!(matches!(error, AppError::Conflict(_)), "{error}");
}

#[test]
fn declarations_say_what_is_active() {
    let app = Scenario::with(split("v2", ""), vec![declared("v1", true)]).app;
    let (app, changes) = try_apply(&app, split("v2", ""), vec![declared("v1", false)]).unwrap();
    assert_eq!(sentences(&changes), ["revision hello--v1 was deactivated"]);
    let (app, changes) = try_apply(&app, split("v2", ""), vec![declared("v1", true)]).unwrap();
    assert_eq!(sentences(&changes), ["revision hello--v1 was activated"]);
    let (_, changes) = try_apply(&app, split("v2", ""), vec![]).unwrap();
    assert!(changes.is_empty(), "what is no longer declared stays");
}

#[test]
fn declarations_that_contradict_are_refused() {
    let foreign = DeclaredRevision {
        name: RevisionName::parse("other--v1").unwrap(),
        ..declared("v1", true)
    };
    let cases = [
        (
            split("v2", ""),
            vec![foreign],
            "not a revision of the app hello",
        ),
        (
            split("v2", ""),
            vec![declared("v2", false)],
            "so it is active",
        ),
        (
            document("v2"),
            vec![declared("v1", true)],
            "activeRevisionsMode of hello is Single",
        ),
        (
            split("v2", ""),
            vec![declared("v1", true), declared("v1", true)],
            "declared twice",
        ),
        (
            split("v2", "v1=10 v2=90"),
            vec![declared("v1", false)],
            "hello--v1 is not active",
        ),
    ];
    for (document, declared, message) in cases {
        let error = App::create(document, declared, Timestamp::ORIGIN, SEED).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let latest_too = vec![declared("v1", false), declared("v2", true)];
    assert_eq!(Scenario::with(document("v2"), latest_too).active(), "v2");
}

#[test]
fn the_oldest_inactive_revisions_are_purged() {
    let limited = |suffix: &str, limit| {
        let mut document = document(suffix);
        document.configuration.max_inactive_revisions = limit;
        document
    };
    for (limit, kept) in [(Some(0), 0), (Some(2), 2), (None, 100)] {
        let mut hello = Scenario::new(limited("v0", limit));
        for number in 1..=105 {
            let suffix = format!("v{number}");
            hello.apply(limited(&suffix, limit));
        }
        let inactive = hello.app.revisions().filter(|revision| !revision.active);
        let inactive: Vec<_> = inactive.map(|r| r.name.suffix().to_owned()).collect();
        let expected: Vec<_> = (105 - kept..105).map(|n| format!("v{n}")).collect();
        assert_eq!(inactive, expected);
    }
}

#[test]
fn what_a_document_names_is_not_purged() {
    let mut document = split("v2", "v1=0:old v2=100");
    document.configuration.max_inactive_revisions = Some(0);
    let declarations = vec![declared("v0", false), declared("v1", false)];
    let hello = Scenario::with(document, declarations);
    assert_eq!(hello.app.revisions().len(), 3);
    assert_eq!(
        hello.labels(),
        "",
        "an inactive revision has no label's requests"
    );
    let document = hello.app.document().clone();
    let (_, changes) = try_apply(&hello.app, document, vec![]).unwrap();
    assert_eq!(
        sentences(&changes),
        ["inactive revision hello--v0 was purged"],
        "nothing declares it any more, while v1 still has a label"
    );
}
