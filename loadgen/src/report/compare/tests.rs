use super::*;
use crate::record::recording::{SecondTimes, Times};
use crate::report::fixture;
use crate::report::histogram::{add, empty};
use crate::report::make::report;
use crate::report::tests::snapshot;

/// A run of 60 seconds with 200 answers each; `micros` gives the time of the n-th.
fn run(micros: impl Fn(u64) -> u64, failed: u64) -> Report {
    let mut recording = fixture::recording();
    let mut all = empty().unwrap();
    recording.seconds.truncate(60);
    for (second, tally) in (0..).zip(&mut recording.seconds) {
        let times: Times = {
            let mut times = empty().unwrap();
            for nth in 0..200 {
                times.record(micros(second * 200 + nth)).unwrap();
            }
            times
        };
        add(&mut all, &times);
        let buckets = times
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()));
        tally.response = Some(Box::new(SecondTimes {
            buckets: buckets.collect(),
        }));
        (tally.offered, tally.sent) = (200, 200);
        tally.failed = u64::from(second < failed);
        tally.succeeded = 200 - tally.failed;
        tally.cold_starts = 0;
    }
    let total = &mut recording.total;
    (total.offered, total.sent, total.answered) = (12_000, 12_000, 12_000);
    total.succeeded = 12_000 - failed;
    total.failures.clear();
    total.cold_starts = 0;
    (total.response, total.service) = (all.clone(), all);
    report(
        &fixture::head(),
        &recording,
        None,
        &std::collections::BTreeMap::new(),
    )
    .unwrap()
}

/// From 10 to 20 ms, evenly, in an order that looks drawn by chance.
fn spread(nth: u64, seed: u64) -> u64 {
    10_000 + (nth + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 10_007
}

fn compared(a: &Report, b: &Report) -> Comparison {
    compare(["a.json".to_owned(), "b.json".to_owned()], a, b).unwrap()
}

fn verdict(comparison: &Comparison, name: &str) -> Judgement {
    comparison
        .figures
        .iter()
        .find(|figure| figure.name == name)
        .unwrap()
        .verdict
}

#[test]
fn a_run_does_not_differ_from_itself_nor_from_its_like() {
    let (a, b) = (
        run(|nth| spread(nth, 0), 3),
        run(|nth| spread(nth, 77_777), 4),
    );
    for other in [&a, &b] {
        let comparison = compared(&a, other);
        assert!(comparison.warnings.is_empty(), "{:?}", comparison.warnings);
        for figure in &comparison.figures {
            assert!(
                matches!(
                    figure.verdict,
                    Judgement::WithinChance | Judgement::NotJudged
                ),
                "{figure:?}"
            );
        }
    }
}

#[test]
fn a_tail_that_is_longer_is_worse_and_the_middle_is_not() {
    let a = run(|nth| spread(nth, 0), 0);
    let b = run(
        |nth| spread(nth, 1) + if nth % 50 == 3 { 30_000 } else { 0 },
        60,
    );
    let comparison = compared(&a, &b);
    assert_eq!(
        verdict(&comparison, "response p50"),
        Judgement::WithinChance
    );
    assert_eq!(verdict(&comparison, "response p99"), Judgement::Worse);
    assert_eq!(verdict(&comparison, "failed"), Judgement::Worse);
    assert_eq!(verdict(&comparison, "response max"), Judgement::NotJudged);
    assert_eq!(
        verdict(&compared(&b, &a), "response p99"),
        Judgement::Better
    );
    let failed = comparison
        .figures
        .iter()
        .find(|figure| figure.name == "failed")
        .unwrap();
    assert!(failed.is_worse_by(1000.0) && failed.change_percent.is_none());
    let p99 = comparison
        .figures
        .iter()
        .find(|figure| figure.name == "response p99")
        .unwrap();
    assert!(p99.is_worse_by(50.0) && !p99.is_worse_by(1000.0));
}

/// One slow second makes as many slow answers as one in fifty all the time, and says far less about the next run.
#[test]
fn what_comes_in_one_second_weighs_less() {
    let a = run(|nth| spread(nth, 0), 0);
    let scattered = run(
        |nth| spread(nth, 1) + if nth % 60 == 7 { 90_000 } else { 0 },
        0,
    );
    let together = run(
        |nth| spread(nth, 1) + if nth / 200 == 30 { 90_000 } else { 0 },
        0,
    );
    let width = |b: &Report| {
        let comparison = compared(&a, b);
        let mean = comparison
            .figures
            .iter()
            .find(|figure| figure.name == "response mean")
            .unwrap();
        let difference = mean.difference.unwrap();
        difference.high.unwrap() - difference.low.unwrap()
    };
    assert!(width(&together) > 3.0 * width(&scattered));
    assert_eq!(
        verdict(&compared(&a, &scattered), "response p99"),
        Judgement::Worse
    );
    assert_eq!(
        verdict(&compared(&a, &together), "response p99"),
        Judgement::WithinChance
    );
}

#[test]
fn what_cannot_be_compared_is_said() {
    let warnings = compared(&fixture::full(), &fixture::plain())
        .warnings
        .join("\n");
    for words in [
        "B is invalid: 12 requests",
        "B was interrupted",
        "one is an open loop",
        "the loads differ",
        "what was sent",
    ] {
        assert!(warnings.contains(words), "{words} is missing in {warnings}");
    }
}

#[test]
fn text_and_json_are_as_committed() {
    let mut slower = fixture::full();
    let mut recording = fixture::recording();
    recording.total.response = run(|nth| spread(nth, 0), 0)
        .total
        .response_time
        .unwrap()
        .times()
        .unwrap();
    slower.total.response_time =
        super::super::model::Distribution::unless_empty(&recording.total.response).unwrap();
    let comparison = compared(&fixture::full(), &slower);
    let mut text = Vec::new();
    write_text(&comparison, &mut text, false).unwrap();
    snapshot("compare.txt", &text);
    snapshot(
        "compare.json",
        serde_json::to_string_pretty(&comparison)
            .unwrap()
            .as_bytes(),
    );
}
