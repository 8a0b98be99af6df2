//! Multiple mode: revisions side by side.

use super::*;

/// An app with provisioned revisions v1 and v2, the latter the latest, and these weights.
fn two(weights: &str) -> Scenario {
    let mut hello = Scenario::new(split("v1", ""));
    hello.observe("v1", 1, 1);
    hello.apply(split("v2", weights));
    hello.observe("v2", 1, 1);
    hello
}

#[test]
fn declared_revisions_split_the_traffic_from_the_start() {
    for weights in ["v1=80 v2=20", "v1=80 latest=20"] {
        let mut hello = Scenario::with(split("v2", weights), vec![declared("v1", true)]);
        assert_eq!(hello.shares(), "v1 80, v2 20");
        assert_eq!((hello.takeover("v1"), hello.takeover("v2")), (0, 0));
        hello.observe("v1", 1, 1);
        assert_eq!(
            hello.shares(),
            "v1 80, v2 20",
            "the first to be ready takes no more"
        );
        assert_eq!(hello.takeover("v2"), 0);
    }
}

#[test]
fn shares_of_every_entry_combination() {
    // Weights, the failed revisions, the shares.
    let cases = [
        ("", "", "v2 100"),
        ("latest=100", "", "v2 100"),
        ("v1=100", "", "v1 100"),
        ("v1=80 v2=20", "", "v1 80, v2 20"),
        ("v1=80 v2=20", "v2", "v1 100"),
        ("v1=80 v2=20", "v1 v2", ""),
        ("v1=80 v2=15 latest=5", "", "v1 80, v2 20"),
        ("v1=80 latest=20", "v2", "v1 100"),
        ("v1=0 latest=100", "", "v1 0, v2 100"),
        ("v1=0 v2=100", "v2", ""),
        ("latest=50 latest=50", "", "v2 100"),
    ];
    for (weights, failed, shares) in cases {
        let mut hello = two(weights);
        for suffix in failed.split_whitespace() {
            hello.fail(suffix, "exit status 1");
        }
        assert_eq!(hello.shares(), shares, "{weights}, failed: {failed}");
    }
}

#[test]
fn what_a_failed_revision_would_get_goes_to_the_others_in_proportion() {
    let mut hello = two("v1=100");
    hello.apply(split("v3", "v1=50 v2=25 v3=25"));
    hello.observe("v3", 1, 1);
    hello.fail("v3", "exit status 1");
    assert_eq!(hello.shares(), "v1 67, v2 33");
    assert_eq!(hello.takeover("v3"), 1, "it goes on trying");
    hello.observe("v3", 1, 1);
    assert_eq!(hello.shares(), "v1 67, v2 33", "it may end again at once");
    hello.wait(RECOVERY);
    hello.observe("v3", 1, 1);
    assert_eq!(hello.shares(), "v1 50, v2 25, v3 25");
}

#[test]
fn a_new_latest_revision_proves_itself_before_it_takes_what_follows_it() {
    let mut hello = two("v1=80 latest=20");
    hello.observe("v2", 3, 3);
    hello.apply(split("v3", "v1=80 latest=20"));
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v3")),
        ("v1 80, v2 20", 3)
    );
    hello.observe("v3", 3, 2);
    assert_eq!(hello.shares(), "v1 80, v2 20");
    hello.observe("v3", 3, 3);
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v3")),
        ("v1 80, v3 20", 0)
    );
    assert_eq!(hello.active(), "v1 v2 v3");
}

#[test]
fn it_starts_with_as_many_as_the_other_has_for_what_it_takes_over() {
    // The weights, the replicas of v2, and those that v3 needs.
    let cases = [
        ("latest=100", 10, 10),
        ("v2=80 latest=20", 10, 2),
        ("v2=95 latest=5", 10, 1),
        ("v2=50 latest=50", 3, 2),
        ("v1=80 latest=20", 3, 3),
        ("v2=100 latest=0", 10, 1),
        ("v2=100", 10, 0),
    ];
    for (weights, desired, takeover) in cases {
        let mut hello = two(weights);
        hello.observe("v2", desired, desired);
        hello.apply(split("v3", weights));
        assert_eq!(hello.takeover("v3"), takeover, "{weights}");
    }
}

#[test]
fn a_new_revision_that_nothing_follows_is_left_alone() {
    let mut hello = two("v1=100");
    hello.apply(split("v3", "v1=100"));
    assert_eq!(
        (hello.takeover("v3"), hello.shares().as_str()),
        (0, "v1 100")
    );
    hello.set_traffic("v1=50 v3=50");
    assert_eq!(
        (hello.takeover("v3"), hello.shares().as_str()),
        (0, "v1 50, v3 50")
    );
}

#[test]
fn traffic_set_to_an_unproven_latest_revision_waits_for_it() {
    let mut hello = two("v2=100");
    hello.observe("v2", 2, 2);
    hello.apply(split("v3", "v2=100"));
    hello.set_traffic("latest=100");
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v3")),
        ("v2 100", 2)
    );
    hello.observe("v3", 2, 2);
    assert_eq!(hello.shares(), "v3 100");
}

#[test]
fn when_the_latest_revision_fails_its_traffic_goes_back_until_it_has_proved_itself_again() {
    let mut hello = two("latest=100");
    assert_eq!(
        hello.fail("v2", "killed"),
        [
            "revision hello--v2 failed: killed",
            "traffic goes to hello--v1 100%",
        ]
    );
    assert_eq!(hello.latest_ready(), Some("v1"));
    hello.observe("v1", 4, 4);
    assert_eq!(hello.takeover("v2"), 4);
    hello.observe("v2", 4, 4);
    hello.wait(RECOVERY);
    hello.observe("v2", 4, 4);
    assert_eq!(
        (hello.shares().as_str(), hello.latest_ready()),
        ("v2 100", Some("v2"))
    );
}

#[test]
fn an_earlier_revision_made_the_latest_again_proves_itself_at_the_present_scale() {
    let mut hello = two("latest=100");
    hello.observe("v1", 0, 0);
    hello.observe("v2", 3, 3);
    assert_eq!(
        hello.apply(split("v1", "latest=100")),
        ["revision hello--v1 is the latest again"]
    );
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v1")),
        ("v2 100", 3)
    );
    hello.observe("v1", 3, 3);
    assert_eq!(hello.shares(), "v1 100");
}

#[test]
fn going_back_to_the_revision_that_still_has_the_traffic_changes_none() {
    let mut hello = two("latest=100");
    hello.apply(split("v3", "latest=100"));
    hello.apply(split("v2", "latest=100"));
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v2")),
        ("v2 100", 0)
    );
}

#[test]
fn labels_lead_to_their_revision_at_any_weight_and_state() {
    // Weights with labels, the failed revision, the labels.
    let cases = [
        ("v1=100:blue v2=0:green", "", "blue→v1 green→v2"),
        ("v1=0:blue latest=100:green", "", "blue→v1 green→v2"),
        ("v1=100:blue v2=0:green", "v2", "blue→v1 green→v2"),
        ("v1=50:blue v1=50:old", "", "blue→v1 old→v1"),
        ("v1=100", "", ""),
    ];
    for (weights, failed, labels) in cases {
        let mut hello = two(weights);
        if !failed.is_empty() {
            hello.fail(failed, "exit status 1");
            assert_eq!(hello.takeover(failed), 1, "a label leads to it");
        }
        assert_eq!(hello.labels(), labels, "{weights}, failed: {failed}");
    }
}

#[test]
fn two_entries_of_a_revision_are_one_share_with_the_first_label() {
    let hello = two("v2=30 latest=60:green v1=10:blue");
    let shares: Vec<_> = hello.app.shares();
    let expected = [
        ("v2", 90, Some("green"), true),
        ("v1", 10, Some("blue"), false),
    ];
    assert_eq!(shares.len(), expected.len());
    for (share, (suffix, weight, label, latest)) in shares.iter().zip(expected) {
        assert_eq!(share.revision, name(suffix));
        assert_eq!((share.weight, share.latest), (weight, latest));
        assert_eq!(share.label.as_deref(), label);
    }
}

#[test]
fn changing_to_single_mode_deactivates_all_but_the_latest() {
    let mut hello = two("v1=80 v2=20");
    hello.apply(document("v2"));
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v2")
    );
}

#[test]
fn changing_to_single_mode_waits_for_the_latest() {
    let mut hello = Scenario::with(split("v2", "v1=80 v2=20"), vec![declared("v1", true)]);
    hello.observe("v1", 2, 2);
    hello.apply(document("v2"));
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v1 100", "v1 v2")
    );
    assert_eq!(hello.takeover("v2"), 2);
    hello.observe("v2", 2, 2);
    assert_eq!(
        (hello.shares().as_str(), hello.active().as_str()),
        ("v2 100", "v2")
    );
}

#[test]
fn what_the_latest_has_to_show_follows_who_has_the_traffic_now() {
    let mut hello = Scenario::new(split("v1", ""));
    hello.observe("v1", 1, 1);
    hello.apply(split("v2", ""));
    hello.observe("v2", 1, 1);
    hello.observe("v2", 3, 3);
    hello.apply(split("v3", ""));
    hello.observe("v3", 3, 1);
    assert_eq!(
        (hello.shares().as_str(), hello.takeover("v3")),
        ("v2 100", 3)
    );
    // With v2 gone v1 has the traffic, and one replica; v3 has that many.
    assert_eq!(
        hello.fail("v2", "exit status 1"),
        [
            "revision hello--v2 failed: exit status 1",
            "revision hello--v3 is provisioned",
            "traffic goes to hello--v3 100%",
        ]
    );
}
