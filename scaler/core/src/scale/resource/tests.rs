use super::*;
use crate::scale::fixtures;

/// Pods of one request, from what each uses; letters stand for those that are not measured.
fn pods(text: &str, requested: Option<f64>) -> Vec<PodSample> {
    let words = text.split_whitespace().enumerate();
    words
        .map(|(number, word)| {
            let (standing, used) = match word {
                "going" => (Standing::Ignored, 900.0),
                "starting" => (Standing::NotReady, 900.0),
                "missing" => (Standing::NoMetrics, 900.0),
                used => (Standing::Measured, used.parse().unwrap()),
            };
            PodSample {
                pod: format!("hello-{number}"),
                standing,
                used,
                requested,
            }
        })
        .collect()
}

#[track_caller]
fn check(rule: &RuleSpec, text: &str, current: u32, expected: u32) -> String {
    let found = by_pods(rule, &pods(text, Some(1.0)), current).unwrap();
    assert_eq!(found.replicas, expected, "{text}: {}", found.because);
    found.because
}

/// A target of 50% of one core, in pods that request one each.
fn utilization() -> RuleSpec {
    fixtures::cpu(50.0)
}

/// A target of half a core a pod.
fn average() -> RuleSpec {
    fixtures::rule("cpu", "cpu", Metric::CpuAverage, 0.5)
}

#[test]
fn the_ratio_of_value_and_target_sets_the_number() {
    for rule in [utilization(), average()] {
        for (text, current, expected) in [
            ("1 1", 2, 4),
            ("0.25 0.25", 2, 1),
            ("0.9 0.1 0.8", 3, 4), // 1.8 / 1.5, over all of them
            ("0 0 0", 3, 1),       // never none
            ("2.6", 1, 6),
        ] {
            check(&rule, text, current, expected);
        }
    }
}

#[test]
fn within_a_tenth_of_the_target_nothing_changes() {
    for rule in [utilization(), average()] {
        for (text, expected) in [
            ("0.55 0.55 0.55 0.55", 4),
            ("0.45 0.45 0.45 0.45", 4),
            ("0.56 0.56 0.56 0.56", 5),
            ("0.44 0.44 0.44 0.44", 4), // 3.52
            ("0.37 0.37 0.37 0.37", 3),
        ] {
            check(&rule, text, 4, expected);
        }
        // The present number is the one decided, whatever pods there are.
        check(&rule, "0.5 0.5", 4, 4);
    }
}

#[test]
fn pods_not_ready_use_nothing_when_it_rises_and_are_left_out_when_it_falls() {
    for rule in [utilization(), average()] {
        for (text, current, expected) in [
            ("1 1 starting", 3, 4),          // 2 / 3 ÷ 0.5 = 1.33
            ("1 1 starting starting", 4, 4), // just on target with them
            ("0.6 0.6 starting", 3, 3),      // below the target with them
            ("0.2 0.2 starting", 3, 1),
            ("0.2 0.2 0.2 starting", 4, 2),
        ] {
            check(&rule, text, current, expected);
        }
    }
}

#[test]
fn pods_without_metrics_use_nothing_when_it_rises() {
    for rule in [utilization(), average()] {
        for (text, current, expected) in [
            ("1 1 missing", 3, 4),
            ("1 1 missing missing", 4, 4),
            ("0.6 missing", 2, 2),
            ("2 2 missing starting", 4, 8),
        ] {
            check(&rule, text, current, expected);
        }
    }
}

#[test]
fn pods_without_metrics_use_what_they_request_when_it_falls() {
    for (text, current, expected) in [
        ("0.1 0.1 0.1 missing", 4, 3), // 1.3 / 4 ÷ 0.5 = 0.65
        ("0.1 missing", 2, 2),         // 0.55 each, within a tenth
        ("0.2 missing", 2, 2),         // 0.6 each: that would be up
        ("0 0 0 0 0 missing", 6, 2),
        // Those that start are left out as well.
        ("0.1 0.1 0.1 missing starting", 5, 3),
    ] {
        check(&utilization(), text, current, expected);
    }
}

#[test]
fn pods_without_metrics_use_the_target_when_that_is_more_than_they_request() {
    // All that they request is 100%, which would be a third of the target.
    for (text, current, expected) in [("0.3 missing", 2, 2), ("0.3 0.3 0.3 missing", 4, 2)] {
        check(&fixtures::cpu(300.0), text, current, expected);
    }
}

#[test]
fn pods_without_metrics_use_the_target_when_an_amount_falls() {
    for (text, current, expected) in [
        ("0.1 0.1 0.1 missing", 4, 2), // 0.8 / 4 ÷ 0.5 = 0.4
        ("0.1 missing", 2, 2),         // 0.3 each: 1.2 pods
        ("0.44 missing", 2, 2),        // 0.47 each, within a tenth
    ] {
        check(&average(), text, current, expected);
    }
}

#[test]
fn pods_on_their_way_out_count_for_nothing() {
    for rule in [utilization(), average()] {
        check(&rule, "1 going going", 1, 2);
        check(&rule, "0.2 0.2 going", 2, 1);
    }
}

#[test]
fn pods_that_are_not_there_yet_do_not_turn_it_round() {
    for rule in [utilization(), average()] {
        let because = check(&rule, "0.6 0.6", 8, 8);
        assert!(
            because.ends_with("= 3, 8 with those not there yet"),
            "{because}"
        );
        let because = check(&rule, "0.4 0.4 0.4 0.4", 2, 2);
        assert!(
            because.ends_with("= 4, 2 with those on their way out"),
            "{because}"
        );
    }
}

#[test]
fn pods_that_request_more_weigh_more() {
    let mut two = pods("2 1", Some(4.0));
    two[1].requested = Some(1.0);
    let found = by_pods(&utilization(), &two, 2).unwrap();
    assert!((found.value - 60.0).abs() < 1e-9, "{}", found.value);
    assert_eq!(found.replicas, 3);
    assert_eq!(found.because, "2 ready × 60% / target 50% = 3");
}

#[test]
fn the_arithmetic_says_who_was_not_measured() {
    for (text, current, expected) in [
        ("1 1 starting", 3, "2 ready × 100% / target 50% = 4"),
        ("1 1 missing missing", 4, "2 ready × 100% / target 50% = 4"),
        (
            "0.6 0.6 starting missing",
            4,
            "2 ready × 60% / target 50% = 3, 4 with those not ready or not measured yet",
        ),
        (
            "0.1 0.1 0.1 missing starting",
            5,
            "3 ready × 10% / target 50% = 1, 3 with those not measured yet",
        ),
        ("0.5 starting", 2, "50% is within 10% of target 50% = 2"),
    ] {
        let found = by_pods(&utilization(), &pods(text, Some(1.0)), current).unwrap();
        assert_eq!(found.because, expected, "{text}");
    }
}

#[test]
fn without_a_measured_pod_there_is_no_answer() {
    let unknown = |text: &str| NoUse::Unknown(text.to_owned());
    for (text, requested, expected) in [
        ("", Some(1.0), NoUse::NothingToMeasure),
        ("starting going", Some(1.0), NoUse::NothingToMeasure),
        (
            "starting missing missing",
            Some(1.0),
            unknown("there are no metrics yet of any of its pods (2)"),
        ),
        (
            "going 1 starting",
            None,
            unknown("a container of pod hello-1 requests no cpu, of which the value is a share"),
        ),
        (
            "1 1",
            Some(0.0),
            unknown("its pods request no cpu, of which the value is a share"),
        ),
    ] {
        let found = by_pods(&utilization(), &pods(text, requested), 2);
        assert_eq!(found, Err(expected), "{text}");
    }
    // An amount is no share of anything.
    assert!(by_pods(&average(), &pods("1 1", None), 2).is_ok());
}
