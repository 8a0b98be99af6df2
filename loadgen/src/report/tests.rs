use std::time::Duration;

use super::*;
use crate::record::outcome::{Answer, Failure, Outcome, Wrong};
use crate::record::recorder::Recorder;

fn load() -> Load {
    Load {
        url: "http://hello.localhost/".to_owned(),
        host: "hello.localhost".to_owned(),
        method: "GET".to_owned(),
        protocol: "HTTP/1.1",
        clients: None,
        arrival: Some("poisson"),
        rate: Some(100.0),
        duration_seconds: Some(1.0),
        seed: 1,
        burst: 0,
        connections: 10,
    }
}

/// A request due at `intended` ms, begun `lag` ms later and answered 10 ms after that.
fn answered(intended: u64, lag: u64, status: u16) -> Outcome<'static> {
    let begun = Duration::from_millis(intended + lag);
    let revisions = ["revision-0", "revision-1"];
    Outcome {
        target: 0,
        intended: Duration::from_millis(intended),
        begun,
        waited: false,
        connect: None,
        result: Ok(Answer {
            status,
            bytes: 100,
            counted: Some(revisions[usize::from(intended % 2 == 1)]),
            sent: begun,
            first_byte: begun,
            ended: begun + Duration::from_millis(10),
            cold_start: None,
            revision: None,
            replica: None,
            wrong: (status >= 400).then_some(Wrong::Status),
        }),
    }
}

fn failed(kind: FailureKind, detail: &str) -> Outcome<'static> {
    Outcome {
        target: 0,
        intended: Duration::ZERO,
        begun: Duration::ZERO,
        waited: true,
        connect: Some(Duration::ZERO),
        result: Err(Failure {
            kind,
            detail: detail.to_owned(),
            at: Duration::ZERO,
        }),
    }
}

fn report(burst: usize, outcomes: &[Outcome<'_>]) -> Report {
    let mut recorder = Recorder::new(1, &[], true).unwrap();
    for (position, outcome) in outcomes.iter().enumerate() {
        recorder.begun(0, outcome.intended, outcome.begun, position < burst);
        recorder.ended(outcome);
    }
    let recording = recorder.finish(Duration::from_secs(1), false).unwrap();
    Report::new(load(), recording, Some("x-revision".to_owned()))
}

#[test]
fn every_request_is_counted_once() {
    let mut outcomes: Vec<_> = (0..90).map(|at| answered(at, 0, 200)).collect();
    outcomes.push(answered(90, 0, 302));
    outcomes.push(answered(91, 0, 503));
    outcomes.push(failed(FailureKind::Reset, "connection closed"));
    outcomes.push(failed(FailureKind::Reset, "another"));
    outcomes.push(failed(FailureKind::Connect, "refused"));
    let report = report(0, &outcomes);
    assert_eq!((report.sent, report.answered), (95, 92));
    assert_eq!(
        (report.succeeded, report.failed, report.abandoned),
        (91, 4, 0)
    );
    assert_eq!((report.errors.reset, report.errors.connect), (2, 1));
    assert_eq!((report.errors.status, report.errors.timeout), (1, 0));
    assert_eq!(
        report.status_codes,
        BTreeMap::from([(200, 90), (302, 1), (503, 1)])
    );
    assert_eq!(report.error_samples["reset"], "connection closed");
    assert_eq!(
        (report.bytes_received, report.waited_for_connection),
        (9200, 3)
    );
    let values = report.counted_header.unwrap().values;
    assert_eq!(
        values,
        [("revision-0", 46), ("revision-1", 46)]
            .map(|(k, n)| (k.to_owned(), n))
            .into()
    );
    assert!(report.valid);
}

#[test]
fn response_time_has_the_lag_and_service_time_has_not() {
    let outcomes: Vec<_> = (0..100).map(|at| answered(at, 5, 200)).collect();
    let report = report(0, &outcomes);
    let (response, service) = (
        report.response_time_ms.unwrap(),
        report.service_time_ms.unwrap(),
    );
    assert!((response.p50 - 15.0).abs() < 0.02);
    assert!((service.p50 - 10.0).abs() < 0.02);
    assert!((report.lateness.p50_ms - 5.0).abs() < 0.01);
    assert_eq!(report.lateness.late, 100);
}

#[test]
fn a_generator_that_lags_makes_the_run_invalid() {
    let lagging = |late: u64| -> Vec<_> {
        (0..100)
            .map(|at| answered(at, if at < late { 50 } else { 0 }, 200))
            .collect()
    };
    assert!(report(0, &lagging(1)).valid);
    let invalid = report(0, &lagging(2));
    assert!(!invalid.valid);
    let reason = invalid.invalid_reason.as_deref().unwrap();
    assert!(reason.contains("2 of 100 requests"), "{reason}");
    // A burst takes as long as it takes.
    assert!(report(2, &lagging(2)).valid);
}

#[test]
fn a_run_without_answers_has_no_times() {
    let report = report(0, &[failed(FailureKind::Timeout, "deadline has elapsed")]);
    assert_eq!(report.errors.timeout, 1);
    assert!(report.response_time_ms.is_none());
    assert!((report.elapsed_seconds - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_text_says_it_loudly() {
    let mut outcomes: Vec<_> = (0..9).map(|at| answered(at, 50, 200)).collect();
    outcomes.push(failed(FailureKind::Connect, "refused"));
    let report = report(0, &outcomes);
    let text = |colour| {
        let mut out = Vec::new();
        write_text(&report, &mut out, colour).unwrap();
        String::from_utf8(out).unwrap()
    };
    let plain = text(false);
    for part in [
        "GET http://hello.localhost/ (Host: hello.localhost, HTTP/1.1)",
        "poisson arrivals, 100 per second for 1 s, seed 1",
        "INVALID RUN: the generator itself lagged: 9 of 10",
        "connect 1 (first: refused)",
        "revision-0",
        "p99.99",
    ] {
        assert!(plain.contains(part), "{part} is missing in:\n{plain}");
    }
    assert!(!plain.contains('\x1b'));
    assert!(text(true).contains("\x1b[1;31mINVALID RUN"));
}
