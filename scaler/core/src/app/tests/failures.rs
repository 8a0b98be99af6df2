//! How a revision fails, and what it has to show before it is taken for sound again.

use super::*;

const FAILED: [&str; 2] = [
    "revision hello--v1 failed: exit status 1",
    "no revision can take traffic",
];
const RECOVERED: [&str; 2] = [
    "revision hello--v1 is provisioned",
    "traffic goes to hello--v1 100%",
];
/// As long as a container without probes is ready that ends at once.
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn a_crash_loop_is_one_failure_however_often_a_run_is_ready_for_a_moment() {
    let mut hello = Scenario::new(document("v1"));
    assert_eq!(hello.fail("v1", "exit status 1"), FAILED);
    for back_off in [1, 2, 4, 8, 16, 30, 30] {
        hello.wait(Duration::from_secs(back_off));
        assert!(hello.observe("v1", 1, 1).is_empty(), "after {back_off} s");
        hello.wait(MOMENT);
        assert!(hello.observe("v1", 1, 0).is_empty(), "after {back_off} s");
        hello.wait(Duration::from_secs(back_off));
        // The next run ends before anybody sees that it was ready.
        assert!(hello.fail("v1", "exit status 1").is_empty());
        assert_eq!(hello.provisioning("v1"), Provisioning::Failed);
    }
    assert_eq!(hello.takeover("v1"), 1, "it goes on trying");
}

#[test]
fn a_revision_that_crashed_is_provisioned_once_a_replica_has_stayed_ready() {
    let mut hello = Scenario::new(document("v1"));
    hello.observe("v1", 1, 1);
    hello.fail("v1", "exit status 1");
    // Ready and not ready again, 5 s before it would have been long enough.
    hello.observe("v1", 1, 1);
    hello.wait(RECOVERY.saturating_sub(Duration::from_secs(5)));
    assert!(hello.observe("v1", 1, 1).is_empty());
    hello.observe("v1", 1, 0);
    let failed = hello.app.revision(&name("v1")).unwrap();
    assert_eq!(failed.because(), Some("exit status 1"));
    hello.wait(Duration::from_secs(5));
    // From here it stays ready, and the time begins anew.
    assert!(hello.observe("v1", 1, 1).is_empty());
    hello.wait(RECOVERY.saturating_sub(MOMENT));
    assert!(hello.observe("v1", 2, 2).is_empty());
    hello.wait(MOMENT);
    assert_eq!(hello.observe("v1", 2, 2), RECOVERED);
    let sound = hello.app.revision(&name("v1")).unwrap();
    assert_eq!(sound.failure, None);
}

#[test]
fn only_after_a_crash_is_there_a_wait() {
    let refused = || Failure::Refused("no such secret".to_owned());
    let steps: [(&str, &[Failure]); 3] = [
        ("a new one", &[]),
        ("one that was refused", &[refused()]),
        (
            "one whose document was mended after a crash",
            &[Failure::Crashed("exit status 1".to_owned()), refused()],
        ),
    ];
    for (what, failures) in steps {
        let mut hello = Scenario::new(document("v1"));
        for failure in failures {
            hello.fail_by("v1", failure.clone());
        }
        let changes = hello.observe("v1", 1, 1);
        assert!(changes.contains(&RECOVERED[0].to_owned()), "{what}");
    }
}

#[test]
fn a_revision_activated_or_replaced_after_a_crash_starts_without_a_wait() {
    let mut hello = Scenario::new(split("v1", ""));
    hello.apply(split("v2", "v2=100"));
    hello.fail("v1", "exit status 1");
    hello.deactivate("v1");
    hello.activate("v1");
    assert_eq!(
        hello.observe("v1", 1, 1),
        ["revision hello--v1 is provisioned"]
    );

    let mut hello = Scenario::new(document("v1"));
    hello.fail("v1", "exit status 1");
    hello.apply(document("v2"));
    let changes = hello.observe("v2", 1, 1);
    assert!(changes.contains(&"revision hello--v2 is provisioned".to_owned()));
}

#[test]
fn a_new_revision_that_crashed_takes_over_once_it_has_stayed_ready() {
    let mut hello = Scenario::new(scaled(document("v1"), 2, 5));
    hello.observe("v1", 2, 2);
    hello.apply(scaled(document("v2"), 2, 5));
    hello.fail("v2", "exit status 1");
    for ready in [1, 2] {
        assert!(hello.observe("v2", 2, ready).is_empty());
        assert_eq!(hello.shares(), "v1 100");
        hello.wait(RECOVERY / 2);
    }
    let changes = hello.observe("v2", 2, 2);
    assert!(changes.contains(&"traffic goes to hello--v2 100%".to_owned()));
}
