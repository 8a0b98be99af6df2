//! What polling finds: counts, errors that freeze, names.

use std::time::Duration;

use tonic::Code;

use super::bed::{Bed, decided, rule};
use super::model::Keda;
use crate::api::testing::revision;

const HELLO: &[(&str, &str)] = &[("app", "hello")];

#[tokio::test]
async fn the_hpa_lands_on_each_decision_with_either_contract() {
    for floats in [true, false] {
        let bed = Bed::with(0).await;
        let mut keda = Keda::new(&bed.client, HELLO);
        keda.floats = floats;
        let mut before = 1;
        for (decided_for, lowered) in [(1, false), (2, false), (9, false), (8, true), (3, true)] {
            bed.publish_lowered(vec![decided(decided_for)], lowered);
            let polled = keda.poll().await.unwrap();
            assert!(polled.active);
            assert_eq!(polled.metrics.len(), 1);
            assert_eq!(polled.metrics[0].0, "s0-ebbtide-hello");
            let wanted = polled.hpa(before);
            assert!(
                (wanted - f64::from(decided_for)).abs() < 1e-9,
                "{before}: {polled:?}"
            );
            before = decided_for;
        }
        bed.publish_lowered(vec![decided(0)], true);
        let polled = keda.poll().await.unwrap();
        assert!(
            !polled.active && polled.metrics[0].1.abs() < 1e-9,
            "{polled:?}"
        );
        bed.stop().await;
    }
}

#[tokio::test]
async fn a_step_in_by_one_among_many_lands_if_the_contract_has_floats() {
    let bed = Bed::new().await;
    bed.publish_lowered(vec![decided(18)], true);
    let mut keda = Keda::new(&bed.client, HELLO);
    assert!((keda.poll().await.unwrap().hpa(19) - 18.0).abs() < 1e-9);
}

#[tokio::test]
async fn each_rule_is_a_metric_and_only_the_one_asked_for_comes_back() {
    let bed = Bed::new().await;
    let mut one = decided(3);
    one.rules = vec![
        rule("http", "http", Some(25.0), 10.0),
        rule("My Cpu", "cpu", Some(40.0), 80.0),
    ];
    bed.publish(vec![one]);
    let mut keda = Keda::new(&bed.client, &[("app", "hello"), ("metrics", "per-rule")]);
    let polled = keda.poll().await.unwrap();
    let expected = [
        ("s0-ebbtide-hello--v1-http".to_owned(), 25.0, 10.0),
        // Forty percent on each of three replicas.
        ("s0-ebbtide-hello--v1-my-cpu".to_owned(), 120.0, 80.0),
    ];
    assert_eq!(polled.metrics, expected);
    assert!((polled.hpa(3) - 3.0).abs() < 1e-9);
    let error = keda.value("s0-ebbtide-hello").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error
            .message()
            .contains("ebbtide-hello--v1-http, ebbtide-hello--v1-my-cpu")
    );
}

#[tokio::test]
async fn pods_that_no_ingress_knows_lead_to_what_was_reckoned_from_them() {
    let bed = Bed::new().await;
    let mut one = decided(3);
    one.replicas.ready = 0;
    let mut cpu = rule("busy", "cpu", Some(70.0), 50.0);
    cpu.replicas = Some(5);
    one.rules = vec![cpu];
    bed.publish(vec![one]);
    let mut keda = Keda::new(&bed.client, &[("app", "hello"), ("metrics", "per-rule")]);
    let polled = keda.poll().await.unwrap();
    assert_eq!(
        polled.metrics,
        [("s0-ebbtide-hello--v1-busy".to_owned(), 250.0, 50.0)]
    );
    assert!((polled.hpa(3) - 5.0).abs() < 1e-9);
}

#[tokio::test]
async fn what_is_unknown_is_an_error_and_never_zero() {
    let bed = Bed::new().await;
    let unknown = |replicas| {
        let mut one = decided(replicas);
        one.rules = vec![rule("orders", "azure-servicebus", None, 5.0)];
        one
    };
    let mut whole = Keda::new(&bed.client, HELLO);
    let mut by_rule = Keda::new(&bed.client, &[("app", "hello"), ("metrics", "per-rule")]);
    bed.publish(vec![unknown(0)]);
    for keda in [&mut whole, &mut by_rule] {
        let (code, message) = keda.refused().await;
        assert_eq!(code, Code::Unavailable);
        assert!(message.contains("rule orders is unknown"), "{message}");
        assert!(message.contains("the queue cannot be reached"), "{message}");
        // Without its specs KEDA would make no HPA, nor count towards its fallback.
        let specs = keda.specs().await.unwrap();
        assert_eq!(specs.len(), 1);
    }
    // What was decided holds while it is unknown, so it is known.
    bed.publish(vec![unknown(2)]);
    assert!((whole.poll().await.unwrap().hpa(1) - 2.0).abs() < 1e-9);
    assert_eq!(by_rule.refused().await.0, Code::Unavailable);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_with_the_key_and_the_fix() {
    let bed = Bed::new().await;
    let mut second = revision("hello--v2");
    second.decision = decided(1).decision;
    bed.publish(vec![decided(1), second]);
    for (metadata, code, message) in [
        (&[][..], Code::InvalidArgument, "app: is missing"),
        (&[("app", "No")], Code::InvalidArgument, "app: \"No\""),
        (
            &[("app", "other")],
            Code::NotFound,
            "no app other; Ebbtide runs hello",
        ),
        (
            &[("app", "hello"), ("revision", "v3")],
            Code::NotFound,
            "no revision hello--v3; hello has hello--v1, hello--v2",
        ),
        (
            &[("app", "hello"), ("metrics", "per-rule")],
            Code::FailedPrecondition,
            "name one with `revision`: hello--v1, hello--v2",
        ),
    ] {
        let found = Keda::new(&bed.client, metadata).refused().await;
        assert_eq!(found.0, code, "{metadata:?}");
        assert!(found.1.contains(message), "{}", found.1);
    }
    let both = Keda::new(&bed.client, HELLO).poll().await.unwrap();
    assert!(both.active);
    let mut one = Keda::new(&bed.client, &[("app", "hello"), ("revision", "v2")]);
    assert!(!one.poll().await.unwrap().active);
}

#[tokio::test]
async fn a_call_waits_for_the_first_decision() {
    let bed = Bed::new().await;
    bed.publish(vec![revision("hello--v1")]);
    let mut keda = Keda::new(&bed.client, HELLO);
    let waiting = keda.poll();
    tokio::pin!(waiting);
    // Nothing is decided, so nothing is answered.
    let early = tokio::time::timeout(Duration::from_millis(1), &mut waiting).await;
    assert!(early.is_err());
    bed.publish(vec![decided(2)]);
    assert!(waiting.await.unwrap().active);
}

#[tokio::test]
async fn who_asked_and_what_was_answered_is_listed() {
    let bed = Bed::with(2).await;
    Keda::new(&bed.client, HELLO).poll().await.unwrap();
    Keda::new(&bed.client, &[("app", "other"), ("color", "red")])
        .refused()
        .await;
    let objects = bed.scaler.scaled_objects();
    let listed = |app, limit| objects.list(app, limit).len();
    assert_eq!((listed(Some("hello"), 9), listed(Some("none"), 9)), (1, 0));
    assert_eq!(listed(None, 0), 0);
    let list = objects.list(None, 9);
    assert_eq!((list.len(), list[0].triggers.len()), (1, 2));
    let [first, second] = &list[0].triggers[..] else {
        panic!("{list:?}");
    };
    assert_eq!(first.subject.as_deref(), Some("app hello"));
    let calls: Vec<_> = first
        .calls
        .iter()
        .map(|call| call.method.as_str())
        .collect();
    assert_eq!(calls, ["IsActive", "GetMetricSpec", "GetMetrics"]);
    let metrics = &first.calls[2];
    assert_eq!(
        metrics.answer.as_deref(),
        Some("ebbtide-hello 2 / target 1")
    );
    assert_eq!(metrics.because, "hello--v1 stays at 2");
    assert!(metrics.peer.starts_with("127.0.0.1:"), "{}", metrics.peer);
    assert_eq!(second.warnings, ["color: unknown key, ignored"]);
    let error = second.calls[0].error.as_deref().unwrap();
    assert!(error.contains("no app other"), "{error}");
    let sample = bed.scaler.sample();
    let count = |method, code: &str| {
        let mut calls = sample.calls.iter();
        calls
            .find(|one| (one.method, one.code.as_str()) == (method, code))
            .map(|one| one.calls)
    };
    assert_eq!(count("GetMetrics", "OK"), Some(1));
    // KEDA tries what failed once more.
    assert_eq!(count("GetMetricSpec", "NOT_FOUND"), Some(2));
}
