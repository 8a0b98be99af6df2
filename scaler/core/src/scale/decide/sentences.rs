//! Every kind of sentence, word for word.

use std::time::Duration;

use crate::scale::fixtures::{Run, cpu, http, queue, rule, unknown};
use crate::scale::{Metric, Reading};
use crate::time::Timestamp;

fn at_noon(value: f64) -> Reading {
    Reading::known(value, Timestamp::from_secs(3600))
}

/// The sentence of one decision of a run that `prepare` has prepared.
#[track_caller]
fn check(mut run: Run, readings: &[Reading], prepare: impl FnOnce(&mut Run), sentence: &str) {
    prepare(&mut run);
    let decision = run.decide_on(readings);
    assert_eq!(decision.sentence(), sentence);
    assert_eq!(decision.changed(), !sentence.contains("stays"));
}

fn nothing(_: &mut Run) {}

#[test]
fn numbers_of_rules() {
    let orders = rule("orders", "queue", Metric::External, 10.0);
    check(
        Run::new(4, vec![orders, http()]),
        &[at_noon(58.0), at_noon(12.0)],
        nothing,
        "hello--blue 4 → 6: queue orders 58 / target 10 = 6; http 12 / target 10 = 2; max of rules",
    );
    check(
        Run::new(2, vec![http()]),
        &[at_noon(37.0 / 3.0)],
        nothing,
        "hello--blue stays at 2: http 12.334 / target 10 = 2",
    );
    check(
        Run::new(0, vec![http()]),
        &[at_noon(0.0)],
        nothing,
        "hello--blue stays at 0: http 0 / target 10 = 0",
    );
    check(
        Run::new(0, vec![]),
        &[],
        nothing,
        "hello--blue stays at 0: no scale rules",
    );
    check(
        Run::new(0, vec![]),
        &[],
        |run| run.spec.min_replicas = 2,
        "hello--blue 0 → 2: no scale rules; raised to minReplicas 2",
    );
}

#[test]
fn resources() {
    let memory = rule(
        "memory",
        "memory",
        Metric::MemoryAverage,
        512.0 * 1_048_576.0,
    );
    check(
        Run::new(2, vec![cpu(70.0), memory]),
        &[at_noon(90.5), at_noon(500.5 * 1_048_576.0)],
        |run| run.requests = 1,
        "hello--blue 2 → 3: cpu 2 ready × 90.5% / target 70% = 3; \
         memory 500.5Mi is within 10% of target 512Mi = 2; max of rules",
    );
    check(
        Run::new(4, vec![cpu(50.0)]),
        &[at_noon(75.0)],
        |run| {
            run.ready = Some(2);
            run.requests = 1;
        },
        "hello--blue stays at 4: cpu 2 ready × 75% / target 50% = 3, 4 with those not ready yet",
    );
    check(
        Run::new(0, vec![cpu(50.0)]),
        &[unknown("no process")],
        |run| run.requests = 1,
        "hello--blue 0 → 1: 1 request waits; cpu: no replica is ready to be measured",
    );
}

#[test]
fn waking_and_going_to_sleep() {
    check(
        Run::new(0, vec![http()]),
        &[at_noon(0.0)],
        |run| run.requests = 3,
        "hello--blue 0 → 1: 3 requests wait; http 0 / target 10 = 0",
    );
    check(
        Run::new(0, vec![http()]),
        &[at_noon(0.02)],
        |run| run.requests = 1,
        "hello--blue 0 → 1: 1 request waits; http 0.02 / target 10 = 1",
    );
    check(
        Run::new(0, vec![queue(5.0)]),
        &[at_noon(50.0)],
        nothing,
        "hello--blue 0 → 1: orders is active; azure-queue orders 50 / target 5 = 10; \
         step from 0 allows 1",
    );
    check(
        Run::new(1, vec![http()]),
        &[at_noon(0.0)],
        |run| run.requests = 1,
        "hello--blue stays at 1: 1 request in flight; http 0 / target 10 = 0",
    );
    check(
        Run::new(1, vec![http()]),
        &[at_noon(0.0)],
        |run| run.requests_since_last = 2,
        "hello--blue stays at 1: 2 requests came just now; http 0 / target 10 = 0",
    );
    check(
        Run::new(1, vec![http()]),
        &[at_noon(0.0)],
        |run| run.spec.cooldown_period = Duration::from_secs(600),
        "hello--blue 1 → 0: no activity for 600 s; http 0 / target 10 = 0",
    );
    check(
        Run::new(1, vec![http()]),
        &[at_noon(0.0)],
        |run| run.spec.cooldown_period = Duration::from_millis(607_100),
        "hello--blue stays at 1: http 0 / target 10 = 0; held at 1 by cooldown, 8 s of 608 s left",
    );
    let mut asleep = queue(5.0);
    asleep.activation = 10.0;
    check(
        Run::new(0, vec![asleep]),
        &[at_noon(8.0)],
        nothing,
        "hello--blue stays at 0: not woken, since there is no request and no rule above its \
         activation; azure-queue orders 8 / target 5 = 2",
    );
}

#[test]
fn limits() {
    check(
        Run::new(4, vec![http()]),
        &[at_noon(190.0)],
        |run| run.spec.max_replicas = 6,
        "hello--blue 4 → 6: http 190 / target 10 = 19; capped by maxReplicas 6",
    );
    check(
        Run::new(4, vec![http()]),
        &[at_noon(500.0)],
        nothing,
        "hello--blue 4 → 8: http 500 / target 10 = 50; capped by maxReplicas 20; \
         step from 4 allows 8",
    );
    check(
        Run::new(4, vec![http()]),
        &[at_noon(150.0)],
        |run| {
            run.now = Timestamp::from_millis(3_599_500);
            run.decide(&[150.0]);
            run.now = Timestamp::from_secs(3600);
        },
        "hello--blue stays at 8: http 150 / target 10 = 15; step from 4 allows 8, \
         the next in 2 s",
    );
    check(
        Run::new(4, vec![http()]),
        &[at_noon(12.0)],
        |run| {
            run.now = Timestamp::from_secs(3512);
            run.decide(&[40.0]);
            run.now = Timestamp::from_secs(3600);
        },
        "hello--blue stays at 4: http 12 / target 10 = 2; scale-in held 212 s more",
    );
    check(
        Run::new(0, vec![http()]),
        &[at_noon(0.0)],
        |run| run.takeover = 4,
        "hello--blue 0 → 4: http 0 / target 10 = 0; takes over from a revision, so at least 4",
    );
}

#[test]
fn unknown_rules() {
    check(
        Run::new(4, vec![queue(5.0)]),
        &[unknown("connection refused")],
        nothing,
        "hello--blue stays at 4: azure-queue orders unknown: connection refused",
    );
    check(
        Run::new(4, vec![queue(5.0), http()]),
        &[unknown("connection refused"), at_noon(12.0)],
        nothing,
        "hello--blue stays at 4: azure-queue orders unknown: connection refused; \
         http 12 / target 10 = 2; scale-in held while orders is unknown",
    );
    check(
        Run::new(4, vec![queue(5.0)]),
        &[Reading::known(3.0, Timestamp::from_secs(3500))],
        nothing,
        "hello--blue stays at 4: azure-queue orders unknown: last read 100 s ago, more than 90 s",
    );
    check(
        Run::new(4, vec![queue(5.0)]),
        &[at_noon(f64::NAN)],
        nothing,
        "hello--blue stays at 4: azure-queue orders unknown: NaN was read, which is not an amount",
    );
}
