use proptest::prelude::*;

use super::*;
use crate::record::outcome::{Failure, FailureKind, Wrong};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn stages() -> Vec<Stage> {
    let stage = |name: &str, from, until| Stage {
        name: name.to_owned(),
        from: millis(from),
        until: millis(until),
    };
    vec![stage("one", 0, 1000), stage("two", 1000, 2000)]
}

/// A request as short as one can be described.
#[derive(Clone, Copy, Debug)]
struct Request {
    target: usize,
    intended: u64,
    lag: u64,
    took: u64,
    /// 0 has no answer.
    status: u16,
    revision: u8,
}

impl Request {
    fn record(self, recorder: &mut Recorder) {
        let (intended, begun) = (millis(self.intended), millis(self.intended + self.lag));
        recorder.begun(self.target, intended, begun, false);
        let ended = begun + millis(self.took);
        let revision = format!("blue-{}", self.revision);
        let wrong = (self.status >= 400).then_some(Wrong::Status);
        let answer = Answer {
            status: self.status,
            bytes: 10,
            sent: begun,
            first_byte: begun,
            ended,
            cold_start: (self.took > 500).then_some(millis(self.took)),
            revision: Some(&revision),
            replica: Some("r1"),
            counted: None,
            wrong,
        };
        let failure = Failure {
            kind: FailureKind::Reset,
            detail: "gone".to_owned(),
            at: ended,
        };
        recorder.ended(&Outcome {
            target: self.target,
            intended,
            waited: false,
            connect: self.took.is_multiple_of(2).then_some(millis(1)),
            result: if self.status > 0 {
                Ok(answer)
            } else {
                Err(failure)
            },
        });
    }
}

fn recorded(requests: &[Request]) -> Recording {
    let mut recorder = Recorder::new(2, &stages(), true).unwrap();
    for request in requests {
        request.record(&mut recorder);
    }
    recorder.finish(millis(5000), false).unwrap()
}

fn request(target: usize, intended: u64, lag: u64, took: u64, status: u16) -> Request {
    Request {
        target,
        intended,
        lag,
        took,
        status,
        revision: 1,
    }
}

#[test]
fn every_request_is_counted_where_it_belongs() {
    let recording = recorded(&[
        request(0, 10, 0, 5, 200),
        request(0, 990, 3, 50, 200),
        request(1, 1500, 0, 700, 503),
        request(1, 1600, 0, 9, 0),
        request(1, 2500, 0, 1, 204),
    ]);
    let total = &recording.total;
    assert_eq!((total.offered, total.sent, total.answered), (5, 5, 4));
    assert_eq!((total.succeeded, total.wrong_status.count), (3, 1));
    assert_eq!(total.failures[&FailureKind::Reset].count, 1);
    let first = total.failures[&FailureKind::Reset].first.as_deref();
    assert_eq!(first, Some("gone"));
    assert_eq!((total.connections_opened, total.cold_starts), (2, 1));
    assert_eq!(
        total.statuses,
        BTreeMap::from([(200, 2), (204, 1), (503, 1)])
    );
    let sent = |tallies: &[Tally]| tallies.iter().map(|tally| tally.sent).collect::<Vec<_>>();
    assert_eq!(sent(&recording.targets), [2, 3]);
    // The last one belongs to no stage.
    assert_eq!(sent(&recording.stages), [2, 2]);
    assert_eq!((recording.late, recording.lateness.len()), (1, 5));
    assert_eq!(recording.elapsed, millis(2501));
    let seconds: Vec<_> = (recording.seconds.iter())
        .map(|second| {
            (
                second.offered,
                second.succeeded,
                second.failed,
                second.cold_starts,
            )
        })
        .collect();
    assert_eq!(seconds, [(2, 1, 0, 0), (2, 1, 1, 0), (1, 1, 1, 1)]);
    let blue = &recording.revisions["blue-1"];
    assert_eq!((blue.answered, blue.succeeded), (4, 3));
    assert_eq!(blue.replicas["r1"], 4);
    assert_eq!(
        recording.counted,
        BTreeMap::from([("(none)".to_owned(), 4)])
    );
}

#[test]
fn response_time_has_the_lag_and_service_time_has_not() {
    let recording = recorded(&[request(0, 100, 5, 10, 200)]);
    assert_eq!(recording.total.response.max(), 15_007);
    assert_eq!(recording.total.service.max(), 10_007);
    assert_eq!(recording.lateness.max(), 5_003);
}

#[test]
fn of_requests_at_one_instant_the_first_says_how_late_they_are() {
    let mut recorder = Recorder::new(1, &[], false).unwrap();
    recorder.begun(0, Duration::ZERO, Duration::ZERO, false);
    for lag in 1..100 {
        recorder.begun(0, Duration::ZERO, millis(lag), true);
    }
    recorder.dropped(0, millis(1));
    let recording = recorder.finish(millis(7), true).unwrap();
    assert_eq!((recording.late, recording.lateness.len()), (0, 1));
    assert_eq!((recording.total.offered, recording.total.sent), (101, 100));
    assert_eq!((recording.dropped, recording.interrupted), (1, true));
    assert_eq!(recording.elapsed, millis(7));
}

#[test]
fn names_are_bounded() {
    let mut recorder = Recorder::new(1, &[], false).unwrap();
    for number in 0..250 {
        let mut request = request(0, 0, 0, 1, 200);
        request.revision = number;
        request.record(&mut recorder);
    }
    let recording = recorder.finish(millis(7), false).unwrap();
    assert_eq!(recording.revisions.len(), 101);
    assert_eq!(recording.revisions[OTHER].answered, 150);
}

fn any_request() -> impl Strategy<Value = Request> {
    let status = prop_oneof![Just(0_u16), Just(200), Just(503)];
    (
        0..2_usize,
        0..3000_u64,
        0..5_u64,
        0..900_u64,
        status,
        0..4_u8,
    )
        .prop_map(|(target, intended, lag, took, status, revision)| Request {
            target,
            intended,
            lag,
            took,
            status,
            revision,
        })
}

proptest! {
    /// What two workers recorded is what one would have.
    #[test]
    fn recordings_add_up_exactly(
        requests in proptest::collection::vec(any_request(), 0..40),
        cut in any::<proptest::sample::Index>(),
    ) {
        let cut = cut.index(requests.len() + 1);
        let mut sum = recorded(&requests[..cut]);
        sum.add(&recorded(&requests[cut..])).unwrap();
        prop_assert!(sum == recorded(&requests));
    }
}
