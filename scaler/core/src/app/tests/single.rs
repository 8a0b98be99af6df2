//! Single mode: one revision takes over from another.

use super::*;

#[test]
fn the_first_revision_has_the_traffic_at_once_with_nothing_to_prove() {
    let mut hello = Scenario::new(document("v1"));
    assert_eq!(hello.shares(), "v1 100");
    assert_eq!(hello.takeover("v1"), 0);
    assert_eq!(hello.latest_ready(), None);
    assert_eq!(
        hello.observe("v1", 1, 1),
        ["revision hello--v1 is provisioned"]
    );
    assert_eq!(hello.latest_ready(), Some("v1"));
}

#[test]
fn a_new_revision_takes_over_when_it_has_as_many_ready_as_the_old_one() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 3, 3);
    let created = hello.apply(document("v2"));
    assert_eq!(created, ["revision hello--v2 was created"]);
    assert_eq!(hello.takeover("v2"), 3);
    for ready in 0..3 {
        assert!(hello.observe("v2", 3, ready).is_empty());
        assert_eq!(
            (hello.shares().as_str(), hello.latest_ready()),
            ("v1 100", Some("v1"))
        );
    }
    assert_eq!(
        hello.observe("v2", 3, 3),
        [
            "revision hello--v2 is provisioned",
            "revision hello--v1 was deactivated",
            "traffic goes to hello--v2 100%",
        ]
    );
    assert_eq!((hello.active().as_str(), hello.takeover("v2")), ("v2", 0));
    assert_eq!(hello.latest_ready(), Some("v2"));
}

#[test]
fn takeover_follows_the_old_revision_within_the_new_ones_limits_and_the_threshold() {
    // Desired replicas of the old one, min and max of the new one, threshold: replicas it starts
    // with, and ready ones it needs.
    let cases = [
        (0, 0, 10, None, 1, 1),
        (4, 0, 10, None, 4, 4),
        (4, 6, 10, None, 6, 6),
        (4, 0, 2, None, 2, 2),
        (10, 0, 10, Some(50), 10, 5),
        (3, 0, 10, Some(50), 3, 2),
        (1, 0, 10, Some(1), 1, 1),
        (10, 0, 10, Some(1), 10, 1),
    ];
    for case in cases {
        let (desired, min, max, threshold, takeover, needed) = case;
        let mut hello = Scenario::new(document("v1"));
        hello.observe("v1", 1, 1);
        hello.observe("v1", desired, desired);
        let mut next = scaled(document("v2"), min, max);
        next.configuration.revision_transition_threshold = threshold;
        hello.apply(next);
        assert_eq!(hello.takeover("v2"), takeover, "{case:?}");
        hello.observe("v2", takeover, needed - 1);
        assert_eq!(hello.shares(), "v1 100", "{case:?}");
        hello.observe("v2", takeover, needed);
        assert_eq!(hello.shares(), "v2 100", "{case:?}");
    }
}

#[test]
fn when_the_old_revision_needs_fewer_what_is_ready_may_be_enough() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 5, 5);
    hello.apply(document("v2"));
    hello.observe("v2", 5, 2);
    assert_eq!(hello.shares(), "v1 100");
    hello.observe("v1", 2, 5);
    assert_eq!(hello.shares(), "v2 100");
}

#[test]
fn a_new_revision_that_fails_leaves_everything_to_the_old_one_and_goes_on_trying() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 2, 2);
    hello.apply(document("v2"));
    assert_eq!(
        hello.fail("v2", "exit status 1"),
        ["revision hello--v2 failed: exit status 1"]
    );
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v2")),
        ("v1 100", 2)
    );
    assert!(hello.observe("v2", 2, 1).is_empty());
    assert_eq!(hello.provisioning("v2"), Provisioning::Failed);
    hello.wait(RECOVERY);
    assert!(hello.observe("v2", 2, 1).is_empty());
    assert_eq!(hello.provisioning("v2"), Provisioning::Provisioning);
    hello.observe("v2", 2, 2);
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v2")
    );
}

#[test]
fn a_newer_document_supersedes_an_unproven_revision() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    hello.apply(document("v2"));
    hello.fail("v2", "exit status 1");
    assert_eq!(
        hello.apply(document("v3")),
        [
            "revision hello--v3 was created",
            "revision hello--v2 was deactivated",
        ]
    );
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v1 100", "v1 v3")
    );
    assert_eq!((hello.takeover("v2"), hello.takeover("v3")), (0, 1));
}

#[test]
fn when_nothing_was_ever_ready_the_newest_revision_has_the_traffic_at_once() {
    let mut hello = Scenario::new(document("v1"));
    hello.fail("v1", "exit status 1");
    assert_eq!(hello.shares(), "");
    hello.apply(document("v2"));
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v2")
    );
    assert_eq!(hello.takeover("v2"), 0);
}

#[test]
fn a_failed_first_revision_keeps_one_replica_to_recover_with() {
    let mut hello = Scenario::new(document("v1"));
    assert_eq!(
        hello.fail("v1", "exit status 1"),
        [
            "revision hello--v1 failed: exit status 1",
            "no revision can take traffic",
        ]
    );
    assert_eq!(hello.takeover("v1"), 1);
    hello.observe("v1", 1, 0);
    let failed = hello.app.revision(&name("v1")).unwrap();
    assert_eq!(failed.because(), Some("exit status 1"));
    hello.observe("v1", 1, 1);
    hello.wait(RECOVERY);
    assert_eq!(
        hello.observe("v1", 1, 1),
        [
            "revision hello--v1 is provisioned",
            "traffic goes to hello--v1 100%",
        ]
    );
    assert_eq!(hello.takeover("v1"), 0);
    assert_eq!(hello.app.revision(&name("v1")).unwrap().failure, None);
}

#[test]
fn failing_replicas_beside_a_ready_one_do_not_fail_the_revision() {
    let mut hello = Scenario::new(document("v1"));
    let observation = Observation {
        desired: 2,
        ready: 1,
        failure: Some(Failure::Crashed("exit status 1".to_owned())),
    };
    hello.app.observe(&name("v1"), &observation, hello.now);
    assert_eq!(hello.provisioning("v1"), Provisioning::Provisioned);
    assert_eq!(hello.shares(), "v1 100");
}

#[test]
fn when_the_old_revision_fails_meanwhile_the_new_one_has_the_traffic_and_still_takes_over() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    hello.apply(document("v2"));
    hello.fail("v1", "killed");
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v1 v2")
    );
    assert_eq!(hello.takeover("v2"), 1);
    // Whichever is ready first, and stays so, has the traffic.
    hello.observe("v1", 1, 1);
    hello.wait(RECOVERY);
    hello.observe("v1", 1, 1);
    assert_eq!(hello.shares(), "v1 100");
    hello.observe("v2", 1, 1);
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v2")
    );
}

#[test]
fn scaling_to_zero_keeps_a_revision_provisioned() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    assert!(hello.observe("v1", 0, 0).is_empty());
    assert_eq!(hello.provisioning("v1"), Provisioning::Provisioned);
    hello.apply(document("v2"));
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v2")),
        ("v1 100", 1)
    );
}

#[test]
fn without_ingress_revisions_take_over_all_the_same() {
    let worker = |suffix| {
        let mut worker = document(suffix);
        worker.configuration.ingress = None;
        worker
    };
    let mut hello = Scenario::new(worker("v1"));
    hello.observe("v1", 2, 2);
    hello.apply(worker("v2"));
    assert_eq!(
        (hello.active().as_str(), hello.takeover("v2")),
        ("v1 v2", 2)
    );
    hello.observe("v2", 2, 2);
    assert_eq!(hello.active(), "v2");
}

#[test]
fn a_label_leads_to_the_revision_that_has_the_traffic() {
    let labelled = |suffix| {
        let mut labelled = document(suffix);
        labelled.configuration.ingress = Some(Ingress {
            traffic: traffic("latest=100:main"),
            ..Ingress::default()
        });
        labelled
    };
    let mut hello = Scenario::new(labelled("v1"));
    hello.observe("v1", 1, 1);
    hello.apply(labelled("v2"));
    assert_eq!(hello.labels(), "main→v1");
    hello.observe("v2", 1, 1);
    assert_eq!(hello.labels(), "main→v2");
}

#[test]
fn changing_to_multiple_mode_keeps_what_is_active() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    hello.apply(document("v2"));
    hello.apply(split("v2", ""));
    hello.observe("v2", 1, 1);
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v1 v2")
    );
}

#[test]
fn the_latest_is_active_again_when_the_mode_becomes_single() {
    let mut hello = Scenario::new(split("v1", "v1=100"));
    hello.observe("v1", 1, 1);
    hello.apply(split("v2", "v1=100"));
    hello.deactivate("v2");
    assert_eq!(hello.active(), "v1");
    let changes = hello.apply(document("v2"));
    assert!(
        changes.contains(&"revision hello--v2 was activated".to_owned()),
        "{changes:?}"
    );
    assert_eq!(
        (hello.active().as_str(), hello.shares().as_str()),
        ("v1 v2", "v1 100")
    );
    hello.observe("v2", 1, 1);
    assert_eq!(
        (hello.active().as_str(), hello.shares().as_str()),
        ("v2", "v2 100")
    );
}
