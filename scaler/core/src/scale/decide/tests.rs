use std::time::Duration;

use crate::scale::fixtures::{Run, cpu, http, queue, unknown};
use crate::scale::pods::{PodSample, Standing};
use crate::scale::{Decision, LimitKind, Metric, Reading, Work};
use crate::time::Timestamp;

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

fn kinds(decision: &Decision) -> Vec<LimitKind> {
    decision.limits.iter().map(|limit| limit.kind).collect()
}

#[test]
fn a_polled_queue_follows_the_documented_steps_poll_by_poll() {
    for (length, steps) in [
        (50.0, [1, 4, 8, 10, 10, 10]),
        (100.0, [1, 4, 8, 16, 20, 20]),
        (3.0, [1, 1, 1, 1, 1, 1]),
    ] {
        let mut run = Run::new(0, vec![queue(5.0)]);
        assert_eq!(run.decide(&[0.0]).to, 0);
        assert_eq!(run.wait(30_000).walk(length, 30_000, 6), steps, "{length}");
        // Ticks that come a little early still are polls of their own.
        let mut run = Run::new(0, vec![queue(5.0)]);
        assert_eq!(run.walk(length, 29_900, 6), steps, "{length}");
    }
}

#[test]
fn more_decisions_in_a_period_are_not_more_steps() {
    let mut run = Run::new(0, vec![http()]);
    run.requests = 1_000;
    assert_eq!(run.walk(1_000.0, 100, 18), [1; 18]);
    assert_eq!(run.walk(1_000.0, 500, 9), [4, 4, 4, 4, 8, 8, 8, 8, 16]);
}

#[test]
fn a_step_taken_in_two_halves_is_one_step() {
    let mut run = Run::new(4, vec![http()]);
    assert_eq!(run.decide(&[50.0]).to, 5);
    assert_eq!(run.wait(1_000).decide(&[200.0]).to, 8);
    assert_eq!(run.wait(900).decide(&[200.0]).to, 16);
}

#[test]
fn zero_in_between_does_not_make_a_step_longer() {
    let mut run = Run::new(8, vec![http()]);
    run.spec.cooldown_period = Duration::ZERO;
    assert_eq!(run.decide(&[200.0]).to, 16);
    assert_eq!(run.wait(500).decide(&[0.0]).to, 0);
    assert_eq!(run.wait(500).decide(&[200.0]).to, 1);
}

#[test]
fn the_largest_recommendation_counts() {
    let mut run = Run::new(4, vec![queue(10.0), http()]);
    let decision = run.decide(&[58.0, 12.0]);
    assert_eq!((decision.from, decision.to), (4, 6));
    let replicas: Vec<_> = decision
        .recommendations
        .iter()
        .map(|it| it.replicas)
        .collect();
    assert_eq!(replicas, [Some(6), Some(2)]);
    assert_eq!(decision.limits, []);
}

#[test]
fn a_waiting_request_wakes_at_once_and_keeps_the_last_replica() {
    let mut run = Run::new(0, vec![http()]);
    assert_eq!(run.decide(&[0.0]).to, 0);
    run.requests = 3;
    let woken = run.decide(&[0.0]);
    assert_eq!((woken.to, kinds(&woken)), (1, vec![LimitKind::Activity]));
    for _ in 0..100 {
        run.wait(60_000);
        assert_eq!(run.decide(&[0.0]).to, 1);
    }
}

#[test]
fn the_cooldown_is_measured_from_the_last_activity() {
    let mut run = Run::new(0, vec![http()]);
    run.requests = 1;
    assert_eq!(run.decide(&[0.0]).to, 1);
    run.requests = 0;
    // The window still has the request, then a short one came, then there is nothing.
    assert_eq!(run.wait(8_000).decide(&[0.3]).to, 1);
    run.requests_since_last = 1;
    assert_eq!(run.wait(8_000).decide(&[0.0]).to, 1);
    assert_eq!(run.state.cooldown_remaining(&run.spec, run.now), None);
    run.requests_since_last = 0;
    let held = run.wait(9_999).decide(&[0.0]);
    assert_eq!((held.to, run.state.desired()), (1, 1));
    let left = run.state.cooldown_remaining(&run.spec, run.now);
    assert_eq!(left, Some(Duration::from_millis(1)));
    let zero = run.wait(1).decide(&[0.0]);
    assert_eq!((zero.to, kinds(&zero)), (0, vec![LimitKind::Cooldown]));
    assert_eq!(run.state.cooldown_remaining(&run.spec, run.now), None);
}

#[test]
fn the_cooldown_takes_any_number_and_does_not_wait_for_stabilization() {
    let mut run = Run::new(0, vec![queue(5.0)]);
    assert_eq!(run.walk(50.0, 30_000, 4), [1, 4, 8, 10]);
    let zero = run.decide(&[0.0]);
    assert_eq!((zero.from, zero.to), (10, 0));
    assert_eq!(run.state.stabilization_remaining(&run.spec, run.now), None);
}

#[test]
fn scale_in_waits_for_the_largest_recommendation_to_pass() {
    let mut run = Run::new(10, vec![http()]);
    assert_eq!(run.decide(&[100.0]).to, 10);
    assert_eq!(run.wait(100_000).decide(&[60.0]).to, 10);
    let held = run.wait(100_000).decide(&[20.0]);
    assert_eq!(
        (held.to, kinds(&held)),
        (10, vec![LimitKind::Stabilization])
    );
    let left = |run: &Run| run.state.stabilization_remaining(&run.spec, run.now);
    assert_eq!(left(&run), Some(SECONDS(100)));
    assert_eq!(run.wait(99_000).decide(&[20.0]).to, 10);
    assert_eq!(run.wait(1_000).decide(&[20.0]).to, 6);
    assert_eq!(left(&run), Some(SECONDS(100)));
    assert_eq!(run.wait(100_000).decide(&[20.0]).to, 2);
    assert_eq!(left(&run), None);
}

#[test]
fn scale_out_may_have_to_hold_its_ground_first() {
    let mut run = Run::new(2, vec![http()]);
    run.spec.policy.scale_out_stabilization = SECONDS(20);
    assert_eq!(run.decide(&[20.0]).to, 2);
    let held = run.wait(2_000).decide(&[40.0]);
    assert_eq!((held.to, kinds(&held)), (2, vec![LimitKind::Stabilization]));
    assert_eq!(run.wait(17_000).decide(&[40.0]).to, 2);
    assert_eq!(run.wait(1_000).decide(&[40.0]).to, 4);
    // From zero the first replica does not wait.
    let mut run = Run::new(0, vec![http()]);
    run.spec.policy.scale_out_stabilization = SECONDS(20);
    assert_eq!(run.decide(&[0.0]).to, 0);
    run.requests = 50;
    assert_eq!(run.wait(100).decide(&[50.0]).to, 1);
    assert_eq!(run.wait(19_800).decide(&[50.0]).to, 1);
    assert_eq!(run.wait(100).decide(&[50.0]).to, 4);
}

#[test]
fn minimum_and_takeover_do_not_wait_for_steps() {
    let mut run = Run::new(0, vec![http()]);
    run.spec.min_replicas = 6;
    run.spec.policy.scale_out_stabilization = SECONDS(20);
    let decision = run.decide(&[0.0]);
    assert_eq!((decision.to, kinds(&decision)), (6, vec![LimitKind::Min]));
    run.takeover = 12;
    assert_eq!(run.decide(&[0.0]).to, 12);
    run.takeover = 99;
    let decision = run.decide(&[0.0]);
    assert_eq!(
        (decision.to, kinds(&decision)),
        (20, vec![LimitKind::Min, LimitKind::Takeover])
    );
    // A takeover keeps an idle revision up.
    let mut run = Run::new(0, vec![http()]);
    run.takeover = 2;
    assert_eq!(run.walk(0.0, 60_000, 3), [2, 2, 2]);
}

#[test]
fn a_lower_maximum_counts_at_once() {
    let mut run = Run::new(16, vec![http()]);
    run.spec.max_replicas = 5;
    let decision = run.decide(&[160.0]);
    assert_eq!((decision.to, kinds(&decision)), (5, vec![LimitKind::Max]));
    run.spec.max_replicas = 3;
    assert_eq!(run.decide_on(&[unknown("connection refused")]).to, 3);
}

#[test]
fn unknown_holds_what_is_there() {
    let mut run = Run::new(4, vec![queue(10.0)]);
    for _ in 0..100 {
        run.wait(30_000);
        assert_eq!(run.decide_on(&[unknown("connection refused")]).to, 4);
    }
    assert_eq!(run.state.cooldown_remaining(&run.spec, run.now), None);
    // The cooldown begins when it is known again.
    assert_eq!(run.wait(5_000).decide(&[0.0]).to, 4);
    assert_eq!(run.wait(5_000).decide(&[0.0]).to, 0);
    assert_eq!(run.decide_on(&[unknown("connection refused")]).to, 0);
    run.requests = 1;
    assert_eq!(run.decide_on(&[unknown("connection refused")]).to, 1);
}

#[test]
fn a_known_rule_beside_an_unknown_one_scales_out_and_not_in() {
    let mut run = Run::new(4, vec![queue(10.0), http()]);
    let readings = |value| {
        let at = Timestamp::from_secs(3600);
        [unknown("timed out"), Reading::known(value, at)]
    };
    assert_eq!(run.decide_on(&readings(75.0)).to, 8);
    run.spec.policy.scale_in_stabilization = Duration::ZERO;
    let held = run.decide_on(&readings(0.0));
    assert_eq!((held.to, kinds(&held)), (8, vec![LimitKind::Unknown]));
    assert_eq!(run.decide(&[12.0, 0.0]).to, 2);
}

#[test]
fn what_is_not_an_amount_or_too_old_is_unknown() {
    let old = Reading::known(50.0, Timestamp::from_secs(3509));
    let now = Timestamp::from_secs(3600);
    let odd = [f64::NAN, f64::INFINITY, -1.0].map(|value| Reading::known(value, now));
    for reading in odd.into_iter().chain([old]) {
        let mut run = Run::new(3, vec![queue(5.0)]);
        let decision = run.decide_on(&[reading]);
        assert_eq!(decision.to, 3);
        assert_eq!(
            (
                decision.recommendations[0].value,
                decision.recommendations[0].replicas
            ),
            (None, None)
        );
        assert_eq!(run.decide_on(&[]).to, 3, "a missing reading is unknown");
    }
    let mut run = Run::new(3, vec![queue(5.0)]);
    let fresh_enough = Reading::known(50.0, Timestamp::from_secs(3510));
    assert_eq!(run.decide_on(&[fresh_enough]).to, 6);
}

#[test]
fn resources_follow_the_hpa() {
    for (current, ready, percent, replicas) in [
        (4, 4, 100.0, 8),
        (4, 4, 55.0, 4), // within a tenth
        (4, 4, 45.1, 4), // within a tenth
        (4, 4, 56.0, 5),
        (4, 4, 20.0, 2),
        (4, 4, 0.0, 1),   // never none
        (4, 2, 100.0, 4), // the two that start use nothing yet: 4, not 8
        (4, 2, 75.0, 4),  // 3, but use above the target never scales in
        (4, 2, 40.0, 2),
        (4, 0, 90.0, 4),  // nothing to measure
        (4, 9, 100.0, 8), // those on their way out do not count
    ] {
        let mut run = Run::new(current, vec![cpu(50.0)]);
        run.spec.policy.scale_in_stabilization = Duration::ZERO;
        run.requests = 1;
        run.ready = Some(ready);
        assert_eq!(
            run.decide(&[percent]).to,
            replicas,
            "{current} {ready} {percent}"
        );
    }
}

/// Pods that are measured and use so many cores each, of one that they request.
fn pods(used: &[f64], at: Timestamp) -> Reading {
    let pod = |used: &f64| PodSample {
        pod: "hello-a".to_owned(),
        standing: Standing::Measured,
        used: *used,
        requested: Some(1.0),
    };
    Reading::Pods {
        pods: used.iter().map(pod).collect(),
        at,
    }
}

#[test]
fn pods_say_for_themselves_whether_they_can_be_measured() {
    let mut run = Run::new(2, vec![cpu(50.0)]);
    run.ready = Some(0);
    run.requests = 1;
    let at = run.now;
    let decision = run.decide_on(&[pods(&[1.0, 0.5], at)]);
    assert_eq!(
        (decision.to, decision.recommendations[0].value),
        (3, Some(75.0))
    );
    // Like any other they do not wake, and are unknown when they are old.
    let mut run = Run::new(0, vec![cpu(50.0)]);
    assert_eq!(run.decide_on(&[pods(&[1.0], at)]).to, 0);
    let mut run = Run::new(3, vec![cpu(50.0)]);
    run.requests = 1;
    run.wait(16_000);
    let decision = run.decide_on(&[pods(&[0.1, 0.1, 0.1], at)]);
    assert_eq!(decision.to, 3);
    assert_eq!(
        decision.recommendations[0].because,
        "last read 16 s ago, more than 15 s"
    );
    let mut run = Run::new(3, vec![queue(5.0)]);
    let decision = run.decide_on(&[pods(&[0.1], at)]);
    assert_eq!(decision.recommendations[0].value, None);
}

#[test]
fn resources_neither_wake_nor_keep_awake() {
    let mut run = Run::new(0, vec![cpu(50.0)]);
    assert_eq!(run.decide(&[90.0]).to, 0);
    assert_eq!(run.decide_on(&[unknown("no replicas")]).to, 0);
    run.requests = 1;
    assert_eq!(run.decide_on(&[unknown("no replicas")]).to, 1);
    run.requests = 0;
    let mut run = Run::new(3, vec![http(), cpu(50.0)]);
    assert_eq!(run.decide(&[0.0, 90.0]).to, 0);
    // But one that cannot be read on replicas that are there is unknown like any other.
    let mut run = Run::new(3, vec![cpu(50.0)]);
    assert_eq!(run.decide_on(&[unknown("no such process")]).to, 3);
}

#[test]
fn activation_is_strictly_more_and_only_for_waking() {
    let mut rule = queue(5.0);
    rule.activation = 10.0;
    let mut run = Run::new(0, vec![rule]);
    let asleep = run.decide(&[10.0]);
    assert_eq!((asleep.to, kinds(&asleep)), (0, vec![LimitKind::Activity]));
    assert_eq!(run.decide(&[10.5]).to, 1);
    assert_eq!(run.wait(30_000).decide(&[11.0]).to, 3);
    assert_eq!(run.wait(5_000).decide(&[9.0]).to, 3);
    assert_eq!(run.wait(5_000).decide(&[9.0]).to, 0);
}

#[test]
fn without_rules_there_are_as_many_as_the_minimum() {
    let mut run = Run::new(0, vec![]);
    assert_eq!(run.decide(&[]).to, 0);
    run.spec.min_replicas = 3;
    assert_eq!(run.decide(&[]).to, 3);
}

#[test]
fn a_restart_resumes_from_what_it_sees() {
    let mut run = Run::new(0, vec![http()]);
    run.state = crate::scale::ScaleState::starting_with(7, run.now);
    let first = run.decide(&[0.0]);
    assert_eq!(first.to, 7);
    assert_eq!(
        run.state.stabilization_remaining(&run.spec, run.now),
        Some(SECONDS(300))
    );
    assert_eq!(
        run.state.cooldown_remaining(&run.spec, run.now),
        Some(SECONDS(10))
    );
}

#[test]
fn time_that_goes_back_holds_nothing_up() {
    let mut run = Run::new(0, vec![http()]);
    run.requests = 100;
    assert_eq!(run.decide(&[100.0]).to, 1);
    run.now = Timestamp::from_secs(1);
    assert_eq!(run.decide(&[100.0]).to, 4);
    assert_eq!(run.wait(2_000).decide(&[100.0]).to, 8);
}

#[test]
fn targets_of_every_live_rule_are_amounts() {
    let window = SECONDS(15);
    for metric in [
        Metric::HttpRequestRate { window },
        Metric::TcpConnections { window },
    ] {
        let mut rule = http();
        rule.metric = metric;
        assert_eq!(Run::new(5, vec![rule]).decide(&[61.0]).to, 7);
    }
}

#[test]
fn messages_in_hand_keep_the_last_replica_and_wake_none() {
    let in_hand = |count: f64, at| {
        let work = Work {
            in_process: Some(count),
            ..Work::default()
        };
        Reading::Known {
            value: 0.0,
            work,
            at,
        }
    };
    let mut run = Run::new(3, vec![queue(5.0)]);
    run.wait(600_000);
    for (count, expected) in [(2.0, 1), (1.0, 1), (0.0, 1)] {
        let decision = run.decide_on(&[in_hand(count, run.now)]);
        assert_eq!(decision.to, expected, "{decision:?}");
        let kept = decision.limits.last().map(|limit| limit.because.clone());
        let expected = if count > 0.0 {
            format!("orders has {count} in hand")
        } else {
            "held at 1 by cooldown, 9 s of 10 s left".to_owned()
        };
        assert_eq!(kept, Some(expected));
        run.wait(1000);
    }
    run.wait(20_000);
    assert_eq!(run.decide_on(&[in_hand(0.0, run.now)]).to, 0);
    run.wait(1000);
    assert_eq!(run.decide_on(&[in_hand(4.0, run.now)]).to, 0);
}

#[test]
fn what_wakes_may_be_another_number_than_what_is_shared() {
    let reading = |activity: f64, at| {
        let work = Work {
            activity: Some(activity),
            ..Work::default()
        };
        Reading::Known {
            value: 12.0,
            work,
            at,
        }
    };
    let mut run = Run::new(0, vec![queue(5.0)]);
    assert_eq!(run.decide_on(&[reading(0.0, run.now)]).to, 0);
    assert_eq!(run.decide_on(&[reading(1.0, run.now)]).to, 1);
}
