use super::*;
use crate::report::fixture;
use crate::report::model::{LoopKind, RevisionShare, Second};

/// The fixture's run, started so many milliseconds later, with a seed of its own.
fn run(later: i64, seed: u64) -> Report {
    let mut report = fixture::full();
    let started: Timestamp = report.started.parse().unwrap();
    report.started = (started + jiff::SignedDuration::from_millis(later)).to_string();
    report.seed = seed;
    report
}

#[test]
fn one_stays_as_it_is() {
    let report = fixture::full();
    let merged = merge(std::slice::from_ref(&report)).unwrap().report;
    assert_eq!(
        serde_json::to_value(merged).unwrap(),
        serde_json::to_value(report).unwrap()
    );
    assert!(matches!(merge(&[]), Err(MergeError::None)));
}

#[test]
fn counts_and_histograms_add_up_exactly() {
    let (one, other) = (run(2_100, 1), run(0, 2));
    let Merged { report, warnings } = merge(&[one.clone(), other.clone()]).unwrap();
    assert!(warnings.is_empty());
    assert_eq!(
        (report.runs, report.started.as_str()),
        (2, other.started.as_str())
    );
    assert_eq!(report.total.sent, 2 * one.total.sent);
    assert_eq!(report.total.errors["reset"], 6);
    assert!((report.elapsed_seconds - one.elapsed_seconds - 2.1).abs() < 1e-9);
    let expected = {
        let mut all = one.total.response_time.clone().unwrap().times().unwrap();
        all.add(other.total.response_time.clone().unwrap().times().unwrap())
            .unwrap();
        all
    };
    assert_eq!(
        report.total.response_time.unwrap().times().unwrap(),
        expected
    );
    assert_eq!(report.lateness.times.count, 2 * one.lateness.times.count);
    assert_eq!(report.revisions[0].answered, 2 * one.revisions[0].answered);
    let width = |share: &RevisionShare| share.percent_high - share.percent_low;
    assert!(width(&report.revisions[0]) < width(&one.revisions[0]));
    assert_eq!(report.stages[1].value.sent, 2 * one.stages[1].value.sent);
}

#[test]
fn seconds_are_put_upon_each_other_by_the_start() {
    let (one, other) = (run(2_100, 1), run(0, 2));
    let report = merge(&[one.clone(), other.clone()]).unwrap().report;
    assert_eq!(report.seconds.len(), 63);
    assert_eq!(report.seconds[0].sent, other.seconds[0].sent);
    assert_eq!(
        report.seconds[12].sent,
        one.seconds[10].sent + other.seconds[12].sent
    );
    assert_eq!(report.seconds[62].succeeded, one.seconds[60].succeeded);
    let times =
        super::super::histogram::decode(report.seconds[12].histogram.as_deref().unwrap()).unwrap();
    let count = |second: &Second| {
        super::super::histogram::decode(second.histogram.as_deref().unwrap())
            .unwrap()
            .len()
    };
    assert_eq!(
        times.len(),
        count(&one.seconds[10]) + count(&other.seconds[12])
    );
    let scaler = report.autoscaler.unwrap();
    assert_eq!(scaler.seconds.len(), 87);
    assert!((scaler.events[0].at_seconds - 2.12).abs() < 1e-9);
}

#[test]
fn the_order_does_not_matter() {
    let reports = [run(0, 1), run(1_000, 2), run(3_000, 3)];
    let one = merge(&reports).unwrap().report;
    let nested = merge(&[merge(&reports[..2]).unwrap().report, reports[2].clone()]);
    let (total, again) = (one.total, nested.unwrap().report.total);
    assert_eq!(
        serde_json::to_value(total).unwrap(),
        serde_json::to_value(again).unwrap()
    );
}

/// What is changed in the second report, and what the error says.
type Case = (fn(&mut Report), &'static str);

#[test]
fn what_does_not_belong_together_is_said() {
    let cases: [Case; 6] = [
        (
            |report| report.name = "Another".to_owned(),
            "name is `Spike from zero` and `Another`",
        ),
        (
            |report| report.loop_kind = LoopKind::Closed,
            "loopKind is open and closed",
        ),
        (
            |report| report.stages[0].name = "x".to_owned(),
            "stages is [calm, spike, after] and [x, spike, after]",
        ),
        (
            |report| report.generator = "loadgen 9".to_owned(),
            "generator is `loadgen 0.0.0` and `loadgen 9`",
        ),
        (
            |report| report.started = "today".to_owned(),
            "report 2: started is `today`",
        ),
        (
            |report| report.started = "2026-11-27T17:20:05Z".to_owned(),
            "report 2 starts 3540 s after",
        ),
    ];
    for (change, words) in cases {
        let mut other = run(0, 2);
        change(&mut other);
        let error = merge(&[run(0, 1), other]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn one_that_lagged_makes_all_invalid_and_one_seed_is_noticed() {
    let mut lagged = run(0, 7);
    lagged.valid = false;
    lagged.invalid_reasons = vec!["it lagged".to_owned()];
    let merged = merge(&[run(0, 7), lagged]).unwrap();
    assert!(!merged.report.valid);
    assert_eq!(merged.report.invalid_reasons, ["run 2: it lagged"]);
    assert!(merged.warnings[0].contains("same seed"));
}
