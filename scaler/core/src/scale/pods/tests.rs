use super::Standing::{Ignored, Measured, NoMetrics, NotReady};
use super::*;

const START: u64 = 1000;

/// A running pod that started at [`START`], ready or not since so many seconds after.
fn running(is_ready: bool, since: u64) -> PodState {
    PodState {
        started: Some(Timestamp::from_secs(START)),
        readiness: Some(Readiness {
            is_ready,
            since: Timestamp::from_secs(START + since),
        }),
        ..PodState::default()
    }
}

/// How it counts for CPU, so many seconds after [`START`], with a sample of 15 s that ended then.
fn cpu(state: PodState, sampled: u64, now: u64) -> Standing {
    let sample = SampleTime {
        at: Timestamp::from_secs(START + sampled),
        window: Duration::from_secs(15),
    };
    let now = Timestamp::from_secs(START + now);
    state.standing(Resource::Cpu, Some(sample), now)
}

#[test]
fn one_on_its_way_out_is_ignored_whatever_else_it_is() {
    let state = PodState {
        is_ending: true,
        is_pending: true,
        ..running(true, 5)
    };
    assert_eq!(cpu(state, 900, 900), Ignored);
    let now = Timestamp::from_secs(START + 900);
    assert_eq!(state.standing(Resource::Memory, None, now), Ignored);
}

#[test]
fn one_that_is_pending_is_not_ready_with_and_without_metrics() {
    let state = PodState {
        is_pending: true,
        ..PodState::default()
    };
    assert_eq!(cpu(state, 900, 900), NotReady);
    for resource in [Resource::Cpu, Resource::Memory] {
        let standing = state.standing(resource, None, Timestamp::from_secs(START));
        assert_eq!(standing, NotReady, "{resource:?}");
    }
}

#[test]
fn one_without_metrics_is_that_before_its_readiness_is_looked_at() {
    let now = Timestamp::from_secs(START + 10);
    let standing = running(false, 1).standing(Resource::Cpu, None, now);
    assert_eq!(standing, NoMetrics);
}

#[test]
fn in_the_first_five_minutes_cpu_counts_a_window_after_it_became_ready() {
    for (is_ready, since, sampled, now, expected) in [
        (false, 1, 60, 60, NotReady),
        (true, 10, 24, 60, NotReady),
        (true, 10, 25, 60, Measured),
        (true, 290, 299, 299, NotReady),
        // It became ready for the second time.
        (true, 200, 210, 220, NotReady),
        (false, 200, 210, 220, NotReady),
    ] {
        let found = cpu(running(is_ready, since), sampled, now);
        assert_eq!(found, expected, "{is_ready} {since} {sampled} {now}");
    }
}

#[test]
fn after_five_minutes_cpu_counts_unless_it_never_was_ready() {
    for (is_ready, since, sampled, now, expected) in [
        (true, 290, 299, 300, Measured),
        // Not ready since half a minute after its start or less: it never was.
        (false, 0, 600, 600, NotReady),
        (false, 29, 600, 600, NotReady),
        // It was, and fails its probe now.
        (false, 30, 600, 600, Measured),
        (false, 500, 600, 600, Measured),
    ] {
        let found = cpu(running(is_ready, since), sampled, now);
        assert_eq!(found, expected, "{is_ready} {since} {sampled} {now}");
    }
}

#[test]
fn one_whose_readiness_or_start_is_unknown_is_not_ready_for_cpu() {
    let unstarted = PodState {
        started: None,
        ..running(true, 5)
    };
    let unsaid = PodState {
        readiness: None,
        ..running(true, 5)
    };
    assert_eq!(
        [unstarted, unsaid].map(|one| cpu(one, 600, 600)),
        [NotReady; 2]
    );
}

#[test]
fn memory_counts_from_the_first_measurement() {
    let sample = SampleTime {
        at: Timestamp::from_secs(START + 5),
        window: Duration::from_secs(15),
    };
    let now = Timestamp::from_secs(START + 5);
    let standing = running(false, 1).standing(Resource::Memory, Some(sample), now);
    assert_eq!(standing, Measured);
}
