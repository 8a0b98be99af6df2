//! Computed by hand, and what holds of whatever was seen.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::observe::model::{Replicas, Sample};
use crate::record::recording::SecondTally;
use crate::report::fixture;
use crate::report::model::ScaleFigures;

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A sample of `a--1`: desired, ready, starting, draining.
fn sample(millis: u64, numbers: [u32; 4]) -> Sample {
    sample_of("a--1", millis, numbers)
}

fn sample_of(
    revision: &str,
    millis: u64,
    [desired, ready, starting, draining]: [u32; 4],
) -> Sample {
    Sample {
        at: at(millis),
        revision: revision.to_owned(),
        replicas: Replicas {
            desired,
            ready,
            starting,
            draining,
        },
        waiting: None,
        queues: BTreeMap::new(),
    }
}

fn happened(millis: u64, reason: &str, message: &str) -> Event {
    Event {
        at: at(millis),
        reason: reason.to_owned(),
        revision: Some("a--1".to_owned()),
        replica: None,
        message: message.to_owned(),
    }
}

fn observation(samples: Vec<Sample>, events: Vec<Event>, until: u64) -> Observation {
    Observation {
        samples,
        events,
        until: at(until),
        ..Observation::default()
    }
}

/// No requests, made once: histograms are large.
static REQUESTS: LazyLock<Recording> = LazyLock::new(|| Recording {
    targets: Vec::new(),
    stages: Vec::new(),
    revisions: BTreeMap::new(),
    seconds: Vec::new(),
    ..fixture::recording()
});

/// Of requests that ended at `elapsed`; failures in each second.
fn recording(elapsed: u64, failed: &[u64]) -> Recording {
    let second = |failed: &u64| SecondTally {
        failed: *failed,
        ..SecondTally::default()
    };
    let mut recording = REQUESTS.clone();
    recording.elapsed = at(elapsed);
    recording.seconds = failed.iter().map(second).collect();
    recording
}

fn figures(observation: &Observation, elapsed: u64, failed: &[u64]) -> ScaleFigures {
    join(observation, &recording(elapsed, failed), at(100)).figures
}

/// From zero to two, of which the second is never ready, and back.
fn spike() -> Observation {
    let samples = vec![
        sample(0, [0, 0, 0, 0]),
        sample(300, [1, 0, 1, 0]),
        sample(800, [1, 1, 0, 0]),
        sample(2300, [3, 1, 2, 0]),
        sample(3300, [3, 2, 1, 0]),
        sample(6000, [1, 1, 0, 1]),
        sample(7000, [1, 1, 0, 0]),
        sample(9000, [0, 0, 0, 1]),
        sample(9500, [0, 0, 0, 0]),
    ];
    observation(samples, Vec::new(), 10_000)
}

#[test]
fn the_figures_are_those_computed_by_hand() {
    let found = figures(&spike(), 8000, &[0, 0, 0, 0, 0, 5, 1, 2, 7, 3, 1]);
    let expected = ScaleFigures {
        // From 0.1 s to the sample at 0.8 s.
        time_to_first_replica_seconds: Some(0.7),
        // Three were wanted from 2.3 s until 6 s, and never there.
        time_to_target_seconds: Some(3.7),
        // From 8 s to 9.5 s.
        time_to_zero_seconds: Some(1.5),
        // 0.5 s one, 1 s two, 2.7 s one.
        under_provisioned_replica_seconds: 0.5 + 2.0 + 2.7,
        over_provisioned_replica_seconds: 0.0,
        // 2.0 s one, 3.7 s three, 1 s two, 2 s one, 0.5 s one.
        replica_seconds: 2.0 + 11.1 + 2.0 + 2.0 + 0.5,
        most_ready: 2,
        waited_percent: found.waited_percent,
        // Seconds 6 and 7 after 6 s; 9 and 10 after 9 s.
        lost_on_scale_in: 1 + 2 + 3 + 1,
        // Up at 2.3 s, down at 6 s.
        flaps: 1,
    };
    assert_eq!(found, expected);
}

#[test]
fn a_moment_is_that_of_the_event_that_goes_with_it() {
    let mut observation = spike();
    observation.events = vec![
        happened(110, "Decision", "a--1 0 → 1: 1 request waits"),
        happened(600, "ReplicaReady", "a--1-x is ready"),
        happened(2100, "Decision", "a--1 1 → 3: http 9 / 4 = 3"),
        happened(3250, "ReplicaReady", "a--1-y is ready"),
        happened(5500, "Decision", "a--1 3 → 1: http 1 / 4 = 1"),
        happened(8900, "Decision", "a--1 1 → 0: cooldown"),
    ];
    let found = figures(&observation, 8000, &[0, 0, 0, 0, 0, 5, 1, 2, 7, 3, 1]);
    assert_eq!(found.time_to_first_replica_seconds, Some(0.5));
    assert_eq!(found.time_to_target_seconds, Some(3.4));
    // Seconds 5 to 7 after 5.5 s, and 8 to 10 after 8.9 s.
    assert_eq!(found.lost_on_scale_in, 5 + 1 + 2 + 7 + 3 + 1);
}

#[test]
fn the_replica_that_makes_it_so_many_is_counted_back_from_the_sample() {
    let ready = |millis| happened(millis, "ReplicaReady", "is ready");
    let samples = vec![
        sample(0, [4, 1, 3, 0]),
        sample(1000, [4, 4, 0, 0]),
        sample(2000, [4, 4, 0, 0]),
    ];
    let events = vec![ready(600), ready(700), ready(900), ready(1500)];
    let observation = observation(samples, events, 3000);
    let tracks = Track::all(&observation);
    let cases = [(1, 0), (2, 600), (3, 700), (4, 900)];
    for (number, expected) in cases {
        let reached = tracks[0].reached(at(0), number);
        assert_eq!(reached, Some(at(expected)), "{number}");
    }
    assert_eq!(
        tracks[0].reached(at(650), 2),
        Some(at(650)),
        "at once, as of then"
    );
    assert_eq!(tracks[0].reached(at(0), 5), None);
}

/// Samples, the end of the last answer and of the time looked at, and what is expected.
type Case<'a, T> = (&'a [(u64, [u32; 4])], u64, u64, T);

fn of(samples: &[(u64, [u32; 4])], until: u64) -> Observation {
    let samples = samples
        .iter()
        .map(|(millis, numbers)| sample(*millis, *numbers));
    observation(samples.collect(), Vec::new(), until)
}

#[test]
fn time_to_zero_is_from_the_last_answer_to_the_first_moment_without_a_replica() {
    let cases: [Case<'_, Option<f64>>; 7] = [
        (
            &[(0, [1, 1, 0, 0]), (7000, [0, 0, 0, 0])],
            5000,
            8000,
            Some(2.0),
        ),
        (&[(0, [1, 1, 0, 0]), (7000, [0, 0, 0, 1])], 5000, 8000, None),
        (
            &[(0, [1, 1, 0, 0]), (4000, [0, 0, 0, 0])],
            5000,
            8000,
            Some(0.0),
        ),
        (
            &[(0, [1, 1, 0, 0]), (5000, [0, 0, 0, 0])],
            5000,
            8000,
            Some(0.0),
        ),
        (&[(0, [0, 0, 0, 0])], 5000, 8000, None),
        (
            &[
                (0, [0, 0, 0, 0]),
                (6000, [1, 0, 1, 0]),
                (7500, [0, 0, 0, 0]),
            ],
            5000,
            8000,
            Some(2.5),
        ),
        (&[], 5000, 8000, None),
    ];
    for (samples, elapsed, until, expected) in cases {
        let found = figures(&of(samples, until), elapsed, &[]);
        assert_eq!(found.time_to_zero_seconds, expected, "{samples:?}");
    }
}

#[test]
fn time_to_first_replica_is_none_if_there_was_one_or_none_came() {
    let cases: [Case<'_, Option<f64>>; 4] = [
        (&[(0, [1, 1, 0, 0])], 0, 1000, None),
        (&[(0, [1, 0, 1, 0]), (50, [1, 1, 0, 0])], 0, 1000, None),
        (&[(0, [1, 0, 1, 0])], 0, 1000, None),
        (
            &[(0, [1, 0, 1, 0]), (150, [1, 1, 0, 0])],
            0,
            1000,
            Some(0.05),
        ),
    ];
    for (samples, elapsed, until, expected) in cases {
        let found = figures(&of(samples, until), elapsed, &[]);
        assert_eq!(found.time_to_first_replica_seconds, expected, "{samples:?}");
    }
}

#[test]
fn time_to_target_is_the_longest_and_what_is_not_reached_counts_while_it_is_wanted() {
    let cases: [Case<'_, Option<f64>>; 5] = [
        (&[(0, [1, 1, 0, 0]), (500, [0, 0, 0, 0])], 0, 1000, None),
        (
            &[(0, [0, 0, 0, 0]), (100, [1, 0, 1, 0]), (400, [1, 1, 0, 0])],
            0,
            1000,
            Some(0.3),
        ),
        (
            &[
                (0, [0, 0, 0, 0]),
                (100, [1, 0, 1, 0]),
                (200, [3, 0, 3, 0]),
                (400, [3, 1, 2, 0]),
                (900, [3, 3, 0, 0]),
            ],
            0,
            1000,
            Some(0.7),
        ),
        (
            &[(0, [0, 0, 0, 0]), (100, [1, 0, 1, 0])],
            0,
            5000,
            Some(4.9),
        ),
        (
            &[(0, [0, 0, 0, 0]), (100, [1, 0, 1, 0]), (350, [0, 0, 0, 1])],
            0,
            5000,
            Some(0.25),
        ),
    ];
    for (samples, elapsed, until, expected) in cases {
        let found = figures(&of(samples, until), elapsed, &[]);
        assert_eq!(found.time_to_target_seconds, expected, "{samples:?}");
    }
}

#[test]
fn a_flap_is_a_turn_within_a_minute_of_the_change_before() {
    let desired = |changes: &[(u64, u32)]| {
        let samples =
            (changes.iter()).map(|(seconds, desired)| sample(seconds * 1000, [*desired, 0, 0, 0]));
        observation(samples.collect(), Vec::new(), 600_000)
    };
    let cases: [(&[(u64, u32)], u64); 7] = [
        (&[(0, 1), (10, 2), (20, 1)], 1),
        (&[(0, 1), (10, 2), (70, 1)], 1),
        (&[(0, 1), (10, 2), (71, 1)], 0),
        (&[(0, 1), (10, 2), (20, 3), (30, 4)], 0),
        (&[(0, 1), (10, 2), (20, 1), (30, 0), (40, 1)], 2),
        (&[(0, 1)], 0),
        (&[], 0),
    ];
    for (changes, expected) in cases {
        assert_eq!(
            figures(&desired(changes), 0, &[]).flaps,
            expected,
            "{changes:?}"
        );
    }
}

#[test]
fn failures_near_two_decisions_count_once() {
    let samples = [
        (0, [3, 3, 0, 0]),
        (1000, [2, 2, 0, 1]),
        (1500, [1, 1, 0, 2]),
    ];
    let found = figures(&of(&samples, 9000), 9000, &[10, 20, 40, 80, 160]);
    assert_eq!(found.lost_on_scale_in, 20 + 40 + 80);
}

#[test]
fn too_many_in_one_revision_do_not_make_up_for_too_few_in_another() {
    let samples = vec![
        sample_of("a--1", 0, [0, 2, 0, 0]),
        sample_of("a--2", 0, [2, 0, 2, 0]),
        sample_of("a--1", 1000, [0, 0, 0, 2]),
    ];
    let found = figures(&observation(samples, Vec::new(), 1500), 0, &[]);
    assert!((found.over_provisioned_replica_seconds - 2.0).abs() < 1e-9);
    assert!((found.under_provisioned_replica_seconds - 3.0).abs() < 1e-9);
    assert!((found.replica_seconds - (2.0 + 1.0 + 3.0)).abs() < 1e-9);
}

#[test]
fn a_second_has_what_there_was_at_its_end() {
    let mut samples = vec![
        sample_of("a--1", 0, [1, 0, 1, 0]),
        sample_of("a--2", 0, [0, 0, 0, 0]),
        sample_of("a--1", 999, [1, 1, 0, 0]),
        sample_of("a--2", 1000, [2, 0, 2, 0]),
        sample_of("a--2", 2400, [2, 2, 0, 0]),
    ];
    samples[0].waiting = Some(3);
    samples[2].waiting = Some(0);
    samples[3].waiting = Some(4);
    let queue = |depth| BTreeMap::from([("orders".to_owned(), depth)]);
    samples[0].queues = queue(5.0);
    samples[2].queues = queue(5.0);
    samples[3].queues = queue(7.0);
    let joined = join(
        &observation(samples, Vec::new(), 2500),
        &recording(0, &[]),
        at(0),
    );
    let of = |seconds: &[ScaleSecond]| -> Vec<_> {
        let of = |second: &ScaleSecond| {
            let Replicas { desired, ready, .. } = second.replicas;
            (desired, ready, second.waiting, second.queued)
        };
        seconds.iter().map(of).collect()
    };
    let expected = [
        (1, 1, Some(0), Some(5.0)),
        // A queue that both read counts once.
        (3, 1, Some(4), Some(7.0)),
        (3, 3, Some(0), Some(5.0)),
    ];
    assert_eq!(of(&joined.seconds), expected);
    let names: Vec<_> = joined.revisions.iter().map(|named| &named.name).collect();
    assert_eq!(names, ["a--1", "a--2"]);
    let expected = [
        (0, 0, None, None),
        (2, 0, Some(4), Some(7.0)),
        (2, 2, None, None),
    ];
    assert_eq!(of(&joined.revisions[1].value.seconds), expected);
}

#[test]
fn a_revision_that_never_had_anything_is_left_out() {
    let samples = vec![
        sample_of("a--0", 0, [0, 0, 0, 0]),
        sample_of("a--1", 0, [1, 1, 0, 0]),
    ];
    let joined = join(
        &observation(samples, Vec::new(), 1000),
        &recording(0, &[]),
        at(0),
    );
    assert!(
        joined.revisions.is_empty(),
        "one is left, which is the total"
    );
}

#[test]
fn gaps_are_said_in_words() {
    let mut observation = spike();
    observation.gaps.push(Gap {
        from: at(41_000),
        until: at(62_500),
        because: "it was closed".to_owned(),
    });
    let joined = join(&observation, &recording(0, &[]), at(0));
    assert_eq!(joined.gaps, ["0:41 to 1:02: it was closed"]);
}

#[test]
fn weights_are_compared_only_where_one_app_answers() {
    let mut observation = spike();
    observation.weights = [
        ("hello--blue", 80.0),
        ("hello--green", 20.0),
        ("other--1", 100.0),
    ]
    .map(|(name, weight)| (name.to_owned(), weight))
    .into();
    let mut recording = recording(0, &[]);
    let answered = fixture::recording().revisions;
    let tally = answered.values().next().unwrap().clone();
    let mut answered = |names: &[&str]| {
        let named = |name: &&str| ((*name).to_owned(), tally.clone());
        recording.revisions = names.iter().map(named).collect();
        let weights = weights(&observation, &recording);
        weights.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(answered(&["hello--blue"]), ["hello--blue", "hello--green"]);
    assert_eq!(
        answered(&["hello--blue", "(other)"]),
        ["hello--blue", "hello--green"]
    );
    assert!(answered(&["hello--blue", "other--1"]).is_empty());
    assert!(answered(&[]).is_empty());
}

fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
    let numbers = (0_usize..3, 0_u64..5000, [0_u32..5, 0..5, 0..5, 0..5]);
    proptest::collection::vec(numbers, 0..30).prop_map(|samples| {
        let mut samples: Vec<_> = (samples.into_iter())
            .map(|(revision, millis, numbers)| {
                sample_of(["a--1", "a--2", "b--1"][revision], millis, numbers)
            })
            .collect();
        samples.sort_by_key(|sample| sample.at);
        samples
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn areas_add_up_over_any_split_of_time(samples in any_samples(), split in 0_u64..6000) {
        let whole = observation(samples, Vec::new(), 6000);
        for track in Track::all(&whole) {
            let (early, all) = (track.areas(at(split)), track.areas(at(6000)));
            // The later part: the state at the split, and what comes after.
            let mut late = track.samples.clone();
            late.retain(|sample| sample.at > at(split));
            let standing = track.samples.iter().rfind(|sample| sample.at <= at(split));
            let standing = standing.map(|sample| Sample { at: at(split), ..(*sample).clone() });
            let mut rest = observation(standing.into_iter().collect(), Vec::new(), 6000);
            rest.samples.extend(late.into_iter().cloned());
            let rest = Track::all(&rest).first().map(|track| track.areas(at(6000))).unwrap_or_default();
            prop_assert_eq!(early.under + rest.under, all.under);
            prop_assert_eq!(early.over + rest.over, all.over);
            prop_assert_eq!(early.there + rest.there, all.there);
        }
    }

    #[test]
    fn the_names_of_revisions_do_not_matter(samples in any_samples()) {
        let renamed = |sample: &Sample| {
            let revision = match sample.revision.as_str() {
                "a--1" => "b--1",
                "a--2" => "a--1",
                _ => "a--2",
            };
            Sample { revision: revision.to_owned(), ..sample.clone() }
        };
        let other = observation(samples.iter().map(renamed).collect(), Vec::new(), 6000);
        let one = observation(samples, Vec::new(), 6000);
        let failed = [1, 2, 3, 4, 5, 6];
        prop_assert_eq!(figures(&one, 4000, &failed), figures(&other, 4000, &failed));
    }

    #[test]
    fn seconds_together_are_those_of_the_revisions_added_up(samples in any_samples()) {
        let joined = join(&observation(samples, Vec::new(), 5500), &recording(0, &[]), at(0));
        prop_assert_eq!(joined.seconds.len(), 6);
        if !joined.revisions.is_empty() {
            for (position, second) in joined.seconds.iter().enumerate() {
                let of = |named: &Named<RevisionSeconds>| named.value.seconds[position].replicas.ready;
                let ready: u32 = joined.revisions.iter().map(of).sum();
                prop_assert_eq!(ready, second.replicas.ready);
            }
        }
        prop_assert!(joined.figures.under_provisioned_replica_seconds >= 0.0);
        prop_assert!(joined.figures.over_provisioned_replica_seconds >= 0.0);
    }
}
