//! Rules of a trigger's own.

mod errors;
mod warnings;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::scale::{Metric, Policy, RuleSpec};

const QUEUE: (&str, &str) = ("type", "gcp-pubsub");

/// The pairs of `key=value | key=value`.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let pairs = text.trim().split(" | ");
    pairs.filter_map(|pair| pair.split_once('=')).collect()
}

fn own(pairs: &[(&str, &str)]) -> OwnRules {
    match parse(pairs).unwrap().subject {
        Subject::Rules(own) => own,
        Subject::App(scope) => panic!("{scope} has no rules of its own"),
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// `name scaler target activation` of each rule.
fn described(rules: &[RuleSpec]) -> Vec<String> {
    let one = |rule: &RuleSpec| {
        let RuleSpec {
            name,
            scaler,
            target,
            activation,
            ..
        } = rule;
        format!("{name} {scaler} {target} {activation}")
    };
    rules.iter().map(one).collect()
}

#[test]
fn flat_keys_are_one_rule() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("type", "http"), ("app", "web")], "http http 10 0"),
        (
            &[("concurrentRequests", "50"), ("app", "web")],
            "http http 50 0",
        ),
        (&[("requestRate", "0.5"), ("app", "web")], "http http 0.5 0"),
        (&[QUEUE], "gcp-pubsub gcp-pubsub 10 0"),
        (
            &[("type", "GCP-PubSub"), ("subscriptionSize", "7")],
            "gcp-pubsub gcp-pubsub 7 0",
        ),
        (
            &[
                ("type", "aws-sqs-queue"),
                ("queueName", "orders"),
                ("activationQueueLength", "3"),
            ],
            "aws-sqs-queue aws-sqs-queue 5 3",
        ),
        (
            &[
                QUEUE,
                ("valueFromEnv", "9"),
                ("activationValueFromEnv", "2"),
            ],
            "gcp-pubsub gcp-pubsub 9 2",
        ),
        (&[("type", "loki"), ("threshold", "1.5")], "loki loki 1.5 0"),
        (&[("type", "etcd"), ("value", "4")], "etcd etcd 4 0"),
        (
            &[
                ("type", "memory"),
                ("metricType", "AverageValue"),
                ("value", "1Ki"),
            ],
            "memory memory 1024 0",
        ),
    ];
    for (pairs, expected) in cases {
        let own = own(pairs);
        assert_eq!(described(&own.spec.rules), [*expected], "{pairs:?}");
        assert_eq!(own.rules.len(), 1);
    }
}

#[test]
fn a_list_has_the_shape_of_a_document() {
    let yaml = "
- name: web
  http: {metadata: {concurrentRequests: '20', windowSeconds: 60}}
- name: orders
  custom: {type: azure-queue, metadata: {connection: c, queueName: q, queueLength: 8}}
- name: jobs
  custom: {type: aws-sqs-queue, metadata: {queueURL: l, queueLength: 4, activationQueueLength: 2}}
";
    let json = r#"[{"name": "web", "tcp": {"metadata": {"concurrentConnections": 3}}}]"#;
    let cases: [(&str, &[&str]); 2] = [
        (
            yaml,
            &[
                "web http 20 0",
                "orders azure-queue 8 0",
                "jobs aws-sqs-queue 4 2",
            ],
        ),
        (json, &["web tcp 3 0"]),
    ];
    for (rules, expected) in cases {
        let own = own(&[("rules", rules), ("app", "shop"), ("revision", "v2")]);
        assert_eq!(described(&own.spec.rules), expected);
        assert_eq!(own.traffic.unwrap().name(), "shop--v2");
    }
    let own = own(&[("rules", yaml), ("app", "shop")]);
    let window = seconds(60);
    assert_eq!(own.spec.rules[0].metric, Metric::HttpConcurrency { window });
    assert_eq!(own.rules[2].metadata["queueURL"], "l");
}

#[test]
fn limits_are_those_of_a_document() {
    let spec = own(&[QUEUE]).spec;
    assert_eq!((spec.min_replicas, spec.max_replicas), (0, 10));
    assert_eq!(
        (spec.cooldown_period, spec.polling_interval),
        (seconds(300), seconds(30))
    );
    let mut policy = Policy::default();
    policy.step.period = seconds(30);
    assert_eq!(spec.policy, policy);

    let spec = own(&[
        QUEUE,
        ("minReplicas", "2"),
        ("maxReplicasFromEnv", " 40 "),
        ("cooldownPeriod", "5"),
        ("pollingInterval", "6"),
        ("scaleInStabilizationSeconds", "7"),
        ("scaleOutStabilizationSeconds", "0"),
    ])
    .spec;
    assert_eq!((spec.min_replicas, spec.max_replicas), (2, 40));
    assert_eq!(
        (spec.cooldown_period, spec.polling_interval),
        (seconds(5), seconds(6))
    );
    policy.step.period = seconds(6);
    policy.scale_in_stabilization = seconds(7);
    assert_eq!(spec.policy, policy);
}

#[test]
fn a_variable_is_read_under_the_key_itself_and_never_printed() {
    let secret = "amqp://guest:hunter2@rabbitmq:5672/";
    let pairs = [QUEUE, ("hostFromEnv", secret), ("queueName", "orders")];
    let trigger = parse(&pairs).unwrap();
    assert!(!format!("{trigger:?}").contains("hunter2"));
    let own = own(&pairs);
    let keys: Vec<_> = own.rules[0].metadata.iter().collect();
    let (host, queue) = ("host".to_owned(), "queueName".to_owned());
    assert_eq!(
        keys,
        [(&host, &secret.to_owned()), (&queue, &"orders".to_owned())]
    );
}

proptest! {
    #[test]
    fn any_list_of_rules_is_read_or_refused(text in "[-\\[\\]{}:,a-z&* \n\"'0-9]{0,60}") {
        let pairs = [("rules", text.as_str())];
        if let Ok(Trigger { subject: Subject::Rules(own), .. }) = parse(&pairs) {
            prop_assert_eq!(own.spec.rules.len(), own.rules.len());
        }
    }

    #[test]
    fn numbers_are_kept_or_refused(target in "[-0-9.e]{1,8}", min in 0_u32..1500, max in 0_u32..1500) {
        let (min_text, max_text) = (min.to_string(), max.to_string());
        let pairs = [QUEUE, ("value", &target), ("minReplicas", &min_text), ("maxReplicas", &max_text)];
        let number = target.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
        let allowed = min <= max && (1..=1000).contains(&max);
        match parse(&pairs) {
            Ok(Trigger { subject: Subject::Rules(own), .. }) => {
                prop_assert!(allowed);
                prop_assert_eq!(Some(own.spec.rules[0].target), number);
                prop_assert_eq!((own.spec.min_replicas, own.spec.max_replicas), (min, max));
            }
            _ => prop_assert!(!allowed || number.is_none()),
        }
    }
}
