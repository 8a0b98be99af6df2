use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::report::model::{
    Autoscaler, Distribution, Lateness, LoopKind, Named, QueueSummary, Report, RevisionShare,
    ScaleFigures, Stage, Summary,
};

fn times(p99_ms: f64) -> Distribution {
    Distribution {
        count: 100,
        mean_ms: p99_ms / 4.0,
        std_dev_ms: 1.0,
        min_ms: 0.5,
        p50_ms: p99_ms / 5.0,
        p75_ms: p99_ms / 4.0,
        p90_ms: p99_ms / 3.0,
        p95_ms: p99_ms / 2.0,
        p99_ms,
        p999_ms: p99_ms * 2.0,
        p9999_ms: p99_ms * 3.0,
        max_ms: p99_ms * 4.0,
        histogram: String::new(),
    }
}

fn summary() -> Summary {
    Summary {
        offered: 1000,
        sent: 1000,
        answered: 998,
        succeeded: 990,
        failed: 10,
        lost: 2,
        answers_per_second: 99.8,
        cold_starts: 4,
        status_codes: [(200, 990), (503, 8)].into(),
        errors: [("reset".to_owned(), 2), ("status".to_owned(), 8)].into(),
        response_time: Some(times(312.0)),
        service_time: Some(times(200.0)),
        ..Summary::default()
    }
}

fn report() -> Report {
    let stage = |name: &str, value: Summary| Stage {
        name: name.to_owned(),
        from_seconds: 0.0,
        until_seconds: 5.0,
        value,
    };
    Report {
        schema_version: 1,
        generator: "loadgen".into(),
        name: "test".into(),
        started: "2026-11-27T00:00:00Z".into(),
        elapsed_seconds: 10.0,
        loop_kind: LoopKind::Open,
        load: "constant".into(),
        seed: 0,
        destinations: Vec::new(),
        runs: 1,
        interrupted: false,
        valid: true,
        invalid_reasons: Vec::new(),
        lateness: Lateness {
            threshold_ms: 1.0,
            limit_ms: 1.0,
            late: 3,
            dropped: 0,
            times: times(0.2),
        },
        total: summary(),
        targets: Vec::new(),
        stages: vec![
            stage("calm", Summary::default()),
            stage("the spike", summary()),
        ],
        revisions: vec![RevisionShare {
            revision: "hello--blue".into(),
            answered: 90,
            succeeded: 90,
            replicas: [].into(),
            percent: 9.0,
            percent_low: 8.0,
            percent_high: 10.0,
            weight_percent: None,
            response_time: None,
        }],
        counted_header: None,
        seconds: Vec::new(),
        queues: vec![Named {
            name: "orders".into(),
            value: QueueSummary {
                completed: 7,
                completion_time: Some(times(50.0)),
                ..QueueSummary::default()
            },
        }],
        autoscaler: Some(Autoscaler {
            source: "http://127.0.0.1:8081".into(),
            seconds: Vec::new(),
            revisions: Vec::new(),
            events: Vec::new(),
            gaps: Vec::new(),
            figures: ScaleFigures {
                time_to_zero_seconds: Some(38.5),
                under_provisioned_replica_seconds: 12.25,
                ..ScaleFigures::default()
            },
        }),
        thresholds: Vec::new(),
    }
}

#[test]
fn thresholds_hold_or_not_and_say_what_was_found() {
    let report = report();
    for (expression, holds, found) in [
        ("p99 < 250ms", false, "p99 is 312 ms"),
        ("p99<=312ms", true, "p99 is 312 ms"),
        (
            "responseTime.p99 > 311.9ms",
            true,
            "responseTime.p99 is 312 ms",
        ),
        ("serviceTime.p99 <= 1s", true, "serviceTime.p99 is 200 ms"),
        ("p999 < 1s", true, "p99.9 is 624 ms"),
        ("p99.99 < 936ms", false, "p99.99 is 936 ms"),
        ("max < 10s", true, "max is 1248 ms"),
        ("lost == 0", false, "lost is 2"),
        ("lost != 0", true, "lost is 2"),
        ("coldStarts < 5", true, "coldStarts is 4"),
        ("errorRate < 0.1%", false, "errorRate is 1%"),
        ("rate >= 95/s", true, "rate is 99.8/s"),
        ("statusCodes.503 <= 8", true, "statusCodes.503 is 8"),
        ("statusCodes.404 == 0", true, "statusCodes.404 is 0"),
        ("errors.reset < 2", false, "errors.reset is 2"),
        ("errors.timeout == 0", true, "errors.timeout is 0"),
        ("late < 4", true, "late is 3"),
        ("lateness.p99 < 1ms", true, "lateness.p99 is 0.2 ms"),
        ("elapsed < 11s", true, "elapsed is 10 s"),
        ("timeToZero < 40s", true, "timeToZero is 38.5 s"),
        ("underProvisioned < 12.5", true, "underProvisioned is 12.25"),
        (
            "stages.\"the spike\".p99 < 2s",
            true,
            "stages.\"the spike\".p99 is 312 ms",
        ),
        ("stages.calm.failed == 0", true, "stages.calm.failed is 0"),
        (
            "targets.home.failed == 0",
            false,
            "targets.home.failed is 10",
        ),
        (
            "revisions.hello--blue.percent >= 8%",
            true,
            "revisions.hello--blue.percent is 9%",
        ),
        ("queues.orders.p99 < 1s", true, "queues.orders.p99 is 50 ms"),
        (
            "queues.orders.completed >= 7",
            true,
            "queues.orders.completed is 7",
        ),
    ] {
        let result = Threshold::parse(expression).unwrap().evaluate(&report);
        assert_eq!(
            (result.holds, result.found.as_str()),
            (holds, found),
            "{expression}"
        );
        assert_eq!(result.expression, expression);
    }
}

#[test]
fn what_is_not_known_holds_nothing_and_says_why() {
    let mut report = report();
    for (expression, why) in [
        ("coldStartTime.p99 < 1s", "no request waited for a replica"),
        ("connectTime.max < 1s", "no connection was opened"),
        (
            "timeToFirstReplica < 1s",
            "there was a replica from the start",
        ),
        ("stages.calm.p99 < 1s", "nothing was answered"),
        ("stages.calm.errorRate < 1%", "no request was sent"),
        ("stages.none.p99 < 1s", "there was no stage `none`"),
        (
            "revisions.red.percent > 0%",
            "no answer named the revision `red`",
        ),
        (
            "revisions.hello--blue.weight > 0%",
            "did not say its weight",
        ),
        (
            "queues.orders.enqueueTime.p99 < 1s",
            "no message was enqueued",
        ),
        ("queues.none.failed == 0", "there was no queue `none`"),
    ] {
        let result = Threshold::parse(expression).unwrap().evaluate(&report);
        assert!(!result.holds, "{expression}");
        assert!(result.found.contains(why), "{expression}: {}", result.found);
    }
    report.autoscaler = None;
    let result = Threshold::parse("flaps == 0").unwrap().evaluate(&report);
    assert_eq!(
        result.found,
        "flaps is not known: the autoscaler was not followed"
    );
    assert!(!result.holds);
}

/// Expressions, and how their error begins.
const WRONG: &[(&str, &str)] = &[
    (
        "p99 < 250",
        "`250` should be a number followed by its unit: ns, us, ms, s, m, h or d; this metric is a time: write it with its unit, as in 250ms, 2s or 1m30s\n  p99 < 250\n        ^^^",
    ),
    (
        "lost == 0ms",
        "this metric is a count: write a whole number without a unit, as in 5\n  lost == 0ms\n          ^^^",
    ),
    (
        "errorRate < 1",
        "this metric is a share: write it in percent, as in 0.1%\n  errorRate < 1\n              ^",
    ),
    (
        "rate >= 95",
        "this metric is a rate: write it per second, as in 95/s\n  rate >= 95\n          ^^",
    ),
    (
        "timeTozero < 4s",
        "`timeTozero` is no metric; did you mean `timeToZero`?\n  timeTozero < 4s\n  ^^^^^^^^^^",
    ),
    (
        "serviceTime.p98 < 1s",
        "`p98` is no metric; did you mean `p90`?\n  serviceTime.p98 < 1s\n              ^^^",
    ),
    (
        "serviceTime < 1s",
        "`serviceTime` needs one of: p50, p75, p90, p95, p99, p99.9, p99.99, mean, min, max\n  serviceTime < 1s\n  ^^^^^^^^^^^",
    ),
    (
        "lost.p99 < 1s",
        "`lost` has no parts\n  lost.p99 < 1s\n       ^^^",
    ),
    ("stages.spike < 1", "here a figure is missing"),
    (
        "stages < 1",
        "`stages` needs a name and a figure: stages.NAME.p99\n  stages < 1\n  ^^^^^^",
    ),
    ("stages.spike.timeToZero < 1s", "`timeToZero` is no metric"),
    (
        "a.b.c < 1s",
        "nothing can follow here but a comparison\n  a.b.c < 1s\n      ^",
    ),
    ("p99 = 1s", "`=` is written `==`\n  p99 = 1s\n      ^"),
    (
        "p99",
        "here a comparison is missing: one of <, <=, >, >=, ==, !=\n  p99\n     ^",
    ),
    (
        "p99 <",
        "here the bound is missing: this metric is a time: write it with its unit, as in 250ms, 2s or 1m30s\n  p99 <\n       ^",
    ),
    (
        "",
        "here a metric is missing, such as p99, lost or timeToZero\n  \n  ^",
    ),
    (
        "< 5",
        "here a metric is missing, such as p99, lost or timeToZero\n  < 5\n  ^",
    ),
    ("stages.\"a.p99 < 1s", "this name does not end"),
    ("größe < 1s", "`größe` is no metric"),
    (
        "revisions.a.b < 1",
        "`b` is no metric; there are percent, weight, answered, succeeded, responseTime, p50",
    ),
];

#[test]
fn what_is_wrong_is_said_with_a_mark_under_the_place() {
    for (expression, error) in WRONG.iter().copied() {
        let found = Threshold::parse(expression).unwrap_err().to_string();
        assert!(found.starts_with(error), "{expression}:\n{found}");
    }
    let long = "p".repeat(5000);
    assert!(
        Threshold::parse(&long)
            .unwrap_err()
            .to_string()
            .contains("at most 1024 bytes")
    );
}

#[test]
fn what_the_run_will_not_have_is_an_error_before_it() {
    let (stages, targets) = (["calm".to_owned(), "spike".to_owned()], ["home".to_owned()]);
    let available = Available {
        stages: &stages,
        targets: &targets,
        queues: &[],
        observed: false,
    };
    for (expression, error) in [
        (
            "stages.spik.p99 < 1s",
            "`stages.spik.p99 < 1s`: there is no stage `spik`; did you mean `spike`? (there is `calm`, `spike`)",
        ),
        ("targets.x.p99 < 1s", "there is no target `x`"),
        ("queues.x.failed == 0", "the scenario has no queues"),
        (
            "timeToZero < 40s",
            "known only if the autoscaler is followed",
        ),
        (
            "revisions.a.weight < 40%",
            "known only if the autoscaler is followed",
        ),
    ] {
        let found = Threshold::parse(expression)
            .unwrap()
            .check(available)
            .unwrap_err();
        assert!(found.contains(error), "{expression}: {found}");
    }
    for expression in [
        "stages.spike.p99 < 1s",
        "targets.home.lost == 0",
        "coldStarts < 5",
    ] {
        assert_eq!(
            Threshold::parse(expression).unwrap().check(available),
            Ok(())
        );
    }
    let observed = Available {
        observed: true,
        ..available
    };
    assert_eq!(
        Threshold::parse("flaps == 0").unwrap().check(observed),
        Ok(())
    );
}

/// Every metric is in the guide.
#[test]
fn the_guide_has_every_metric() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/loadgen.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let name = String::new;
    for subject in [
        Subject::All,
        Subject::Revision(name()),
        Subject::Queue(name()),
    ] {
        for first in metric::known(&subject, None) {
            let words = match metric::known(&subject, Some(first))[..] {
                [] => format!("`{first}`"),
                _ if first == "statusCodes" => "`statusCodes.503`".to_owned(),
                [second, ..] if first == "errors" => format!("`errors.{second}`"),
                _ => format!("`{first}.p99`"),
            };
            let found = Subject::KINDS.contains(&first) || guide.contains(&words);
            assert!(found, "{words} is not in docs/loadgen.md");
        }
    }
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9_-]{1,8}", "\\PC{0,8}"]
}

fn any_subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        Just(Subject::All),
        any_name().prop_map(Subject::Stage),
        any_name().prop_map(Subject::Target),
        any_name().prop_map(Subject::Revision),
        any_name().prop_map(Subject::Queue),
    ]
}

fn any_metric() -> impl Strategy<Value = Metric> {
    let figure = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        100..1000_u16,
    );
    (any_subject(), figure).prop_map(|(subject, (first, second, code))| {
        let known = metric::known(&subject, None);
        let known: Vec<_> = known
            .into_iter()
            .filter(|word| !Subject::KINDS.contains(word))
            .collect();
        let first = known[first.index(known.len())];
        let after = metric::known(&subject, Some(first));
        let code = code.to_string();
        let second = match first {
            "statusCodes" => Some(code.as_str()),
            _ if after.is_empty() => None,
            _ => Some(after[second.index(after.len())]),
        };
        let figure = metric::figure(&subject, first, second).unwrap();
        Metric { subject, figure }
    })
}

fn any_threshold() -> impl Strategy<Value = Threshold> {
    let bounds = (0..86_400_000_000_000_u64, any::<u64>(), 0.0..1e12_f64);
    (any_metric(), 0..6_usize, bounds).prop_map(|(metric, operator, (nanos, count, number))| {
        let bound = match metric.unit() {
            bound::Unit::Time => Bound::Time(std::time::Duration::from_nanos(nanos)),
            bound::Unit::Count => Bound::Count(count),
            bound::Unit::ReplicaSeconds => Bound::ReplicaSeconds(number),
            bound::Unit::Percent => Bound::Percent(number),
            bound::Unit::PerSecond => Bound::PerSecond(number),
        };
        let operator = Operator::ALL[operator].1;
        let mut threshold = Threshold {
            expression: String::new(),
            metric,
            operator,
            bound,
        };
        threshold.expression = threshold.to_string();
        threshold
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(threshold in any_threshold()) {
        prop_assert_eq!(Threshold::parse(&threshold.expression), Ok(threshold.clone()));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        if let Err(error) = Threshold::parse(&text) {
            prop_assert!(error.to_string().lines().count() >= 3);
        }
    }

    #[test]
    fn nearly_right_text_does_not_panic(
        text in "(p99|lost|stages\\.(a|\"b|é)?|serviceTime\\.|errors\\.)?[.\" ]{0,2}(<|<=|==|=)?[ 0-9a-z%/é]{0,6}"
    ) {
        let _ = Threshold::parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn evaluating_never_panics(threshold in any_threshold()) {
        let result = threshold.evaluate(&report());
        prop_assert!(!result.found.is_empty());
    }
}
