//! Activating, deactivating, restarting, and traffic set by command.

use super::*;

fn split_two(weights: &str) -> Scenario {
    Scenario::with(split("v2", weights), vec![declared("v1", true)])
}

#[test]
fn a_revision_with_weight_is_not_deactivated() {
    let cases = [
        (split_two("v1=80 v2=20"), "v1", "weight of 80%"),
        (split_two("v1=80 latest=20"), "v2", "weight of 20%"),
        (split_two(""), "v2", "weight of 100%"),
        (
            Scenario::new(document("v1")),
            "v1",
            "always active in Single mode",
        ),
    ];
    for (hello, suffix, message) in cases {
        let error = hello.app.deactivate(&name(suffix)).unwrap_err();
        assert!(matches!(error, AppError::Conflict(_)), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    hello.apply(document("v2"));
    let error = hello.app.deactivate(&name("v1")).unwrap_err();
    assert!(
        error.to_string().contains("until hello--v2 is ready"),
        "{error}"
    );
}

#[test]
fn weight_counts_even_while_a_revision_has_failed() {
    let mut hello = split_two("v1=80 v2=20");
    hello.fail("v2", "exit status 1");
    assert!(hello.app.deactivate(&name("v2")).is_err());
}

#[test]
fn a_deactivated_revision_is_out_until_it_is_activated() {
    let mut hello = split_two("v1=0:old v2=100");
    hello.observe("v1", 1, 1);
    hello.deactivate("v1");
    assert_eq!(
        (hello.shares().as_str(), hello.labels().as_str()),
        ("v2 100", "")
    );
    assert_eq!((hello.active().as_str(), hello.takeover("v1")), ("v2", 0));
    assert!(hello.fail("v1", "killed").is_empty(), "it drains");
    hello.activate("v1");
    assert_eq!(
        (hello.shares().as_str(), hello.labels().as_str()),
        ("v1 0, v2 100", "old→v1")
    );
    assert_eq!(hello.provisioning("v1"), Provisioning::Provisioning);
}

#[test]
fn a_failing_latest_revision_can_be_given_up() {
    let mut hello = Scenario::new(split("v1", ""));
    hello.observe("v1", 1, 1);
    hello.apply(split("v2", ""));
    hello.fail("v2", "exit status 1");
    hello.deactivate("v2");
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v2")),
        ("v1 100", 0)
    );
    hello.activate("v2");
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v2")),
        ("v1 100", 1)
    );
    hello.observe("v2", 1, 1);
    assert_eq!(hello.shares(), "v2 100");
}

#[test]
fn asking_for_what_is_so_changes_nothing() {
    let mut hello = split_two("v2=100");
    let (same, changes) = hello.app.activate(&name("v1")).unwrap();
    assert_eq!((&same, changes.len()), (&hello.app, 0));
    hello.deactivate("v1");
    let (same, changes) = hello.app.deactivate(&name("v1")).unwrap();
    assert_eq!((&same, changes.len()), (&hello.app, 0));
}

#[test]
fn single_mode_activates_nothing_beside_the_latest() {
    let mut hello = Scenario::new(document("v1"));
    hello.apply(document("v2"));
    let error = hello.app.activate(&name("v1")).unwrap_err();
    assert!(matches!(error, AppError::Conflict(_)), "{error}");
    assert!(
        error.to_string().contains("make it Multiple first"),
        "{error}"
    );
}

#[test]
fn each_restart_counts() {
    let hello = Scenario::new(document("v1"));
    let (once, changes) = hello.app.restart(&name("v1")).unwrap();
    assert_eq!(
        sentences(&changes),
        ["revision hello--v1 is being restarted"]
    );
    let (twice, _) = once.restart(&name("v1")).unwrap();
    assert_eq!(twice.revision(&name("v1")).unwrap().restarts, 2);
}

#[test]
fn an_inactive_revision_is_not_restarted() {
    let mut hello = split_two("v2=100");
    hello.deactivate("v1");
    let error = hello.app.restart(&name("v1")).unwrap_err();
    assert!(matches!(error, AppError::Conflict(_)), "{error}");
}

#[test]
fn an_unknown_revision_is_not_found() {
    let mut hello = split_two("");
    let unknown = name("v9");
    for result in [
        hello.app.activate(&unknown),
        hello.app.deactivate(&unknown),
        hello.app.restart(&unknown),
    ] {
        let error = result.unwrap_err();
        assert_eq!(
            error,
            AppError::NotFound(
                "there is no revision hello--v9; hello has hello--v2, hello--v1".to_owned()
            )
        );
    }
    assert_eq!(hello.takeover("v9"), 0);
    assert!(hello.observe("v9", 1, 1).is_empty());
}

#[test]
fn setting_traffic_changes_the_document() {
    let hello = split_two("v1=80 v2=20");
    let (blue, changes) = hello.app.set_traffic(traffic("v1=100:blue")).unwrap();
    assert_eq!(
        sentences(&changes),
        [
            "properties.configuration.ingress.traffic changed",
            "traffic goes to hello--v1 100%",
        ]
    );
    let ingress = blue.document().configuration.ingress.as_ref().unwrap();
    assert_eq!(ingress.traffic, traffic("v1=100:blue"));
}

#[test]
fn traffic_cannot_be_set_to_nothing_or_without_ingress() {
    let mut hello = split_two("");
    assert!(matches!(
        hello.app.set_traffic(vec![]),
        Err(AppError::Invalid(_))
    ));
    let mut document = split("v2", "");
    document.configuration.ingress = None;
    hello.apply(document);
    let error = hello.app.set_traffic(traffic("latest=100")).unwrap_err();
    assert!(error.to_string().contains("no ingress"), "{error}");
}
